"""The double as a process of its own, as `hotline dial --cloud` starts it."""

import asyncio
import json
import os
import pty
import sys
from pathlib import Path

import httpx
import pytest

from cli.cloud import place_cloud_call
from cli.errors import CommandError
from config.settings import Settings
from telephony.demo.cloud import ROOT, CloudCall, cloud_argv, is_configured, is_there
from tests.unit.cloud.conftest import Application
from tests.waiting import patient, until

ACCOUNT = "AC" + "0" * 31 + "1"


def settings(folder: Path, hotline: str, api: str) -> Settings:
    return Settings(
        state_dir=folder, public_url=hotline, twilio_account_sid=ACCOUNT, twilio_number="+867341234567",
        twilio_auth_token="secret", twilio_api_url=api, _env_file=None,
    )  # fmt: skip


async def dial(settings: Settings, call: CloudCall) -> tuple[int, str]:
    """Exit code and output of one demonstration."""
    process = await asyncio.create_subprocess_exec(
        *cloud_argv(settings, call, as_json=True), cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "HOTLINE_TWILIO_AUTH_TOKEN": "secret"},
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_a_call_is_told_as_it_goes(application: Application, tmp_path: Path, unused_tcp_port: int) -> None:
    application.pages["/twilio/voice"] = "<Say>hello</Say><Hangup/>"
    there = settings(tmp_path, application.url, f"http://127.0.0.1:{unused_tcp_port}")
    assert is_there()
    assert is_configured(there)
    code, said = await dial(there, CloudCall(caller="+8613800138000"))
    *lines, summary = said.splitlines()
    assert code == 0
    assert [line.partition("  ")[2] for line in lines] == ["“hello”"]
    assert json.loads(summary) | {"call_sid": ""} == {
        "call_sid": "", "status": "completed", "ended_by": "hangup", "faults": [],
    }  # fmt: skip
    assert application.asked("/twilio/voice")[0]["From"] == "+8613800138000"
    assert application.asked("/twilio/status")[0]["CallStatus"] == "completed"


async def test_the_keyboard_is_the_telephone(application: Application, tmp_path: Path, unused_tcp_port: int) -> None:
    """On a terminal: digits are keys, s speaks into what is recorded, h hangs up."""
    application.pages |= {
        "/twilio/voice": '<Gather numDigits="2" finishOnKey="" action="/pressed" timeout="60"><Say>press</Say></Gather>',
        "/pressed": '<Record action="/recorded" timeout="1"/>',
        "/recorded": "<Say>stay</Say><Pause length='60'/>",
    }
    there = settings(tmp_path, application.url, f"http://127.0.0.1:{unused_tcp_port}")
    ours, theirs = pty.openpty()
    double = await asyncio.create_subprocess_exec(
        *cloud_argv(there, CloudCall(), as_json=True), cwd=ROOT, stdin=theirs, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "HOTLINE_TWILIO_AUTH_TOKEN": "secret"},
    )  # fmt: skip
    os.close(theirs)
    assert double.stdout is not None
    heard = ""
    async with asyncio.timeout(patient(20)):
        for told, typed in (("“press”", b"1x#\n"), ("beep", b"s\n"), ("“stay”", b"h\n")):
            while told not in heard:
                heard += (await double.stdout.readline()).decode()
            os.write(ours, typed)
        async with httpx.AsyncClient(auth=(ACCOUNT, "secret"), trust_env=False) as hotline:  # it is waited for, as by a real one

            async def cleared() -> bool:
                return (await hotline.delete(application.asked("/recorded")[0]["RecordingUrl"] + ".json")).is_success

            await until(cleared, 20.0, "the recording deleted")
        summary = (await double.communicate())[0].decode().splitlines()[-1]
    os.close(ours)
    assert (json.loads(summary)["ended_by"], json.loads(summary)["faults"]) == ("caller", [])
    assert application.asked("/pressed")[0]["Digits"] == "1#"
    assert application.asked("/recorded")[0]["RecordingDuration"] == "5"


async def test_what_the_real_cloud_would_refuse_fails_the_command(
    application: Application, tmp_path: Path, unused_tcp_port: int
) -> None:
    application.pages["/twilio/voice"] = "<Speak>hello</Speak>"
    application.pages["/twilio/fallback"] = "<Say>sorry</Say>"
    code, said = await dial(settings(tmp_path, application.url, f"http://127.0.0.1:{unused_tcp_port}"), CloudCall())
    assert code == 1
    assert "12200" in said


def test_a_cloud_that_is_elsewhere_is_not_played(tmp_path: Path) -> None:
    assert not is_configured(settings(tmp_path, "", ""))
    assert not is_configured(settings(tmp_path, "", "https://api.twilio.com"))
    assert sys.executable in cloud_argv(settings(tmp_path, "", "http://127.0.0.1:8088"), CloudCall(), as_json=False)


def test_the_command_names_what_must_be_set(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="HOTLINE_TWILIO_API_URL"):
        place_cloud_call(settings(tmp_path, "", ""), CloudCall(), as_json=False)
