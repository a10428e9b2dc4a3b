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
Mix = tuple[tuple[float, tuple[tuple[float, str], ...], float], ...]
MIX: Mix = (
    (0.35, ((2.0, "1"),), 20.0),
    (0.35, ((2.0, "2"), (4.0, "#"), (4.0, "#")), 20.0),
    (0.2, (), 3.0),
)
LISTENED = 0.1
LONGEST_CALL_S = 45.0
#: For the highest rate of short calls: presses 1 and waits a little.
SHORT_STAY_S = 3.0
SHORT: Mix = ((1.0, ((1.0, "1"),), SHORT_STAY_S),)
#: For the highest rates: who is answered later than this has failed.
ANSWERED_WITHIN_S = 3.0
ENOUGH = 0.99
#: Callers who come more slowly than this share of the rate asked for: the machine cannot even place them.
PLACED = 0.8


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


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest rate, calls/s, at which 99 % succeed; and what ended the search."""

    rate: float
    end: str

    def __str__(self) -> str:
        return f"{self.rate:g} calls/s; {self.end}"


async def highest_rates(side: Side, folder: Path, sizes: Sizes) -> tuple[Highest, Highest]:
    """Of the full flow, and of short calls without sound."""
    full = await _highest(side, folder / "full", MIX, sizes.full_rates, sizes)
    return full, await _highest(side, folder / "short", SHORT, sizes.rates, sizes)


async def _highest(side: Side, folder: Path, mix: Mix, rates: Sequence[float], sizes: Sizes) -> Highest:
    """A call succeeds that is answered in time, goes as its scenario says and, where it pressed 1, was in the line."""
    best = 0.0
    for rate in rates:
        share, placed = await _share_at(side, folder / f"{rate:g}", mix, rate, sizes.rate_s)
        say(f"  {side.name}: {rate:g} calls/s ({placed:.1f} placed), {100 * share:.1f} % succeed")
        await side.empty()
        if share < ENOUGH:
            return Highest(best, f"{100 * share:.1f} % at {rate:g}")
        if placed < PLACED * rate:
            return Highest(max(best, round(placed, 1)), f"of {rate:g} only {placed:.1f} could be placed")
        best = rate
    return Highest(best, "not tried beyond")


async def _share_at(side: Side, folder: Path, mix: Mix, rate: float, lasts_s: float) -> tuple[float, float]:
    """The share that succeeded, and how many calls a second were really placed."""
    joined_before, all_shares = await side.joined(), sum(share for share, _, _ in mix)
    async with AsyncExitStack() as stack:
        crowds = []
        for n, (share, keys, stay_s) in enumerate(mix):
            own = rate * share / all_shares
            crowd = Crowd(
                keys, stay_s, own, round(own * lasts_s), at_once=4000, speaks=mix is MIX,
                answer_within_s=ANSWERED_WITHIN_S, first_number=70_000_000 + round(rate) * 10_000 + n * 3_000,
            )  # fmt: skip
            place = folder / str(n)
            place.mkdir(parents=True)
            crowds.append((crowd, await stack.enter_async_context(callers(place, crowd, side.target, side.number))))
        await asyncio.gather(*(sipp.done(lasts_s + LONGEST_CALL_S) for _, sipp in crowds))
        if silent := [sipp.last_words() for _, sipp in crowds if not sipp.results()[0]]:
            say(f"  sipp: {silent}")
    joined = await side.joined() - joined_before
    wanted = sum(crowd.calls for crowd, _ in crowds if _presses_1(crowd))
    well = sum(sipp.results()[0] for crowd, sipp in crowds)
    made = sum(crowd.calls for crowd, _ in crowds)
    return (well - max(0, wanted - joined)) / made, sum(sipp.placed_per_s() for _, sipp in crowds)


def _presses_1(crowd: Crowd) -> bool:
    return crowd.keys[:1] != () and crowd.keys[0][1] == "1"


async def _ledger(side: Side) -> tuple[int, int]:
    if not isinstance(side, Hotline):
        return -1, -1
    told: dict[str, Any] = await side.house.ledger(session_id=side.session_id)
    unaccounted = told["unaccounted"]
    return int(told["calls"]), len(unaccounted) if isinstance(unaccounted, list) else int(unaccounted)


def chapter(ours: Load, theirs: Load, most: Sequence[tuple[Highest, Highest]], sizes: Sizes) -> Chapter:
    """`most`: the highest rates of both."""
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
        *(
            Row(f"highest rate at which 99 % succeed, {kind}; what ended it", str(our), str(their), times(ratio(our.rate, their.rate)))
            for kind, our, their in zip(("full flow", "short calls"), *most, strict=True)
        ),
    )  # fmt: skip
    notes = (
        "35 % wait for the leader, 35 % leave a message, 20 % hang up in the question, 10 % are listened to (answer, sound, "
        "key, next prompt, hang up). The other side: Answer, Background, WaitExten, Queue or Record, with the same prompts.",
        f"Highest rate: each for {sizes.rate_s:.0f} s; full flow: the mix with sound; short calls: no sound, press 1, wait "
        f"{SHORT_STAY_S:.0f} s. A call succeeds that is answered within {ANSWERED_WITHIN_S:.0f} s, goes as planned and is in the "
        "line after pressing 1. The callers and the measuring share the two cores with it.",
    )
    return Chapter("New calls", rows, beside="native dialplan", notes=notes)


def _others(load: Load) -> str:
    each = {name: 1000 * cpu_s / max(1, load.placed) for name, cpu_s in load.cpu_s.items() if name != "asterisk"}
    return ", ".join(f"{name} {value:.0f} ms" for name, value in sorted(each.items(), key=lambda item: -item[1]))


def _heard(load: Load) -> str:
    return f"{ms(load.listened.to_sound.p99)} ({load.listened.to_sound.count} / {load.listened.calls})"
