"""Directors (導播) and operators in a talk: listen, whisper to the leader, barge in, a three-way call; and out of it again."""

import asyncio
import time
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from msgspec.structs import replace
from pydantic import Field

from api.accounts.acts import Act
from api.auth import Principal, require
from api.documents import problems
from api.parts import Behind, Parts
from api.phone.desks import Desks
from api.problems import Problem
from api.schemas.shape import Shape
from api.texts import Identifier, Reason, SipUri
from config.ids import new_id
from sessions.calendar import UnknownSeat
from telephony.asterisk.phone_address import PhoneRefused, read_phone
from telephony.asterisk.web_phone import desk_handset_of, line_of, rings_desks
from telephony.supervision import Kind, State, Supervision, Supervisions, Why

router = APIRouter(prefix="/api/seats", tags=["supervision"])
_log = structlog.get_logger("api.supervision")
_SEEN = problems("unauthenticated", "forbidden", "seat_not_found", "database_unavailable", "redis_unavailable")
_ACT = problems(
    "unauthenticated", "forbidden", "seat_not_found", "no_talk", "invalid_line", "bridge_unavailable", "database_unavailable",
    "redis_unavailable",
)  # fmt: skip
#: The bridge rings the phone within this time, or nobody drives that Asterisk.
ANSWERS_WITHIN_S = 5.0
LOOK_EVERY_S = 0.05

#: The act of the table that each kind needs.
ACTS: dict[Kind, Act] = {"listen": "listen", "whisper": "whisper", "barge": "barge", "three-way": "three_way"}
Watcher = Annotated[Principal, Depends(require("listen", "whisper", "barge", "three_way"))]


class SuperviseIn(Shape):
    reason: Reason = Field(description="Kept in the audit trail and in the ledger of the call")
    phone: SipUri | None = Field(
        None,
        description="Where you are rung: sip:user@address in one of the trusted networks, or your own browser phone "
        "(sip:desk-3@browser); empty = the phone at your desk, else the operators' line",
    )


class SupervisionOut(Shape):
    id: str
    kind: Kind
    seat_id: str
    call_id: str
    phone: str
    who: str
    asked_at: datetime
    state: State = Field(description="`asked`, then the phone rings, then `on` until it is `ended`")
    why: Why = Field(description="Why it ended; `over` = somebody hung up")


class SupervisionsOut(Shape):
    items: list[SupervisionOut]


@router.post("/{seat_id}/listen", responses=_ACT)
async def listen_to_talk(
    seat_id: Identifier, wanted: SuperviseIn, parts: Behind, who: Annotated[Principal, Depends(require("listen"))]
) -> SupervisionOut:
    """Your phone rings; when you answer, you hear leader and caller, and neither hears you."""
    return await _begin(parts, who, seat_id, "listen", wanted)


@router.post("/{seat_id}/whisper", responses=_ACT)
async def whisper_to_leader(
    seat_id: Identifier, wanted: SuperviseIn, parts: Behind, who: Annotated[Principal, Depends(require("whisper"))]
) -> SupervisionOut:
    """The same, and the leader hears you; the caller does not, nor does the recording."""
    return await _begin(parts, who, seat_id, "whisper", wanted)


@router.post("/{seat_id}/barge", responses=_ACT)
async def barge_into_talk(
    seat_id: Identifier, wanted: SuperviseIn, parts: Behind, who: Annotated[Principal, Depends(require("barge"))]
) -> SupervisionOut:
    """Both hear you. You are not in the recording."""
    return await _begin(parts, who, seat_id, "barge", wanted)


@router.post("/{seat_id}/three-way", responses=_ACT)
async def add_operator_to_talk(
    seat_id: Identifier, wanted: SuperviseIn, parts: Behind, who: Annotated[Principal, Depends(require("three_way"))]
) -> SupervisionOut:
    """Three-way call (三方通話): all three hear each other, and the recording holds all three. It ends for you when the
    leader or the caller hangs up."""
    return await _begin(parts, who, seat_id, "three-way", wanted)


@router.get("/{seat_id}/supervisions", responses=_SEEN)
async def list_supervisions(seat_id: Identifier, parts: Behind, _: Watcher) -> SupervisionsOut:
    """Who is, or was, in the talks of this seat; the newest first."""
    await _check_seat(parts, seat_id)
    found = await _records(parts).of_seat(seat_id)
    return SupervisionsOut(items=[_show(parts, one) for one in found])


@router.get(
    "/{seat_id}/supervisions/{supervision_id}", responses=_SEEN | problems("supervision_not_found", "seat_not_found")
)
async def show_supervision(
    seat_id: Identifier, supervision_id: Identifier, parts: Behind, _: Watcher
) -> SupervisionOut:
    """What became of it: ringing, on, ended."""
    return _show(parts, await _find(parts, seat_id, supervision_id))


@router.post(
    "/{seat_id}/supervisions/{supervision_id}/end",
    responses=_SEEN | problems("supervision_not_found", "seat_not_found"),
)
async def end_supervision(
    seat_id: Identifier, supervision_id: Identifier, parts: Behind, who: Watcher
) -> SupervisionOut:
    """Out of the talk, which goes on. Hanging up does the same. Others' only for who may do the same act."""
    one = await _find(parts, seat_id, supervision_id)
    if one.who != who.name and not who.may(ACTS[one.kind]):
        raise Problem("forbidden", f"This needs the scope `{ACTS[one.kind]}`.")
    if one.state != "ended":
        await _records(parts).want_end(seat_id, supervision_id)
        one = await _await(parts, one, "asked", "ringing", "on")
    return _show(parts, one)


async def _begin(parts: Parts, who: Principal, seat_id: str, kind: Kind, wanted: SuperviseIn) -> SupervisionOut:
    await _check_seat(parts, seat_id)
    phone = await _phone(parts, who, wanted)
    seat = await parts.core.seats.state(seat_id)
    call = await parts.core.calls.get(seat.call_id) if seat.state == "talking" else None
    if call is None or call.node != "talking" or call.carrier != "asterisk":
        raise Problem("no_talk")
    one = Supervision(new_id(), kind, seat_id, call.id, call.host, phone, who.name, parts.core.clock())
    await parts.core.ledger.note(
        f"supervised-{one.id}", call.id, "supervised", one.asked_at,
        {"act": kind, "who": who.name, "reason": wanted.reason, "seat_id": seat_id},
        session_id=call.session_id, carrier=call.carrier, host=call.host,
    )  # fmt: skip
    _log.info("a talk is supervised", act=kind, seat_id=seat_id, call_id=call.id, who=who.name)
    await _records(parts).put(one)
    after = await _await(parts, one, "asked")
    if after.state == "asked":
        await _records(parts).want_end(seat_id, one.id)
        await _records(parts).put(replace(one, state="ended", why="no_bridge"))
        raise Problem("bridge_unavailable", "No bridge drives the telephone exchange of this talk.")
    if after.why == "no_talk":
        raise Problem("no_talk")
    return _show(parts, after)


async def _await(parts: Parts, one: Supervision, *states: State) -> Supervision:
    """The record once it is in none of these states, or as it is when the bridge does not answer."""
    give_up = time.monotonic() + ANSWERS_WITHIN_S
    while True:
        now = await _records(parts).get(one.seat_id, one.id) or one
        if now.state not in states or time.monotonic() > give_up:
            return now
        await asyncio.sleep(LOOK_EVERY_S)


async def _phone(parts: Parts, who: Principal, wanted: SuperviseIn) -> str:
    """A citizen's words go to whoever asked, not to the desk of somebody else."""
    settings = parts.core.settings
    own = await Desks(parts.core.redis, settings, parts.core.clock).of(who.account_id) if who.account_id else ""
    if not wanted.phone and not own and rings_desks(settings.operators_line, settings):
        raise Problem("invalid_line", "Switch on the phone at your desk, or say which phone is yours.")
    phone = wanted.phone or (line_of(own) if own else settings.operators_line)
    is_of_desk = desk_handset_of(phone, settings) is not None
    if is_of_desk and who.account_id and phone != line_of(own):
        raise Problem("invalid_line", "This is the phone at somebody else's desk.")
    try:
        return read_phone(phone, settings)
    except PhoneRefused as error:
        raise Problem("invalid_line", str(error)) from error


async def _check_seat(parts: Parts, seat_id: str) -> None:
    try:
        await parts.calendar.seat(seat_id)
    except UnknownSeat as error:
        raise Problem("seat_not_found") from error


async def _find(parts: Parts, seat_id: str, supervision_id: str) -> Supervision:
    await _check_seat(parts, seat_id)
    one = await _records(parts).get(seat_id, supervision_id)
    if one is None:
        raise Problem("supervision_not_found")
    return one


def _records(parts: Parts) -> Supervisions:
    return Supervisions(parts.core.redis, parts.core.settings.redis_prefix)


def _show(parts: Parts, one: Supervision) -> SupervisionOut:
    return SupervisionOut(
        id=one.id, kind=one.kind, seat_id=one.seat_id, call_id=one.call_id, phone=one.phone, who=one.who,
        asked_at=parts.moment(one.asked_at), state=one.state, why=one.why,
    )  # fmt: skip
