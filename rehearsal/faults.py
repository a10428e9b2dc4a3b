"""What goes wrong in a rehearsal: events lost, repeated and overtaken, and processes that die at the worst moments."""

from collections import Counter
from collections.abc import Sequence
from random import Random

from redis.asyncio import Redis

from calls.entries import Entry
from calls.outbox import Perform, WriteDown
from calls.store import Beside, Calls, Put, Putting
from config.clock import Clock
from config.database import DatabaseUnavailable
from config.settings import Settings
from ivr.call import Call
from ivr.commands import AnyCommand

#: How often each happens, of all chances it has. A real network of a bad day is far from it.
RATES = {
    "lost": 0.02,
    "repeated": 0.04,
    "overtaken": 0.03,
    "died after saving": 0.02,
    "died before confirming": 0.02,
    "books away": 0.01,
    "died after claiming": 0.05,
    "died before telling": 0.5,
}
#: A lost event is told again by the carrier, or found out by looking, after this.
TOLD_AGAIN_S = (3.0, 60.0)
OVERTAKEN_S = (0.2, 5.0)


class Faults:
    """Strikes by a seeded chance; none when it is off. `struck` counts them."""

    def __init__(self, seed: int, *, on: bool) -> None:
        self.random = Random(f"faults {seed}")  # noqa: S311 - a simulation
        self.on = on
        self.struck: Counter[str] = Counter()

    def chance(self, kind: str) -> bool:
        """True when this is to go wrong now; whoever asks counts it, if it came to that."""
        return self.on and self.random.random() < RATES[kind]

    def strike(self, kind: str) -> bool:
        """The same, counted."""
        if not self.chance(kind):
            return False
        self.struck[kind] += 1
        return True


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
        return _MortalPutting(super().begin_put(before_seq, after, commands, beside), self._faults)


class _MortalPutting(Putting):
    def __init__(self, putting: Putting, faults: Faults) -> None:
        self._putting, self._faults = putting, faults

    async def done(self) -> Put | None:
        saved = await self._putting
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


def mortal_books(write_down: WriteDown, faults: Faults) -> WriteDown:
    """Puts facts down, and sometimes dies before it can say so; or the database is away for a moment."""

    async def write_down_and_die(entries: Sequence[Entry]) -> None:
        if faults.strike("books away"):
            raise DatabaseUnavailable
        await write_down(entries)
        if faults.strike("died before confirming"):
            raise Died

    return write_down_and_die
