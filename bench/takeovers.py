"""Two bridges on one Asterisk, callers on hold: from the death of the one that drives until the other has taken everybody up."""

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bench import sides
from bench.agents import Crowd, callers
from bench.figures import summarise
from bench.progress import say
from bench.report import Chapter, Row
from bench.sizes import Sizes
from tests.system.callers import nodes
from tests.waiting import until

MOST_S = 5.0


@dataclass
class Takeovers:
    """Seconds each, by the time the bridge itself wrote down."""

    callers: int
    killed_s: list[float] = field(default_factory=list)
    stopped_s: list[float] = field(default_factory=list)
    #: Callers who were anywhere else afterwards.
    moved: int = 0


async def measure(folder: Path, shared: Path, sizes: Sizes) -> Takeovers:
    found = Takeovers(sizes.takeover_callers)
    async with sides.hotline(folder / "hotline", shared) as side:
        house, active = side.house, "bridge"
        crowd = Crowd(keys=((1.0, "1"),), calls=found.callers, speaks=False)
        async with callers(folder / "callers", crowd, side.target, side.number):
            await until(lambda: _waits(side, found.callers), 120, "everybody in the line")
            before = await nodes(house)
            for n in range(sizes.takeovers * 2):
                standby = f"bridge-{n}"
                await house.start("bridge", standby)
                log = house.folder / f"{standby}.log"
                await until(lambda: "stands by" in log.read_text(), 60, "a standby")  # noqa: B023 - awaited here
                samples = found.killed_s if n % 2 == 0 else found.stopped_s
                at = time.time()
                if n % 2 == 0:
                    await house.kill(active)
                else:
                    house.processes[active].terminate()
                samples.append(await _taken(log) - at)
                after = await nodes(house)
                found.moved += sum(after.get(call_id) != node for call_id, node in before.items())
                say(f"  {'killed' if n % 2 == 0 else 'stopped'}: {samples[-1]:.2f} s")
                active = standby
        await side.empty()
    return found


async def _waits(side: sides.Hotline, count: int) -> bool:
    return await side.depth() == count


async def _taken(log: Path) -> float:
    """When everybody was taken up, Unix seconds."""

    def told() -> str:
        return next((line for line in log.read_text().splitlines() if '"asterisk is driven"' in line), "")

    line = await until(told, 60, "the standby driving")
    return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()


def chapter(found: Takeovers) -> Chapter:
    killed, stopped = summarise(found.killed_s), summarise(found.stopped_s)
    rows = (
        Row(f"killed: the other has taken everybody up, median of {killed.count}", f"{killed.median:.2f} s"),
        Row(
            "killed: the same, the longest", f"{killed.most:.2f} s", "", "", f"within {MOST_S:.0f} s",
            0 < killed.most <= MOST_S,
        ),
        Row(f"stopped: the same, median of {stopped.count}", f"{stopped.median:.2f} s"),
        Row("callers who were moved by it", str(found.moved), "", "", "0", found.moved == 0),
    )  # fmt: skip
    note = "A bridge that is killed is missed when its lease of 3 s is over; one that is stopped gives the lease back."
    return Chapter(f"Two bridges, {found.callers} callers on hold", rows, beside="", notes=(note,))
