"""Every deviation from the joining order is found, with its reason."""

from calls.served_order import Fact, judge


def joined(call_id: str, at: float) -> Fact:
    return Fact(call_id, "willing", at, {"seat_id": "s", "joined_at": at})


def connected(call_id: str, at: float) -> Fact:
    return Fact(call_id, "connected", at, {"seat_id": "s"})


def act(call_id: str, at: float, what: str, why: str) -> Fact:
    return Fact(call_id, "operator_act", at, {"act": what, "reason": why, "who": "admin"})


def test_first_come_first_served_has_no_deviation() -> None:
    found = judge([joined("a", 1), joined("b", 2), connected("a", 3), connected("b", 9)])
    assert (found.served, found.deviations, found.unexplained) == (2, (), 0)


def test_who_left_before_was_not_overtaken() -> None:
    gone = Fact("a", "left_line", 2.5, {"seat_id": "s", "reason": "declined"})
    assert judge([joined("a", 1), joined("b", 2), gone, connected("b", 3)]).deviations == ()


def test_a_move_explains_a_deviation_and_nothing_else_does() -> None:
    facts = [joined("a", 1), joined("b", 2)]
    (found,) = judge([*facts, act("b", 3, "urgent", "停水"), connected("b", 4)]).deviations
    assert (found.call_id, found.overtook, found.reasons) == ("b", ("a",), ("urgent: 停水 (admin)",))
    assert judge([*facts, act("b", 3, "release", "x"), connected("b", 4)]).unexplained == 1
    assert judge([*facts, act("a", 3, "move", "误操作"), connected("b", 4)]).unexplained == 0


def test_who_did_not_answer_the_call_back_lets_others_go_first() -> None:
    facts = [joined("a", 1), joined("b", 2), Fact("a", "callback", 3, {"seat_id": "s"})]
    missed = Fact("a", "callback_missed", 4, {"seat_id": "s"})
    assert judge([*facts, missed, connected("b", 5)]).deviations[0].reasons == ("callback_missed",)


def test_a_caller_in_another_line_is_not_overtaken_and_keeps_the_joining_time() -> None:
    moved = Fact("a", "seat_changed", 3, {"seat_id": "other"})
    assert judge([joined("a", 1), joined("b", 2), moved, connected("b", 4)]).deviations == ()
    back = Fact("a", "seat_changed", 5, {"seat_id": "s"})
    (found,) = judge([joined("a", 1), joined("b", 2), moved, back, connected("b", 6)]).deviations
    assert found.overtook == ("a",)
