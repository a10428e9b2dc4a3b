"""A whole session in virtual time, as `hotline simulate` plays it: how long that takes."""

import asyncio
import time

from bench.progress import say
from bench.report import Chapter, Row
from rehearsal.company import house, run
from rehearsal.plan import Plan

CALLERS, WITHIN_S = 850, 3.0


def measure(times: int) -> tuple[float, float]:
    """Seconds of a session on the clock and of the processor, of our own process: the best of `times` sessions."""
    taken: list[tuple[float, float]] = []
    with house() as place:
        for seed in range(1, times + 1):
            say(f"  session {seed}")
            begun, spent = time.perf_counter(), time.process_time()
            run(place.rehearse(Plan(seed=seed, callers=CALLERS)))
            taken.append((time.perf_counter() - begun, time.process_time() - spent))
    return min(taken)


async def measure_apart(times: int) -> tuple[float, float]:
    """The same from a loop: a rehearsal has one of its own."""
    return await asyncio.to_thread(measure, times)


def chapter(taken: tuple[float, float]) -> Chapter:
    seconds, processor = taken
    rows = (
        Row(
            f"a session of {CALLERS} callers in virtual time", f"{seconds:.1f} s", "", "",
            f"under {WITHIN_S:.0f} s", seconds < WITHIN_S,
        ),
        Row("the same: processor of the process that plays", f"{processor:.1f} s"),
    )  # fmt: skip
    note = "The real flow, turns, outbox, scripts and ledger, over one blocking connection to a Redis that keeps nothing on disk."
    return Chapter("Rehearsal", rows, beside="", notes=(note,))
