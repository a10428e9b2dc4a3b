"""What a caller on hold costs the bridge: processor and memory with the line full, less the same with nobody in it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bench.agents import Crowd, callers
from bench.progress import say
from bench.report import Chapter, Row
from bench.sides import Hotline
from bench.usage import Usage

CORE_MOST_PERCENT, MEMORY_MOST_KIB = 0.05, 50.0
#: A new bridge has imported and cached everything after a few calls.
WARM_CALLS = 12


@dataclass
class Holding:
    """One process over the same time without and with callers."""

    seconds: float
    callers: int = 0
    idle_s: float = 0.0
    idle_kib: int = 0
    busy_s: float = 0.0
    busy_kib: int = 0

    @property
    def percent_each(self) -> float:
        """Of one core, for one caller."""
        return 100 * (self.busy_s - self.idle_s) / self.seconds / self.callers if self.callers else 0.0

    @property
    def kib_each(self) -> float:
        return (self.busy_kib - self.idle_kib) / self.callers if self.callers else 0.0


async def without_callers(side: Hotline, folder: Path, seconds: float) -> Holding:
    """A bridge of its own for this, so that its memory holds nothing of earlier calls but what any first call brings."""
    house = side.house
    await house.kill("bridge")
    await house.core.redis.delete(f"{house.settings.redis_prefix}health:bridge:{house.settings.pbx_node}")
    await house.start("bridge")
    await house.until_driven()
    crowd = Crowd(keys=((0.5, "1"),), stay_s=2.0, rate=4.0, calls=WARM_CALLS, first_number=90_000_000)
    async with callers(folder, crowd, side.target, side.number) as sipp:
        await sipp.done(60.0)
    await side.empty()
    say("  hotline: the bridge without callers")
    holding = Holding(seconds)
    holding.idle_s, holding.idle_kib = await _watch(side, seconds)
    return holding


async def with_callers(side: Hotline, holding: Holding) -> None:
    """The line is full; nobody is served meanwhile."""
    holding.callers = await side.depth()
    say(f"  hotline: the bridge with {holding.callers} callers on hold")
    holding.busy_s, holding.busy_kib = await _watch(side, holding.seconds)


async def _watch(side: Hotline, seconds: float) -> tuple[float, int]:
    before = _bridge(side)
    await asyncio.sleep(seconds)
    after = _bridge(side)
    return after.cpu_s - before.cpu_s, after.rss_kib


def _bridge(side: Hotline) -> Usage:
    return side.usage()["bridge"]


def chapter(holding: Holding) -> Chapter:
    each, memory = holding.percent_each, holding.kib_each
    rows = (
        Row(
            "processor per caller", f"{each:.3f} % of a core", "", "",
            f"under {CORE_MOST_PERCENT} %", holding.callers > 0 and each < CORE_MOST_PERCENT,
        ),
        Row(
            "memory per caller", f"{memory:.0f} KiB", "", "",
            f"under {MEMORY_MOST_KIB:.0f} KB", holding.callers > 0 and memory < MEMORY_MOST_KIB,
        ),
        Row("processor, nobody / everybody on hold", f"{_share(holding.idle_s, holding)} / {_share(holding.busy_s, holding)}"),
        Row("resident, nobody / everybody on hold", f"{holding.idle_kib / 1024:.0f} / {holding.busy_kib / 1024:.0f} MiB"),
    )  # fmt: skip
    note = f"The bridge's process for {holding.seconds:.0f} s each, announcements every 45 s included (and the last joins' effects)."
    return Chapter(f"{holding.callers} callers on hold", rows, beside="", notes=(note,))


def _share(cpu_s: float, holding: Holding) -> str:
    return f"{100 * cpu_s / holding.seconds:.1f} %"
