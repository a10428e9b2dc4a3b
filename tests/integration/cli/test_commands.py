"""The commands against a real API process: what they do, what they print, how they end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from cli.errors import Exit
from config.database import Database
from config.settings import Settings
from tests.integration.api.conftest import TOKEN, Process, api_settings, process
from tests.servers import free_port
from tests.waiting import until_now
from workorders.intake import NewOrder, make_order

__all__ = ["api_settings", "process"]
SESSION = ["session", "create", "--demo", "--json"]


def hotline(environment: dict[str, str], *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], env=environment | changed, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one clear line that an error is."""
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_session_from_the_plan_to_its_end(process: Process) -> None:
    made = json.loads(hotline(process.environment, *SESSION).stdout)
    assert made["state"] == "open"
    assert made["seats"][0]["line"]["asterisk"].startswith("sip:leader@127.0.0.1:")
    shown = hotline(process.environment, "session", "list")
    assert made["id"] in shown.stdout.replace("\n", "") or "演示" in shown.stdout
    second = hotline(process.environment, *SESSION)
    assert second.returncode == Exit.IMPOSSIBLE
    assert f"已有场次 {made['id']}（进行中" in one_line(second)
    seat = made["seats"][0]["id"]
    for act, state in (("open", "空闲"), ("pause", "暂停"), ("resume", "空闲"), ("close", "已关闭")):
        done = hotline(process.environment, "seat", act, seat)
        assert (done.returncode, state in done.stdout) == (Exit.OK, True), done.stderr
    assert json.loads(hotline(process.environment, "line", "--json").stdout)["session"]["id"] == made["id"]
    assert "进行中" in hotline(process.environment, "line", "--once").stdout
    assert "0 waiting" in hotline(process.environment, "line", "--once", HOTLINE_LANGUAGE="en").stdout
    assert hotline(process.environment, "ledger", "--session", made["id"]).returncode == Exit.OK
    assert json.loads(hotline(process.environment, "order", "list", "--json").stdout) == {"items": [], "next": None}
    done = hotline(process.environment, "session", "close", made["id"], "--json")
    assert json.loads(done.stdout)["state"] in ("closing", "closed")
    done = hotline(process.environment, "session", "cancel", made["id"])
    assert done.returncode == Exit.IMPOSSIBLE
    assert "state_conflict" in one_line(done)


def test_an_order_is_read_and_moved_on_by_the_number_that_was_spoken(process: Process, api_settings: Settings) -> None:
    number = asyncio.run(_order(api_settings))
    listed = hotline(process.environment, "order", "list", COLUMNS="80").stdout
    assert [number, "已登记"] == next(line.split()[:2] for line in listed.splitlines() if number in line)
    assert "不愿等候" in listed
    moved = hotline(process.environment, "order", "do", number, "dispatch", "--unit", "水务局")
    assert f"{number} 现在：已派发" in moved.stdout, moved.stderr
    shown = hotline(process.environment, "order", "show", number).stdout
    assert "熱線問政" in shown
    assert "order_not_found" in one_line(hotline(process.environment, "order", "show", "2026-1122-9999"))


async def _order(settings: Settings) -> str:
    database = Database(settings.effective_database_url)
    try:
        new = NewOrder(command_id="c-1", at=time.time(), source="declined", call_id="a-pbx1-1-1", session_id="s1", number="")
        return (await make_order(database, new)).number
    finally:
        await database.close()


def test_each_failure_is_one_clear_line_with_its_exit_code(process: Process) -> None:
    here = process.environment
    assert "session_not_found" in one_line(hotline(here, "session", "open", "nope"))
    wrong_token = hotline(here, "line", "--once", HOTLINE_ADMIN_TOKEN="wrong")
    assert (wrong_token.returncode, TOKEN in wrong_token.stderr) == (Exit.REFUSED, False)
    nobody = hotline(here, "line", "--once", "--url", f"http://127.0.0.1:{free_port()}")
    assert nobody.returncode == Exit.UNREACHABLE
    assert "hotline up" in one_line(nobody)
    setting = hotline(here, "line", "--once", HOTLINE_SIP_PORT="many", HOTLINE_RING_S="40")
    assert setting.returncode == Exit.USAGE
    assert "HOTLINE_SIP_PORT" in one_line(setting)
    assert "HOTLINE_CLAIM_LEASE_S: Value error, must exceed HOTLINE_RING_S (40)" in one_line(setting)
    seat = hotline(here, "session", "create", "--seat", "only-a-unit", "--opens-at", "2031-01-01T09:00")
    assert seat.returncode == Exit.USAGE
    taken = hotline(here, "api")
    assert taken.returncode == Exit.UNREACHABLE
    assert "HOTLINE_HTTP_PORT" in taken.stderr
    assert hotline(here, "dial", "--wait", "--decline").returncode == Exit.USAGE
    assert hotline(here, "no-such-command").returncode == Exit.USAGE


@pytest.fixture
def following(process: Process) -> Iterator[subprocess.Popen[str]]:
    """`hotline line` on a terminal."""
    master, slave = os.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "line"], env=process.environment | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=slave, stderr=slave, text=True,
    )  # fmt: skip
    os.close(slave)
    os.set_blocking(master, False)
    seen = bytearray()

    def read() -> bool:
        try:
            seen.extend(os.read(master, 65536))
        except (BlockingIOError, OSError):
            return False
        return "没有进行中的场次".encode() in seen

    until_now(read, 60.0, "the line was drawn")
    yield running
    if running.poll() is None:
        running.kill()
    os.close(master)


def test_ctrl_c_ends_the_live_line_without_a_trace(following: subprocess.Popen[str]) -> None:
    following.send_signal(signal.SIGINT)
    assert following.wait(15) == Exit.INTERRUPTED
