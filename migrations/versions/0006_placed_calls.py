"""Calls that we place about an order, and the duty number of a unit."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LIVE, UNDER_WAY = sa.text("state != 'done'"), sa.text("state IN ('ringing', 'talking')")


def upgrade() -> None:
    op.add_column("units", sa.Column("duty_number", sa.LargeBinary(), nullable=True))
    op.create_table(
        "placed_calls",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leg", sa.String(length=26), nullable=False),
        sa.Column("phone", sa.String(length=64), nullable=True),
        sa.Column("talk", sa.Text(), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("missed", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=60), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["work_orders.id"], name=op.f("fk_placed_calls_order_id_work_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placed_calls")),
    )
    op.create_index(op.f("ix_placed_calls_order_id"), "placed_calls", ["order_id"])
    op.create_index("ix_placed_calls_state_due_at", "placed_calls", ["state", "due_at"])
    op.create_index(
        "uq_placed_calls_order_id_purpose", "placed_calls", ["order_id", "purpose"], unique=True, sqlite_where=LIVE,
        postgresql_where=LIVE,
    )  # fmt: skip
    op.create_index(
        "uq_placed_calls_phone", "placed_calls", ["phone"], unique=True, sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("placed_calls")
    op.drop_column("units", "duty_number")
