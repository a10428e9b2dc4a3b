"""Many new calls a second through the whole flow: is anybody lost, what does a call cost, and how many a second are possible."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import answers
from bench.agents import Crowd, callers, leader
from bench.answers import Answers
from bench.figures import ratio
from bench.progress import say
from bench.report import Chapter, Row, ms, times
from bench.sides import Hotline, Side
from bench.sizes import Sizes

#: Share of all calls, keys and seconds: waits for the leader, leaves a message, hangs up in the question. One call in ten
#: besides is listened to.
MIX = (
    (0.35, ((2.0, "1"),), 20.0),
    (0.35, ((2.0, "2"), (4.0, "#"), (4.0, "#")), 20.0),
    (0.2, (), 3.0),
)
LISTENED = 0.1
LONGEST_CALL_S = 45.0
#: For the highest rate: presses 1 and waits a little. Answered later than this is a failure.
SHORT_KEYS, SHORT_STAY_S, ANSWERED_WITHIN_S = ((1.0, "1"),), 3.0, 3.0
ENOUGH = 0.99


@dataclass(frozen=True, slots=True)
class Load:
    """One side under the mix."""

    placed: int
    #: As sipp saw it: answered, and every message as expected.
    well: int
    listened: Answers
    #: Processor seconds by process, for the whole run.
    cpu_s: dict[str, float]
    #: Of ours: calls in the ledger and calls without an outcome; -1 = there is no ledger.
    in_ledger: int = -1
    unaccounted: int = -1


async def measure(side: Side, folder: Path, sizes: Sizes) -> Load:
    """The mix for `load_s` seconds, with the leader serving."""
    before, ledger_before = side.usage(), await _ledger(side)
    async with AsyncExitStack() as stack:
        talk = leader(folder / "leader", sizes.talk_s, sizes.seed, side.leader_port)
        await stack.enter_async_context(talk)
        crowds = []
        for n, (share, keys, stay_s) in enumerate(MIX):
            rate = sizes.load_per_s * share
            crowd = Crowd(keys, stay_s, rate, round(rate * sizes.load_s), first_number=60_000_000 + n * 100_000)
            sipp = callers(folder / f"mix{n}", crowd, side.target, side.number)
            crowds.append((crowd, await stack.enter_async_context(sipp)))
        await side.resume()
        rate = sizes.load_per_s * LISTENED
        listened = await answers.measure(side, folder / "listened", round(rate * sizes.load_s), rate, sizes.seed + 1)
        await asyncio.gather(*(sipp.done(sizes.load_s + LONGEST_CALL_S) for _, sipp in crowds))
        await side.pause()
        await side.empty()
    after, ledger_after = side.usage(), await _ledger(side)
    return Load(
        placed=sum(crowd.calls for crowd, _ in crowds) + listened.calls,
        well=sum(sipp.results()[0] for _, sipp in crowds) + listened.to_sound.count,
        listened=listened,
        cpu_s={name: usage.cpu_s - before[name].cpu_s for name, usage in after.items()},
        in_ledger=ledger_after[0] - ledger_before[0] if ledger_after[0] >= 0 else -1,
        unaccounted=ledger_after[1],
    )


async def highest_rate(side: Side, folder: Path, sizes: Sizes) -> tuple[float, float]:
    """The highest rate, calls/s, at which 99 % are answered in time and in the line after their key; and their share."""
    best = (0.0, 0.0)
    for rate in sizes.rates:
        share = await _share_at(side, folder / f"{rate:g}", rate, round(rate * sizes.rate_s))
        say(f"  {side.name}: {rate:g} calls/s, {100 * share:.1f} % succeed")
        await side.empty()
        if share < ENOUGH:
            break
        best = (rate, share)
    return best


async def _share_at(side: Side, folder: Path, rate: float, calls: int) -> float:
    joined = await side.joined()
    crowd = Crowd(
        SHORT_KEYS, SHORT_STAY_S, rate, calls, at_once=4000, speaks=False, answer_within_s=ANSWERED_WITHIN_S,
        first_number=70_000_000 + round(rate) * 10_000,
    )  # fmt: skip
    async with callers(folder, crowd, side.target, side.number) as sipp:
        await sipp.done(calls / rate + LONGEST_CALL_S)
        well = sipp.results()[0]
        if not well:
            say(f"  sipp: {sipp.last_words()}")
    return min(well, await side.joined() - joined) / calls


async def _ledger(side: Side) -> tuple[int, int]:
    if not isinstance(side, Hotline):
        return -1, -1
    told: dict[str, Any] = await side.house.ledger(session_id=side.session_id)
    unaccounted = told["unaccounted"]
    return int(told["calls"]), len(unaccounted) if isinstance(unaccounted, list) else int(unaccounted)


def chapter(ours: Load, theirs: Load, most: Sequence[tuple[float, float]], sizes: Sizes) -> Chapter:
    """`most`: highest rate and share of both."""
    lost = ours.placed - min(ours.well, ours.in_ledger) + ours.unaccounted
    complete = lost == 0 and ours.listened.to_sound.count == ours.listened.calls
    cpu = [1000 * sum(load.cpu_s.values()) / max(1, load.placed) for load in (ours, theirs)]
    only = [1000 * load.cpu_s["asterisk"] / max(1, load.placed) for load in (ours, theirs)]
    rows = (
        Row(
            f"{sizes.load_per_s:g} calls/s for {sizes.load_s:.0f} s: placed / went well",
            f"{ours.placed} / {ours.well}", f"{theirs.placed} / {theirs.well}", "", "none lost", complete,
        ),
        Row("in the ledger / unaccounted", f"{ours.in_ledger} / {ours.unaccounted}", "no ledger"),
        Row(
            "meanwhile, answer -> first sound: p99 (heard / listened)",
            _heard(ours), _heard(theirs),
        ),
        Row("meanwhile, key -> next prompt: p99", ms(ours.listened.to_next.p99), ms(theirs.listened.to_next.p99)),
        Row("processor per call, all processes", f"{cpu[0]:.0f} ms", f"{cpu[1]:.0f} ms", times(ratio(*cpu))),
        Row("processor per call, Asterisk alone", f"{only[0]:.0f} ms", f"{only[1]:.0f} ms", times(ratio(*only))),
        Row("processor per call, the others", _others(ours)),
        Row(
            "highest rate at which 99 % succeed", f"{most[0][0]:g} calls/s", f"{most[1][0]:g} calls/s",
            times(ratio(most[0][0], most[1][0])),
        ),
    )  # fmt: skip
    notes = (
        "35 % wait for the leader, 35 % leave a message, 20 % hang up in the question, 10 % are listened to (answer, sound, "
        "key, next prompt, hang up). The other side: Answer, Background, WaitExten, Queue or Record, with the same prompts.",
        f"Highest rate: calls without RTP that press 1 and wait {SHORT_STAY_S:.0f} s; a call succeeds when it is answered within "
        f"{ANSWERED_WITHIN_S:.0f} s and is in the line after its key. Callers, leader and measuring share the two cores with it.",
    )
    return Chapter("New calls", rows, beside="native dialplan", notes=notes)


def _others(load: Load) -> str:
    each = {name: 1000 * cpu_s / max(1, load.placed) for name, cpu_s in load.cpu_s.items() if name != "asterisk"}
    return ", ".join(f"{name} {value:.0f} ms" for name, value in sorted(each.items(), key=lambda item: -item[1]))


def _heard(load: Load) -> str:
    return f"{ms(load.listened.to_sound.p99)} ({load.listened.to_sound.count} / {load.listened.calls})"
