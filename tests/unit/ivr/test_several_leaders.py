"""More than one seat is open: the one question lets the caller pick the unit (A14)."""

from msgspec.structs import replace

from ivr.commands import JoinLine
from ivr.events import Arrived, Released, TimedOut, Woken
from ivr.facts import Facts
from ivr.verbs import Prompt
from tests.unit.ivr.scene import CLOSED, NEW, OPEN, SEAT, SESSION, at, heard, key, play, prompts

HOUSING = replace(SEAT, id="seat-2", unit="市住建局", state="free", depth=0)
WATER = replace(SEAT, id="seat-3", unit="市水务局", state="closed", depth=0)
SCHOOLS = replace(SEAT, state="talking", depth=5, admission="discouraged", chance=0.1)


def facts_of(*seats: object, **changes: object) -> Facts:
    return replace(OPEN, session=replace(SESSION, seats=seats), **changes)


SEVERAL = facts_of(SCHOOLS, HOUSING, WATER)


def test_units_are_named_with_their_keys_and_a_closed_seat_is_not_offered() -> None:
    call, _ = play(NEW, Arrived(facts=SEVERAL))
    assert heard(call, SEVERAL) == ["greeting", "answering_several", "pick_1", "pick_2", "pick_unsure", "pick_order"]
    assert [prompt.values.get("unit") for prompt in prompts(call, SEVERAL)][2:4] == ["市教育局", "市住建局"]


def test_before_the_session_nobody_is_told_that_one_of_several_answers() -> None:
    coming = replace(CLOSED, next_session=SEVERAL.session)
    call, _ = play(NEW, Arrived(facts=coming))
    told = prompts(call, coming)
    assert Prompt("next_several", {"count": 3}) in told
    assert not {"next_unit", "answering_leader"} & {one.key for one in told}


def test_the_key_leads_into_the_line_of_that_unit() -> None:
    call, commands = play(NEW, Arrived(facts=SEVERAL), key("2", 3, SEVERAL))
    assert (call.node, call.seat_id) == ("waiting", "seat-2")
    assert [command.seat_id for command in commands if isinstance(command, JoinLine)] == ["seat-2"]


def test_a_small_chance_at_the_picked_unit_is_told_first() -> None:
    call, _ = play(NEW, Arrived(facts=SEVERAL), key("1", 3, SEVERAL))
    assert (call.node, call.seat_id, call.reason) == ("question", "seat-1", "discouraged")
    insisting, _ = play(call, key("1", 9, SEVERAL))
    assert (insisting.node, insisting.seat_id) == ("waiting", "seat-1")


def test_who_does_not_know_gets_the_free_seat_or_the_shortest_line_or_an_operator() -> None:
    call, _ = play(NEW, Arrived(facts=SEVERAL), key("0", 3, SEVERAL))
    assert call.seat_id == "seat-2"
    busy = facts_of(replace(SCHOOLS, depth=2, admission="recommended"), replace(HOUSING, state="talking", depth=7))
    call, _ = play(NEW, Arrived(facts=busy), key("0", 3, busy))
    assert call.seat_id == "seat-1"
    staffed = replace(SEVERAL, operators=True)
    call, _ = play(NEW, Arrived(facts=staffed), key("0", 3, staffed))
    assert call.node == "operator"


def test_star_leaves_a_work_order_and_silence_too() -> None:
    call, _ = play(NEW, Arrived(facts=SEVERAL), key("*", 3, SEVERAL))
    assert call.node == "message"
    call, _ = play(NEW, Arrived(facts=SEVERAL), TimedOut(facts=at(SEVERAL, 6)), TimedOut(facts=at(SEVERAL, 12)))
    assert (call.node, call.reason) == ("message", "silence")


def test_who_is_still_asked_when_the_session_closes_is_told_so_by_whichever_key_and_by_silence() -> None:
    asked, _ = play(NEW, Arrived(facts=SEVERAL))
    for event in (key("1", 9, CLOSED), key("7", 9, CLOSED), TimedOut(facts=at(CLOSED, 9))):
        call, _ = play(asked, event)
        assert (call.node, call.source, call.reason) == ("message", "released", "session_closed")
    call, _ = play(asked, key("*", 9, CLOSED))
    assert (call.node, call.source) == ("message", "declined")


def test_keys_stay_when_seats_open_or_close_meanwhile() -> None:
    call, _ = play(NEW, Arrived(facts=SEVERAL))
    third = facts_of(SCHOOLS, replace(HOUSING, state="closed"), replace(WATER, state="free"))
    call, _ = play(call, key("3", 3, third))
    assert call.seat_id == "seat-3"


def test_a_leader_who_has_left_is_told_from_one_who_is_late() -> None:
    left, late = replace(SCHOOLS, state="closed", left=True), replace(WATER, state="closed")
    mixed = facts_of(left, replace(HOUSING, state="closed"), late)
    assert heard(play(NEW, Arrived(facts=mixed))[0], mixed)[2:4] == ["pick_2", "pick_3"]
    gone = facts_of(left, replace(left, id="seat-2"), admission="ended")
    call, _ = play(NEW, Arrived(facts=gone))
    assert heard(call, gone)[-2:] == ["line_left", "choose_ended"]
    assert play(call, key("3", 3, gone))[0].node == "callback"
    assert play(call, key("2", 3, gone))[0].node == "message"


def test_who_chose_while_the_leader_left_is_told_and_who_waits_gets_an_order() -> None:
    gone = facts_of(replace(SCHOOLS, left=True), HOUSING)
    asked, _ = play(NEW, Arrived(facts=SEVERAL), key("1", 3, SEVERAL))
    chosen, _ = play(asked, key("1", 9, gone))
    assert (chosen.node, chosen.reason) == ("question", "left")
    waits, _ = play(NEW, Arrived(facts=SEVERAL), key("2", 3, SEVERAL))
    stays, _ = play(waits, Released(facts=gone, to="seat", reason="operator", seat_id="seat-1"))
    assert stays.seat_id == "seat-2"
    released, _ = play(waits, Woken(facts=at(facts_of(SCHOOLS, replace(HOUSING, left=True)), 60)))
    assert (released.node, released.reason) == ("message", "leader_left")


def test_one_open_seat_is_the_question_as_ever() -> None:
    alone = facts_of(replace(SEAT, state="closed"), HOUSING, WATER, depth=0)
    call, _ = play(NEW, Arrived(facts=alone))
    assert heard(call, alone) == ["greeting", "answering_unit", "answering_leader", "line_free", "choose_free"]
