"""Recordings that we know are at the cloud: each until it is here, belongs to an order and is deleted there."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recordings_at_cloud",
        sa.Column("recording_sid", sa.String(length=34), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("recording_sid", name=op.f("pk_recordings_at_cloud")),
    )
    op.create_index(op.f("ix_recordings_at_cloud_due_at"), "recordings_at_cloud", ["due_at"])


def downgrade() -> None:
    op.drop_table("recordings_at_cloud")
