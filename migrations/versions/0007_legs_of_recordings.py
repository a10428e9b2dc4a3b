"""On which leg a recording was made: who was called back is on another than the one they came by."""

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
