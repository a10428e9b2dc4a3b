"""The proof that nobody was lost, and the report of a session. Reads only."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.auth import Reader
from api.documents import problems
from api.parts import Behind, Parts
from api.problems import Problem
from api.report_pages import as_csv, as_html
from api.schemas.ledger import LedgerCheckOut, MissingOut, SealOut, StuckOut, UnaccountedOut
from api.texts import Identifier
from calls.ledger import Unaccounted
from calls.promises import broken_promises
from calls.report import Report, draw_up
from calls.seals import Seals, kept_head
from sessions.calendar import UnknownSession
from sessions.model import Session
from telephony.carrier_records import CarrierCall, CarrierRecords, read_records
from workorders.register import count_by_source

#: Without a session: calls of so many days.
DAYS_S = 7 * 24 * 3600.0
#: Calls that came while the session was open, and a little around it.
AROUND_S = 600.0
#: The ledger learns of a call's end a moment after its carrier.
SETTLED_S = 10.0

router = APIRouter(tags=["calls"])


@router.get(
    "/api/ledger/check",
    responses=problems(
        "unauthenticated", "forbidden", "session_not_found", "database_unavailable", "redis_unavailable"
    ),
)
async def check_ledger(
    parts: Behind, _: Reader, session_id: Annotated[Identifier | None, Query()] = None
) -> LedgerCheckOut:
    """Every call ended in exactly one outcome, who is owed a work order has one, who was promised a call back got it or an order,
    nothing is set aside undone, none of the carriers' calls is missing, and no fact was changed since it was sealed. `complete`
    says so in one word; while a carrier that is configured does not answer, nothing is proven."""
    core = parts.core
    since, until = await _span(parts, session_id)
    summary = await core.ledger.summary(session_id)
    live = set(await core.calls.live())
    lost = [one for one in summary.unaccounted if one.call_id not in live]
    owed = await broken_promises(core.database, session_id, core.clock() - SETTLED_S, live)
    forgotten = [one for one in owed if one.last_kind == "callback"]
    without_order = [one for one in owed if one.last_kind != "callback"]
    stuck = await _stuck(parts, session_id)
    records = await read_records(core.settings, core.redis, since, min(until, core.clock() - SETTLED_S), core.clock())
    missing = await _missing(parts, records, live)
    seals = Seals(core.database, core.settings, core.clock)
    kept = await kept_head(core.redis, core.settings.redis_prefix)  # first: the chain may grow meanwhile
    verdict, cut_off = await seals.verify(), await seals.compare(kept)
    broken = (*verdict.broken, *([cut_off] if cut_off else []))
    return LedgerCheckOut(
        session_id=session_id,
        complete=not (lost or owed or stuck or missing or broken or "away" in (records.asterisk, records.cloud)),
        calls=summary.calls,
        outcomes=summary.outcomes,
        live=len(summary.unaccounted) - len(lost),
        unaccounted=[_unaccounted(parts, one) for one in lost],
        forgotten=[_unaccounted(parts, one) for one in forgotten],
        without_order=[_unaccounted(parts, one) for one in without_order],
        stuck=stuck,
        asterisk=records.asterisk,
        cloud=records.cloud,
        nodes=list(records.nodes),
        silent_nodes=list(records.silent),
        asterisk_records=sum(call.carrier == "asterisk" for call in records.calls),
        cloud_records=sum(call.carrier == "twilio" for call in records.calls),
        missing=missing,
        seals=verdict.seals,
        sealed=verdict.entries,
        not_sealed_yet=verdict.open_entries,
        broken_seals=[
            SealOut(number=one.number, first_entry=one.first_entry, last_entry=one.last_entry, fault=one.fault)
            for one in broken
        ],
    )


@router.get(
    "/api/sessions/{session_id}/report",
    response_model=None,
    responses={
        200: {"content": {"application/json": {}, "text/csv": {}, "text/html": {}}, "description": "The report"},
        **problems("unauthenticated", "forbidden", "session_not_found", "database_unavailable"),
    },
)
async def show_report(
    session_id: Identifier,
    parts: Behind,
    _: Reader,
    format: Literal["json", "csv", "html"] = "json",  # noqa: A002
) -> Response:
    """Depth over time, waits, who was put through, chance told against outcome, orders, the served order against the joining
    order: as JSON, as a table, or as a page to print."""
    report = await _report(parts, session_id)
    match format:
        case "json":
            return Response(msgspec.json.encode(report), media_type="application/json")
        case "csv":
            name = f'attachment; filename="report-{session_id}.csv"'
            body = "\ufeff" + as_csv(report, parts.zone)  # so that spreadsheets see that it is UTF-8
            return Response(body, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})
        case "html":
            return Response(as_html(report, parts.zone), media_type="text/html; charset=utf-8")


async def _report(parts: Parts, session_id: str) -> Report:
    session = await _session(parts, session_id)
    facts = await parts.core.ledger.of_session(session_id)
    orders = await count_by_source(parts.core.database, session_id)
    opens_at, closes_at = session.began_at.timestamp(), (session.closed_at or session.closes_at).timestamp()
    return draw_up(session_id, opens_at, max(opens_at, closes_at), session.theme, facts, orders)


async def _session(parts: Parts, session_id: str) -> Session:
    try:
        return await parts.calendar.get(session_id)
    except UnknownSession as error:
        raise Problem("session_not_found") from error


async def _span(parts: Parts, session_id: str | None) -> tuple[float, float]:
    if session_id is None:
        return parts.core.clock() - DAYS_S, parts.core.clock()
    session = await _session(parts, session_id)
    end = session.closed_at or session.closes_at
    return session.began_at.timestamp() - AROUND_S, end.timestamp() + AROUND_S


async def _stuck(parts: Parts, session_id: str | None) -> list[StuckOut]:
    """What is set aside, of this session as far as it is known."""
    found = []
    for call_id, entry in ((one.call_id, one.entry) for one in await parts.core.outbox.stuck()):
        if session_id is None or entry is None or entry.session_id in ("", session_id):
            command = type(entry.command).__name__ if entry else ""
            found.append(StuckOut(call_id=call_id, command=command, since=parts.moment(entry.at) if entry else None))
    return found


async def _missing(parts: Parts, records: CarrierRecords, live: set[str]) -> list[MissingOut]:
    """Calls that a carrier knows and that have no outcome, with what is known of them."""
    ended = {call.call_id: call for call in records.calls if call.call_id not in live}
    found = []
    for call_id in await parts.core.ledger.open_calls(ended):
        events = await parts.core.ledger.events(call_id)
        found.append(_missed(parts, ended[call_id], events[-1].kind if events else ""))
    return found


def _missed(parts: Parts, call: CarrierCall, last_kind: str) -> MissingOut:
    return MissingOut(
        call_id=call.call_id,
        carrier=call.carrier,
        started_at=parts.moment(call.started_at) if call.started_at is not None else None,
        seconds=call.seconds,
        told=call.told,
        last_kind=last_kind,
    )


def _unaccounted(parts: Parts, one: Unaccounted) -> UnaccountedOut:
    return UnaccountedOut(
        call_id=one.call_id,
        first_at=parts.moment(one.first_at),
        last_at=parts.moment(one.last_at),
        last_kind=one.last_kind,
    )
