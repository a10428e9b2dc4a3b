"""Places in a line behind which nobody stands: the call's record is damaged or lost, or the call went on elsewhere and nobody took it
out. Who stands behind such a place would hear a wrong number, and whoever asks would be told of a line that is longer than it is."""

import asyncio
from contextlib import suppress
from typing import Literal

import structlog
from msgspec import Struct

from calls.assembly import Core
from calls.facts import BEYOND
from calls.store import CorruptCall, UnknownCall
from calls.turn import Congested
from ivr.events import Woken
from queueing.seats import SeatNow

log = structlog.get_logger()

#: Longer than the books of a turn may wait for another process (store.PERFORM_LEASE_S), and than Asterisk's bridge needs to put back
#: a call whose record was lost (bridge.AUDIT_EVERY_S).
STRAY_FOR_S = 30.0
#: So many of each line are looked at: who stands further back hears of no number that matters yet.
LONGEST = 1000
#: From "talking" a caller comes back to the line when it was no talk.
_ELSEWHERE = BEYOND - {"talking"}

Fate = Literal["", "damaged", "lost", "elsewhere"]


class _Found(Struct, frozen=True):
    """Seen at `since` (Unix seconds), when `seen` was the newest act known of it."""

    since: float
    seen: int


class Strays:
    """Of one process. Raises RedisError and DatabaseUnavailable."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._found: dict[tuple[str, str], _Found] = {}

    async def look(self) -> int:
        """At every line; how many places were taken out. Who cannot be read goes to the fallback at once."""
        seats, found, out = self._core.seats, dict[tuple[str, str], _Found](), 0
        for seat in await seats.all(await seats.known()):
            for call_id, fate in await self._strays(seat):
                place = seat.id, call_id
                known = self._found.get(place) or await self._begin(*place)
                if fate != "damaged" and self._core.clock() - known.since < STRAY_FOR_S:
                    found[place] = known
                    continue
                await self._take_out(seat, call_id, fate, known.seen)
                out += 1
        self._found = found
        return out

    async def _strays(self, seat: SeatNow) -> list[tuple[str, Fate]]:
        """But whoever is just offered to the leader: their claim says what comes of them."""
        offered = seat.call_id if seat.state in ("ringing", "talking") else ""
        line = await self._core.line.members(seat.id, LONGEST)
        fates = await asyncio.gather(*map(self._fate, line))
        return [(one, fate) for one, fate in zip(line, fates, strict=True) if fate and one != offered]

    async def _fate(self, call_id: str) -> Fate:
        try:
            call = await self._core.calls.get(call_id)
        except CorruptCall:
            return "damaged"
        if call is None:
            return "lost"
        return "elsewhere" if call.node in _ELSEWHERE else ""

    async def _begin(self, seat_id: str, call_id: str) -> _Found:
        return _Found(self._core.clock(), await self._core.line.newest_act(seat_id, call_id))

    async def _take_out(self, seat: SeatNow, call_id: str, fate: Fate, seen: int) -> None:
        """Unless they joined anew meanwhile. The fact comes first: it is why those behind went ahead."""
        core, session_id = self._core, seat.session_id
        log.error("nobody stands behind a place in the line", call_id=call_id, seat_id=seat.id, why=fate)
        if fate == "damaged":
            with suppress(UnknownCall, Congested):  # whoever is on the phone is not left waiting for what will not come
                turn = await core.turns.take_turn(call_id, lambda facts: Woken(facts=facts))
                session_id = turn.call.session_id or session_id
        await core.ledger.note(
            f"stray-{seat.id}-{call_id}-{seen}", call_id, "left_line", core.clock(),
            {"seat_id": seat.id, "reason": "stray"}, session_id=session_id,
            carrier="twilio" if call_id.startswith("t-") else "asterisk",
        )  # fmt: skip
        await core.line.leave(seat.id, call_id, "stray", seen)
