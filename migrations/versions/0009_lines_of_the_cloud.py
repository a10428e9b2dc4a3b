"""The lines of a seat at the cloud may be SIP addresses, and several: as long as those of Asterisk."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("seats") as seats:
        seats.alter_column("line_twilio", existing_type=sa.String(length=40), type_=sa.String(length=200), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("seats") as seats:
        seats.alter_column("line_twilio", existing_type=sa.String(length=200), type_=sa.String(length=40), existing_nullable=False)
