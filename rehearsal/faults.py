"""What goes wrong in a rehearsal: events lost, repeated and overtaken, answers of Redis that are lost, and processes that die at
the worst moments."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from redis.asyncio import Redis

from calls.entries import Entry
from calls.outbox import Perform, WriteDown
from calls.store import Beside, Calls, Put, Putting
from config.clock import Clock
from config.database import DatabaseUnavailable
from config.settings import Settings
from ivr.call import Call
from ivr.commands import AnyCommand, CloseCall, Note
from rehearsal.direct import DirectRedis

#: How often each happens, of all chances it has. A real network of a bad day is far from it.
RATES = {
    "lost": 0.02,
    "repeated": 0.04,
    "overtaken": 0.03,
    "answer lost": 0.05,
    "died after saving": 0.02,
    "died before confirming": 0.02,
    "books away": 0.01,
    "books slow": 0.2,
    "died after claiming": 0.05,
    "died before telling": 0.5,
}
#: A lost event is told again by the carrier, or found out by looking, after this.
TOLD_AGAIN_S = (3.0, 60.0)
OVERTAKEN_S = (0.2, 5.0)
#: So long the books take when they are slow: the call has other turns meanwhile.
SLOW_S = (0.5, 3.5)
#: These have chances of their own: a chance for every script that is run would change those of all others.
_APART = ("answer lost", "books slow")


#: Returns so many seconds later.
Wait = Callable[[float], Awaitable[None]]


class Faults:
    """Strikes by a seeded chance; none when it is off. `struck` counts them."""

    def __init__(self, seed: int, *, on: bool) -> None:
        self.random = Random(f"faults {seed}")  # noqa: S311 - a simulation
        self._apart = Random(f"faults apart {seed}")  # noqa: S311 - a simulation
        self.on = on
        self.struck: Counter[str] = Counter()
        #: Ids of the facts of all turns that were saved: each of them has to be in the ledger.
        self.said: set[str] = set()

    def chance(self, kind: str) -> bool:
        """True when this is to go wrong now; whoever asks counts it, if it came to that."""
        return self.on and (self._apart if kind in _APART else self.random).random() < RATES[kind]

    def strike(self, kind: str) -> bool:
        """The same, counted."""
        if not self.chance(kind):
            return False
        self.struck[kind] += 1
        return True


    def slowness(self) -> float:
        """Seconds that the books take when they are slow."""
        return self._apart.uniform(*SLOW_S)


class DeafRedis(DirectRedis):
    """The same connection with answers that are lost: what a script has done is done once more, and its second answer is heard."""

    def __init__(self, redis: DirectRedis, faults: Faults) -> None:
        super(DirectRedis, self).__init__(decode_responses=True, protocol=2)
        self.wire, self._faults = redis.wire, faults

    def begin_script(
        self, digest: str, text: str, keys: tuple[str, ...], arguments: tuple[Any, ...], *, same: bool
    ) -> Any:
        if not same and self._faults.strike("answer lost"):
            super().begin_script(digest, text, keys, arguments, same=False)
        return super().begin_script(digest, text, keys, arguments, same=same)


class Died(ConnectionError):
    """The process was killed; whoever called it hears nothing."""


class MortalCalls(Calls):
    """A store whose process sometimes dies when a turn is saved and none of its commands is performed."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock, faults: Faults) -> None:
        super().__init__(redis, settings, clock)
        self._faults = faults

    def begin_put(
        self, before_seq: int | None, after: Call, commands: tuple[AnyCommand, ...], beside: Beside | None = None
    ) -> Putting:
        facts = [f"{after.id}-{after.seq}-{n}" for n, one in enumerate(commands) if isinstance(one, Note | CloseCall)]
        return _MortalPutting(super().begin_put(before_seq, after, commands, beside), self._faults, facts)


class _MortalPutting(Putting):
    def __init__(self, putting: Putting, faults: Faults, facts: list[str]) -> None:
        self._putting, self._faults, self._facts = putting, faults, facts

    async def done(self) -> Put | None:
        saved = await self._putting
        if saved is not None and self._faults.on:
            self._faults.said.update(self._facts)
        if saved is not None and saved.granted and self._faults.strike("died after saving"):
            return Put()
        return saved


def mortal(perform: Perform, faults: Faults) -> Perform:
    """Performs, and sometimes dies before it can say so: the command is performed once more by another process."""

    async def perform_and_die(entry: Entry) -> None:
        await perform(entry)
        if faults.strike("died before confirming"):
            raise Died

    return perform_and_die


def mortal_books(write_down: WriteDown, faults: Faults, wait: Wait) -> WriteDown:
    """Puts facts down, and sometimes dies before it can say so; or the database is slow, or away for a moment."""

    async def write_down_and_die(entries: Sequence[Entry]) -> None:
        if faults.strike("books away"):
            raise DatabaseUnavailable
        if faults.strike("books slow"):
            await wait(faults.slowness())
        await write_down(entries)
        if faults.strike("died before confirming"):
            raise Died

    return write_down_and_die
