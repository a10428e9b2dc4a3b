"""The dialplan with real phones: fallback without a bridge, the connection with a leader, what both hear."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest

from telephony.asterisk.cdr import CallRecord, talked
from tests.integration.asterisk.ami import Ami
from tests.integration.asterisk.conftest import MUSIC_HZ, SORRY_HZ, WHISPER_HZ, Pbx, make_settings, start_pbx
from tests.phones import hearing
from tests.phones.baresip import Phone
from tests.waiting import until

CITIZEN_HZ, LEADER_HZ = 500.0, 1100.0


@contextlib.asynccontextmanager
async def citizen_on_hold(pbx: Pbx, folder: Path) -> AsyncIterator[tuple[Phone, Ami, str]]:
    """A citizen who was answered and hears music, the manager connection, and the citizen's channel.

    Hears it already: when the next stream takes over within the first packets of one, baresip in one of two calls takes
    all of it for packets that come too late, and is deaf for the rest of the call.
    """
    async with pbx.ami() as ami, Phone(folder / "citizen", "13812345678", tone_hz=CITIZEN_HZ) as citizen:
        await citizen.dial(pbx.service)
        channel = (await ami.event("AsyncAGIStart"))["Channel"]
        await ami.act("Setvar", Channel=channel, Variable="TIMEOUT(absolute)", Value="60")
        await ami.agi(channel, "ANSWER")
        await ami.agi(channel, "EXEC StartMusicOnHold")
        await citizen.listen(0.3)
        yield citizen, ami, channel


async def connect(ami: Ami, channel: str, line: str, **more: str) -> None:
    for name, value in {"HOTLINE_LINE": line, "HOTLINE_RING_S": "4", **more}.items():
        await ami.act("Setvar", Channel=channel, Variable=name, Value=value)
    await ami.act("Redirect", Channel=channel, Context="connect", Exten="s", Priority="1")


async def result(ami: Ami, channel: str) -> str:
    """What became of the attempt, when the channel is back with its bridge."""
    await ami.event("AsyncAGIEnd", 20, Channel=channel)
    after = next(i for i, event in enumerate(ami.seen) if event["Event"] == "AsyncAGIEnd")
    await ami.event("AsyncAGIStart", 20, after=after, Channel=channel)
    return await ami.variable(channel, "HOTLINE_RESULT")


async def test_given_no_bridge_then_the_caller_hears_sorry_and_leaves_a_message(pbx: Pbx, tmp_path: Path) -> None:
    async with Phone(tmp_path / "citizen", "13812345678", tone_hz=CITIZEN_HZ) as citizen:
        await citizen.dial(pbx.service)
        await citizen.until("CALL_RINGING")
        await citizen.until("CALL_ESTABLISHED")
        heard = await citizen.listen(0.8)
        assert hearing.tone_share(heard, SORRY_HZ) > 0.8
        [message] = await until(lambda: list(pbx.files.spool.glob("*.wav")))
        await until(lambda: hearing.read(message).size > 2 * hearing.RATE)
        await citizen.hang_up()
        rows = await pbx.record_with("fallback-message")
    assert message.stem == rows[0].call_id == f"a-{rows[0].uniqueid}".replace(".", "-")
    assert rows[0].source == "13812345678"
    assert hearing.tone_share(hearing.read(message), CITIZEN_HZ) > 0.9


async def test_given_no_bridge_and_operators_then_they_are_rung(tmp_path: Path) -> None:
    async with Phone(tmp_path / "operator", "operator", tone_hz=LEADER_HZ) as operator:
        settings = make_settings(tmp_path / "pbx", operators_line=operator.address)
        pbx = await start_pbx(settings)
        try:
            async with Phone(tmp_path / "citizen", "13812345678", tone_hz=CITIZEN_HZ) as citizen:
                await citizen.dial(pbx.service)
                await operator.until("CALL_INCOMING")
                await operator.answer()
                await operator.until("CALL_ESTABLISHED")
                assert hearing.tone_share((await citizen.listen(1.5))[-4000:], LEADER_HZ) > 0.8
                assert hearing.tone_share((await operator.listen(1.0))[-4000:], CITIZEN_HZ) > 0.8
                await operator.hang_up()
                await citizen.until("CALL_CLOSED")
            await pbx.record_with("fallback-operator")
        finally:
            await pbx.server.stop()


async def test_given_operators_who_do_not_answer_then_a_message_is_recorded(tmp_path: Path) -> None:
    pbx = await start_pbx(make_settings(tmp_path / "pbx", operators_line="sip:operator@127.0.0.1:9"))
    try:
        async with Phone(tmp_path / "citizen", "13812345678", tone_hz=CITIZEN_HZ) as citizen:
            await citizen.dial(pbx.service)
            [message] = await until(lambda: list(pbx.files.spool.glob("*.wav")), 30)
            await until(lambda: hearing.read(message).size > hearing.RATE)
            await citizen.press("#")
            await citizen.until("CALL_CLOSED")
        await pbx.record_with("fallback-message")
    finally:
        await pbx.server.stop()


async def test_given_a_leader_who_answers_then_both_hear_each_other(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        citizen_on_hold(pbx, tmp_path) as (citizen, ami, channel),
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
    ):
        assert hearing.tone_share(await citizen.listen(0.5), MUSIC_HZ) > 0.8
        await connect(ami, channel, leader.address, HOTLINE_RECORDING="talk-1", HOTLINE_WHISPER=str(pbx.whisper))
        await leader.until("CALL_INCOMING")
        assert hearing.tone_share(await citizen.listen(0.6), MUSIC_HZ) > 0.8
        await leader.answer()
        await leader.until("CALL_ESTABLISHED")
        assert hearing.tone_share(await leader.listen(1.0), WHISPER_HZ) > 0.8
        await ami.event("BridgeEnter", Channel=channel)
        assert hearing.tone_share((await citizen.listen(1.5))[-4000:], LEADER_HZ) > 0.8
        assert hearing.tone_share((await leader.listen(1.0))[-4000:], CITIZEN_HZ) > 0.8
        await leader.hang_up()
        assert await result(ami, channel) == "talked"
        talk = hearing.read(pbx.files.recordings / "talk-1.wav")
        assert hearing.tone_share(talk, CITIZEN_HZ) > 0.3
        assert hearing.tone_share(talk, LEADER_HZ) > 0.3
        assert hearing.tone_share(talk, WHISPER_HZ) < 0.05
        await citizen.hang_up()
    rows: tuple[CallRecord, ...] = await pbx.record_with("talk")
    assert len({row.uniqueid for row in rows}) == 1


async def test_given_a_whisper_then_the_citizen_hears_music_until_it_ends(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        citizen_on_hold(pbx, tmp_path) as (citizen, ami, channel),
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
    ):
        await connect(ami, channel, leader.address, HOTLINE_WHISPER=str(pbx.whisper))
        await leader.until("CALL_INCOMING")
        await leader.answer()
        await leader.until("CALL_ESTABLISHED")
        assert hearing.tone_share(await citizen.listen(1.2), MUSIC_HZ) > 0.8


async def test_given_a_leader_who_must_confirm_then_only_key_1_connects(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        citizen_on_hold(pbx, tmp_path) as (_, ami, channel),
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ) as leader,
    ):
        await connect(ami, channel, leader.address, HOTLINE_WHISPER=str(pbx.whisper), HOTLINE_CONFIRM="1")
        await leader.until("CALL_INCOMING")
        await leader.answer()
        await leader.until("CALL_ESTABLISHED")
        await leader.press("2")
        await leader.press("1")
        await ami.event("BridgeEnter", Channel=channel)
        await leader.hang_up()
        assert await result(ami, channel) == "talked"


async def test_given_a_leader_who_hangs_up_in_the_whisper_then_nobody_talked(pbx: Pbx, tmp_path: Path) -> None:
    async with citizen_on_hold(pbx, tmp_path) as (_, ami, channel), Phone(tmp_path / "leader", "leader") as leader:
        await connect(ami, channel, leader.address, HOTLINE_WHISPER=str(pbx.whisper))
        await leader.until("CALL_INCOMING")
        await leader.answer()
        await leader.until("CALL_ESTABLISHED")
        await leader.listen(0.3)
        await leader.hang_up()
        assert await result(ami, channel) == "gone"


async def test_given_a_leader_who_refuses_or_does_not_answer_then_the_reason_is_told(pbx: Pbx, tmp_path: Path) -> None:
    async with citizen_on_hold(pbx, tmp_path) as (_, ami, channel), Phone(tmp_path / "leader", "leader") as leader:
        await connect(ami, channel, leader.address)
        await leader.until("CALL_INCOMING")
        await leader.hang_up()
        assert await result(ami, channel) == "busy"
        ami.seen.clear()
        leader.events.clear()
        await connect(ami, channel, leader.address, HOTLINE_RING_S="1")
        assert await result(ami, channel) == "no_answer"


@pytest.mark.parametrize("line", ["", "sip:a@b&PJSIP/x", "Local/1@service", "sip:a@127.0.0.1,20,A(x)", "sip:a b@c"])
async def test_given_a_line_that_is_syntax_then_nothing_is_dialled(pbx: Pbx, tmp_path: Path, line: str) -> None:
    async with citizen_on_hold(pbx, tmp_path) as (_, ami, channel):
        await connect(ami, channel, line)
        assert await result(ami, channel) == "unreachable"
        assert not [event for event in ami.seen if event["Event"] == "DialBegin"]


@pytest.mark.parametrize("keys", ["rtp", "info"])
async def test_keys_arrive_by_rfc_4733_and_by_sip_info(pbx: Pbx, tmp_path: Path, keys: Literal["rtp", "info"]) -> None:
    async with pbx.ami() as ami, Phone(tmp_path / "citizen", "13812345678", keys=keys) as citizen:
        await citizen.dial(pbx.service)
        channel = (await ami.event("AsyncAGIStart"))["Channel"]
        await ami.agi(channel, "ANSWER")
        await citizen.until("CALL_ESTABLISHED")
        await asyncio.gather(*(citizen.press(key) for key in "15*#"))
        for key in "15*#":
            await ami.event("DTMFEnd", Channel=channel, Digit=key, Direction="Received")


async def test_given_a_caller_who_cancels_while_it_rings_then_there_is_a_record(pbx: Pbx, tmp_path: Path) -> None:
    async with Phone(tmp_path / "citizen", "13812345678") as citizen:
        await citizen.dial(pbx.service)
        await citizen.until("CALL_RINGING")
        await citizen.hang_up()
        rows = await pbx.record_with("arriving")
    assert rows[0].answered_at == 0.0


async def test_given_a_caller_who_hangs_up_in_the_talk_then_the_record_says_talk(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        citizen_on_hold(pbx, tmp_path) as (citizen, ami, channel),
        Phone(tmp_path / "leader", "leader", answers="auto") as leader,
    ):
        await connect(ami, channel, leader.address, HOTLINE_RECORDING="talk-2")
        await ami.event("BridgeEnter", Channel=channel)
        await leader.listen(0.5)
        await citizen.hang_up()
        await leader.until("CALL_CLOSED")
        told = await ami.event("UserEvent", UserEvent="HotlineTalked", Channel=channel)
        names = [event["Event"] for event in ami.seen if event.get("Channel") == channel]
        assert names.index("UserEvent") < names.index("Hangup")
        rows = await pbx.record_with("talk")
    assert [row.talk_s for row in rows if row.stage == "talk"] == [float(told["Seconds"])]
    assert talked(rows) == float(told["Seconds"]) > 0.4
    assert hearing.read(pbx.files.recordings / "talk-2.wav").size > 0


async def test_given_a_caller_who_hangs_up_while_the_leader_rings_then_it_stops_ringing(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        citizen_on_hold(pbx, tmp_path) as (citizen, ami, channel),
        Phone(tmp_path / "leader", "leader") as leader,
    ):
        await connect(ami, channel, leader.address)
        await leader.until("CALL_INCOMING")
        await citizen.hang_up()
        await leader.until("CALL_CLOSED")
        rows = await pbx.record_with("ringing")
    assert "talk" not in {row.stage for row in rows}


async def test_given_a_bridge_that_dies_on_hold_then_the_lease_runs_out_and_the_message_is_taken(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Phone(tmp_path / "citizen", "13812345678", tone_hz=CITIZEN_HZ) as citizen:
        async with pbx.ami() as ami:
            await citizen.dial(pbx.service)
            channel = (await ami.event("AsyncAGIStart"))["Channel"]
            await ami.act("Setvar", Channel=channel, Variable="TIMEOUT(absolute)", Value="2")
            await ami.agi(channel, "ANSWER")
            await ami.agi(channel, "EXEC StartMusicOnHold")
        assert hearing.tone_share(await citizen.listen(0.5), MUSIC_HZ) > 0.5
        await until(lambda: hearing.tone_share(citizen.heard(0.5), SORRY_HZ) > 0.8, 10, "hearing sorry")
        [message] = await until(lambda: list(pbx.files.spool.glob("*.wav")))
        await until(lambda: hearing.read(message).size > hearing.RATE)


async def test_given_a_bridge_that_dies_in_the_talk_then_the_talk_goes_on_and_the_caller_is_not_asked_for_a_message(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        Phone(tmp_path / "leader", "leader", tone_hz=LEADER_HZ, answers="auto") as leader,
        citizen_on_hold(pbx, tmp_path) as (citizen, ami, channel),
    ):
        await ami.act("Setvar", Channel=channel, Variable="TIMEOUT(absolute)", Value="2")
        await connect(ami, channel, leader.address)
        await ami.event("BridgeEnter", Channel=channel)
        await ami.act("Logoff")
        assert hearing.tone_share((await citizen.listen(3.0))[-4000:], LEADER_HZ) > 0.8
        await leader.hang_up()
        await citizen.until("CALL_CLOSED", 30)
        assert hearing.tone_share(citizen.heard(0.5), SORRY_HZ) < 0.3
        rows = await pbx.record_with("talk")
    assert rows[-1].stage == "talk"
    assert not list(pbx.files.spool.glob("*.wav"))
