"""Test calls before a session, by command and on the session's page, with real phones: one that works, one that is mute, one that
nobody answers, one that is not there."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from cli.parts import hotline_argv
from ivr.verbs import Prompt
from telephony.demo.scenarios import write_tone
from tests.phones.baresip import Phone
from tests.phones.hall import gate_of, origin_of, sign_in
from tests.phones.ports import free_block
from tests.system.installation import Installation
from tests.system.watch import hears

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_every_seat_is_rung_heard_and_recorded_and_no_citizen_called(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    mute = write_tone(tmp_path / "mute.wav", 0.0, 100.0)
    async with (
        Phone(tmp_path / "works", "works", answers="auto") as works,
        Phone(tmp_path / "mute", "mute", answers="auto", speech=mute) as silent,
        Phone(tmp_path / "rings", "rings") as rings,
    ):
        lines = [works.address, silent.address, rings.address, f"sip:x@127.0.0.1:{free_block(1)}"]
        opens = datetime.now(UTC) + timedelta(hours=1)
        session = await house.post(
            "/api/sessions",
            {
                "opens_at": opens.isoformat(),
                "closes_at": (opens + timedelta(hours=2)).isoformat(),
                "theme": "",
                "seats": [
                    *({"unit": f"单位{n}", "leader": f"领导{n}", "line": {"asterisk": line}} for n, line in enumerate(lines)),
                    {"unit": "单位9", "leader": "领导9", "line": {"twilio": "+8613900000009"}},
                ],
            },
        )
        command = await asyncio.create_subprocess_exec(
            *hotline_argv(), "self-test", session["id"], "--json", env=house.environment(), stdout=asyncio.subprocess.PIPE
        )
        await hears(house, works, Prompt("test_call"), within_s=60)
        told, _ = await command.communicate()
    found = {item["leader"]: item for item in json.loads(told)["items"]}
    results = [found[f"领导{n}"]["result"] for n in (0, 1, 2, 9)]
    assert results == ["answered", "silent", "no_answer", "unchecked"]
    assert found["领导3"]["result"] in ("no_answer", "unreachable")
    assert found["领导0"]["recorded_s"] > 3
    assert command.returncode == 1
    await gate_of(house).accounts.create("sup", "supervisor", unit="")
    cookie = dict([await sign_in(house, "sup")])
    async with httpx.AsyncClient(base_url=origin_of(house), cookies=cookie, trust_env=False, timeout=60) as http:
        page = (await http.get(f"/sessions/{session['id']}")).text
    for line in ("领导0：振铃", "领导1：接听了，但录音没有声音", "领导2：无人接听", "领导9：云电话线路，未试呼"):
        assert line in page
    assert f'action="/sessions/{session["id"]}/test-calls"' in page
    assert (await house.ledger())["calls"] == 0
    assert not list(house.settings.recordings.glob("test-*"))
    await house.post(f"/api/sessions/{session['id']}/open")
    refused = await house.http.post(f"/api/sessions/{session['id']}/test-calls")
    assert refused.json()["code"] == "state_conflict"
    await house.post(f"/api/sessions/{session['id']}/close")
