"""`hotline migrate`: brings the database to this version's tables, for machines where `hotline up` does not."""

import sys

from config.database import DatabaseUnavailable
from config.migrate import newest, upgrade
from config.settings import Settings


def run(settings: Settings) -> int:
    """0 when the tables are up to date afterwards; may run on several machines at once."""
    try:
        upgrade(settings.effective_database_url)
    except DatabaseUnavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    print(f"database: revision {newest()}")
    return 0
