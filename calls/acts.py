"""What operators do to callers in a line. Every act is in the ledger with who, when and why, before it is done."""

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from calls.assembly import Core
from calls.ledger import OF_NO_CALL, REFUSED
from calls.store import UnknownCall
from calls.turn import Congested
from config.ids import new_id
from ivr.call import Call
from ivr.events import Released, Woken
from ivr.facts import Facts
from ivr.moves import keeps_place
from ivr.nodes import pick
from queueing.moves import IsOffered, NotInLine, move

HEAD = 1
#: Where a caller has a place in a line that can be changed.
MOVABLE = ("waiting", "kept", "callback", "ringing")


#: Whereto an operator may take a caller out of the line.
Destination = Literal["work_order", "operator", "callback"]


class SeatRefused(ValueError):
    """Nobody may wait for this seat: it is none of the session that is held now, or its leader is not there while others are,
    or has left."""


class NotWaiting(ValueError):
    """The caller is not waiting in a line (any more)."""


class Author(Struct, frozen=True):
    """Who does it, and why."""

    name: str
    reason: str


class Acts:
    """Raise UnknownCall, NotInLine, IsOffered, NotWaiting, SeatRefused; RedisError, DatabaseUnavailable."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def move(self, call_id: str, position: int, author: Author, act: str = "move") -> int:
        """To another position, never ahead of who is offered to the leader; the position they have now."""
        core = self._core
        call = await self._waiting(call_id)
        before = await self._position(call)
        fact_id = await self.note(call, act, author, position=position, from_position=before)
        try:
            now = await move(core.redis, core.settings, call.seat_id, call_id, position)
        except (NotInLine, IsOffered):  # gone, or offered, since we looked
            await self.note(call, act, author, kind=REFUSED, refused=fact_id)
            raise
        if now != before:  # what they were told of their place is no longer so
            with suppress(UnknownCall, Congested):  # moved they are all the same
                await core.turns.take_turn(call_id, lambda facts: Woken(facts=facts, moved=True))
        if now < before:
            await self._tell_overtaken((await core.line.members(call.seat_id))[now:before])
        return now

    async def _tell_overtaken(self, call_ids: list[str]) -> None:
        for call_id in call_ids:
            with suppress(UnknownCall, Congested):
                await self._core.turns.take_turn(call_id, lambda facts: Woken(facts=facts, overtaken=True))

    async def offer_next(self, call_id: str, author: Author) -> int:
        """To the head: next to be offered."""
        return await self.move(call_id, HEAD, author, "next")

    async def mark_urgent(self, call_id: str, author: Author) -> int:
        """To the head, because it cannot wait (A11)."""
        return await self.move(call_id, HEAD, author, "urgent")

    async def put_to_seat(self, call_id: str, seat_id: str, author: Author) -> Call:
        """Into the line of another seat of the same session, with the joining time kept."""
        call = await self._waiting(call_id)
        facts = await self._core.facts.read(call)
        if seat_id not in [seat.id for seat in pick.offered(facts).values() if not seat.left]:
            raise SeatRefused(seat_id)
        if seat_id == call.seat_id and call.node != "ringing":
            return call  # there already
        fact_id = await self.note(call, "seat", author, seat_id=seat_id, from_seat=call.seat_id)
        return await self._release(call, author, "seat", fact_id, lambda facts: _operators(facts, "seat", seat_id))

    async def release(self, call: Call, to: Destination, author: Author) -> Call:
        """Out of the line and what leads there; the call after it."""
        fact_id = await self.note(call, "release", author, to=to)
        return await self._release(call, author, "release", fact_id, lambda facts: _operators(facts, to))

    async def _release(
        self, call: Call, author: Author, act: str, fact_id: str, event: Callable[[Facts], Released]
    ) -> Call:
        """The turn of an act that is put down as `fact_id`. Raises NotWaiting when the caller went on elsewhere, or cannot be
        taken away from where they are."""
        turn = await self._core.turns.take_turn(call.id, event)
        if not turn.decided:
            await self.note(call, act, author, kind=REFUSED, refused=fact_id)
            raise NotWaiting(call.id)
        return turn.call

    async def note(self, call: Call, act: str, author: Author, kind: str = "operator_act", **data: str | int) -> str:
        """Put the act into the ledger; the fact's id."""
        fact_id = f"act-{new_id()}"
        await self._core.ledger.note(
            fact_id,
            call.id,
            kind,
            self._core.clock(),
            {"act": act, "who": author.name, "reason": author.reason, **data},
            session_id=call.session_id,
            carrier=call.carrier,
            host=call.host,
        )
        return fact_id

    async def note_session(
        self, session_id: str, act: str, author: Author, kind: str = "session_act", **data: str | bool
    ) -> str:
        """Put an act on a whole session into the ledger, among the facts of no call; the fact's id."""
        told, fact_id = {"act": act, "who": author.name, "reason": author.reason, **data}, f"act-{new_id()}"
        await self._core.ledger.note(
            fact_id, OF_NO_CALL, kind, self._core.clock(), told, session_id=session_id
        )
        return fact_id

    async def refuse_session(self, session_id: str, act: str, author: Author, fact_id: str) -> None:
        """What was put down as `fact_id` was not done."""
        await self.note_session(session_id, act, author, kind=REFUSED, refused=fact_id)

    async def _position(self, call: Call) -> int:
        """Of a caller who can be moved."""
        seat = await self._core.seats.state(call.seat_id)
        if seat.state == "ringing" and seat.call_id == call.id:
            raise IsOffered(call.id)
        position = await self._core.line.position(call.seat_id, call.id)
        if not position:
            raise NotInLine(call.id)
        return position

    async def _waiting(self, call_id: str) -> Call:
        call = await self._core.calls.get(call_id)
        if call is None:
            raise UnknownCall(call_id)
        if not call.seat_id or call.node not in MOVABLE or (call.node == "callback" and not keeps_place(call)):
            raise NotWaiting(call_id)
        return call


def _operators(facts: Facts, to: Destination | Literal["seat"], seat_id: str = "") -> Released:
    return Released(facts=facts, to=to, reason="operator", seat_id=seat_id)
