"""`python -m ivr`, without a terminal: a script goes in, what is heard comes out, and the printed test passes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = {
    "talked": ("1\nwait 60\noffer\nanswer\nwait 30\nend 30\nhangup\n", "the call is over: talked"),
    "order": ("2\nwords 9\nsilence\nhangup\n", "the call is over: work_order"),
    "missed": ("; the leader is out\n1\nwait 5\noffer\nmiss busy\nclose\nhangup\n", "the call is over: work_order"),
    "callback": ("1\nwait 5\n3\nhangup\noffer\nback\n1\nanswer\nend 30\nhangup\n", "the call is over: callback"),
}


def run(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "ivr", *options],
        input=script,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_played_call_prints_a_test_that_passes(name: str) -> None:
    script, last = SCRIPTS[name]
    done = run(script)
    assert done.returncode == 0, done.stderr
    assert last in done.stdout
    assert "您好，衡阳市幺二三四五热线，通话可能会录音。" in done.stdout
    source = done.stdout[done.stdout.index("from msgspec") :]
    printed: dict[str, object] = {}
    exec(compile(source, "printed", "exec"), printed)
    test = printed["test_a_played_call"]
    assert callable(test)
    test()


def test_other_languages_and_a_free_leader() -> None:
    done = run("1\nhangup\n", "--language", "en", "--queue", "0")
    assert "You can be put through now." in done.stdout


def test_a_line_that_means_nothing_fails_the_script() -> None:
    done = run("dance\nhangup\n")
    assert done.returncode == 2
    assert "? dance" in done.stdout


@pytest.mark.parametrize(
    ("script", "options", "heard"),
    [
        ("2\nsilence\n1\n", ("urgent",), "! confirmed"),
        ("0\nmiss\n", ("follow_up", "--operators"), "很抱歉，人工坐席没有接起"),
    ],
)
def test_a_call_that_we_place_is_played_too(script: str, options: tuple[str, ...], heard: str) -> None:
    done = run(script, "--placed", *options)
    assert done.returncode == 0, done.stderr
    assert heard in done.stdout
    printed: dict[str, object] = {}
    exec(compile(done.stdout[done.stdout.index("from ivr") :], "printed", "exec"), printed)
    printed["test_a_played_call"]()  # type: ignore[operator]
