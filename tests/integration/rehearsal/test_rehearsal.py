"""Whole sessions in virtual time with a real Redis and a real ledger. The thousand are `hotline simulate --sessions 1000`."""

from collections.abc import Iterator
from zlib import crc32

import pytest
from msgspec.structs import replace

from calls.store import Granted
from ivr.call import Call
from ivr.commands import MakeOrder
from ivr.nodes import calling
from rehearsal.books import OrderBook
from rehearsal.company import House, house
from rehearsal.plan import Plan, citizens
from rehearsal.story import story
from rehearsal.told import Told
from workorders.intake import OrderRef

#: Enough for a line, few enough for a quick test.
SMALL = Plan(callers=50, faults=True)


@pytest.fixture(scope="module")
def place() -> Iterator[House]:
    with house() as found:
        yield found


@pytest.mark.parametrize("seed", range(1, 9))
async def test_nobody_is_lost_or_ordered_twice_whatever_breaks(place: House, seed: int) -> None:
    play, result = await place.rehearse(replace(SMALL, seed=seed, intake=seed % 4 == 0))
    assert result.violations == ()
    assert (result.unaccounted, result.doubled) == (0, 0)
    assert result.calls == len(play.signals) >= SMALL.callers
    assert result.injected["restarts"] == 3
    assert result.outcomes["talked"] >= 5


async def test_a_session_of_full_size_that_once_broke_a_promise(place: House) -> None:
    """Somebody came when everybody had left, and nobody looked after what a dead process had left behind."""
    play, result = await place.rehearse(Plan(seed=895, faults=True))
    assert result.violations == ()
    assert result.calls == len(play.signals) >= play.plan.callers
    assert any(fact.kind == "joined_late" for fact in play.ledger.facts.values())


async def test_the_proof_misses_no_order(place: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One order in ten is not made; each of them is missed."""
    left_out: list[str] = []
    make = OrderBook.make

    async def forget_some(self: OrderBook, command_id: str, call: Call, command: MakeOrder) -> OrderRef:
        if crc32(call.id.encode()) % 10:
            return await make(self, command_id, call, command)
        left_out.append(call.id)
        return OrderRef(id="none", number="")

    monkeypatch.setattr(OrderBook, "make", forget_some)
    _, result = await place.rehearse(replace(SMALL, seed=3))
    missed = {broken.split()[0] for broken in result.violations if "has no order" in broken}
    assert missed == set(left_out) != set()


async def test_the_proof_misses_what_was_taken_for_done(place: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A performer who goes on under the same name: "done", said again because the answer was lost, takes away what came in."""
    same = property(lambda granted: replace(granted, entries=None))
    monkeypatch.setattr(Granted, "rest", same)
    _, result = await place.rehearse(Plan(seed=10, callers=300, faults=True))
    assert any("is not in the ledger" in broken for broken in result.violations), result.violations
    monkeypatch.undo()
    _, result = await place.rehearse(Plan(seed=10, callers=300, faults=True))
    assert result.violations == ()
    assert min(result.injected["answer lost"], result.injected["books slow"]) > 10


async def test_the_proof_sees_who_was_put_before_others(place: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missed call back puts its caller to the end of the line, not behind one."""
    monkeypatch.setattr(calling, "BEHIND", 1000)
    _, result = await place.rehearse(Plan(seed=4, callers=300, faults=True))
    assert any("went before" in broken for broken in result.violations), result.violations


def test_two_in_a_line_keep_their_order() -> None:
    told = Told()
    told.sees("s", ["a", "b", "c"], 1.0)
    told.sees("s", ["b", "new", "c"], 2.0)
    assert told.swapped == []
    told.sees("s", ["c", "new", "b"], 3.0)
    assert told.swapped == [(2.0, 3.0, "new", "c"), (2.0, 3.0, "b", "new")]


async def test_a_leader_who_is_late_finds_the_line_in_order(place: House) -> None:
    play, result = await place.rehearse(replace(SMALL, seed=20, callers=120, leader_late_s=1800.0))
    assert result.violations == ()
    assert result.longest_depth >= 5
    came = next(at for at, what in play.told.lines if what == "leader_came")
    assert came - play.told.lines[0][0] == 1800.0


async def test_three_leaders_have_three_lines(place: House) -> None:
    _, result = await place.rehearse(replace(SMALL, seed=30, callers=90, seats=3))
    assert result.violations == ()
    assert result.outcomes["talked"] >= 10


async def test_the_same_seed_plays_the_same_session(place: House) -> None:
    (one, first), (_, second), (_, other) = [
        await place.rehearse(replace(SMALL, seed=seed, seats=3)) for seed in (40, 40, 41)
    ]
    assert replace(first, seed=0) == replace(second, seed=0) != replace(other, seed=0)
    told = "\n".join(story(one, first))
    assert "09:00:00  场次开始" in told
    assert "11:00:00  到点" in told


def test_callers_come_as_they_were_reported_and_the_rush_is_at_the_opening() -> None:
    found = citizens(Plan(callers=846))
    assert len(found) == 846
    assert citizens(Plan(callers=846)) == found
    in_the_rush = sum(one.at < 600 for one in found)
    assert 120 < in_the_rush < 280
