"""The flow without anything around it, and a turn through Redis."""

import time
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Summary, summarise
from bench.report import Chapter, Row, ms
from bench.sizes import Sizes
from calls.assembly import Core, build
from config.settings import Settings
from ivr.call import Call
from ivr.events import Answered, AnyEvent, Arrived, HungUp, Keyed, Offered, TalkEnded, Woken
from ivr.facts import Facts, SeatFacts, SessionFacts
from ivr.flow import advance, present
from tests.servers import redis_server

NOW = 1_795_312_800.0
#: The guards end a call that takes more turns, or lasts longer.
TURNS_A_CALL = 100


def _facts(seconds: float, position: int = 0) -> Facts:
    seat = SeatFacts(id="seat-1", unit="市教育局", leader="李明", state="talking", depth=2)
    session = SessionFacts(id="s-1", opens_at=NOW - 600, closes_at=NOW + 6600, seats=(seat,))
    return Facts(now=NOW + seconds, session=session, position=position, depth=2, chance=0.6, wait_s=1100.0, can_serve=9)


#: A call that waits, is told of its place, and talks to the leader.
STORY: tuple[AnyEvent, ...] = (
    Arrived(facts=_facts(0)),
    Keyed(facts=_facts(9), key="1"),
    Woken(facts=_facts(54, 3)),
    Woken(facts=_facts(99, 2)),
    Offered(facts=_facts(140, 1), seat_id="seat-1", token=1, line="sip:leader@127.0.0.1"),
    Answered(facts=_facts(146)),
    TalkEnded(facts=_facts(700), seconds=554.0),
    HungUp(facts=_facts(704)),
)


@dataclass(frozen=True, slots=True)
class TurnFigures:
    """Turns of the pure flow a second; seconds of a turn in the store, and of a whole turn with facts and effects."""

    flow_per_s: float
    store: Summary
    whole: Summary


def flow_turns_per_s(seconds: float) -> float:
    """advance and present, one call after the other, one process."""
    new = Call(id="a-pbx1-1-1", carrier="asterisk", started_at=NOW, number="+8613812345678")
    turns, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        for _ in range(50):
            call = new
            for event in STORY:
                call, _ = advance(call, event)
                present(call, event.facts)
            turns += len(STORY)
    return turns / spent


async def measure(folder: Path, sizes: Sizes) -> TurnFigures:
    """With a Redis of its own that has every write on disk before it answers, as in a real installation."""
    with redis_server(folder / "redis") as redis:
        settings = Settings(state_dir=folder, redis_url=redis.url, _env_file=None)
        clock = _Clock()
        core = build(settings, clock.read)
        try:
            return TurnFigures(
                flow_turns_per_s(sizes.flow_s),
                await _store_turns(core, sizes.store_turns),
                await _whole_turns(core, clock, sizes.store_turns),
            )
        finally:
            await core.close()


class _Clock:
    def __init__(self) -> None:
        self.at = NOW

    def read(self) -> float:
        return self.at


async def _store_turns(core: Core, wanted: int) -> Summary:
    """get, advance, put: the call is told of its place, again and again."""
    taken = []
    for n in range(wanted):
        call_id = f"a-store-{n // TURNS_A_CALL}"
        if n % TURNS_A_CALL == 0:
            await core.calls.create(_waiting(call_id))
        event = Woken(facts=_facts(60.0 * (n % TURNS_A_CALL + 1), 3))
        begun = time.perf_counter()
        call = await core.calls.get(call_id)
        assert call is not None
        after, commands = advance(call, event)
        await core.calls.put(call.seq, after, commands)
        taken.append(time.perf_counter() - begun)
    return summarise(taken)


async def _whole_turns(core: Core, clock: _Clock, wanted: int) -> Summary:
    """take_turn as the carriers call it: facts read, effects performed."""
    taken = []
    for n in range(wanted):
        call_id = f"a-whole-{n // TURNS_A_CALL}"
        if n % TURNS_A_CALL == 0:
            clock.at = NOW
            await core.calls.create(_waiting(call_id))
        clock.at += 60.0
        begun = time.perf_counter()
        await core.turns.take_turn(call_id, lambda facts: Woken(facts=facts))
        taken.append(time.perf_counter() - begun)
    return summarise(taken)


def _waiting(call_id: str) -> Call:
    return Call(
        id=call_id, carrier="asterisk", started_at=NOW, number="+8613812345678", node="waiting", entered_at=NOW,
        session_id="s-1", seat_id="seat-1", closes_at=NOW + 1e6, joined_at=NOW, told_position=3, told_at=NOW,
    )  # fmt: skip


def chapter(figures: TurnFigures) -> Chapter:
    rows = (
        Row("pure flow, advance and present", f"{figures.flow_per_s:,.0f} turns/s"),
        Row("store turn (get, advance, put): median / p99", f"{ms(figures.store.median)} / {ms(figures.store.p99)}"),
        Row("whole turn (facts, effects too): median / p99", f"{ms(figures.whole.median)} / {ms(figures.whole.p99)}"),
    )
    note = "One call after the other, one process; Redis with appendfsync always. There is nothing like it in Asterisk to compare with."
    return Chapter("Turns", rows, beside="", notes=(note,))
