"""A place in the line that outlives the phone: called back, redialled, moved, held by one number once."""

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import AnyCommand, CloseCall, JoinLine, LeaveLine, MakeOrder, ReturnToHead, WithdrawOrder
from ivr.events import Answered, Arrived, HungUp, Missed, Released, TalkEnded, TimedOut, Woken
from ivr.facts import Facts, Notice, Place
from ivr.flow import present
from ivr.verbs import CallBack, Connect
from tests.unit.ivr.scene import (
    CLOSED,
    NEW,
    NOW,
    OPEN,
    SEAT,
    SESSION,
    WITHHELD,
    at,
    heard,
    key,
    keyed,
    names,
    offer,
    play,
    prompts,
)

ARRIVED = Arrived(facts=OPEN)
KEPT = (ARRIVED, key("1", 3), key("3", 30), HungUp(facts=at(OPEN, 40)))


def one(commands: list[AnyCommand], kind: type[AnyCommand]) -> AnyCommand:
    (found,) = [command for command in commands if isinstance(command, kind)]
    return found


def test_the_call_ends_as_a_callback_and_the_place_stays() -> None:
    call, commands = play(NEW, *KEPT)
    assert (call.node, call.outcome, present(call, OPEN)) == ("kept", "callback", ())
    assert one(commands, CloseCall) == CloseCall(outcome="callback", at=NOW + 40)
    joins = [command for command in commands if isinstance(command, JoinLine)]
    assert [join.mark for join in joins] == ["", "callback"]
    assert {join.joined_at for join in joins} == {NOW + 3}
    assert not any(isinstance(command, LeaveLine | MakeOrder) for command in commands)


def test_when_it_is_their_turn_they_are_called_and_put_through_after_pressing_1() -> None:
    call, _ = play(NEW, *KEPT, offer(600))
    (ring,) = present(call, OPEN)
    assert isinstance(ring, CallBack)
    assert (ring.number, ring.token) == (NEW.number, 1)
    call, _ = play(call, Arrived(facts=at(OPEN, 610), leg="back-1"))
    assert heard(call) == ["greeting", "callback_your_turn", "choose_callback"]
    call, commands = play(call, key("1", 614))
    (connect,) = present(call, OPEN)
    assert isinstance(connect, Connect)
    assert connect.token == 1
    after, more = play(
        call, Answered(facts=at(OPEN, 620)), TalkEnded(facts=at(OPEN, 900), seconds=280), HungUp(facts=at(OPEN, 905))
    )
    assert (after.node, after.outcome) == ("ended", "callback")
    assert names([*commands, *more]) == ["JoinLine", "TakeSeat", "FreeSeat", "MakeOrder"], "the outcome was told before"


def test_a_call_back_that_nobody_takes_lets_one_go_first_and_then_becomes_an_order() -> None:
    call, commands = play(NEW, *KEPT, offer(600), HungUp(facts=at(OPEN, 625)))
    assert call.node == "kept"
    assert one(commands, ReturnToHead).behind == 1  # type: ignore[union-attr]
    call, commands = play(call, offer(1200, token=2), HungUp(facts=at(OPEN, 1225)))
    assert call.node == "ended"
    assert names(commands) == ["FreeSeat", "LeaveLine", "WakeAt", "MakeOrder"]
    assert one(commands, MakeOrder).source == "callback"  # type: ignore[union-attr]


PROMISED = (ARRIVED, key("1", 3), key("3", 30), offer(31))


def test_who_was_promised_a_call_and_hangs_up_as_the_leaders_line_rings_keeps_the_place_and_is_called_at_once() -> None:
    call, commands = play(NEW, *PROMISED, HungUp(facts=at(OPEN, 33)))
    assert (call.node, call.outcome, call.joined_at) == ("kept", "callback", NOW + 3)
    assert names(commands)[-4:] == ["FreeSeat", "JoinLine", "WakeAt", "CloseCall"]
    assert [one.mark for one in commands if isinstance(one, JoinLine)] == ["", "callback", "", "callback"]
    assert not {"LeaveLine", "MakeOrder"} & set(names(commands)), "the order would be the less"
    call, _ = play(call, offer(34, token=2))
    assert isinstance(present(call, OPEN)[0], CallBack)


def test_the_promise_holds_when_the_leader_did_not_take_the_call_and_ends_when_they_were_called_back() -> None:
    missed, _ = play(NEW, *PROMISED, Missed(facts=at(OPEN, 50), reason="no_answer"))
    never, _ = play(NEW, *PROMISED, Answered(facts=at(OPEN, 40)), Missed(facts=at(OPEN, 41), reason="gone"))
    for call in (missed, never):
        assert call.node == "waiting"
        kept, commands = play(call, HungUp(facts=at(OPEN, 60)))
        assert (kept.node, names(commands)) == ("kept", ["JoinLine", "WakeAt", "CloseCall"])
    called, _ = play(missed, HungUp(facts=at(OPEN, 60)), offer(600, token=2), Arrived(facts=at(OPEN, 610), leg="back-1"))
    ended, commands = play(called, key("1", 614), HungUp(facts=at(OPEN, 616)))
    assert (ended.node, one(commands, MakeOrder).source) == ("ended", "abandoned")  # type: ignore[union-attr]


def test_every_order_has_the_number_that_was_keyed_in() -> None:
    number = keyed("13812345678", 32, "+8613812345678")
    kept, _ = play(WITHHELD, ARRIVED, key("1", 3), key("3", 30), *number, HungUp(facts=at(OPEN, 40)))
    rings, _ = play(kept, offer(600), Arrived(facts=at(OPEN, 610), leg="back-1"), key("1", 614))
    talks = (Answered(facts=at(OPEN, 620)), TalkEnded(facts=at(OPEN, 900), seconds=280))
    for after in ((HungUp(facts=at(OPEN, 616)),), talks):
        assert one(play(rings, *after)[1], MakeOrder).contact == "+8613812345678"  # type: ignore[union-attr]


def test_a_voicemail_never_reaches_the_leader() -> None:
    screened = (*KEPT, offer(600), Arrived(facts=at(OPEN, 610), leg="back-1"))
    call, _ = play(NEW, *screened, TimedOut(facts=at(OPEN, 620)))
    assert heard(call) == ["choose_callback"]
    call, _ = play(call, TimedOut(facts=at(OPEN, 630)))
    assert heard(call) == ["callback_later", "goodbye"]
    call, commands = play(call, HungUp(facts=at(OPEN, 633)))
    assert (call.node, call.callbacks_missed) == ("kept", 1)
    assert names(commands) == ["ReturnToHead"]


def test_a_kept_place_ends_with_the_session_as_an_order() -> None:
    call, _ = play(NEW, *KEPT)
    call, commands = play(call, Released(facts=at(CLOSED, 7000), to="work_order", reason="session_closed"))
    assert call.node == "ended"
    assert names(commands) == ["LeaveLine", "WakeAt", "MakeOrder"]


def test_who_withholds_the_number_types_one_outside_the_line_and_gets_the_place_back() -> None:
    call, commands = play(WITHHELD, ARRIVED, key("1", 3), key("3", 30))
    assert (call.node, names(commands)[-2:]) == ("contact", ["LeaveLine", "WakeAt"])
    back, commands = play(call, *keyed("13812345678", 32, "+8613812345678"))
    assert back.reason == "kept"
    assert one(commands, JoinLine) == JoinLine(seat_id="seat-1", joined_at=NOW + 3, mark="callback")
    called, _ = play(back, HungUp(facts=at(OPEN, 40)), offer(600))
    (ring,) = present(called, OPEN)
    assert isinstance(ring, CallBack)
    assert ring.number == "+8613812345678"


def test_who_keys_in_what_cannot_be_rung_is_asked_once_more_and_then_has_an_order_with_it() -> None:
    asked, _ = play(WITHHELD, ARRIVED, key("1", 3), key("3", 30), *keyed("008821612345678", 32))
    assert heard(asked) == ["contact_again"]
    kept, _ = play(asked, *keyed("8123456", 40, "+867348123456"))
    assert (kept.reason, kept.contact, kept.typed) == ("kept", "+867348123456", "8123456")
    for after in (keyed("073412345", 40), (TimedOut(facts=at(OPEN, 60)),), (HungUp(facts=at(OPEN, 60)),)):
        call, commands = play(asked, *after)
        assert one(commands, MakeOrder).contact == ("073412345" if len(after) > 1 else "008821612345678")  # type: ignore[union-attr]
        assert "JoinLine" not in names(commands)
        assert call.node == "ended" or heard(call) == ["callback_no_number", "goodbye"]


def test_who_redials_in_time_gets_the_place_and_the_order_is_withdrawn() -> None:
    place = Place(call_id="t-1", seat_id=SEAT.id, joined_at=NOW - 900, left_at=NOW - 60)
    back = at(OPEN, 0, place=place, admission="ended")
    call, _ = play(NEW, Arrived(facts=back))
    assert heard(call, back)[-2:] == ["line_kept", "choose_kept"]
    call, commands = play(call, key("1", 3, back))
    assert one(commands, JoinLine).joined_at == NOW - 900  # type: ignore[union-attr]
    assert names(commands).count("WithdrawOrder") == 1
    told, _ = play(call, Woken(facts=at(OPEN, 10, position=2)))
    assert told.told_position == 2


def test_a_second_call_of_one_number_takes_the_place_and_the_first_gives_way() -> None:
    place = Place(call_id="a-1", seat_id=SEAT.id, joined_at=NOW - 900)
    _, commands = play(NEW, Arrived(facts=at(OPEN, 0, place=place)), key("1", 3, at(OPEN, 0, place=place)))
    assert not [command for command in commands if isinstance(command, WithdrawOrder)]
    first, _ = play(NEW, ARRIVED, key("1", 3))
    first, commands = play(first, Released(facts=at(OPEN, 50), to="other_call", reason="same_number"))
    assert heard(first) == ["goodbye_other_call", "goodbye"]
    ended, more = play(first, HungUp(facts=at(OPEN, 55)))
    assert names([*commands, *more]) == ["LeaveLine", "WakeAt", "CloseCall"], "the other call has the order"
    assert ended.outcome == "abandoned"
    rings, _ = play(NEW, ARRIVED, key("1", 3), offer(20))
    rings, commands = play(rings, Released(facts=at(OPEN, 50), to="other_call", reason="same_number"))
    assert heard(rings) == ["goodbye_other_call", "goodbye"]
    assert names(commands) == ["FreeSeat", "LeaveLine", "WakeAt"], "the seat is there for the other call"


def test_who_calls_anew_while_our_call_back_asks_for_a_key_has_the_place_there() -> None:
    """Whoever took our call is told and has no second place; the promise is the newer call's."""
    asked, _ = play(NEW, *KEPT, offer(600), Arrived(facts=at(OPEN, 610), leg="back-1"))
    given, commands = play(asked, Released(facts=at(OPEN, 612), to="other_call", reason="same_number"))
    assert heard(given) == ["goodbye_other_call", "goodbye"]
    assert names(commands) == ["FreeSeat", "LeaveLine", "WakeAt"], "the seat is there for the other call"
    assert play(given, key("1", 613)) == (given, []), "too late: the leader rings for the other call"
    ended, more = play(given, HungUp(facts=at(OPEN, 615)))
    assert (ended.node, ended.outcome, names(more)) == ("ended", "callback", []), "the outcome was told before"


def test_bursts_of_calls_can_always_leave_an_order() -> None:
    often = at(OPEN, 0, recent_calls=7)
    call, _ = play(NEW, Arrived(facts=often))
    assert heard(call, often)[-2:] == ["line_often", "choose_ended"]
    waiting, _ = play(call, key("1", 3, often))
    assert waiting.node == "question"
    order, _ = play(call, key("2", 3, often))
    assert order.node == "message"


def test_the_next_line_of_the_leader_rings_before_the_caller_goes_back() -> None:
    lines = "sip:desk@127.0.0.1,+8613900000000"
    call, _ = play(NEW, ARRIVED, key("1", 3), offer(20, line=lines), Missed(facts=at(OPEN, 40), reason="no_answer"))
    (connect,) = present(call, OPEN)
    assert isinstance(connect, Connect)
    assert (connect.line, connect.confirm) == ("+8613900000000", True)
    call, commands = play(call, Missed(facts=at(OPEN, 60), reason="unconfirmed"))
    assert (call.node, names(commands)) == ("waiting", ["ReturnToHead", "WakeAt"])


def test_an_operator_puts_a_caller_to_another_seat_with_the_first_joining_time() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3))
    put = Released(facts=at(OPEN, 50), to="seat", reason="operator", seat_id="seat-2")
    call, commands = play(call, put)
    assert (call.node, call.seat_id, call.joined_at) == ("waiting", "seat-2", NOW + 3)
    assert names(commands) == ["LeaveLine", "JoinLine", "WakeAt"]
    assert heard(call)[0] == "waiting_moved"
    assert play(call, put) == (call, [])


def test_what_is_announced_is_heard_once_by_who_waits() -> None:
    waiting, _ = play(NEW, ARRIVED, key("1", 3))
    late = at(leader_is("closed"), 20, notice=Notice(key="leader_late", at=NOW + 19))
    call, _ = play(waiting, Woken(facts=late))
    assert heard(call, late)[0] == "waiting_leader_late"
    assert play(call, Woken(facts=replace(late, now=NOW + 22)))[0].scene == call.scene
    # Not in the line of a leader who is there, and the other way round; nor by who redials after it was announced.
    there = replace(late, session=leader_is("free").session)
    assert play(waiting, Woken(facts=there))[0].scene == waiting.scene
    back = replace(late, notice=Notice(key="leader_back", at=NOW + 19))
    assert play(waiting, Woken(facts=back))[0].scene == waiting.scene
    redialled = replace(waiting, started_at=NOW + 19.5, joined_at=NOW + 3)
    assert play(redialled, Woken(facts=late))[0].scene == redialled.scene
    unknown = at(OPEN, 30, notice=Notice(key="no such words", at=NOW + 29))
    assert play(call, Woken(facts=unknown))[0].scene == call.scene


def leader_is(state: str) -> Facts:
    return replace(OPEN, session=replace(SESSION, seats=(replace(SEAT, state=state),)))


def test_callers_are_told_when_the_leader_is_not_there() -> None:
    call: Call = play(NEW, ARRIVED, key("1", 3))[0]
    assert "leader_not_here" in heard(call, leader_is("closed"))
    assert "leader_away" in heard(call, leader_is("paused"))
    assert "leader_away" not in heard(call, leader_is("talking"))
    held = replace(OPEN, session=replace(SESSION, seats=(replace(SEAT, state="paused", held=True),)))
    assert "waiting_held" in heard(call, held)
    assert "leader_away" not in heard(call, held)


def test_who_was_moved_hears_the_place_they_have_now_also_when_it_is_further_back() -> None:
    call, _ = play(NEW, ARRIVED, key("1", 3), Woken(facts=at(OPEN, 60, position=1)))
    assert heard(call)[0] == "next_is_you"
    moved, _ = play(call, Woken(facts=at(OPEN, 70, position=5), moved=True))
    assert [(one.key, one.values) for one in prompts(moved)][:2] == [("waiting_place_changed", {}), ("ahead", {"count": 4})]
    later, _ = play(moved, Woken(facts=at(OPEN, 130, position=6)))
    assert later.told_position == 5
    assert heard(later, at(OPEN, 130, position=6)) == ["wait", "can_serve", "choose_waiting"], "somebody came back: no place"
    kept, _ = play(call, key("3", 80), HungUp(facts=at(OPEN, 85)), Woken(facts=at(OPEN, 90, position=5), moved=True))
    back, _ = play(kept, Arrived(facts=at(OPEN, 100), leg="back-1"), Woken(facts=at(OPEN, 130, position=5)))
    assert back.told_position == 5


def test_who_was_overtaken_by_an_act_hears_of_it_and_the_true_place_with_the_next_announcement() -> None:
    first, _ = play(NEW, ARRIVED, key("1", 3), Woken(facts=at(OPEN, 60, position=1)))
    behind = at(OPEN, 70, position=3)
    overtaken, commands = play(first, Woken(facts=behind, overtaken=True))
    assert (overtaken.overtaken, overtaken.scene, commands) == (True, first.scene, []), "the music goes on"
    assert play(overtaken, Woken(facts=behind, overtaken=True)) == (overtaken, [])
    due = at(OPEN, 110, position=3)
    told, _ = play(overtaken, Woken(facts=due))
    assert [(one.key, one.values) for one in prompts(told, due)][:2] == [("waiting_overtaken", {}), ("ahead", {"count": 2})]
    later, _ = play(told, Woken(facts=at(OPEN, 160, position=2)))
    assert heard(later, at(OPEN, 160, position=2))[0] == "ahead"
    announced = replace(due, notice=Notice(key="resumed", at=NOW + 100))
    before, _ = play(overtaken, Woken(facts=announced))
    assert heard(before, announced) == ["waiting_resumed", "wait", "can_serve", "choose_waiting"]
    again, _ = play(before, Woken(facts=replace(announced, now=NOW + 160)))
    assert heard(again, announced)[:2] == ["waiting_overtaken", "ahead"]
    relieved, _ = play(overtaken, Woken(facts=at(OPEN, 110, position=1)))
    assert (heard(relieved, at(OPEN, 110, position=1))[0], relieved.overtaken) == ("next_is_you", False)
