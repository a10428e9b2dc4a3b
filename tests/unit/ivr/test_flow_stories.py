"""Calls as citizens make them, told from the first word to the last."""

import pytest
from msgspec.structs import replace

from ivr.call import NodeName
from ivr.commands import FreeSeat, LeaveLine, Note, ReturnToHead
from ivr.events import Answered, AnyEvent, Arrived, HungUp, Missed, Recorded, Released, TimedOut, Woken
from ivr.facts import Facts
from ivr.flow import present
from ivr.verbs import Ask, Connect
from tests.unit.ivr.scene import (
    CLOSED,
    NEW,
    NOW,
    OPEN,
    SEAT,
    SESSION,
    at,
    calls_at_every_node,
    heard,
    key,
    names,
    offer,
    play,
    the_order,
)

ARRIVED = Arrived(facts=OPEN)


def test_the_question_says_who_answers_how_many_wait_and_what_the_chance_is() -> None:
    call, _ = play(NEW, ARRIVED)
    assert heard(call) == [
        "greeting", "answering_unit", "answering_leader", "waiting_now", "chance", "choose_line"
    ]  # fmt: skip


@pytest.mark.parametrize("event", [HungUp(facts=OPEN), Released(facts=OPEN, to="fallback", reason="error")])
def test_who_is_lost_before_the_first_question_belongs_to_the_session_all_the_same(event: AnyEvent) -> None:
    lost, _ = play(NEW, event)
    early, _ = play(replace(NEW, started_at=SESSION.opens_at - 1), event)
    assert (lost.session_id, early.session_id) == (SESSION.id, "")


def test_a_free_leader_is_offered_at_once() -> None:
    free = replace(OPEN, depth=0, session=replace(SESSION, seats=(replace(SEAT, state="free"),)))
    call, _ = play(NEW, Arrived(facts=free))
    assert heard(call, free)[-2:] == ["line_free", "choose_free"]
    call, _ = play(call, key("1", 2, free))
    assert heard(call, free) == ["waiting_free"]


def test_a_small_chance_is_told_and_the_order_recommended_first() -> None:
    small = replace(OPEN, admission="discouraged", chance=0.01)
    call, _ = play(NEW, Arrived(facts=small))
    assert heard(call, small)[-2:] == ["chance_small", "choose_discouraged"]


def test_when_admission_has_ended_only_order_and_callback_are_left() -> None:
    ended = replace(OPEN, admission="ended")
    call, _ = play(NEW, Arrived(facts=ended))
    (ask,) = present(call, ended)
    assert isinstance(ask, Ask)
    assert ask.keys == "23"
    assert play(call, key("1", 2, ended))[0].node == "question"
    after, commands = play(call, key("3", 2, ended))
    assert after.node == "callback"
    assert the_order(list(commands)).source == "callback"


@pytest.mark.parametrize(
    "answers",
    [
        [TimedOut(facts=at(OPEN, 20)), TimedOut(facts=at(OPEN, 30))],
        [key("9", 3), key("8", 9)],
        [key("*", 3), TimedOut(facts=at(OPEN, 30))],
    ],
)
def test_who_does_not_choose_is_asked_once_more_and_then_heard(answers: list[AnyEvent]) -> None:
    asked, _ = play(NEW, ARRIVED, answers[0])
    assert heard(asked) == ["not_understood", "choose_line"]
    call, commands = play(asked, answers[1])
    assert call.node == "message"
    assert heard(call)[0] == "message_silence"
    _, commands = play(call, Recorded(facts=at(OPEN, 60), seconds=20.0))
    assert the_order(list(commands)).source == "declined"


def test_ten_keys_at_once_do_not_throw_a_caller_out_of_the_line() -> None:
    call, commands = play(NEW, ARRIVED, *(key(pressed, 3) for pressed in "1234567890"))
    assert call.node == "waiting"
    assert names(commands) == ["JoinLine", "WakeAt"]
    assert play(call, key("2", 3 + 1.6))[0].node == "message"


def test_ten_wrong_keys_at_once_are_one_wrong_answer() -> None:
    call, _ = play(NEW, ARRIVED, *(key("9", 3 + index / 20) for index in range(10)))
    assert (call.node, call.tries) == ("question", 1)


def test_the_position_that_is_told_never_rises() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3))
    told = []
    for minute, position in enumerate((3, 5, 2, 4, 1), 1):
        call, _ = play(call, Woken(facts=at(OPEN, 60 * minute, position=position)))
        told.append(call.told_position)
    assert told == [3, 3, 2, 2, 1]
    assert heard(call)[0] == "next_is_you"


def test_announcements_keep_their_distance() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3))
    early, commands = play(call, Woken(facts=at(OPEN, 10)))
    assert early.scene == call.scene
    assert [command.at for command in commands if names([command]) == ["WakeAt"]] == [NOW + 48]  # type: ignore[union-attr]


def test_a_leader_who_does_not_answer_costs_the_caller_nothing() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3), offer(10))
    after, commands = play(call, Missed(facts=at(OPEN, 30), reason="no_answer"))
    returned = [command for command in commands if isinstance(command, ReturnToHead)]
    assert [(one.token, one.pause) for one in returned] == [(1, True)]
    assert (after.node, after.joined_at) == ("waiting", call.joined_at)
    assert heard(after)[:2] == ["waiting_leader_missed", "next_is_you"]
    again, _ = play(after, offer(100, token=2))
    assert again.node == "ringing"


def test_nobody_blames_the_leader_when_our_side_lost_the_call() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3), offer(10))
    _, commands = play(call, Missed(facts=at(OPEN, 30), reason="gone"))
    assert [command.pause for command in commands if isinstance(command, ReturnToHead)] == [False]


def test_the_caller_hangs_up_as_the_leader_answers() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3), offer(10))
    ended, commands = play(call, HungUp(facts=at(OPEN, 15)))
    assert names(commands) == ["FreeSeat", "LeaveLine", "WakeAt", "MakeOrder", "CloseCall"]
    assert ended.outcome == "abandoned"


def test_a_claim_that_comes_after_the_hang_up_is_given_back() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3), HungUp(facts=at(OPEN, 9)))
    after, commands = play(call, offer(10))
    assert after.node == "ended"
    assert [type(command) for command in commands] == [LeaveLine, FreeSeat], "in this order: the next one is the head"


@pytest.mark.parametrize("node", ["waiting", "ringing", "callback", "kept", "calling", "screening"])
def test_a_leader_without_a_line_for_the_callers_carrier_is_free_for_the_next_and_the_caller_is_an_order(node: NodeName) -> None:
    call = calls_at_every_node()[node]
    after, commands = play(call, offer(80, token=call.token + 1, line=""))
    gone = node in ("kept", "calling")
    assert after.node == ("ended" if gone else "message")
    assert gone or heard(after)[:1] == ["message_released"]
    freed = {command.token for command in commands if isinstance(command, FreeSeat)}
    assert freed == {call.token + 1} | ({call.token} if node in ("ringing", "calling", "screening") else set())
    assert "LeaveLine" in names(commands)
    assert "ReturnToHead" not in names(commands), "the leader has missed nothing"
    assert [note.data["reason"] for note in commands if isinstance(note, Note) and note.kind == "released"] == ["no_line"]
    _, ending = play(after, HungUp(facts=at(OPEN, 90)))
    assert [*names(commands), *names(ending)].count("MakeOrder") == 1
    assert play(after, offer(80, token=call.token + 1, line="")) == (after, []), "told twice"


def test_a_newer_claim_replaces_the_older_one() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3), offer(10, token=1))
    after, commands = play(call, offer(60, token=2))
    assert [command.token for command in commands if isinstance(command, FreeSeat)] == [1]
    (connect,) = present(after, OPEN)
    assert isinstance(connect, Connect)
    assert connect.token == 2


@pytest.mark.parametrize(
    ("line", "confirm"),
    [("sip:leader@127.0.0.1:5080", False), ("sips:a@b", False), ("+8613900000000", True), ("tel:+8613900000000", True)],
)
def test_a_number_is_confirmed_with_a_key_because_a_voicemail_may_answer(line: str, confirm: bool) -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3), offer(723, line=line))
    (connect,) = present(call, OPEN)
    assert isinstance(connect, Connect)
    assert connect.confirm is confirm
    assert connect.whisper[0].values == {"minutes": 12}
    assert (connect.whisper[-1].key == "whisper_confirm") is confirm


def test_closing_time_tells_who_waits_and_makes_an_order_even_when_they_hang_up() -> None:
    closing = Released(facts=at(OPEN, 6600), to="work_order", reason="session_closed")
    call, _ = play(NEW, ARRIVED, key("1", 3), closing)
    assert heard(call)[0] == "message_session_closed"
    _, commands = play(call, HungUp(facts=at(OPEN, 6601)))
    assert the_order(list(commands)).source == "released"


def test_nobody_waits_for_ever_for_a_session_that_is_over() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3))
    passing, _ = play(call, Woken(facts=at(CLOSED, 100)))
    assert passing.node == "waiting"  # the board may be unreadable for a moment
    over, _ = play(call, Woken(facts=at(CLOSED, 6700)))
    assert (over.node, over.reason) == ("message", "session_closed")


def test_without_a_session_the_next_one_is_told() -> None:
    call, _ = play(NEW, Arrived(facts=CLOSED))
    assert heard(call, CLOSED) == [
        "greeting", "closed_now", "next_session", "date", "weekday", "clock", "next_unit", "answering_leader",
        "choose_closed",
    ]  # fmt: skip
    unknown = Facts(now=NOW)
    assert heard(call, unknown)[:3] == ["greeting", "closed_now", "next_unknown"]


@pytest.mark.parametrize(("operators", "node"), [(True, "operator"), (False, "message")])
def test_silence_without_a_session_ends_with_people_where_there_are_any(operators: bool, node: str) -> None:
    facts = replace(CLOSED, operators=operators)
    call, _ = play(NEW, Arrived(facts=facts), TimedOut(facts=facts), TimedOut(facts=facts))
    assert call.node == node
    assert not {"message_silence", "message_declined"} & set(heard(call)), "it is no order of a session"


def test_who_hangs_up_is_transferred_once_an_operator_has_taken_the_call_and_called_back_before() -> None:
    facts = replace(CLOSED, operators=True)
    call, _ = play(NEW, Arrived(facts=facts), key("0", 3, facts))
    rung, commands = play(call, HungUp(facts=at(facts, 9)))
    assert (rung.outcome, the_order(list(commands)).source) == ("abandoned", "abandoned")
    talked, commands = play(call, Answered(facts=at(facts, 9)), HungUp(facts=at(facts, 99)))
    assert (talked.outcome, "MakeOrder" in names(commands)) == ("transferred", False)


def test_our_failure_takes_the_caller_to_the_operators_then_to_a_recording() -> None:
    facts = at(OPEN, 10, operators=True)
    call, commands = play(NEW, ARRIVED, key("1", 3), Released(facts=facts, to="fallback", reason="error"))
    assert (call.node, heard(call)) == ("operator", ["operator_error"])
    assert "LeaveLine" in names(commands)
    call, _ = play(call, Missed(facts=facts, reason="busy"))
    assert call.node == "message"
    ended, commands = play(call, HungUp(facts=facts))
    assert ended.outcome == "fallback"
    assert the_order(list(commands)).source == "fallback"
