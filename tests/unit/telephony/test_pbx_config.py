"""The configuration as text, dial strings, call records: no Asterisk needed."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from config.native import Program
from config.settings import Settings
from telephony.asterisk.cdr import calls, parse, read
from telephony.asterisk.dial_string import dial_string, line_address
from telephony.asterisk.install import AsteriskProgram
from telephony.asterisk.pbx_config import dialled_numbers, render
from telephony.errors import CarrierRefused

ROW = (
    '"pbx1-17.0","pbx1-17.0","{n}","PJSIP/caller-0","{leader}","138","s","connect","17.5","18.5","20.5","ANSWERED",'
    '"{stage}","a-pbx1-17-0"\n'
)


def rendered(directory: Path, **more: object) -> Path:
    settings = Settings(state_dir=directory, _env_file=None).model_copy(update=more)
    program = AsteriskProgram(Program(("asterisk",)), "22.0", directory / "modules", directory)
    return render(settings, directory / "asterisk", program).etc


@pytest.mark.parametrize(
    "line", ["sip:leader@127.0.0.1:5080", "sip:a.b_c+1@host.example;transport=tcp", "+8613812345678"]
)
def test_a_line_is_a_sip_address_or_a_number(line: str) -> None:
    assert line_address(line) == line


@pytest.mark.parametrize(
    "line",
    ["Local/1@service", "sip:a@b&PJSIP/c", "sip:a@b,1", "sip:a@b\r\nAction: x", "sip:${X}@b", "sip:" + "a" * 300],
)
def test_a_line_that_is_syntax_is_refused(line: str) -> None:
    with pytest.raises(CarrierRefused):
        line_address(line)


def test_a_dial_string_goes_to_the_line_endpoint_or_to_the_trunk() -> None:
    assert dial_string("sip:op@10.0.0.1") == "PJSIP/line/sip:op@10.0.0.1"
    assert dial_string("07341234") == "PJSIP/07341234@trunk"
    assert dial_string("") == ""


def test_a_semicolon_in_a_setting_does_not_start_a_comment(tmp_path: Path) -> None:
    etc = rendered(tmp_path, operators_line="sip:op@10.0.0.1;transport=tcp")
    assert r"OPERATORS = PJSIP/line/sip:op@10.0.0.1\;transport=tcp" in (etc / "extensions.conf").read_text()


def test_no_template_has_a_bare_semicolon_in_a_value(tmp_path: Path) -> None:
    """Asterisk would cut the value there without a word."""
    for path in rendered(tmp_path).iterdir():
        for line in path.read_text().splitlines():
            assert line.startswith(";") or ";" not in line.replace("\\;", ""), f"{path.name}: {line}"


def test_a_control_character_in_a_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="control character"):
        rendered(tmp_path, ami_user="hotline\n[evil]")


def test_the_service_number_is_dialled_in_national_and_international_forms() -> None:
    numbers = dialled_numbers(Settings(_env_file=None))
    assert {"12345", "073412345", "8673412345", "+8673412345"} <= set(numbers)


def test_a_trunk_has_an_endpoint_only_when_there_is_one(tmp_path: Path) -> None:
    assert "context = trunk" not in (rendered(tmp_path / "a") / "pjsip.conf").read_text()
    assert "match = 10.1.2.3" in (rendered(tmp_path / "b", trunk="10.1.2.3") / "pjsip.conf").read_text()


def test_the_cloud_rings_only_with_a_password_and_only_from_its_own_networks(tmp_path: Path) -> None:
    assert "auth = cloud" not in (rendered(tmp_path / "a") / "pjsip.conf").read_text()
    text = (rendered(tmp_path / "b", twilio_sip_networks="192.0.2.0/24, 198.51.100.7") / "pjsip.conf").read_text()
    assert "auth = cloud" in text
    assert "match = 192.0.2.0/24\nmatch = 198.51.100.7/32\n" in text
    with pytest.raises(ValueError, match="in common"):
        rendered(tmp_path / "c", twilio_sip_networks="127.0.0.2")
    with pytest.raises(ValueError, match="TRUNK"):
        rendered(tmp_path / "e", twilio_sip_networks="192.0.2.0/24", trunk="192.0.2.9:5060")
    with pytest.raises(ValueError, match="letters"):
        rendered(tmp_path / "d", twilio_sip_networks="192.0.2.1", twilio_sip_secret=SecretStr("a;b=c and more"))


def test_the_rows_of_one_call_are_one_call() -> None:
    rows = [ROW.format(n=1, leader="PJSIP/line-1", stage="ringing"), ROW.format(n=3, leader="", stage="talk")]
    [(call_id, records)] = calls(parse(rows)).items()
    assert call_id == "a-pbx1-17-0"
    assert [record.stage for record in records] == ["ringing", "talk"]
    assert records[0].seconds == 3.0


def test_half_a_row_is_left_for_the_next_reading(tmp_path: Path) -> None:
    path, row = tmp_path / "hotline.csv", ROW.format(n=1, leader="", stage="talk")
    path.write_text(row + row[:30])
    records, offset = read(path)
    assert (len(records), offset) == (1, len(row))
    path.write_text(row + row)
    assert len(read(path, offset)[0]) == 1
