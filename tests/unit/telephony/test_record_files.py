"""Asterisk's call records: a day a file, none of them read twice or not at all, none kept for ever."""

import os
from pathlib import Path

from telephony.asterisk.record_files import BEGINNING, DAY_S, kept, read_kept, read_on, remove_old, turn_over

NOON = 1_763_035_200.0  # 2025-11-13, 12:00 UTC


def write(file: Path, *days: int) -> None:
    """A row of each of these days, as Asterisk appends it."""
    with file.open("a") as rows:
        for day in days:
            at = NOON + day * DAY_S
            rows.write(f'"u-{day}","","1","c","","13900000001","h","x","{at}","{at}","{at + 9}","ANSWERED","talk:9","a-{day}"\n')
    os.utime(file, (NOON + days[-1] * DAY_S,) * 2)


def test_given_days_of_calls_then_each_is_a_file_and_every_row_is_read_once(tmp_path: Path) -> None:
    current, mark, seen = tmp_path / "hotline.csv", BEGINNING, list[str]()
    assert read_on(current, mark) == ([], mark)
    for day in range(4):
        write(current, day)
        if day != 2:  # nobody reads on that day
            records, mark = read_on(current, mark)
            seen += [record.call_id for record in records]
        assert turn_over(current, NOON + day * DAY_S) is False
        assert turn_over(current, NOON + (day + 1) * DAY_S) is True
        records, mark = read_on(current, mark)
        seen += [record.call_id for record in records]
    assert seen == [f"a-{day}" for day in range(4)]
    assert [file.name for file in kept(current)] == [f"hotline-2025-11-{13 + day}.csv" for day in range(4)]
    assert [record.call_id for record in read_kept(current)] == seen
    assert read_on(current, mark) == ([], mark)


def test_given_a_mark_that_tells_nothing_any_more_then_everything_is_read_again(tmp_path: Path) -> None:
    current = tmp_path / "hotline.csv"
    write(current, 0)
    turn_over(current, NOON + DAY_S)
    write(current, 1)
    assert [record.call_id for record in read_on(current, "4096")[0]] == ["a-0", "a-1"]


def test_given_a_clock_that_was_set_back_then_no_file_is_written_over(tmp_path: Path) -> None:
    current = tmp_path / "hotline.csv"
    for _ in range(2):
        write(current, 0)
        turn_over(current, NOON + DAY_S)
    assert len(read_kept(current)) == 2


def test_given_records_that_have_been_kept_for_long_enough_then_they_are_gone(tmp_path: Path) -> None:
    current = tmp_path / "hotline.csv"
    for day in (0, 30, 80):
        write(current, day)
        turn_over(current, NOON + (day + 1) * DAY_S)
    write(current, 91)
    assert remove_old(current, NOON + 91 * DAY_S, 90) == 1
    assert [record.call_id for record in read_kept(current)] == ["a-30", "a-80", "a-91"]
