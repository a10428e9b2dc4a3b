"""Who stood in which line from when to when."""

from calls.ledger import Entry
from calls.stays import follow


def fact(call_id: str, kind: str, at: float, **data: str | float) -> Entry:
    return Entry(command_id=f"{call_id}-{kind}-{at}", call_id=call_id, kind=kind, at=at, data=data)


def test_a_caller_who_is_put_through_waited_until_the_offer() -> None:
    joined = fact("a", "willing", 100, seat_id="s", joined_at=90.0)
    (stay,) = follow([joined, fact("a", "offered", 300, seat_id="s"), fact("a", "connected", 304, seat_id="s")])
    assert (stay.joined_at, stay.since, stay.served_at, stay.left_at) == (90.0, 100, 300, 304)


def test_who_gives_up_has_left_and_was_not_served() -> None:
    (stay,) = follow([fact("a", "willing", 100, seat_id="s"), fact("a", "left_line", 250, reason="abandoned")])
    assert (stay.served_at, stay.left_at) == (0.0, 250)


def test_who_left_to_key_in_a_number_and_keeps_the_place_is_served_in_the_end() -> None:
    told = [
        fact("a", "willing", 100, seat_id="s"), fact("a", "left_line", 200, reason="callback"),
        fact("a", "callback", 220, seat_id="s", joined_at=100.0), fact("a", "offered", 400), fact("a", "connected", 410),
    ]  # fmt: skip
    first, kept = follow(told)
    assert (first.left_at, kept.joined_at, kept.since, kept.served_at, kept.left_at) == (200, 100.0, 220, 400, 410)


def test_another_line_is_another_stay_with_the_first_joining_time() -> None:
    one, two = follow([fact("a", "willing", 100, seat_id="s"), fact("a", "seat_changed", 200, seat_id="t")])
    assert (one.seat_id, one.left_at, two.seat_id, two.joined_at, two.since) == ("s", 200, "t", 100, 200)


def test_who_keeps_the_place_for_a_callback_still_stands_in_the_line() -> None:
    ended = Entry(command_id="x", call_id="a", kind="closed", at=150, outcome="callback")
    (stay,) = follow([fact("a", "willing", 100, seat_id="s"), ended])
    assert stay.left_at == 0.0
