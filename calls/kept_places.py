"""Callers who hung up and keep their place, put back when Redis has lost everything: no channel remembers them.

The ledger says who they are, the database has their numbers. Nobody is called twice for it: who is known already is left alone.
"""

import re
from collections.abc import Iterable
from typing import cast

import structlog
from msgspec import Struct
from msgspec.structs import replace

from calls.assembly import Core
from calls.ledger import Entry
from calls.model import CLOSED
from config.redis import shard_key
from ivr.call import Call, Carrier
from ivr.commands import CloseCall, JoinLine, Note
from ivr.events import Released
from sessions.directions import KEPT_S
from sessions.model import Session
from workorders.kept_numbers import KeptNumber, kept_numbers

log = structlog.get_logger()

#: Turns that may have been saved since ledger or channel heard of one: no command of what is restored has an id that was used.
TURNS_BEYOND = 50
#: With one of these the place is not kept any more.
_OVER = ("left_line", "connected", "callback_ended")


class KeptPlace(Struct, frozen=True):
    """As the ledger has it. Times in Unix seconds; `seq` of the last turn that is known."""

    call_id: str
    session_id: str
    seat_id: str
    carrier: str
    host: str
    started_at: float
    joined_at: float
    promised_at: float
    ended_at: float = 0.0
    seq: int = 0
    missed: int = 0


def kept_places(facts: Iterable[Entry]) -> list[KeptPlace]:
    """Who keeps a place after these facts, which are in the order in which they were put down."""
    begun: dict[str, tuple[float, int]] = {}
    kept: dict[str, KeptPlace] = {}
    for fact in facts:
        started_at, seq = begun.get(fact.call_id, (fact.at, 0))
        begun[fact.call_id] = (started_at, max(seq, _seq(fact)))
        place = kept.get(fact.call_id)
        if fact.kind == "callback" and "joined_at" in fact.data:
            kept[fact.call_id] = KeptPlace(
                fact.call_id, fact.session_id, str(fact.data["seat_id"]), fact.carrier, fact.host, started_at,
                float(fact.data["joined_at"]), fact.at,
            )  # fmt: skip
        elif fact.kind == "place_taken_back":
            kept.pop(str(fact.data.get("from_call")), None)
        elif place is not None and (after := _after(place, fact)) is None:
            del kept[fact.call_id]
        elif place is not None and after is not None:
            kept[fact.call_id] = after
    return [replace(place, seq=begun[call_id][1]) for call_id, place in kept.items()]


def _after(place: KeptPlace, fact: Entry) -> KeptPlace | None:
    """The place after one more fact of its call; None when it is not kept any more."""
    if fact.kind in _OVER:
        return None
    if fact.kind == CLOSED:
        return replace(place, ended_at=fact.at)
    if fact.kind == "seat_changed":
        return replace(place, seat_id=str(fact.data["seat_id"]))
    if fact.kind == "callback_missed":
        return replace(place, missed=place.missed + 1)
    return place


def _seq(fact: Entry) -> int:
    found = re.match(rf"{re.escape(fact.call_id)}-(\d+)-", fact.command_id)
    return int(found[1]) if found else 0


class KeptPlaces:
    """One process's. Raises what Redis and the database raise; then it is to be asked again."""

    def __init__(self, core: Core) -> None:
        self._core = core
        #: Sessions whose mark was not found at the last look.
        self._missing: set[str] = set()

    async def look_after(self, session: Session, *, at_once: bool = False) -> int:
        """Put back the places of this session that Redis has lost, at the second look unless it has to be `at_once`: the
        bridges put back who is on the phone first. How many."""
        redis, key = self._core.redis, shard_key(self._core.settings.redis_prefix, f"session:{session.id}", "places")
        if await redis.exists(key):
            self._missing.discard(session.id)
            return 0
        if not at_once and session.id not in self._missing:
            self._missing.add(session.id)
            return 0
        restored = await self._restore(session)
        await redis.set(key, "1", ex=KEPT_S)
        self._missing.discard(session.id)
        return restored

    async def _restore(self, session: Session) -> int:
        places = kept_places(await self._core.ledger.of_session(session.id))
        numbers = await kept_numbers(self._core.database, [place.call_id for place in places])
        restored = 0
        for place in sorted(places, key=lambda one: one.joined_at):
            restored += await self._put_back(session, place, numbers.get(place.call_id, KeptNumber()))
        return restored

    async def _put_back(self, session: Session, place: KeptPlace, number: KeptNumber) -> bool:
        core, now = self._core, self._core.clock()
        call = self._call(session, place, number)
        commands = (
            Note(kind="restored", at=now, data={"node": call.node}),
            CloseCall(outcome="callback", at=call.ended_at),
            JoinLine(seat_id=place.seat_id, joined_at=place.joined_at, mark="callback"),
        )
        put = await core.calls.begin_put(None, call, commands)
        if put is None:
            return False  # known: a bridge was faster, or nothing was lost
        await core.outbox.settle(put)
        log.warning("a kept place that Redis had lost is restored", call_id=call.id, can_be_called=bool(call.number or call.contact))
        if not (call.number or call.contact):
            await core.turns.take_turn(
                call.id, lambda facts: Released(facts=facts, to="work_order", reason="number_lost")
            )
        return True

    def _call(self, session: Session, place: KeptPlace, number: KeptNumber) -> Call:
        seq = place.seq + TURNS_BEYOND
        return Call(
            id=place.call_id, carrier=cast(Carrier, place.carrier), started_at=place.started_at, number=number.number,
            contact=number.contact, host=place.host, language=self._core.settings.language, node="kept", seq=seq, scene=seq,
            entered_at=self._core.clock(), session_id=session.id, seat_id=place.seat_id,
            closes_at=session.closes_at.timestamp(), joined_at=place.joined_at, source="callback", outcome="callback",
            ended_at=place.ended_at or self._core.clock(), callbacks_missed=place.missed,
        )  # fmt: skip
