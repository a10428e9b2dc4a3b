"""The waiting line in Redis: how long each act takes with few and with very many callers, and how many a second."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bench.figures import Summary, ratio, summarise
from bench.progress import say
from bench.report import Chapter, Row, ms, times
from bench.sizes import Sizes
from config.redis import connect
from config.scripts import Argument, written
from config.settings import Settings
from queueing.keys import line_keys
from queueing.line import PLACES_PER_MS, Line
from queueing.moves import move
from queueing.seats import Seats
from tests.servers import redis_server

ACTS = ("join", "position", "move", "claim", "leave")
P99_MOST_S, FLAT_WITHIN, THROUGHPUT_LEAST = 0.002, 1.5, 0.6
#: Callers are moved by an operator to about this place; who is moved stands anywhere.
MOVED_TO = 3
JOINED_AT = 1_795_312_800.0
AT_ONCE = 16
_CHUNK = 2_000
#: The same keys and arguments as a join; it writes one value of the same size, so that the disk is asked as often.
NO_OP = "redis.call('HSET', KEYS[2], ARGV[1], ARGV[3]) return 1"
NO_OP_READS = "return 1"


@dataclass(slots=True)
class LineFigures:
    """Seconds of each act by callers in the line; acts a second of join and leave, and of the two no-ops."""

    acts: dict[int, dict[str, Summary]] = field(default_factory=dict)
    joins_per_s: float = 0.0
    no_ops_per_s: float = 0.0
    empty_per_s: float = 0.0


async def measure(folder: Path, sizes: Sizes) -> LineFigures:
    """On a Redis of its own, every write on disk before it answers."""
    figures = LineFigures()
    with redis_server(folder / "redis") as server:
        settings = Settings(state_dir=folder, redis_url=server.url, _env_file=None)
        redis = connect(settings)
        try:
            for depth in sizes.line_depths:
                say(f"  line of {depth:,}")
                figures.acts[depth] = await _acts(redis, settings, depth, sizes.line_samples, sizes.seed)
            say("  joins a second")
            for _ in range(2):  # in turn, and the better of two: the machine is never quite quiet
                figures.no_ops_per_s = max(figures.no_ops_per_s, await _no_ops(redis, NO_OP, sizes.throughput_s))
                figures.empty_per_s = max(figures.empty_per_s, await _no_ops(redis, NO_OP_READS, sizes.throughput_s))
                figures.joins_per_s = max(figures.joins_per_s, await _joins(redis, settings, sizes.throughput_s))
        finally:
            await redis.aclose()
    return figures


async def _acts(redis: Redis, settings: Settings, depth: int, samples: int, seed: int) -> dict[str, Summary]:
    line, seat = Line(redis, settings, time.time), f"seat-{depth}"
    await _fill(redis, settings, seat, depth)
    await Seats(redis, settings, time.time).open(
        seat, session_id="s-1", unit="市教育局", leader="李明", line_asterisk="sip:leader@127.0.0.1", line_twilio=""
    )
    chance = random.Random(seed)
    taken: dict[str, list[float]] = {act: [] for act in ACTS}

    async def clocked(act: str, doing: Awaitable[Any]) -> Any:
        begun = time.perf_counter()
        result = await doing
        taken[act].append(time.perf_counter() - begun)
        return result

    for n in range(samples):
        new, known = f"a-new-{n}", f"a-old-{chance.randrange(depth)}"
        await clocked("join", line.join(seat, new, JOINED_AT + depth + n, n))
        await clocked("position", line.position(seat, known))
        await clocked("move", move(redis, settings, seat, new, min(depth, MOVED_TO)))
        claim = await clocked("claim", line.claim_next(seat, "bench", 35.0))
        if claim is None:
            raise RuntimeError("nobody could be claimed")
        await line.return_to_head(seat, claim.token, "no_answer", pause=False)
        await clocked("leave", line.leave(seat, new, "declined", n + 1))
    return {act: summarise(times_taken) for act, times_taken in taken.items()}


async def _fill(redis: Redis, settings: Settings, seat: str, depth: int) -> None:
    """As many joins would leave it, without waiting for each."""
    keys = line_keys(settings.redis_prefix, seat)
    for first in range(0, depth, _CHUNK):
        some = range(first, min(depth, first + _CHUNK))
        async with redis.pipeline(transaction=False) as pipe:
            pipe.zadd(keys.waiting, {f"a-old-{n}": int((JOINED_AT + n) * 1000) * PLACES_PER_MS for n in some})
            pipe.hset(keys.callers, mapping={f"a-old-{n}": repr(JOINED_AT + n) for n in some})
            pipe.hset(keys.seen, mapping={f"a-old-{n}": "1" for n in some})
            await pipe.execute()


async def _joins(redis: Redis, settings: Settings, seconds: float) -> float:
    line = Line(redis, settings, time.time)
    return await _rate(lambda n: line.join("seat-rate", f"a-rate-{n}", JOINED_AT + n, 1), seconds)


async def _no_ops(redis: Redis, text: str, seconds: float) -> float:
    keys = line_keys(Settings(_env_file=None).redis_prefix, "seat-nothing")
    sha = await redis.script_load(text)
    names = (keys.waiting, keys.callers, keys.seen)

    def once(n: int) -> Awaitable[Any]:
        # The arguments of join-3: call, seq, joined, first and last score, time to remember, channel, seat.
        values: tuple[Argument, ...] = (
            f"a-rate-{n}",
            1,
            JOINED_AT + n,
            10**17,
            10**17,
            86_400,
            "hotline:changes",
            "seat-nothing",
        )
        return redis.evalsha(sha, len(names), *names, *(written(value) for value in values))

    return await _rate(once, seconds)


async def _rate(once: Callable[[int], Awaitable[Any]], seconds: float) -> float:
    """Of `AT_ONCE` clients that wait for each answer."""
    done, begun = 0, time.perf_counter()

    async def client(first: int) -> None:
        nonlocal done
        n = first
        while time.perf_counter() - begun < seconds:
            await once(n)
            n += AT_ONCE
            done += 1

    await asyncio.gather(*(client(first) for first in range(AT_ONCE)))
    return done / (time.perf_counter() - begun)


def chapter(figures: LineFigures) -> Chapter:
    depths = sorted(figures.acts)
    rows: list[Row] = []
    for act in ACTS:
        of_act = [figures.acts[depth][act] for depth in depths]
        rows.append(
            Row(
                f"{act}: p50 / p99 at {_listed(depths)} waiting",
                "; ".join(f"{ms(one.median)} / {ms(one.p99)}" for one in of_act), "", "",
                f"p99 under {ms(P99_MOST_S)}", all(one.p99 < P99_MOST_S for one in of_act),
            )
        )  # fmt: skip
        flat = ratio(of_act[-1].median, of_act[0].median)
        rows.append(
            Row(
                f"{act}: median with the most / with the fewest",
                "",
                "",
                times(flat),
                f"within {FLAT_WITHIN} x",
                flat <= FLAT_WITHIN,
            )
        )
    share = ratio(figures.joins_per_s, figures.no_ops_per_s)
    rows.append(
        Row(
            "joins, against a no-op that writes one value", f"{figures.joins_per_s:,.0f} /s", f"{figures.no_ops_per_s:,.0f} /s",
            times(share), f"at least {THROUGHPUT_LEAST} x", share >= THROUGHPUT_LEAST,
        )
    )  # fmt: skip
    rows.append(
        Row(
            "joins, against a no-op that writes nothing", f"{figures.joins_per_s:,.0f} /s", f"{figures.empty_per_s:,.0f} /s",
            times(ratio(figures.joins_per_s, figures.empty_per_s)),
        )
    )  # fmt: skip
    notes = (
        f"One client over loopback, appendfsync always; throughput with {AT_ONCE} clients in one process. "
        f"move: from the end of the line to place {MOVED_TO}.",
    )
    return Chapter("The waiting line in Redis", tuple(rows), beside="Lua no-op", notes=notes)


def _listed(depths: Sequence[int]) -> str:
    return ", ".join(f"{depth:,}" for depth in depths)
