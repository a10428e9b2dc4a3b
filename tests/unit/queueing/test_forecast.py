"""What a caller may be told: bounds, order, and the two sessions that are known from reports."""

from math import inf

from hypothesis import given, strategies

from queueing.forecast import forecast
from queueing.pace import Pace, Prior, learn, read_pace

TWO_HOURS = 7200.0
PATIENT = Prior(patience_s=inf)


def test_the_first_in_line_before_a_free_seat_is_put_through_at_once() -> None:
    told = forecast(ahead=0, closes_in_s=600)
    assert (told.chance, told.wait_s, told.admission) == (1.0, 0.0, "recommended")


def test_two_hours_serve_the_dozen_that_was_reported() -> None:
    assert forecast(ahead=0, closes_in_s=TWO_HOURS).can_serve == 13


def test_who_is_far_behind_is_not_encouraged() -> None:
    assert forecast(ahead=5, closes_in_s=TWO_HOURS, prior=PATIENT).admission == "recommended"
    assert forecast(ahead=14, closes_in_s=TWO_HOURS, prior=PATIENT).admission == "discouraged"
    assert forecast(ahead=200, closes_in_s=3600).admission == "discouraged"
    assert forecast(ahead=300, closes_in_s=1800, ended_below=0.03).admission == "ended"


def test_nobody_is_served_after_closing_time_or_without_a_seat() -> None:
    assert forecast(ahead=0, closes_in_s=0).admission == "ended"
    assert forecast(ahead=0, closes_in_s=300, talking_s=0).can_serve == 0
    assert forecast(ahead=0, closes_in_s=TWO_HOURS, seats=0).chance == 0.0


def test_those_who_give_up_shorten_the_wait() -> None:
    patient = forecast(ahead=10, closes_in_s=TWO_HOURS, prior=PATIENT)
    assert patient.wait_s == 10 * 590
    assert 0.2 < forecast(ahead=10, closes_in_s=TWO_HOURS).wait_s / patient.wait_s < 0.6


def test_the_longer_a_talk_lasts_the_sooner_it_is_over() -> None:
    begun, late, very_late = (forecast(ahead=0, closes_in_s=600, talking_s=spent) for spent in (0, 500, 3000))
    assert begun.wait_s == 570 + 15
    assert 15 + 570 / 4 < late.wait_s < begun.wait_s * 0.6
    assert very_late.wait_s > 15 + 570 / 4  # nobody knows when
    assert begun.chance < late.chance < very_late.chance


def test_a_leader_who_is_away_makes_the_wait_longer_and_less_sure() -> None:
    there, away = (forecast(ahead=0, closes_in_s=900, away=gone) for gone in (False, True))
    assert there.chance == 1.0
    assert 0.9 < away.chance < 1.0
    assert away.wait_s == 300.0


def test_two_seats_for_one_line_halve_its_wait() -> None:
    one, two = (forecast(ahead=8, closes_in_s=TWO_HOURS, prior=PATIENT, seats=seats) for seats in (1, 2))
    assert two.wait_s == one.wait_s / 2
    assert two.chance > one.chance


def test_a_few_talks_move_the_belief_and_a_dozen_decide_it() -> None:
    said = [learn(Pace(talks=n, talked_s=n * 300.0), Prior()).handle_s for n in (0, 1, 3, 12, 1000)]
    assert said[0] == 570.0
    assert said == sorted(said, reverse=True)
    assert 500 < said[1] < 570
    assert said[3] < 400
    assert abs(said[4] - 300) < 2


def test_who_leaves_for_a_callback_has_not_given_up() -> None:
    left = {"abandoned": "3", "declined": "2", "talked": "9", "callback": "4", "moved": "1", "released": "50"}
    assert read_pace({"talks": "2", "talked_s": "900.5"}, left) == Pace(2, 900.5, 5, 0.0)


@strategies.composite
def paces(draw: strategies.DrawFn) -> Pace:
    """What a session can have seen: each talk has lasted, and whoever gave up has waited before."""
    talks, gave_up = draw(strategies.integers(0, 40)), draw(strategies.integers(0, 800))
    of_a_talk, of_a_wait = draw(strategies.floats(1, 3600)), draw(strategies.floats(1, 3600))
    waiting_s = draw(strategies.floats(0, 500000))
    return Pace(talks=talks, talked_s=talks * of_a_talk, gave_up=gave_up, waited_s=gave_up * of_a_wait + waiting_s)


@given(
    ahead=strategies.integers(0, 1000),
    closes_in_s=strategies.floats(-3600, 20000),
    talking_s=strategies.none() | strategies.floats(-10, 20000),
    seats=strategies.integers(1, 9),
    pace=paces(),
)
def test_a_chance_is_a_chance_and_falls_with_every_caller_ahead(
    ahead: int, closes_in_s: float, talking_s: float | None, seats: int, pace: Pace
) -> None:
    told, behind = (
        forecast(ahead=n, closes_in_s=closes_in_s, talking_s=talking_s, seats=seats, pace=pace)
        for n in (ahead, ahead + 1)
    )
    assert 0.0 <= told.chance <= 1.0
    assert 0.0 <= behind.chance <= told.chance + 0.01
    assert behind.wait_s >= told.wait_s >= 0.0
    assert told.can_serve >= 0


def test_those_who_keep_a_place_do_not_give_up() -> None:
    """The more of those ahead keep a place, the longer it takes; when all do, as long as if nobody ever gave up."""
    told = [forecast(ahead=12, kept=kept, closes_in_s=TWO_HOURS) for kept in (0, 3, 6, 12)]
    assert [one.wait_s for one in told] == sorted(one.wait_s for one in told)
    assert told[0].chance > told[1].chance > told[2].chance > told[3].chance
    assert abs(told[3].wait_s - 12 * 590) < 60


def test_that_some_keep_places_is_expected_of_those_who_wait_now() -> None:
    seen = Pace(talks=4, talked_s=4 * 570, gave_up=40, waited_s=45 * 900)
    some = Pace(talks=4, talked_s=4 * 570, gave_up=40, waited_s=45 * 900, kept=8)
    assert forecast(ahead=40, closes_in_s=TWO_HOURS, pace=seen).chance > forecast(ahead=40, closes_in_s=TWO_HOURS, pace=some).chance
    assert forecast(ahead=40, closes_in_s=TWO_HOURS, prior=Prior(keeping=0.2)).wait_s > forecast(ahead=40, closes_in_s=TWO_HOURS).wait_s
    assert read_pace({"kept": "8"}, {}).kept == 8


@given(
    ahead=strategies.integers(0, 400),
    part=strategies.floats(0, 1),
    kept=strategies.integers(0, 60),
    gave_up=strategies.integers(0, 300),
    waited_s=strategies.floats(0, 300_000),
    closes_in_s=strategies.floats(-60, TWO_HOURS),
)
def test_whoever_keeps_places_a_chance_is_a_chance(
    ahead: int, part: float, kept: int, gave_up: int, waited_s: float, closes_in_s: float
) -> None:
    pace = Pace(gave_up=gave_up, waited_s=waited_s, kept=kept)
    told = forecast(ahead=ahead, kept=int(part * ahead), closes_in_s=closes_in_s, pace=pace)
    assert 0.0 <= told.chance <= 1.0
    assert told.wait_s >= 0.0
