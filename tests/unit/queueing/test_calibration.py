"""A chance of 70 % is 70 %. The table of 10,000 sessions is printed by `hotline forecast calibrate`."""

from queueing.calibration import calibrate
from queueing.pace import Prior

SESSIONS = 1000
#: Callers of one session share its luck, so that fewer count than there are: about this many times the plain error.
CLUSTERED = 1.5


def test_of_those_who_are_told_a_chance_that_part_is_put_through() -> None:
    for row in calibrate(SESSIONS, seed=1):
        assert row.least <= row.share <= row.least + 0.1, row
        error = (row.said * (1 - row.said) / row.told) ** 0.5
        assert abs(row.share - row.said) < 0.035 + 2 * CLUSTERED * error, row


def test_it_holds_in_a_city_with_other_habits() -> None:
    brisk = Prior(handle_s=450.0, patience_s=1800.0)
    for row in calibrate(SESSIONS // 2, seed=2, prior=brisk):
        error = (row.said * (1 - row.said) / row.told) ** 0.5
        assert abs(row.share - row.said) < 0.05 + 2 * CLUSTERED * error, row


def test_the_same_seed_gives_the_same_table() -> None:
    assert calibrate(20, seed=3) == calibrate(20, seed=3)
    assert calibrate(20, seed=3) != calibrate(20, seed=4)
