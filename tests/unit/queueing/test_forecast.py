"""What a caller may be told: bounds, order, and the two sessions that are known from reports."""

from hypothesis import given, strategies

from queueing.forecast import forecast

TWO_HOURS = 7200.0


def test_the_first_in_line_before_a_free_seat_is_put_through_at_once() -> None:
    told = forecast(ahead=0, closes_in_s=600)
    assert (told.chance, told.wait_s, told.admission) == (1.0, 0.0, "recommended")


def test_two_hours_serve_the_dozen_that_was_reported() -> None:
    told = forecast(ahead=0, closes_in_s=TWO_HOURS, handle_s=570, wrap_up_s=15)
    assert told.can_serve == 13


def test_who_is_far_behind_is_not_encouraged() -> None:
    assert forecast(ahead=5, closes_in_s=TWO_HOURS).admission == "recommended"
    assert forecast(ahead=13, closes_in_s=TWO_HOURS).admission == "discouraged"
    assert forecast(ahead=40, closes_in_s=TWO_HOURS).admission == "discouraged"
    assert forecast(ahead=40, closes_in_s=TWO_HOURS, ended_below=0.03).admission == "ended"


def test_nobody_is_served_after_closing_time_or_without_a_seat() -> None:
    assert forecast(ahead=0, closes_in_s=0).admission == "ended"
    assert forecast(ahead=0, closes_in_s=300, busy_s=400).can_serve == 0
    assert forecast(ahead=0, closes_in_s=TWO_HOURS, seats=0).chance == 0.0


def test_calls_of_exactly_one_length_are_a_matter_of_counting() -> None:
    assert forecast(ahead=3, closes_in_s=1000, handle_s=300, wrap_up_s=0, spread=0).chance == 1.0
    assert forecast(ahead=4, closes_in_s=1000, handle_s=300, wrap_up_s=0, spread=0).chance == 0.0


@given(
    ahead=strategies.integers(0, 1000),
    closes_in_s=strategies.floats(-3600, 20000),
    busy_s=strategies.floats(0, 4000),
    seats=strategies.integers(1, 9),
)
def test_a_chance_is_a_chance_and_falls_with_every_caller_ahead(
    ahead: int, closes_in_s: float, busy_s: float, seats: int
) -> None:
    told = forecast(ahead=ahead, closes_in_s=closes_in_s, busy_s=busy_s, seats=seats)
    behind = forecast(ahead=ahead + 1, closes_in_s=closes_in_s, busy_s=busy_s, seats=seats)
    assert 0.0 <= behind.chance <= told.chance <= 1.0
    assert behind.wait_s >= told.wait_s >= 0.0
    assert told.can_serve >= 0
