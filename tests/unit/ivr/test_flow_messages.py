"""What callers leave behind, from the recording to the number of the order and the number to call back."""

from msgspec.structs import replace

from ivr.call import Call
from ivr.events import Arrived, HungUp, OrderMade, Recorded, Released, TimedOut
from ivr.flow import present
from ivr.verbs import Record
from tests.unit.ivr.scene import (
    NEW,
    OPEN,
    WITHHELD,
    at,
    calls_at_every_node,
    heard,
    key,
    keyed,
    names,
    play,
    prompts,
    the_order,
)

ARRIVED = Arrived(facts=OPEN)


def test_an_empty_recording_is_asked_for_once_more_and_then_accepted() -> None:
    call, _ = play(NEW, ARRIVED, key("2", 3))
    again, commands = play(call, Recorded(facts=at(OPEN, 12), seconds=0.2))
    assert heard(again) == ["message_again"]
    assert names(commands) == []
    (first,), (second,) = present(call, OPEN), present(again, OPEN)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.name != second.name
    call, commands = play(again, Recorded(facts=at(OPEN, 22), seconds=0.0))
    assert the_order(list(commands)).recording == ""


def test_the_number_of_the_order_is_spoken_twice_digit_by_digit() -> None:
    call, _ = play(NEW, ARRIVED, key("2", 3), Recorded(facts=at(OPEN, 30), seconds=20.0))
    assert heard(call) == ["order_wait"]
    call, _ = play(call, OrderMade(facts=at(OPEN, 31), number="2026-1122-0007"))
    spoken = "".join(str(prompt.values["digit"]) for prompt in prompts(call) if prompt.key == "digit")
    assert spoken == "202611220007" * 2
    assert "order_promise" in heard(call)
    again, _ = play(call, key("1", 60))
    assert again.scene != call.scene
    assert "order_promise" not in heard(again)
    gone, _ = play(again, TimedOut(facts=at(OPEN, 90)))
    assert heard(gone) == ["goodbye"]


def test_without_a_number_nobody_is_promised_a_call() -> None:
    order, _ = play(recorded_withheld(), TimedOut(facts=at(OPEN, 45)), OrderMade(facts=at(OPEN, 46), number="2026-1122-0007"))
    assert "order_no_number" in heard(order)
    assert "order_promise" not in heard(order)
    talking = replace(calls_at_every_node()["talking"], number="")
    stopped, _ = play(talking, Released(facts=at(OPEN, 60), to="callback", reason="session_stopped"))
    assert heard(stopped)[0] == "goodbye_stopped_no_number"


def test_an_order_that_takes_too_long_is_promised_all_the_same() -> None:
    call, _ = play(NEW, ARRIVED, key("2", 3), Recorded(facts=at(OPEN, 30), seconds=20.0), TimedOut(facts=at(OPEN, 41)))
    assert heard(call) == ["goodbye_order_recorded", "goodbye"]
    late, commands = play(call, OrderMade(facts=at(OPEN, 42), number="2026-1122-0007"))
    assert (late.order_number, late.scene, commands) == ("2026-1122-0007", call.scene, [])


def recorded_withheld() -> Call:
    call, _ = play(WITHHELD, ARRIVED, key("2", 3), Recorded(facts=at(OPEN, 30), seconds=20.0, ended_by="key"))
    return call


def test_a_withheld_number_is_asked_for_after_the_recording() -> None:
    call = recorded_withheld()
    assert heard(call) == ["contact_ask"]
    call, _ = play(call, key("#", 30.2))  # the key that ended the recording
    assert call.node == "contact"
    call, commands = play(call, *keyed("13812345678", 35, "+8613812345678"))
    assert call.node == "order"
    assert the_order(list(commands)).contact == "+8613812345678"


def test_half_a_number_is_asked_for_again_and_silence_skips() -> None:
    call, commands = play(recorded_withheld(), key("1", 35), key("3", 36), key("#", 37))
    assert heard(call) == ["contact_again"]
    call, commands = play(call, TimedOut(facts=at(OPEN, 50)))
    assert call.node == "order"
    assert the_order(list(commands)).contact == "13", "it is all there is"


def test_who_types_slowly_is_not_cut_short() -> None:
    slow = [key(digit, 35 + 2 * index) for index, digit in enumerate("1381234")]
    call, _ = play(recorded_withheld(), *slow, TimedOut(facts=at(OPEN, 48)))
    assert (call.node, call.typed, heard(call)) == ("contact", "1381234", [])
    call, commands = play(call, key("5", 49), key("6", 50), TimedOut(facts=at(OPEN, 57, dialable="+86138123456")))
    assert the_order(list(commands)).contact == "+86138123456"


def test_who_hangs_up_while_typing_keeps_recording_and_number() -> None:
    call, commands = play(recorded_withheld(), *(key(d, 35) for d in "8221234"), HungUp(facts=at(OPEN, 37, dialable="+867348221234")))
    order = the_order(list(commands))
    assert order.contact == "+867348221234"
    assert order.recording
    assert call.outcome == "work_order"


def test_a_callback_reads_back_the_end_of_the_number() -> None:
    call, commands = play(NEW, ARRIVED, key("1", 3), key("3", 30))
    assert names(commands)[2:] == ["JoinLine", "KeepNumber", "WakeAt"], "the place in the line is kept"
    assert [prompt.values.get("digit") for prompt in prompts(call)][1:5] == list("5678")
    ended, _ = play(call, HungUp(facts=at(OPEN, 40)))
    assert ended.outcome == "callback"
