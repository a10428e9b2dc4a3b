"""Calls as raw SIP, by sipp: hostile names and numbers, many at once, every call signal in the records, who may call at all."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from calls.placing import Claim
from config.native import find_program
from config.secrets import secret
from telephony.asterisk.placing import AsteriskPlacing, read_uniqueid
from telephony.demo.scenarios import Citizen, Leader, Place, citizens_argv, leader_argv
from telephony.errors import CarrierRefused, CarrierUnavailable
from tests.integration.asterisk.ami import Ami
from tests.integration.asterisk.conftest import Pbx, make_settings, start_pbx
from tests.phones.ports import free_block
from tests.servers import free_port
from tests.waiting import until

HOSTILE = (
    ("13812345678", ""),
    ("5551234", "本地号码"),
    ("+8613812345678", "张三 \U0001f600"),
    ("anonymous", "Anonymous"),
    ("1" * 40, "forty digits"),
    ("13812345678", 'O\'Brien \\"quoted\\" ${HANGUPCAUSE} $[1+1]'),
    ("1%0D%0AAction:%20Logoff", "a\\r\\nAction: Logoff"),
    ("13800000000&Local", "x,y|z)(&"),
)


async def run_sipp(argv: list[str]) -> int:
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(60):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def argv_of(
    pbx: Pbx, citizen: Citizen, folder: Path, calls: int, *, tcp: bool = False, number: str = "12345"
) -> list[str]:
    sipp = find_program("sipp")
    assert sipp is not None, "sipp is missing: run `make setup`"
    ports = free_block(80)
    place = Place(ports, ports + 2, tcp=tcp)
    return citizens_argv(sipp, citizen, folder, place, f"127.0.0.1:{pbx.settings.sip_port}", number, calls, 20)


async def test_hostile_names_and_numbers_are_calls_like_any_other(pbx: Pbx, tmp_path: Path) -> None:
    citizen = Citizen(callers=HOSTILE, stay_s=1.0)
    async with pbx.ami() as ami:
        assert await run_sipp(argv_of(pbx, citizen, tmp_path / "sipp", len(HOSTILE))) == 0
        await until(lambda: len(pbx.records()) == len(HOSTILE), 10, "a record of each call")
        assert (await ami.act("Ping"))["Response"] == "Success"
        starts = [event for event in ami.seen if event["Event"] == "AsyncAGIStart"]
        assert len(starts) == len(HOSTILE)
    assert all(row.call_id.replace("-", "").isalnum() for rows in pbx.records().values() for row in rows)
    warnings = (pbx.files.log / "messages.log").read_text()
    assert "ERROR" not in warnings


async def test_every_call_signal_is_in_the_records_exactly_once(pbx: Pbx, tmp_path: Path) -> None:
    """Also those who hang up while it still rings: their cancel is a call signal like any other."""
    citizen = Citizen(stay_s=0.5)
    sipp = await run_sipp(argv_of(pbx, citizen, tmp_path / "sipp", 20))
    assert sipp == 0
    await until(lambda: len(pbx.records()) == 20, 10, "20 records")
    assert all(rows[-1].stage.startswith("fallback") for rows in pbx.records().values())


@pytest.mark.parametrize("tcp", [False, True])
async def test_keys_by_sip_info_over_udp_and_tcp(pbx: Pbx, tmp_path: Path, tcp: bool) -> None:
    citizen = Citizen(keys=((0.3, "2"), (0.2, "#")), stay_s=0.5)
    async with pbx.ami() as ami:
        argv = argv_of(pbx, citizen, tmp_path / "sipp", 3, tcp=tcp)
        calls = asyncio.create_task(run_sipp(argv))
        await ami.event("AsyncAGIStart")
        assert await calls == 0
        keys = [event["Digit"] for event in ami.seen if event["Event"] == "DTMFEnd"]
    assert sorted(keys) == ["#", "#", "#", "2", "2", "2"]


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    ("leader", "reason"),
    [(Leader("busy", 0.3), "busy"), (Leader("decline", 0.3), "declined"), (Leader("talk", 0.3, 1.0), "talked")],
)
async def test_given_a_leader_who_answers_so_then_the_caller_comes_back_with(
    pbx: Pbx, tmp_path: Path, leader: Leader, reason: str, tcp: bool
) -> None:
    sipp = find_program("sipp")
    assert sipp is not None
    ports = free_block(20)
    phone = asyncio.create_task(
        run_sipp(leader_argv(sipp, leader, tmp_path / "leader", Place(ports, ports + 2, tcp=tcp), 1))
    )
    line = f"sip:leader_1-a@127.0.0.1:{ports}" + (";transport=tcp" if tcp else "")
    assert await _ring(pbx, tmp_path, line) == reason
    assert await phone == 0


async def test_given_nobody_at_the_leaders_address_then_it_is_no_answer_after_the_ring_time(
    pbx: Pbx, tmp_path: Path
) -> None:
    assert await _ring(pbx, tmp_path, "sip:leader@127.0.0.1:9") in {"no_answer", "unreachable"}
    assert await _ring(pbx, tmp_path, "sip:leader@127.0.0.1:9;transport=tcp") == "unreachable"


async def _ring(pbx: Pbx, folder: Path, line: str) -> str:
    async with pbx.ami() as ami:
        caller = asyncio.create_task(run_sipp(argv_of(pbx, Citizen(stay_s=8.0), folder / "citizen", 1)))
        channel = (await ami.event("AsyncAGIStart"))["Channel"]
        await ami.agi(channel, "ANSWER")
        for name, value in {"HOTLINE_LINE": line, "HOTLINE_RING_S": "2"}.items():
            await ami.act("Setvar", Channel=channel, Variable=name, Value=value)
        seen = len(ami.seen)
        await ami.act("Redirect", Channel=channel, Context="connect", Exten="s", Priority="1")
        await ami.event("AsyncAGIStart", after=seen, Channel=channel)
        outcome = await ami.variable(channel, "HOTLINE_RESULT")
        await ami.act("Hangup", Channel=channel)
        assert await caller == 0
        return outcome


async def test_given_an_untrusted_network_then_the_call_is_refused(tmp_path: Path) -> None:
    pbx = await start_pbx(make_settings(tmp_path / "pbx", sip_trust="192.0.2.0/24"))
    try:
        assert await run_sipp(argv_of(pbx, Citizen(stay_s=1.0), tmp_path / "sipp", 1)) != 0
        assert "401 Unauthorized" in (tmp_path / "sipp" / "citizen.err").read_text()
        assert not pbx.records()
    finally:
        await pbx.server.stop()


async def test_the_number_is_taken_with_prefixes_and_no_other_number(pbx: Pbx, tmp_path: Path) -> None:
    for number in ("073412345", "+8673412345", "008673412345"):
        assert await run_sipp(argv_of(pbx, Citizen(stay_s=0.2), tmp_path / number, 1, number=number)) == 0
    assert await run_sipp(argv_of(pbx, Citizen(stay_s=0.2), tmp_path / "other", 1, number="110")) != 0
    assert "404 Not Found" in (tmp_path / "other" / "citizen.err").read_text()


async def test_it_listens_on_sip_and_on_loopback_for_the_bridge_and_our_websocket_server_only(pbx: Pbx) -> None:
    """Nothing else takes connections. Two UDP sockets more are its DNS resolver's, which only asks."""
    process = await asyncio.create_subprocess_exec("ss", "-Hlntup", stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    ours = [line.split() for line in output.decode().splitlines() if f"pid={pbx.server.pid}," in line]
    places = {(words[0], words[4]) for words in ours}
    sip, ami = pbx.settings.sip_port, pbx.settings.effective_ami_port
    expected = {("udp", f"127.0.0.1:{sip}"), ("tcp", f"127.0.0.1:{sip}"), ("tcp", f"127.0.0.1:{ami}")}
    expected.add(("tcp", f"127.0.0.1:{pbx.settings.effective_sip_ws_port}"))
    assert expected <= places
    resolver = places - expected
    assert {(kind, place.rpartition(":")[0]) for kind, place in resolver} <= {("udp", "0.0.0.0"), ("udp", "[::]")}


async def test_the_originate_user_may_only_originate(pbx: Pbx) -> None:
    login = Ami(pbx.settings.effective_ami_port, "hotline-originate", secret(pbx.settings, "ami_originate"))
    async with login as ami:
        for action, headers in {
            "Command": {"Command": "core stop now"},
            "Status": {},
            "Hangup": {"Channel": "x"},
        }.items():
            assert "denied" in (await ami.act(action, **headers))["Message"].lower()


@pytest.mark.filterwarnings("ignore:notifyAll:DeprecationWarning")
async def test_a_job_places_a_call_by_that_user_and_knows_why_it_could_not(pbx: Pbx, tmp_path: Path) -> None:
    settings = pbx.settings.model_copy(update={"callback_line": "sip:nobody@127.0.0.1:9"})
    claim = Claim("0" * 26, "1" * 26, "+867348880000", 5.0)
    async with pbx.ami() as ami:
        await AsteriskPlacing(settings).ring(claim)
        failed = await ami.event("OriginateResponse", 30)
        assert (failed["Response"], read_uniqueid(failed["Uniqueid"])) == ("Failure", (claim.leg, claim.id))
    for changed, error in (
        ({"state_dir": tmp_path}, CarrierRefused),  # another secret
        ({"ami_port": free_port()}, CarrierUnavailable),
        ({"callback_line": "sip:a@b,c"}, CarrierRefused),
    ):
        with pytest.raises(error):
            await AsteriskPlacing(settings.model_copy(update=changed)).ring(claim)
