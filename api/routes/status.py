"""What machines ask about the process: alive, ready, metrics. Without a token."""

from contextlib import suppress
from ipaddress import ip_address

from fastapi import APIRouter, Request
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api.documents import problems
from api.health import check_parts
from api.metrics import CONTENT_TYPE
from api.parts import Behind
from api.problems import Problem, answer
from api.schemas.health import HealthOut, ReadyOut
from calls.placed_register import left_to_people
from calls.seals import is_alarmed
from config.database import DatabaseUnavailable

router = APIRouter(tags=["status"])


@router.get("/healthz")
async def is_alive() -> HealthOut:
    """The process answers."""
    return HealthOut(status="ok")


@router.get("/readyz", response_model=ReadyOut, responses=problems("not_ready"))
async def is_ready(parts: Behind) -> ReadyOut | Response:
    """Every part is there; else 503 with the state of each part, and what to do."""
    states, todo = await check_parts(parts.core.settings, parts.core.redis, parts.core.database)
    if todo:
        detail = "; ".join(f"{name}: {advice}" for name, advice in todo.items())
        return answer("not_ready", detail, {**states, "failed": list(todo)})
    return ReadyOut.model_validate(states)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "Prometheus"},
        **problems("loopback_only"),
    },
)
async def show_metrics(request: Request, parts: Behind) -> Response:
    """Counts and times, to this machine only. Holds no personal data."""
    if request.client is None or not _is_loopback(request.client.host):
        raise Problem("loopback_only")
    try:
        parts.metrics.set_line(await parts.line.read())
        parts.metrics.set_outbox(await parts.core.outbox.lag())
        parts.metrics.ledger_broken.set(await is_alarmed(parts.core.redis, parts.core.settings.redis_prefix))
    except (RedisError, OSError):
        parts.metrics.set_line(None)
    with suppress(SQLAlchemyError, DatabaseUnavailable):  # the last values stay
        parts.metrics.set_left_to_people(await left_to_people(parts.core.database))
    parts.metrics.streams.set(request.app.state.feeds.streams)
    return Response(parts.metrics.text(), media_type=CONTENT_TYPE)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
