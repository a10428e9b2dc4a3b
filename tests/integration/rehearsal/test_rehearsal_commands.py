"""The commands that rehearse, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until_now

SIMULATE = ("simulate", "--callers", "40", "--seats", "4", "--seed", "7", "--faults", "--json")
CALIBRATE = ("forecast", "calibrate", "--sessions", "40", "--rehearsals", "2", "--callers", "60", "--json")
LONGEST_S = 120.0


def begin(*arguments: str, hash_seed: str = "random") -> subprocess.Popen[str]:
    """The command as a person runs it."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments], env=os.environ | {"PYTHONHASHSEED": hash_seed}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def printed(process: subprocess.Popen[str]) -> Any:
    out, complaints = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, complaints
    return json.loads(out)


def test_a_seed_is_a_session_in_every_process() -> None:
    one, other = (printed(each) for each in [begin(*SIMULATE, hash_seed=seed) for seed in ("1", "2")])
    assert (one["unaccounted"], one["doubled"], one["violations"]) == (0, 0, [])
    assert one["calls"] >= 40
    assert one["injected"]["restarts"] == 3
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_what_callers_are_told_is_held_against_what_came_of_it() -> None:
    tables = printed(begin(*CALIBRATE))
    for row in tables["sessions"]:
        assert 0 <= row["stayed_served"] <= row["stayed"] <= row["told"]
    assert sum(row["told"] for row in tables["sessions"]) > 500
    rehearsed = tables["rehearsals"]
    assert [round(row["least"], 1) for row in rehearsed] == [tenth / 10 for tenth in range(10)]
    assert all(0 <= row["served"] <= row["stayed"] <= row["told"] for row in rehearsed)
    assert sum(row["served"] for row in rehearsed) >= 10


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGKILL])
def test_whoever_is_ended_in_the_middle_takes_the_server_along(told: signal.Signals) -> None:
    process = begin("simulate", "--sessions", "500", "--faults", "--json")
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        server = until_now(lambda: children.read_text().split(), 60.0, "its Redis")[0]
        until_now(lambda: state_of(server)[1] > 5, 60.0, "a session under way")
        process.send_signal(told)
        assert process.wait(LONGEST_S) == {signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGKILL: -signal.SIGKILL}[told]
        until_now(lambda: state_of(server)[0] in ("gone", "Z"), 30.0, "the end of its Redis")
    finally:
        process.kill()
        process.communicate()


def state_of(pid: str) -> tuple[str, int]:
    """The state of a process (proc(5); `gone`), and for how many hundredths of a second it worked."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return "gone", 0
    return fields[0], int(fields[11]) + int(fields[12])
