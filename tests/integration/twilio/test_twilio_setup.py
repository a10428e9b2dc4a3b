"""`hotline twilio setup` and `check` against the double, and what the cloud has that the ledger has not."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from cli import twilio as cli_twilio
from cli.twilio_sip import look_at_sip
from config.settings import Settings
from telephony.twilio import resync
from telephony.twilio.connection import Connection
from telephony.twilio.exchange import call_id_of
from tests.cloud import When
from tests.cloud.mischief import Drop, Rule
from tests.cloud.numbers import DEFAULTS
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


async def test_setup_takes_the_number_from_an_application_or_a_trunk_and_check_looks_at_methods_too(here: Town) -> None:
    """The cloud asks none of our URLs then, however right they are; with GET every call would be refused."""
    number, base = here.cloud.numbers[NUMBER], f"{here.settings.public_url}/twilio"
    for wrong in (
        {"VoiceApplicationSid": "AP" + "a" * 32}, {"TrunkSid": "TK" + "b" * 32}, {"VoiceMethod": "GET"},
        {"VoiceFallbackMethod": "GET"}, {"StatusCallbackMethod": "GET"}, {"VoiceFallbackUrl": f"{base}/voice"},
    ):  # fmt: skip
        settings = {"VoiceUrl": f"{base}/voice", "VoiceFallbackUrl": f"{base}/fallback", "StatusCallback": f"{base}/status"}
        number.settings = {**DEFAULTS, **settings}
        assert await _check_number(here), "as it should be"
        number.settings |= wrong
        assert not await _check_number(here), wrong
    number.settings["TrunkSid"] = "TK" + "b" * 32
    lost = here.call()
    await lost.ended()
    assert (lost.status, lost.texts) == ("no-answer", [])
    standby = "https://standby.example/twilio/fallback"
    code, done = await _hotline(here, "setup", HOTLINE_TWILIO_FALLBACK_URL=standby)
    assert (code, done["fallback"]) == (0, standby)
    assert {name: number.settings[name] for name in ("VoiceApplicationSid", "TrunkSid", "VoiceMethod", "VoiceFallbackUrl")} == {
        "VoiceApplicationSid": "", "TrunkSid": "", "VoiceMethod": "POST", "VoiceFallbackUrl": standby,
    }  # fmt: skip
    findings = (await _hotline(here, "check", HOTLINE_TWILIO_FALLBACK_URL=standby))[1]
    assert {finding["name"]: finding["ok"] for finding in findings}["number"]
    arrives = here.call(When("", hang_up=True))
    assert await here.outcome(arrives) == "abandoned"


async def _check_number(here: Town) -> bool:
    """That line of the check, without a process."""
    connection = Connection(here.settings)
    try:
        return await cli_twilio._check_number(connection, here.settings)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, {}),
        ({"address": "93.184.216.34:5060", "networks": "54.172.60.0/30", "lines": "801=sip:leader@10.0.0.5"}, {}),
        ({"address": "93.184.216.34", "asterisk": "off", "secret": "long-enough"}, {}),
        ({"address": "93.184.216.34", "asterisk": "off"}, {"sip settings": "HOTLINE_TWILIO_SIP_SECRET"}),
        ({"address": "93.184.216.34"}, {"sip settings": "HOTLINE_TWILIO_SIP_NETWORKS.*HOTLINE_BRANCH_LINES"}),
        ({"networks": "54.172.60.0/30", "lines": "801=sip:l@10.0.0.5"}, {"sip settings": "HOTLINE_TWILIO_SIP_ADDRESS"}),
        (
            {"address": "sip:10.0.0.5", "networks": "127.0.0.0/30", "lines": "8=sip:l@h", "secret": "short"},
            {
                "sip address": "for example", "sip networks": "HOTLINE_SIP_TRUST", "sip branch lines": "HOTLINE_BRANCH_LINES",
                "sip password": "HOTLINE_TWILIO_SIP_SECRET",
            },
        ),
        ({"address": "10.0.0.5:5060", "networks": "54.172.60.0/30", "lines": "801=sip:l@10.0.0.5"}, {"sip address": "private"}),
        ({"address": "sip.invalid", "networks": "54.172.60.0/30", "lines": "801=sip:l@10.0.0.5"}, {"sip address": "DNS"}),
    ],
)
async def test_check_says_what_lacks_for_a_sip_phone_behind_our_asterisk(
    settings: Settings, given: dict[str, str], wrong: dict[str, str]
) -> None:
    mine = settings.model_copy(
        update={
            "twilio_sip_address": given.get("address", ""), "twilio_sip_networks": given.get("networks", ""),
            "branch_lines": given.get("lines", ""), "asterisk": given.get("asterisk", "auto"),
            "twilio_sip_secret": SecretStr(given.get("secret", "")),
        }
    )  # fmt: skip
    found = await look_at_sip(mine)
    assert bool(found) == bool(given)
    advice = {one.name: one.advice for one in found if not one.ok}
    assert advice.keys() == wrong.keys()
    for name, says in wrong.items():
        assert re.search(says, advice[name]), advice[name]
    assert not any(mine.twilio_sip_secret.get_secret_value() in said for said in advice.values() if given.get("secret"))


async def test_check_names_a_wrong_token(here: Town) -> None:
    code, findings = await _hotline(
        here, "check", HOTLINE_TWILIO_AUTH_TOKEN="wrong", HOTLINE_TWILIO_SIP_ADDRESS="10.0.0.5"
    )
    named = {finding["name"]: finding["ok"] for finding in findings}
    assert not named["sip address"]
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
