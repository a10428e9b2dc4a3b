"""What a channel remembers of its call is always of now, and never longer than AMI carries."""

import pytest

from ivr.call import Call, NodeName
from telephony.asterisk.restore import LONGEST, as_text, from_text

AT = 1763000000.123456
LONG = Call(
    id="a-" + "p" * 62,
    carrier="asterisk",
    started_at=AT,
    number="+8613812345678",
    host="p" * 60,
    node="talking",
    seq=2999,
    scene=2999,
    tries=2,
    entered_at=AT,
    session_id="s" * 36,
    seat_id="s" * 36,
    closes_at=AT,
    joined_at=AT,
    told_position=500,
    told_at=AT,
    token=99_999_999,
    claimed_seat="s" * 36,
    leader_line="sip:leader@" + "x" * 200,
    missed=3,
    talk_started_at=AT,
    reason="session_closed",
    recording="a-" + "p" * 62 + "-t2999",
    typed="1" * 20,
    contact="1" * 20,
    order_number="2026-1122-0007",
    source="abandoned",
    ordered=True,
    outcome="work_order",
    ended_at=AT,
    leg="x" * 60,
    more_lines=("sip:" + "局" * 200, "sip:leader@" + "y" * 200),
    callbacks_missed=2,
    noticed_at=AT,
)


@pytest.mark.parametrize("node", ["waiting", "ringing", "talking", "message"])
def test_given_a_call_with_much_to_remember_then_its_channel_is_told_of_it_all_the_same(node: NodeName) -> None:
    call = Call(**{**{name: getattr(LONG, name) for name in LONG.__struct_fields__}, "node": node})
    text = as_text(call)
    assert 0 < len(text) <= LONGEST
    assert text.isascii()
    assert call.number not in text
    known = from_text(text, call.id)
    assert known is not None
    kept = ("node", "seq", "scene", "session_id", "seat_id", "token", "joined_at", "talk_started_at", "recording", "ordered")
    assert [getattr(known, name) for name in kept] == [getattr(call, name) for name in kept]


def test_given_a_call_as_most_are_then_nothing_of_it_is_spared() -> None:
    call = Call("a-pbx1-7-1", "asterisk", AT, node="ringing", leader_line="sip:局长@hall", more_lines=("801",), typed="12")
    assert from_text(as_text(call), call.id) == call
