"""Every answer of Redis is lost, and what was sent is done once more: the outcomes are those of the tests that are repeated here."""
# ruff: noqa: F401, F811 - tests and fixtures of other files

from collections import Counter

import pytest
from hypothesis import settings as examples
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace
from redis.asyncio import Redis

from api.accounts.throttle import Throttle, TooManyTries
from api.phone.desks import Desks
from calls.outlook import Outlook
from calls.places import Places
from calls.seals import keep_head, kept_head
from calls.shards import shard_keys, shard_of
from calls.wakeups import LEASE_S
from config.lease import Lease, is_first
from config.settings import Settings
from ivr.call import Call
from ivr.commands import WakeAt
from queueing.depth import Depths
from queueing.line import Line
from queueing.seats import Seats
from telephony.twilio.legs import Legs
from tests.clocks import SetClock
from tests.doubles.bench import Process
from tests.integration.redis.test_assembly import (
    core,
    test_who_declines_hears_the_number_of_a_work_order,
    test_who_hangs_up_while_waiting_leaves_the_line_and_an_order,
    test_who_waits_talks_to_the_leader,
)
from tests.integration.redis.test_line_concurrency import (
    test_callers_who_join_and_leave_while_others_are_claimed_are_each_served_or_gone,
)
from tests.integration.redis.test_line_model import LineMachine
from tests.integration.redis.test_line_rules import (
    line,
    seats,
    test_a_caller_who_hangs_up_while_the_leader_is_rung_leaves_and_the_seat_is_freed,
    test_a_lapsed_claim_is_reaped_and_its_owner_fenced_off,
    test_a_seat_closes_and_pauses_only_after_the_talk,
    test_a_talk_ends_in_wrap_up_and_the_next_claim_comes_after_it,
)
from tests.integration.redis.test_moves import (
    test_a_kept_place_is_shown_and_counts,
    test_nobody_goes_ahead_of_who_is_offered,
    test_who_does_not_answer_the_call_back_lets_one_go_first,
    test_who_redials_stands_where_the_earlier_call_stood_however_often_it_is_told,
)
from tests.integration.redis.test_outbox import (
    test_a_command_that_fails_again_and_again_is_set_aside_and_never_dropped,
    test_a_database_that_is_away_holds_up_neither_the_line_nor_other_calls,
    test_a_fact_that_no_turn_says_comes_after_those_that_wait,
    test_a_later_turn_does_not_overtake_what_a_dead_process_left,
    test_commands_of_a_call_keep_their_order_over_several_turns,
    test_four_drainers_perform_each_command_once,
)
from tests.integration.redis.test_outbox_deaths import test_what_a_dead_process_saved_is_performed_by_another
from tests.integration.redis.test_saved_calls import test_only_one_of_two_puts_on_the_same_seq_wins
from tests.integration.redis.test_turns import (
    counting,
    test_a_due_wake_up_is_one_turn_however_many_look_for_it,
    test_a_wake_up_whose_process_died_comes_again,
    test_eight_processes_at_once_lose_no_turn,
)
from tests.repeating import MAY_BE_OFF, SCRIPTS, lose_every_answer
from tests.servers import RedisServer

#: By all tests of this file together.
REPEATED: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def _every_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    lose_every_answer(monkeypatch, REPEATED)


def test_the_line_does_what_its_model_does(shared_redis: RedisServer) -> None:
    LineMachine.url = shared_redis.url
    run_state_machine_as_test(LineMachine, settings=examples(max_examples=12, stateful_step_count=30, database=None))


async def test_what_the_others_do_not_run(redis: Redis, settings: Settings, clock: SetClock) -> None:
    line, seats = Line(redis, settings, clock), Seats(redis, settings, clock)
    await seats.open("s1")
    await line.join("s1", "a-1", 1.0, 1)
    claim = await line.claim_next("s1", "me", 30)
    assert claim is not None
    assert await line.renew("s1", claim.token, 30)
    assert await line.restore("s1", "a-1", claim.token + 1, "talking", clock()) == 0
    assert await line.restore("s1", "a-1", claim.token, "ringing", clock()) == claim.token
    assert await line.take("s1", claim.token, clock())
    assert await line.free("s1", claim.token, False, clock())
    assert await line.restore("s1", "a-1", claim.token + 1, "talking", clock()) == claim.token + 1
    assert [now.seat.state for now in await Outlook(redis, settings, clock).look(["s1"])] == ["talking"]
    depths = Depths(redis, settings, clock)
    for _ in range(2):
        await depths.sample("s1")
        clock.pass_by(10)
    assert len(await depths.samples("s1")) == 2
    await keep_head(redis, "x:", 3, "c")
    assert await kept_head(redis, "x:") == (3, "c")
    lease, other = Lease(redis, "x:part", 30), Lease(redis, "x:part", 30)
    assert [await lease.hold(), await other.hold()] == [True, False]
    await lease.release()
    assert await other.hold()
    assert [await is_first(redis, "x:code", 30, name) for name in ("one", "another")] == [True, False]
    places = Places(redis, settings, clock)
    assert await places.take("+8613812345678", "a-1", "s1", 1.0) == []
    assert await places.take("+8613812345678", "a-2", "s1", 1.0) == ["a-1"]
    await places.told("+8613812345678", "a-2")
    assert await places.take("+8613812345678", "a-2", "s1", 1.0) == []
    desks = Desks(redis, settings, clock)
    first, second = await desks.take("one"), await desks.take("another")
    assert first != second
    assert await desks.take("one") == first


async def test_a_wake_up_whose_handing_out_nobody_heard_of_comes_after_its_lease(ours: Process, redis: Redis, clock: SetClock) -> None:
    call = await ours.calls.create(Call("a-1", "asterisk", clock()))
    assert await ours.calls.put(0, replace(call, seq=1), (WakeAt(at=clock() + 1),))
    clock.pass_by(2)
    keys = (shard_keys("hotline:", shard_of("a-1")).wakeups,)
    due = SCRIPTS["calls/due-1"]
    assert [await due.run(redis, keys, clock(), clock() + LEASE_S, 50) for _ in range(2)] == [["a-1"], []]
    clock.pass_by(LEASE_S)
    assert await due.run(redis, keys, clock(), clock() + LEASE_S, 50) == ["a-1"]


async def test_one_interrupts_and_hears_so(redis: Redis, settings: Settings, clock: SetClock) -> None:
    legs, waits = Legs(redis, settings, clock), Call("t-CA" + "a" * 32, "twilio", clock(), node="waiting", scene=3, seq=3)
    await legs.begin(waits.id, "d1", "r1")
    assert await legs.finish(waits, "d1", "r1", "<Response/>", presents=False) == "<Response/>"
    rings = replace(waits, node="ringing", scene=4, seq=4)
    assert [await legs.interrupt(rings, name) for name in ("one", "another", "one")] == ["yours", "needless", "yours"]
    await legs.not_shown(rings)
    assert await legs.interrupt(rings, "another") == "yours"
    outbound = [await is_first(redis, "x:reserved", 30, name) for name in ("one", "another", "one")]
    assert outbound == [True, False, True]


async def test_a_try_that_is_counted_twice_is_one_less_and_never_one_more(redis: Redis, settings: Settings) -> None:
    throttle = Throttle(redis, settings)
    for _ in range(4):
        await throttle.count("login", "li", 4)
    with pytest.raises(TooManyTries):
        await throttle.count("login", "li", 4)
    await throttle.give_back("login", "li")
    await throttle.give_back("login", "li")
    await throttle.count("login", "li", 4)
    assert [await throttle.first_use("code", name, 30) for name in ("1", "2", "1")] == [True, True, False]


def test_no_script_was_left_out() -> None:
    """Of all that the tests of this file have run; those of the cloud are in tests/integration/twilio/test_twilio_answers_lost.py."""
    left_out = SCRIPTS.keys() - REPEATED.keys() - MAY_BE_OFF
    assert {name for name in left_out if not name.startswith("telephony/twilio/")} == set()
