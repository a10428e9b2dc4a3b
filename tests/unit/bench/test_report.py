"""The table, the figures that are read from sipp and /proc, and the scenarios that are changed for measuring."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import agents
from bench.machine import cpu_model, memory
from bench.report import Chapter, Row, document, merge, ms, section, table, times
from bench.sides import fill
from bench.usage import cpu_seconds, resident_kib, usage_of
from config.native import Program

ROWS = (
    Row("a", "1 ms", "9 ms", "0.11 x", "at most 0.1 x", False),
    Row("b", "2"),
    Row("c", "3", "", "", "under 4", True),
)


def test_the_table_says_met_and_not_met_and_nothing_without_a_target() -> None:
    text = table(Chapter("Title", ROWS, notes=("a note",)))
    assert "| a | 1 ms | 9 ms | 0.11 x | at most 0.1 x | **not met** |" in text
    assert "| b | 2 |  |  |  |  |" in text
    assert "| c | 3 |  |  | under 4 | met |" in text
    assert text.endswith("- a note\n")


def test_the_document_counts_targets_and_tells_what_failed_and_when() -> None:
    at = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    chapters = [Chapter("Title", ROWS), Chapter("Other", (), failure="RuntimeError: sipp is missing")]
    text = document([("CPU", "x, 2 cores")], [section(chapter, at) for chapter in chapters])
    assert "1 of 2 targets met" in text
    assert "## Other\n\nMeasured 2026-11-22 09:30 UTC.\n\n**Not measured:** RuntimeError: sipp is missing" in text
    assert "| CPU | x, 2 cores |" in text


def test_what_is_measured_anew_takes_the_place_of_what_was_measured_before() -> None:
    before, after = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    first = [section(Chapter(title, ROWS), before) for title in ("A", "B")]
    text = document([], merge(document([], first), [section(Chapter("B", ROWS[2:]), after), section(Chapter("C", ()), after)]))
    assert "2 of 3 targets met" in text
    assert [line for line in text.splitlines() if line.startswith(("##", "Measured"))] == [
        "## A", "Measured 2026-11-22 00:00 UTC.",
        "## B", "Measured 2026-11-23 00:00 UTC.",
        "## C", "Measured 2026-11-23 00:00 UTC.",
    ]  # fmt: skip
    assert merge("", first) == first


def test_numbers_are_written_as_people_read_them() -> None:
    assert (ms(0.00123), ms(0.25), times(0.071), times(12.3)) == ("1.23 ms", "250 ms", "0.07 x", "12 x")


def test_sipps_last_whole_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "stat.csv"
    assert agents.read_results(path) == (0, 0)
    path.write_text("Time;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);\n1;1;3;0;\n2;1;7;2;\n3;")
    assert agents.read_results(path) == (7, 2)


def test_processor_time_counts_ended_children_and_survives_odd_names() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    fields = ["S", *["0"] * 10, "100", "50", "30", "20", *["0"] * 20]
    assert cpu_seconds(f"12 (a) b) {' '.join(fields)}") == 200 / ticks
    assert resident_kib("Name:\tx\nVmRSS:\t   1234 kB\n") == 1234
    assert usage_of([os.getpid()]).rss_kib > 0
    assert usage_of([0]).cpu_s == 0.0


def test_the_machine_is_described_from_proc() -> None:
    assert cpu_model("processor: 0\nmodel name\t: AMD EPYC\n") == "AMD EPYC"
    assert memory("MemTotal:       16384000 kB\n") == "15.6 GiB"


def test_the_scenarios_of_the_demonstration_can_still_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "_sipp", lambda: Program(("sipp",)))
    crowd = agents.Crowd(keys=((1.0, "1"),), calls=3, answer_within_s=3.0, ears=(4000, 4002), logged=True)
    agents.callers(tmp_path / "callers", crowd, "127.0.0.1:5060", "12345")
    scenario = (tmp_path / "callers" / "citizen.xml").read_text()
    assert 'timeout="3000"' in scenario
    assert "m=audio [field2] " in scenario
    assert "rtp_stream=" not in scenario
    lines = (tmp_path / "callers" / "callers.csv").read_text().split()
    assert [line.rpartition(";")[2] for line in lines[1:]] == ["4000", "4002", "4000"]
    phone = agents.leader(tmp_path / "leader", (0.7, 1.9), 1, 5070)
    again = agents.leader(tmp_path / "again", (0.7, 1.9), 1, 5070)
    assert (phone.folder / "talks.csv").read_text() == (again.folder / "talks.csv").read_text()
    assert '<pause variable="talk_ms"/>' in (phone.folder / "leader.xml").read_text()


def test_a_scenario_that_is_not_as_expected_is_refused() -> None:
    with pytest.raises(ValueError, match="2 times"):
        agents.replace_once("aa", "a", "b")


def test_every_name_in_the_native_dialplan_is_filled_in() -> None:
    names = ("number", "leader_port", "recordings", "beep", "question", "waiting", "message", "thanks")
    text = fill("extensions.conf", {name: f"<{name}>" for name in names})
    assert "Background(<question>)" in text
    assert "@" not in text.replace("two @", "")
