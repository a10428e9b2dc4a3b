"""The waiting line in Redis: how long each act takes with few and with very many callers, and how many a second."""

import random
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bench.figures import Summary, ratio, summarise
from bench.line_rates import AT_ONCE, BATCH, JOINED_AT, Rates, fill, rates
from bench.progress import say
from bench.report import Chapter, Row, ms, times
from bench.sizes import Sizes
from config.redis import connect
from config.settings import Settings
from queueing.keys import line_keys
from queueing.line import Line
from queueing.moves import move
from queueing.seats import Seats
from tests.servers import redis_server

ACTS = ("join", "position", "move", "claim", "leave")
P99_MOST_S, FLAT_WITHIN, THROUGHPUT_LEAST = 0.002, 1.5, 0.6
#: Callers are moved by an operator to about this place; who is moved stands at the end.
MOVED_TO = 3


@dataclass(slots=True)
class LineFigures:
    """Seconds of each act by callers in the line; acts a second, each beside its no-ops."""

    acts: dict[int, dict[str, Summary]] = field(default_factory=dict)
    rates: dict[str, Rates] = field(default_factory=dict)


async def measure(folder: Path, sizes: Sizes) -> LineFigures:
    """On a Redis of its own, every write on disk before it answers."""
    figures = LineFigures()
    with redis_server(folder / "redis") as server:
        settings = Settings(state_dir=folder, redis_url=server.url, _env_file=None)
        redis = connect(settings)
        try:
            say(f"  lines of {_listed(sizes.line_depths)}")
            figures.acts = await _acts(redis, settings, sizes.line_depths, sizes.line_samples, sizes.seed)
            for act in ACTS:
                say(f"  {act}: a second")
                figures.rates[act] = await rates(redis, settings, act, sizes.throughput_s)
        finally:
            await redis.aclose()
    return figures


async def _acts(
    redis: Redis, settings: Settings, depths: Sequence[int], samples: int, seed: int
) -> dict[int, dict[str, Summary]]:
    """The lines take turns, sample by sample: whatever disturbs the machine meets all of them."""
    taken = {depth: {act: list[float]() for act in ACTS} for depth in depths}
    chance = random.Random(seed)
    for depth in depths:
        await fill(redis, line_keys(settings.redis_prefix, f"seat-{depth}"), depth)
        await Seats(redis, settings, time.time).open(
            f"seat-{depth}", session_id="s-1", unit="市教育局", leader="李明", line_asterisk="sip:leader@127.0.0.1"
        )
    for n in range(samples):
        for depth in depths:
            await _sample(redis, settings, depth, n, f"a-old-{chance.randrange(depth)}", taken[depth])
    return {depth: {act: summarise(some) for act, some in of_depth.items()} for depth, of_depth in taken.items()}


async def _sample(
    redis: Redis, settings: Settings, depth: int, n: int, known: str, taken: dict[str, list[float]]
) -> None:
    line, seat, new = Line(redis, settings, time.time), f"seat-{depth}", f"a-new-{n}"

    async def clocked(act: str, doing: Awaitable[Any]) -> Any:
        begun = time.perf_counter()
        result = await doing
        taken[act].append(time.perf_counter() - begun)
        return result

    await clocked("join", line.join(seat, new, JOINED_AT + depth + n, n))
    await clocked("position", line.position(seat, known))
    await clocked("move", move(redis, settings, seat, new, min(depth, MOVED_TO)))
    claim = await clocked("claim", line.claim_next(seat, "bench", 35.0))
    if claim is None:
        raise RuntimeError("nobody could be claimed")
    await line.return_to_head(seat, claim.token, "no_answer", pause=False)
    await clocked("leave", line.leave(seat, new, "abandoned", n + 1))


def chapter(figures: LineFigures) -> Chapter:
    depths = sorted(figures.acts)
    rows: list[Row] = []
    for act in ACTS:
        of_act = [figures.acts[depth][act] for depth in depths]
        told = "; ".join(f"{ms(one.median)} / {ms(one.p99)}" for one in of_act)
        in_time = all(one.p99 < P99_MOST_S for one in of_act)
        name = f"{act}: p50 / p99 at {_listed(depths)} waiting"
        rows.append(Row(name, told, "", "", f"p99 under {ms(P99_MOST_S)}", in_time))
        rows.append(_flat(f"{act}: median", of_act[-1].median, of_act[0].median))
        rows.append(_flat(f"{act}: p99", of_act[-1].p99, of_act[0].p99))
    for act in ACTS:
        rows += _against(act, figures.rates[act])
    notes = (
        f"One client over loopback, appendfsync always. move: from the end of the line to place {MOVED_TO}.",
        f"A second: {AT_ONCE} clients in one process that each wait for the answer, on a line of {BATCH:,}; an act and its "
        "no-ops take turns, batch by batch; the median batch. A no-op of the same size is a Lua script with as many keys and "
        "arguments, of the same lengths, and an answer of as many values, on as many lines, that writes one value: an act is "
        "answered when it is on disk, and a no-op that writes nothing asks no disk. A position is only read: its no-op writes "
        "nothing. A claim is of a seat that has served somebody before.",
    )
    return Chapter("The waiting line in Redis", tuple(rows), beside="Lua no-op", notes=notes)


def _flat(name: str, most: float, fewest: float) -> Row:
    flat = ratio(most, fewest)
    return Row(
        f"{name} with the most / with the fewest", "", "", times(flat), f"within {FLAT_WITHIN} x", flat <= FLAT_WITHIN
    )


def _against(act: str, found: Rates) -> list[Row]:
    """Beside the no-op of the same size, and beside one that writes nothing."""
    rows = []
    for does, beside in (("writes one value", found.writes), ("writes nothing", found.reads)):
        if not beside:
            continue
        share = ratio(found.act, beside)
        wanted = beside == (found.writes or found.reads)
        rows.append(
            Row(
                f"{act}: a second, against a no-op that {does}", f"{found.act:,.0f} /s", f"{beside:,.0f} /s", times(share),
                f"at least {THROUGHPUT_LEAST} x" if wanted else "", share >= THROUGHPUT_LEAST if wanted else None,
            )
        )  # fmt: skip
    return rows


def _listed(depths: Sequence[int]) -> str:
    return ", ".join(f"{depth:,}" for depth in depths)
