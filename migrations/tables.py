"""All tables of the system in one place, for comparing models with migrations."""

from sqlalchemy import MetaData

import api.accounts.model
import calls.model
import sessions.model
import workorders.model
from config.database import Base

#: Imported for their tables.
MODELS = (api.accounts.model, calls.model, sessions.model, workorders.model)


def metadata() -> MetaData:
    """The tables as the models describe them."""
    return Base.metadata
