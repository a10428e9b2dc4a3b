"""The append-only history of an order."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from workorders.model import OrderEvent, WorkOrder


def record(
    session: AsyncSession,
    order: WorkOrder,
    kind: str,
    at: datetime,
    *,
    actor: str = "",
    before: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Add what happened to `order`; its present status is the one reached. `data` holds no personal data."""
    session.add(
        OrderEvent(
            order_id=order.id,
            at=at,
            kind=kind,
            actor=actor,
            from_status=before,
            to_status=order.status,
            data=data or {},
        )
    )
