"""Lines of leaders: what can be rung passes, what could extend a dial string does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.lines import LineRefused, read_cloud_line, read_cloud_lines, read_line, read_lines


@pytest.mark.parametrize(
    "line",
    ["sip:leader@127.0.0.1:5080", "sip:leader@pbx.example", "sips:a.b-c_1@h:5061", "sip:10.0.0.5", "sip:x@[::1]:5060",
     "13812345678", "+8613812345678", "8001"],
)  # fmt: skip
def test_a_line_is_taken_as_it_is(line: str) -> None:
    assert read_line(f" {line} ") == line


@pytest.mark.parametrize(
    "line",
    [
        "sip:a@h,20,g", "sip:a@h&PJSIP/b", "sip:a@h\r\nAction: x", "sip:a@h\nx", 'sip:"a"@h', "sip:a'@h", "sip:a@h;x=1", "sip:a@h?x",
        "sip:a@h:0", "sip:a@h:70000", "sip:a@h/x", "sip:a@h(x)", "sip:a@h^x", "sip:a@${X}", "sip:@h", "sip:", "PJSIP/a", "Local/1@x",
        "leader", "sip:a@h..b", "sip:a@" + "h" * 200, "1", "+", "12345678901234567", "sip:领导@h", "sip:a b@h", "１３８１２３４５６７８",
    ],
)  # fmt: skip
def test_everything_else_is_refused(line: str) -> None:
    with pytest.raises(LineRefused):
        read_line(line)


@given(st.text(alphabet="sip:@a1.&,;'\"()[]{}$\\\r\n\t%^|/<>?=! ", max_size=40))
def test_no_line_holds_a_character_with_a_meaning_in_a_dial_string(raw: str) -> None:
    try:
        line = read_line(raw)
    except LineRefused:
        return
    assert not set(line) & set("&,;'\"(){}$\\\r\n\t%^|/<>?=! ")


def test_the_cloud_phone_wants_international_numbers() -> None:
    assert read_cloud_line("+8613812345678") == "+8613812345678"
    assert read_cloud_line("") == ""
    assert read_cloud_line(" client:leader_1") == "client:leader_1"
    for hostile in ("client:", "client:a b", "client:a&b", "client:a@b", "client:a-b", "client:a.b", f"client:{'x' * 34}", "client:a\n"):
        with pytest.raises(LineRefused):
            read_cloud_line(hostile)
    with pytest.raises(LineRefused, match="\\+"):
        read_cloud_line("13812345678")


def test_several_lines_are_rung_in_turn_and_each_is_checked() -> None:
    assert read_lines("sip:desk@10.0.0.1:5060, +8613900000000") == "sip:desk@10.0.0.1:5060,+8613900000000"
    assert read_cloud_lines("+8613900000000,+8613900000001") == "+8613900000000,+8613900000001"
    for hostile in ("sip:desk@10.0.0.1,x&y", "sip:a@h,1234567,1234568,1234569", "sip:desk@10.0.0.1;a=b"):
        with pytest.raises(LineRefused):
            read_lines(hostile)
