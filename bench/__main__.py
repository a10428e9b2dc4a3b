"""Runs the chapters that were asked for, or all, prints their tables, and puts them into RESULTS.md unless it was a quick run."""

import asyncio
import random
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench import (
    answers,
    fanout,
    handovers,
    holding,
    lines,
    load,
    machine,
    paint,
    rehearsals,
    report,
    sides,
    sounds,
    takeovers,
    turns,
    webhooks,
)
from bench.progress import say
from bench.report import Chapter
from bench.sizes import Sizes, chosen

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass
class Run:
    """One run: both sides are started when a chapter first needs them, and stay up to its end."""

    folder: Path
    sizes: Sizes
    stack: AsyncExitStack
    ours: sides.Hotline | None = None
    theirs: sides.Native | None = None
    chapters: list[Chapter] = field(default_factory=list)

    async def both(self) -> tuple[sides.Hotline, sides.Native]:
        if self.ours is None or self.theirs is None:
            say("prompts and music")
            shared = await sounds.prepare_shared()
            say("both sides start")
            self.theirs = await self.stack.enter_async_context(sides.native(self.folder / "native", shared))
            self.ours = await self.stack.enter_async_context(sides.hotline(self.folder / "hotline", shared))
        return self.ours, self.theirs

    def place(self, *names: str) -> Path:
        """A folder of its own for one measurement."""
        path = self.folder.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path


async def measure_answers(run: Run) -> None:
    ours, theirs = await run.both()
    sizes, found = run.sizes, []
    for side in (theirs, ours):
        say(f"  {side.name}: {sizes.answers} calls")
        place = run.place("answers", side.name)
        found.append(await answers.measure(side, place, sizes.answers, sizes.answers_per_s, sizes.seed))
        await side.empty()
    run.chapters.append(answers.chapter(found[1], found[0]))


async def measure_handovers(run: Run) -> None:
    """With the bridge's cost on hold, because the line is full then anyway."""
    ours, theirs = await run.both()
    results, most, held = [], max(depth for depth, _ in run.sizes.handovers), None
    for depth, wanted in run.sizes.handovers:
        measured = await handovers.measure(theirs, run.place("theirs", str(depth)), depth, wanted, run.sizes)
        while_full = None
        if depth == most:
            held = await holding.without_callers(ours, run.place("warm"), run.sizes.hold_s)
            while_full = partial(holding.with_callers, ours, held)
        place = run.place("ours", str(depth))
        results.append((depth, await handovers.measure(ours, place, depth, wanted, run.sizes, while_full), measured))
    run.chapters.append(handovers.chapter(results))
    if held is not None:
        run.chapters.append(holding.chapter(held))


async def measure_load(run: Run) -> None:
    ours, theirs = await run.both()
    loads = []
    for side in (theirs, ours):
        say(f"  {side.name}: {run.sizes.load_per_s:g} calls/s for {run.sizes.load_s:.0f} s")
        loads.append(await load.measure(side, run.place("load", side.name), run.sizes))
    rates = [await load.highest_rates(side, run.place("rate", side.name), run.sizes) for side in (ours, theirs)]
    run.chapters.append(load.chapter(loads[1], loads[0], rates, run.sizes))


async def measure_turns(run: Run) -> None:
    run.chapters.append(turns.chapter(await turns.measure(run.place("turns"), run.sizes)))


async def measure_lines(run: Run) -> None:
    run.chapters.append(lines.chapter(await lines.measure(run.place("lines"), run.sizes)))


async def measure_webhooks(run: Run) -> None:
    shared = await sounds.prepare_shared()
    run.chapters.append(webhooks.chapter(await webhooks.measure(run.place("webhooks"), shared, run.sizes)))


async def measure_fanout(run: Run) -> None:
    shared = await sounds.prepare_shared()
    run.chapters.append(fanout.chapter(await fanout.measure(run.place("fanout"), shared, run.sizes)))


async def measure_paint(run: Run) -> None:
    shared = await sounds.prepare_shared()
    run.chapters.append(paint.chapter(await paint.measure(run.place("paint"), shared, run.sizes)))


async def measure_rehearsals(run: Run) -> None:
    run.chapters.append(rehearsals.chapter(await rehearsals.measure_apart(run.sizes.rehearsals)))


async def measure_takeovers(run: Run) -> None:
    shared = await sounds.prepare_shared()
    run.chapters.append(takeovers.chapter(await takeovers.measure(run.place("takeovers"), shared, run.sizes)))


MEASURES: dict[str, Callable[[Run], Awaitable[None]]] = {
    "turns": measure_turns,
    "answers": measure_answers,
    "handovers": measure_handovers,
    "load": measure_load,
    "webhooks": measure_webhooks,
    "lines": measure_lines,
    "rehearsals": measure_rehearsals,
    "fanout": measure_fanout,
    "paint": measure_paint,
    "takeovers": measure_takeovers,
}


#: Is told what has just been measured.
Keep = Callable[[list[Chapter]], None]


async def run_all(names: Sequence[str], sizes: Sizes, keep: Keep) -> list[Chapter]:
    """One chapter that fails is told as such; the others are measured all the same."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as folder:
        async with AsyncExitStack() as stack:
            run = Run(Path(folder), sizes, stack)
            for name in names:
                say(name)
                before = len(run.chapters)
                try:
                    await MEASURES[name](run)
                except Exception as error:  # noqa: BLE001 - told in the table; a run of many minutes is not thrown away
                    traceback.print_exc()
                    run.chapters.append(Chapter(name, (), failure=f"{type(error).__name__}: {error}"))
                for chapter in run.chapters[before:]:
                    print("\n" + report.table(chapter), flush=True)
                keep(run.chapters[before:])
            return run.chapters


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when everything could be measured, whatever the figures; 2 for a chapter that is not known."""
    names = list(arguments) or list(MEASURES)
    if unknown := [name for name in names if name not in MEASURES]:
        print(f"no such chapter: {' '.join(unknown)}; there are {' '.join(MEASURES)}", file=sys.stderr)
        return 2
    sizes, described = chosen(), machine.describe()
    random.seed(sizes.seed)

    def keep(chapters: list[Chapter]) -> None:
        """A run of many minutes that is interrupted has not been in vain; a quick one is for looking at."""
        if sizes.quick:
            return
        before = RESULTS.read_text() if RESULTS.exists() else ""
        anew = [report.section(chapter, datetime.now(UTC)) for chapter in chapters]
        RESULTS.write_text(report.document(described, report.merge(before, anew)))
        say(f"written: {RESULTS}")

    chapters = asyncio.run(run_all(names, sizes, keep))
    return 1 if any(chapter.failure for chapter in chapters) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
