"""`hotline dial`, as a newcomer uses it: the leader in one terminal, citizens who wait and who do not in others, and one who
comes through the double of the cloud phone."""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from cli.errors import Exit
from cli.phones import is_taken
from cli.session import LEADER_PORT_ABOVE
from tests.servers import free_port
from tests.system.conftest import brisk
from tests.system.installation import Installation
from tests.system.watch import accounted, seat_is
from tests.waiting import patient


async def hotline(house: Installation, *arguments: str) -> Process:
    """The command in a terminal of its own; what it prints can be read."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, env=house.environment(), stdout=PIPE, stderr=PIPE
    )


async def printed(process: Process) -> tuple[int, str, str]:
    """Exit status and what was said, when it is over."""
    async with asyncio.timeout(patient(120)):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def at_the_double(port: int) -> dict[str, str]:
    """Settings of a hotline whose cloud phone is the double on this port, any account will do."""
    return {
        "HOTLINE_TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "HOTLINE_TWILIO_AUTH_TOKEN": "demo",
        "HOTLINE_TWILIO_NUMBER": "+867345550000", "HOTLINE_TWILIO_API_URL": f"http://127.0.0.1:{port}",
    }  # fmt: skip


def is_free(port: int) -> bool:
    """Nobody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def said(process: Process) -> Any:
    code, out, err = await printed(process)
    assert code == 0, err[-2000:]
    return json.loads(out)


async def test_given_a_demonstration_when_citizens_dial_then_those_who_wait_talk_and_those_who_do_not_have_an_order(
    tmp_path: Path, shared: Path
) -> None:
    double = free_port()
    async with brisk(tmp_path, shared, **at_the_double(double)) as house:
        made = await said(await hotline(house, "session", "create", "--demo", "--json"))
        [seat] = made["seats"]
        # It counts from the answer: the whisper comes first.
        leader = await hotline(house, "dial", "--leader", "--seconds", "6")
        await seat_is(house, seat["id"], "free", 60)

        wait = ("--wait", "--callers", "3", "--number", "13800007001")
        calling = [
            await hotline(house, "dial", *wait, "--json"),
            await hotline(house, "dial", "--decline", "--number", "13900008001", "--json"),
        ]
        cloud = await hotline(house, "dial", "--cloud", "--wait", "--number", "+8613900009001", "--json")
        waited, [declined] = await asyncio.gather(*(said(one) for one in calling))
        assert [(one["number"], one["outcome"]) for one in waited] == [
            (f"138****{last}", "talked") for last in ("7001", "7002", "7003")
        ]
        assert declined["outcome"] == "work_order"
        [order] = await house.orders(call_id=declined["call_id"])
        assert declined["order"] == order["number"]
        assert order["tags"] == ["熱線問政"]

        *told, summary = (await printed(cloud))[1].splitlines()
        assert json.loads(summary) | {"call_sid": ""} == {
            "call_sid": "", "status": "completed", "ended_by": "hangup", "faults": [],
        }, told  # fmt: skip
        assert any("☎" in line for line in told), "put through"
        assert "再见" in told[-1]
        cut = await hotline(house, "dial", "--cloud", "--wait", "--number", "+8613900009002")
        assert cut.stdout is not None
        assert "“" in (await cut.stdout.readline()).decode()
        cut.send_signal(signal.SIGINT)
        code, out, err = await printed(cut)
        assert (code, "(completed, caller)" in out, err) == (Exit.INTERRUPTED, True, "")

        assert leader.returncode is None
        leader.send_signal(signal.SIGINT)
        _, out, err = await printed(leader)
        assert "Traceback" not in out + err
        await seat_is(house, seat["id"], "paused")
        assert not is_taken(house.settings.sip_port + LEADER_PORT_ABOVE)
        assert await accounted(house, made["id"], 6) == {"talked": 4, "work_order": 1, "abandoned": 1}
        ledger = await house.ledger(session_id=made["id"])
        assert (ledger["live"], is_free(double)) == (0, True)
