"""The supervisor with small real processes: order, restart, stopping, what is left of a killed run."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cli import supervisor as supervising
from cli.processes import remember, remembered, start_time, stop_leftovers
from cli.supervisor import Part, PartFailed, Supervisor
from tests.waiting import until, until_now

#: Says a line, then stays until it is told to end.
STAYS = "import signal, sys; print('here', flush=True); signal.pause()"
#: The same, but deaf to SIGTERM.
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
#: Ends at once with a last word.
DIES = "import sys; print('the port is taken', flush=True); sys.exit(3)"
WITHIN_S = 10.0


class Heard:
    """What the parts said, as (name, line)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def said(self, name: str, line: str) -> int:
        return self.lines.count((name, line))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest_asyncio.fixture
async def supervisor(tmp_path: Path, heard: Heard) -> AsyncIterator[Supervisor]:
    running = Supervisor(tmp_path / "run", heard)
    yield running
    await running.stop()


def part(name: str, program: str, **more: float) -> Part:
    return Part(name, (sys.executable, "-c", program), **more)  # type: ignore[arg-type]


async def test_a_part_that_is_killed_is_started_again(supervisor: Supervisor, heard: Heard) -> None:
    await supervisor.start(part("bridge", STAYS))
    await until(lambda: heard.said("bridge", "here") == 1)
    first = supervisor.pid("bridge")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: heard.said("bridge", "here") == 2)
    assert supervisor.pid("bridge") != first
    assert ("bridge", "ended (signal SIGKILL)") in heard.lines


async def test_a_part_that_dies_is_started_again_though_its_child_lives_on(
    supervisor: Supervisor, heard: Heard
) -> None:
    program = "import signal, subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True); signal.pause()"

    def children() -> list[int]:
        return [int(line) for _, line in heard.lines if line.isdigit()]

    await supervisor.start(part("worker", program))
    await until(lambda: len(children()) == 1)
    dying = supervisor.pid("worker")
    assert dying is not None
    os.kill(dying, signal.SIGKILL)
    await until(lambda: len(children()) == 2)
    await until(lambda: start_time(children()[0]) is None, what="the end of the dead part's child")


async def test_parts_stop_in_the_reverse_order_of_their_start(supervisor: Supervisor, heard: Heard) -> None:
    for name in ("redis", "api", "cron"):
        await supervisor.start(part(name, STAYS))
    await until(lambda: all(heard.said(name, "here") for name in ("redis", "api", "cron")))
    await supervisor.stop()
    ended = [name for name, line in heard.lines if line.startswith("ended")]
    assert ended == ["cron", "api", "redis"]
    assert not [line for _, line in heard.lines if line.startswith("started again")]


async def test_a_part_that_does_not_stop_in_time_is_killed(supervisor: Supervisor, heard: Heard) -> None:
    await supervisor.start(part("worker", DEAF, stop_within_s=0.2))
    await until(lambda: heard.said("worker", "deaf") == 1)
    pid = supervisor.pid("worker")
    await supervisor.stop()
    assert pid is not None
    assert start_time(pid) is None


async def test_a_part_that_never_becomes_ready_fails_with_its_last_words(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "BACK_OFF_S", (0.01,))

    async def never() -> bool:
        return False

    with pytest.raises(PartFailed, match=r"api did not start: .*the port is taken"):
        await supervisor.start(Part("api", (sys.executable, "-c", DIES), is_ready=never))


async def test_a_program_that_is_not_there_is_named(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "BACK_OFF_S", (0.01,))
    with pytest.raises(PartFailed, match="No such file or directory: /nowhere/asterisk"):
        await supervisor.start(Part("asterisk", ("/nowhere/asterisk",)))


async def test_control_characters_of_a_part_never_reach_the_terminal(supervisor: Supervisor, heard: Heard) -> None:
    program = r"import signal; print('\x1b[31mred\x1b[0m \x07bell\x9b', flush=True); signal.pause()"
    await supervisor.start(part("api", program))
    await until(lambda: heard.said("api", "red bell") == 1)


async def test_a_line_without_end_does_not_stop_the_others(supervisor: Supervisor, heard: Heard) -> None:
    program = "import signal; print('x' * 300_000); print('after', flush=True); signal.pause()"
    await supervisor.start(part("api", program))
    await until(lambda: heard.said("api", "after") == 1)
    assert sum(line.count("x") for _, line in heard.lines) == 300_000


def test_what_a_killed_run_left_behind_is_stopped(tmp_path: Path) -> None:
    left = subprocess.Popen([sys.executable, "-c", STAYS], start_new_session=True, stdout=subprocess.DEVNULL)
    remember(tmp_path, "bridge", left.pid)
    assert stop_leftovers(tmp_path) == ["bridge"]
    left.wait(WITHIN_S)
    assert remembered(tmp_path) == []


def test_what_is_forgotten_while_somebody_looks_is_not_there(tmp_path: Path) -> None:
    remember(tmp_path, "api", os.getpid())
    (tmp_path / "redis.pid").symlink_to(tmp_path / "gone")
    assert [process.name for process in remembered(tmp_path)] == ["api"]


def test_a_number_that_now_belongs_to_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bridge.pid").write_text(f"{os.getpid()} 1\n")
    assert stop_leftovers(tmp_path) == []
    assert start_time(os.getpid()) is not None


@pytest.mark.parametrize("record", ["", "x y", "12", "-5 7", "1 2 3"])
def test_an_unreadable_record_is_passed_over(tmp_path: Path, record: str) -> None:
    (tmp_path / "api.pid").write_text(record)
    assert stop_leftovers(tmp_path) == []


def test_an_ended_process_that_nobody_has_waited_for_does_not_count_as_alive() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    until_now(lambda: start_time(ended.pid) is None, WITHIN_S)
    ended.wait(WITHIN_S)
