"""Browser phones as Asterisk knows them, and where citizens may call from a page."""

from pathlib import Path

import pytest

from config.native import Program
from config.settings import Settings
from telephony.asterisk.dial_string import dial_string, line_address
from telephony.asterisk.install import AsteriskProgram
from telephony.asterisk.pbx_config import pbx_files, render
from telephony.asterisk.web_phone import citizens_handset, desk_handset_of, handset_of, handsets


def settings(directory: Path, **more: object) -> Settings:
    return Settings.model_validate({"state_dir": directory, "_env_file": None, **more})


def test_each_handset_has_a_secret_of_its_own_that_stays_the_same(tmp_path: Path) -> None:
    known = settings(tmp_path, web_phones=3)
    names = [handset.name for handset in handsets(known)]
    secrets = {handset.passcode for handset in (*handsets(known), citizens_handset(known))}
    assert names == ["web-1", "web-2", "web-3"]
    assert len(secrets) == 4
    assert handsets(known) == handsets(known)


@pytest.mark.parametrize(
    "line", ["sip:web-4@browser", "sip:web-0@browser", "sip:web-1@browsers", "sip:web-1", "", "110"]
)
def test_a_line_that_is_no_handset_of_ours(line: str, tmp_path: Path) -> None:
    assert handset_of(line, settings(tmp_path, web_phones=3)) is None


def test_a_browser_is_rung_at_its_endpoint() -> None:
    assert line_address("sip:web-3@browser") == "sip:web-3@browser"
    assert dial_string("sip:web-3@browser") == "PJSIP/web-3"


@pytest.mark.parametrize("line", ["sip:desk@browser", "sip:web-9@browser"])
def test_the_group_of_the_desks_is_every_handset_of_a_desk(tmp_path: Path, line: str) -> None:
    known = settings(tmp_path, operators_line=line, desk_phones=3)
    program = AsteriskProgram(Program(("asterisk",)), "22.0", tmp_path / "modules", tmp_path)
    etc = render(known, tmp_path / "asterisk", program).etc
    dialplan = (etc / "extensions.conf").read_text()
    assert "OPERATORS = \n" in dialplan
    assert "GotoIf($[${DESK} > 3]?rung)" in dialplan
    assert [name for name in (f"[desk-{n}]" for n in range(5)) if name in (etc / "pjsip.conf").read_text()] == [
        "[desk-1]", "[desk-2]", "[desk-3]",
    ]  # fmt: skip
    assert known.effective_twilio_operators_line == "", "no cloud can ring a browser"
    assert desk_handset_of("sip:desk-3@browser", known) is not None
    assert handset_of("sip:desk-3@browser", known) is None, "no leader's"


def test_without_browser_phones_asterisk_has_no_web_server(tmp_path: Path) -> None:
    off = settings(tmp_path, web_phones=0)
    program = AsteriskProgram(Program(("asterisk",)), "22.0", tmp_path / "modules", tmp_path)
    etc = render(off, tmp_path / "asterisk", program).etc
    assert "enabled = no" in (etc / "http.conf").read_text()
    pjsip = (etc / "pjsip.conf").read_text()
    assert not [name for name in ("web-", "desk-") if name in pjsip]
    assert pbx_files(off, tmp_path).websocket is None


@pytest.mark.parametrize(
    ("more", "has"),
    [
        ({}, True),
        ({"http_host": "0.0.0.0"}, False),
        ({"public_url": "https://12345.example"}, False),
        ({"http_host": "0.0.0.0", "demo_phone": "on"}, True),
        ({"demo_phone": "off"}, False),
        ({"web_phones": 0, "demo_phone": "on"}, False),
        ({"asterisk": "off"}, False),
    ],
)
def test_anybody_calls_from_a_page_on_loopback_or_when_it_is_wanted(
    more: dict[str, object], has: bool, tmp_path: Path
) -> None:
    assert settings(tmp_path, **more).has_demo_phone is has
