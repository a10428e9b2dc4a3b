"""On which leg a recording was made: who was called back is on another than the one they came by.

Rows from before keep the empty leg, which reads as "the one they came by". It cannot be derived: the leg of a call back was only in
the live call's record in Redis; ledger and order say that somebody was called back, and not by which call of the carrier's. It matters
for a talk that the cloud had not delivered yet at the upgrade, and only when its notice is lost as well: the sweep then looks at the
leg they came by, the order goes on with its recording reported missing, and one that comes later is taken all the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    leg = sa.Column("leg", sa.String(length=150), server_default=sa.text("''"), nullable=False)
    op.add_column("recordings", leg)


def downgrade() -> None:
    op.drop_column("recordings", "leg")
