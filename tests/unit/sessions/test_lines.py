"""Lines of leaders: what can be rung passes, what could extend a dial string does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.lines import LineRefused, read_line, read_number_line


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
    assert read_number_line("+8613812345678") == "+8613812345678"
    assert read_number_line("") == ""
    with pytest.raises(LineRefused, match="\\+"):
        read_number_line("13812345678")
