"""`hotline up` for real: every part as a process, killed, restarted, stopped; two instances side by side."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.platform_messages import sentence
from cli.processes import remembered
from config.native import native_dir
from tests.waiting import until_now

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
PARTS = {"redis", "asterisk", "api", "bridge", "worker", "cron"}
HOTLINE = (sys.executable, "-m", "cli.main")
#: Made once for all tests: that they are made is not asked here.
PROMPTS = native_dir().parent / "tests" / "prompts"


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; held together, so that they differ."""
    held = [socket.socket() for _ in range(count)]
    try:
        for holder in held:
            holder.bind(("127.0.0.1", 0))
        return [holder.getsockname()[1] for holder in held]
    finally:
        for holder in held:
            holder.close()


class Instance:
    """One `hotline up` with a state directory and ports of its own."""

    def __init__(self, state: Path, **more: str) -> None:
        http, redis, sip, manager, sound = free_ports(5)
        self.state, self.http, self.sip = state, http, sip
        self.output = state.with_suffix(".log")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")},
            "HOTLINE_STATE_DIR": str(state),
            "HOTLINE_HTTP_PORT": str(http), "HOTLINE_REDIS_PORT": str(redis), "HOTLINE_SIP_PORT": str(sip),
            "HOTLINE_AMI_PORT": str(manager), "HOTLINE_RTP_PORT_FIRST": str(min(sound, 65000)), "HOTLINE_RTP_PORT_COUNT": "100",
            **more,
        }  # fmt: skip
        self.up: subprocess.Popen[bytes] | None = None
        state.mkdir(mode=0o700)
        (state / "prompts").symlink_to(PROMPTS)

    def start(self) -> "Instance":
        with self.output.open("ab") as output:
            self.up = subprocess.Popen(
                [*HOTLINE, "up"], env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        return self

    def hotline(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*HOTLINE, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def said(self, text: str) -> bool:
        assert self.up is not None
        assert self.up.poll() is None, self.output.read_text()[-3000:]
        return text in self.output.read_text()

    def ready(self) -> "Instance":
        until_now(lambda: self.said("\n已就绪。"), READY_WITHIN_S, f"the instance in {self.state}")
        return self

    def readyz(self) -> dict[str, str]:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.http}/readyz", trust_env=False, timeout=5)
        except httpx.TransportError:
            return {}
        found: dict[str, str] = answer.json()
        return found if answer.is_success else {}

    def pids(self) -> dict[str, int]:
        return {process.name: process.pid for process in remembered(self.state / "run") if process.is_alive()}

    def stop(self, which: signal.Signals = signal.SIGTERM) -> int:
        assert self.up is not None
        self.up.send_signal(which)
        code = self.up.wait(STOP_WITHIN_S)
        assert "did not stop" not in self.output.read_text()
        return code


Start = Callable[..., Instance]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts instances; whatever a test leaves running is stopped."""
    started: list[Instance] = []

    def one(name: str = "one", **more: str) -> Instance:
        instance = Instance(tmp_path / name, **more)
        started.append(instance)
        return instance.start()

    yield one
    for instance in started:
        if instance.up is not None and instance.up.poll() is None:
            instance.stop()


def test_everything_starts_survives_the_death_of_each_part_and_stops(start: Start) -> None:
    instance = start().ready()
    first = instance.pids()
    assert set(first) == PARTS
    printed = instance.output.read_text()
    assert f"sip:12345@127.0.0.1:{instance.sip}" in printed
    assert f"http://127.0.0.1:{instance.http}/\n" in printed
    sign_in(printed, instance.http)
    for name in PARTS:
        os.kill(first[name], signal.SIGKILL)
    until_now(
        lambda: set(instance.pids()) == PARTS and not set(instance.pids().values()) & set(first.values()),
        READY_WITHIN_S,
    )
    until_now(lambda: instance.readyz().get("asterisk") == "ok", READY_WITHIN_S, "/readyz after every part was killed")
    assert instance.hotline("doctor").returncode == 0
    for part in ("api", "asterisk", "bridge", "cron"):
        assert instance.hotline("health", part).returncode == 0, part

    last = instance.pids()
    assert instance.stop(signal.SIGINT) == 0
    assert instance.pids() == {}
    assert not [pid for pid in last.values() if Path(f"/proc/{pid}").exists()]
    assert instance.output.read_text().rstrip().endswith(sentence("stopped", "zh-Hans"))
    for path in (instance.state / "redis", instance.state / "secrets", instance.state / "secrets" / "admin_token"):
        assert path.stat().st_mode & 0o077 == 0, path


def sign_in(printed: str, port: int) -> None:
    """Follow the one-time link that was printed, as a person does: the console is open, and the link is used up."""
    [link] = re.findall(rf"http://127\.0\.0\.1:{port}/sign-in/link/[\w-]+", printed)
    with httpx.Client(trust_env=False, timeout=10) as browser:
        assert browser.get(f"http://127.0.0.1:{port}/accounts").is_redirect
        page = browser.get(link)
        assert page.status_code == 200
        answer = browser.post(link, headers={"Origin": f"http://127.0.0.1:{port}"})
        assert answer.headers["location"] == "/sessions"
        assert browser.get(f"http://127.0.0.1:{port}/accounts").status_code == 200
        assert browser.post(link, headers={"Origin": f"http://127.0.0.1:{port}"}).status_code == 410


def test_two_instances_run_side_by_side_and_one_directory_holds_one(start: Start) -> None:
    first, second = start("one"), start("two")
    assert {*first.ready().pids().values()}.isdisjoint(second.ready().pids().values())
    again = first.hotline("up")
    assert again.returncode == 1
    assert "已有一个实例在运行" in again.stderr
    assert first.stop() == 0
    assert second.readyz()["asterisk"] == "ok"


def test_a_killed_run_is_cleaned_up_by_the_next(start: Start) -> None:
    instance = start().ready()
    left = instance.pids()
    assert instance.stop(signal.SIGKILL) == -signal.SIGKILL
    assert instance.pids() == left, "calls go on without the supervisor"
    instance.output.write_text("")
    instance.start().ready()
    assert "已清理遗留进程" in instance.output.read_text()
    assert not set(instance.pids().values()) & set(left.values())


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "one")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", instance.http))
        holder.listen()
        ended = instance.hotline("up")
        checked = instance.hotline("doctor", "--json")
    assert ended.returncode == 1
    assert f"TCP 端口 {instance.http}" in ended.stderr
    assert "HOTLINE_HTTP_PORT" in ended.stderr
    assert checked.returncode == 1
    assert finding(checked.stdout, "ports")["todo"] == "HOTLINE_HTTP_PORT"


def test_a_database_that_is_away_ends_the_start_with_a_clear_message(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    instance = Instance(
        tmp_path / "one", HOTLINE_DATABASE_URL=f"postgresql://x:hidden-word@127.0.0.1:{port}/x", HOTLINE_ASTERISK="off"
    )
    ended = instance.hotline("up")
    assert ended.returncode == 1
    assert "数据库：" in ended.stderr
    assert "hidden-word" not in ended.stdout + ended.stderr
    assert sentence("stopped", "zh-Hans") in ended.stdout or instance.pids() == {}


def test_without_asterisk_the_rest_runs_and_readyz_says_so(start: Start) -> None:
    instance = start(HOTLINE_ASTERISK="external")
    until_now(lambda: instance.said("已启动，但尚未就绪"), READY_WITHIN_S, "the message")
    assert instance.readyz() == {}
    assert set(instance.pids()) == PARTS - {"asterisk"}
    assert finding(instance.hotline("doctor", "--json").stdout, "asterisk")["state"] == "missing"


def test_a_redis_that_is_away_is_found_by_the_doctor(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    instance = Instance(tmp_path / "one", HOTLINE_REDIS_URL=f"redis://127.0.0.1:{port}/0")
    checked = instance.hotline("doctor", "--json")
    assert checked.returncode == 1
    assert finding(checked.stdout, "redis")["todo"] == "start it, or correct HOTLINE_REDIS_URL"


def test_secrets_that_others_can_read_are_found_by_the_doctor(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "one")
    folder = instance.state / "secrets"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "data_key").write_text("x")
    (folder / "data_key").chmod(0o644)
    checked = instance.hotline("doctor", "--json")
    assert checked.returncode == 1
    assert finding(checked.stdout, "secrets")["todo"] == f"chmod go= {folder / 'data_key'}"


def finding(document: str, subject: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in json.loads(document)["findings"] if item["subject"] == subject)
    return found
