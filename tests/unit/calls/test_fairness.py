"""Served order against joining order: kept, broken with a reason, broken without one."""

from calls.fairness import judge
from calls.ledger import Entry


def fact(call_id: str, kind: str, at: float, **data: str | float) -> Entry:
    return Entry(command_id=f"{call_id}-{kind}-{at}", call_id=call_id, kind=kind, at=at, data=data)


def waits(call_id: str, at: float, joined_at: float | None = None) -> Entry:
    return fact(call_id, "willing", at, seat_id="s", joined_at=at if joined_at is None else joined_at)


def served(call_id: str, at: float) -> list[Entry]:
    return [fact(call_id, "offered", at, seat_id="s"), fact(call_id, "connected", at + 4, seat_id="s")]


def test_first_come_first_served() -> None:
    found = judge([waits("a", 0), waits("b", 100), *served("a", 200), *served("b", 800)])
    assert (found.served, found.deviations) == (("a", "b"), ())


def test_who_is_overtaken_without_a_reason_is_named() -> None:
    found = judge([waits("a", 0), waits("b", 100), *served("b", 200), *served("a", 800)])
    assert [(one.call_id, one.overtaken, one.reason) for one in found.unexplained] == [("b", "a", "")]


def test_an_act_of_an_operator_is_a_reason() -> None:
    acted = fact("b", "operator_act", 150, act="move", who="李四", reason="紧急")
    found = judge([waits("a", 0), waits("b", 100), acted, *served("b", 200), *served("a", 800)])
    assert [one.reason for one in found.deviations] == ["operator_act"]
    assert found.unexplained == ()


def test_who_has_left_is_not_overtaken() -> None:
    gone = fact("a", "left_line", 150, reason="abandoned")
    assert judge([waits("a", 0), waits("b", 100), gone, *served("b", 200)]).deviations == ()


def test_another_line_is_another_order() -> None:
    other = fact("a", "willing", 0, seat_id="t", joined_at=0)
    assert judge([other, waits("b", 100), *served("b", 200)]).deviations == ()


def test_a_place_that_was_taken_back_keeps_its_joining_time() -> None:
    back = waits("c", 300, joined_at=0)
    found = judge([waits("b", 100), back, *served("c", 400), *served("b", 900)])
    assert (found.served, found.deviations) == (("c", "b"), ())


def test_who_keeps_the_place_for_a_callback_still_waits() -> None:
    ended = Entry(command_id="x", call_id="a", kind="closed", at=50, outcome="callback")
    found = judge([waits("a", 0), ended, waits("b", 100), *served("b", 200)])
    assert [one.overtaken for one in found.unexplained] == ["a"]
