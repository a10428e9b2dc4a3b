"""`hotline twilio setup` and `check` against the double, and what the cloud has that the ledger has not."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from redis.asyncio import Redis

from config.settings import Settings
from telephony.twilio import resync
from telephony.twilio.exchange import call_id_of
from tests.cloud import When
from tests.cloud.mischief import Drop, Rule
from tests.integration.twilio.town import ACCOUNT, NUMBER, TOKEN, Town, said, town
from tests.waiting import until


async def _hotline(here: Town, *words: str, **more: str) -> tuple[int, Any]:
    """The command as a process of its own; its exit code and JSON."""
    import asyncio

    settings = here.settings
    environment = {
        **os.environ, "HOTLINE_STATE_DIR": str(settings.state_dir), "HOTLINE_REDIS_URL": settings.redis_url,
        "HOTLINE_PUBLIC_URL": settings.public_url, "HOTLINE_TWILIO_ACCOUNT_SID": ACCOUNT,
        "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN, "HOTLINE_TWILIO_NUMBER": NUMBER,
        "HOTLINE_TWILIO_API_URL": settings.twilio_api_url, "NO_PROXY": "127.0.0.1", **more,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "twilio", *words, "--json", env=environment, stdout=subprocess.PIPE
    )
    text, _ = await process.communicate()
    return process.returncode or 0, json.loads(text) if text else None


async def test_setup_points_the_number_at_us_and_check_finds_everything_in_order(here: Town) -> None:
    here.cloud.own(NUMBER, voice_url="https://old.example/voice")
    before = {finding["name"]: finding["ok"] for finding in (await _hotline(here, "check"))[1]}
    assert (before["account"], before["number"], before["reachable"]) == (True, False, True)
    code, done = await _hotline(here, "setup")
    assert code == 0
    assert done["voice"] == f"{here.settings.public_url}/twilio/voice"
    after = {finding["name"]: finding["ok"] for finding in (await _hotline(here, "check"))[1]}
    assert after == {
        "account": True, "number": True, "https": False, "reachable": True, "signature taken": True, "forgery refused": True,
    }  # fmt: skip


async def test_check_names_a_wrong_token(here: Town) -> None:
    code, findings = await _hotline(here, "check", HOTLINE_TWILIO_AUTH_TOKEN="wrong")
    named = {finding["name"]: finding["ok"] for finding in findings}
    assert code == 1
    assert not named["account"]
    assert not named["signature taken"]


async def test_a_call_that_no_webhook_told_of_is_in_the_ledger_by_the_clouds_own_list(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync, "_is_settled", lambda call: True)
    here.cloud.mischief.add(Rule(r"/twilio/", Drop()))
    leg = here.call()
    await leg.ended()
    here.cloud.mischief.clear()
    assert here.parts is not None
    assert await resync.account_for(here.parts.exchange) == [call_id_of(leg.sid)]
    assert await here.outcome(leg) == "abandoned"
    here.cloud.errors.clear()  # it complained that nobody answered, as it should


async def test_a_caller_whose_signs_of_life_stop_is_asked_for_and_closed(settings: Settings, redis: Redis) -> None:
    async with town(settings, twilio_silence_s=2.0, twilio_hold_s=5.0) as here:
        await here.open_session()
        await here.core.seats.pause(here.seat_id, "away")
        gone = here.call(When(said("choose_line"), press="1"))
        stays = here.call(When("请按一", press="1"))
        await here.at(gone, "waiting")
        await here.at(stays, "waiting")
        here.cloud.mischief.add(Rule(r"/twilio/status", Drop()))
        gone.hang_up()
        assert await here.outcome(gone, 30.0) == "abandoned"
        assert (await here.saved(stays)).node == "waiting"
        depth = await until(lambda: here.core.line.depth(here.seat_id), 5.0, "the line")
        assert depth == 1
