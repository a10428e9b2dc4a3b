"""What operators write down during a call: the order's form and the notes; kind and place of an order."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("work_orders", sa.Column("kind", sa.String(length=12), server_default=sa.text("''"), nullable=False))
    op.add_column("work_orders", sa.Column("place", sa.LargeBinary(), nullable=True))
    op.create_table(
        "order_forms",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_order_forms")),
    )
    op.create_table(
        "call_notes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=60), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_notes")),
    )
    op.create_index(op.f("ix_call_notes_call_id"), "call_notes", ["call_id"])


def downgrade() -> None:
    op.drop_table("call_notes")
    op.drop_table("order_forms")
    op.drop_column("work_orders", "place")
    op.drop_column("work_orders", "kind")
