"""The leader hangs up: how soon the next caller's INVITE reaches the leader's phone. Measured at that phone, by sipp's log."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.agents import Crowd, Sipp, callers, leader
from bench.figures import Summary, quantile, ratio, summarise
from bench.progress import say
from bench.report import Chapter, Row, ms, times
from bench.sides import Side, until_depth
from bench.sip_log import SipLog, handovers
from bench.sizes import Sizes

#: Joins that are under way, and the caller whose talk is just over.
BESIDES = 2
#: RTP of more callers than this would measure the machine and not the line; the others send none. Both sides alike.
SPEAKING = 50
JOIN_RATE = 12.0
#: Presses 1 soon after the answer; the rest of the question is not waited for.
KEYS = ((0.5, "1"),)
RATIO_MOST, P99_MOST_S = 0.1, 0.25
#: A handover that takes longer than this is taken for lost, and the run goes on without it.
_LONGEST_S = 8.0

Waiting = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handovers:
    """Seconds, and how many callers were in the line meanwhile (median)."""

    times: Summary
    depth: float


async def measure(
    side: Side, folder: Path, depth: int, wanted: int, sizes: Sizes, while_full: Waiting | None = None
) -> Handovers:
    """Fill the line, let the leader serve until there are enough handovers, send everybody away."""
    async with AsyncExitStack() as stack:
        phone = await stack.enter_async_context(leader(folder / "leader", sizes.talk_s, sizes.seed, side.leader_port))
        crowds = await stack.enter_async_context(_crowds(side, folder, depth))
        reached = await until_depth(side, depth, within_s=depth / JOIN_RATE * 3 + 20)
        say(f"  {side.name}: {reached} wait")
        if while_full is not None:
            await while_full()
        await side.resume()
        found, depths = await _watch(side, SipLog(phone.messages), wanted, sizes.talk_s[1] + _LONGEST_S)
        await side.pause()
        for crowd in crowds:
            crowd.start_no_more()
        await side.empty()
    return Handovers(summarise(found), quantile(depths, 0.5))


async def _watch(side: Side, log: SipLog, wanted: int, each_s: float) -> tuple[list[float], list[float]]:
    messages = log.more()
    depths = [float(await side.depth())]
    last, deadline = 0, time.monotonic() + each_s * 3
    found: list[tuple[float, float]] = []
    while len(found) < wanted and time.monotonic() < deadline:
        await asyncio.sleep(1.0)
        messages += log.more()
        found = handovers(messages)
        depths.append(float(await side.depth()))
        if len(found) > last:
            last, deadline = len(found), time.monotonic() + each_s
            if last % 20 == 0:
                say(f"  {side.name}: {last} handovers")
    return [seconds for _, seconds in found[:wanted]], depths


@asynccontextmanager
async def _crowds(side: Side, folder: Path, depth: int) -> AsyncIterator[list[Sipp]]:
    """As many callers as keep `depth` of them in the line; of many, only some speak."""
    everybody = depth + BESIDES
    speaking = min(everybody, SPEAKING)
    shares = [(speaking, True), (everybody - speaking, False)]
    async with AsyncExitStack() as stack:
        crowds = []
        for n, (count, speaks) in enumerate(share for share in shares if share[0]):
            rate = max(1.0, JOIN_RATE * count / everybody)
            crowd = Crowd(KEYS, rate=rate, at_once=count, speaks=speaks, first_number=depth * 100_000 + n * 50_000)
            sipp = callers(folder / f"callers{n}", crowd, side.target, side.number)
            crowds.append(await stack.enter_async_context(sipp))
        yield crowds


def chapter(results: Sequence[tuple[int, Handovers, Handovers]]) -> Chapter:
    """From (callers, ours, theirs)."""
    rows = []
    for callers_waiting, ours, theirs in results:
        share = ratio(ours.times.median, theirs.times.median)
        what = f"{callers_waiting} waiting"
        rows += [
            Row(
                f"{what}: median", ms(ours.times.median), ms(theirs.times.median), times(share),
                f"at most {RATIO_MOST} x", bool(ours.times.count) and share <= RATIO_MOST,
            ),
            Row(
                f"{what}: p99", ms(ours.times.p99), ms(theirs.times.p99),
                times(ratio(ours.times.p99, theirs.times.p99)),
                f"under {ms(P99_MOST_S)}", bool(ours.times.count) and ours.times.p99 < P99_MOST_S,
            ),
            Row(f"{what}: longest", ms(ours.times.most), ms(theirs.times.most)),
            Row(f"{what}: handovers (callers in the line)", _count(ours), _count(theirs)),
        ]  # fmt: skip
    notes = (
        "BYE sent by the leader's phone -> next INVITE received there, from sipp's message log. With fewer than 100 samples the "
        "p99 is the longest.",
        "Wrap-up 0 on both sides, talks of random length (the same seed), talks recorded on both sides. app_queue: ringall, "
        "ringinuse=no, autofill, retry=1, no announcements.",
        f"Up to {SPEAKING} callers send RTP (A-law, 50 packets/s), all are sent music. The leader's whisper is a short tone.",
    )
    return Chapter("Leader hangs up -> next caller rings", tuple(rows), notes=notes)


def _count(measured: Handovers) -> str:
    return f"{measured.times.count} ({measured.depth:.0f})"
