"""Every node and every event: where the call goes, and that nothing is ever silent."""

from typing import get_args

import pytest
from msgspec import json

from ivr.call import Call, NodeName
from ivr.events import (
    Answered,
    AnyEvent,
    Arrived,
    HungUp,
    Keyed,
    Missed,
    Offered,
    OrderMade,
    Recorded,
    Released,
    TalkEnded,
    TimedOut,
    Woken,
)
from ivr.flow import advance, present
from tests.unit.ivr.scene import OPEN, at, calls_at_every_node, names

LATER = at(OPEN, 100)
EVENTS: dict[str, AnyEvent] = {
    "arrived": Arrived(facts=LATER),
    "arrived by a leg of ours": Arrived(facts=LATER, leg="back-1"),
    "key 1": Keyed(facts=LATER, key="1"),
    "key 2": Keyed(facts=LATER, key="2"),
    "key 3": Keyed(facts=LATER, key="3"),
    "key #": Keyed(facts=LATER, key="#"),
    "silence": TimedOut(facts=LATER),
    "recorded": Recorded(facts=LATER, seconds=12.0),
    "recorded nothing": Recorded(facts=LATER, seconds=0.0),
    "offered": Offered(facts=LATER, seat_id="seat-1", token=9, line="sip:leader@127.0.0.1"),
    "answered": Answered(facts=LATER),
    "missed": Missed(facts=LATER, reason="no_answer"),
    "talk ended": TalkEnded(facts=LATER, seconds=60.0),
    "order made": OrderMade(facts=LATER, number="2026-1122-0007"),
    "woken": Woken(facts=LATER),
    "release work_order": Released(facts=LATER, to="work_order", reason="session_closed"),
    "release operator": Released(facts=LATER, to="operator", reason="operator"),
    "release callback": Released(facts=LATER, to="callback", reason="operator"),
    "release fallback": Released(facts=LATER, to="fallback", reason="error"),
    "other seat": Released(facts=LATER, to="seat", reason="operator", seat_id="seat-2"),
    "other call": Released(facts=LATER, to="other_call", reason="same_number"),
    "hung up": HungUp(facts=LATER),
}
NODES = calls_at_every_node()
RELEASES = {
    "release work_order": "message",
    "release operator": "message",  # no operators' line is configured
    "release callback": "callback",
    "release fallback": "fallback",
}
#: Where each event leads; what is not named stays. `hung up` always leads to the end.
LEADS: dict[NodeName, dict[str, str]] = {
    "arriving": {"arrived": "question", "arrived by a leg of ours": "question", "silence": "question", **RELEASES},
    "question": {"key 1": "waiting", "key 2": "message", **RELEASES},
    "waiting": {"other call": "goodbye", "key 2": "message", "key 3": "callback", "offered": "ringing", **RELEASES},
    "ringing": {"answered": "talking", "other call": "goodbye", "missed": "waiting", "talk ended": "goodbye", **RELEASES},
    "talking": {"talk ended": "goodbye", "missed": "waiting", "release fallback": "goodbye"},
    "message": {"recorded": "order", "release fallback": "goodbye"},
    "contact": {"silence": "order", "key #": "order", "release fallback": "goodbye"},
    "order": {"silence": "goodbye", "release fallback": "goodbye"},
    "closed": {"key 2": "message", **RELEASES},
    "operator": {"missed": "message", "talk ended": "goodbye", "release fallback": "fallback"},
    "callback": {"offered": "ringing", "other call": "goodbye", **RELEASES, "release fallback": "goodbye"},
    "kept": {"arrived by a leg of ours": "waiting", "offered": "calling", "other call": "ended", **dict.fromkeys(RELEASES, "ended")},
    "calling": {"arrived by a leg of ours": "screening", "other call": "ended", **dict.fromkeys(RELEASES, "ended")},
    "screening": {"key 1": "ringing", "key 2": "message", "other call": "goodbye", **RELEASES},
    "goodbye": {},
    "fallback": {"recorded": "order", "release fallback": "goodbye"},
    "ended": {},
}
#: Who keeps a place is not lost with the phone; a call back that nobody takes is tried again.
PLACE_KEPT = ("callback", "kept", "calling", "screening")
SILENT = ("ended", "kept")


def test_there_is_a_call_and_a_row_for_every_node() -> None:
    assert set(NODES) == set(LEADS) == set(get_args(NodeName))


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("node", NODES)
def test_where_the_event_leads(node: NodeName, event: str) -> None:
    call = NODES[node]
    after, commands = advance(call, EVENTS[event])
    gone = "kept" if node in PLACE_KEPT else "ended"
    assert after.node == (gone if event == "hung up" else LEADS[node].get(event, node))
    assert bool(present(after, LATER)) == (after.node not in SILENT)
    if after is call:
        assert commands == ()
    else:
        assert after.seq == call.seq + 1
        assert after.scene in (call.scene, after.seq)
    assert present(after, LATER) == present(json.decode(json.encode(after), type=Call), LATER)


@pytest.mark.parametrize("node", NODES)
def test_a_caller_who_hangs_up_is_closed_once(node: NodeName) -> None:
    after, commands = advance(NODES[node], EVENTS["hung up"])
    assert names(commands).count("CloseCall") == (0 if node in ("ended", "kept", "calling", "screening") else 1)
    assert advance(after, EVENTS["hung up"]) == (after, ())


@pytest.mark.parametrize(
    ("node", "orders", "outcome"),
    [
        ("arriving", 0, "abandoned"),
        ("question", 0, "abandoned"),
        ("closed", 0, "abandoned"),
        ("waiting", 1, "abandoned"),
        ("ringing", 1, "abandoned"),
        ("talking", 1, "talked"),
        ("message", 1, "work_order"),
        ("contact", 1, "work_order"),
        ("order", 0, "work_order"),  # has its order already
        ("goodbye", 0, "work_order"),
        ("callback", 0, "callback"),
        ("operator", 1, "abandoned"),
        ("fallback", 1, "fallback"),
    ],
)
def test_what_remains_of_a_caller_who_hangs_up(node: NodeName, orders: int, outcome: str) -> None:
    after, commands = advance(NODES[node], EVENTS["hung up"])
    assert names(commands).count("MakeOrder") == orders
    assert after.outcome == outcome


@pytest.mark.parametrize("node", NODES)
def test_a_seat_that_is_offered_is_never_stuck(node: NodeName) -> None:
    after, commands = advance(NODES[node], EVENTS["offered"])
    given_back = names(commands).count("FreeSeat")
    assert after.node in ("ringing", "calling") or given_back == 1 or "TakeSeat" in names(commands)
    assert advance(after, EVENTS["offered"]) == (after, ())  # the same offer again


@pytest.mark.parametrize("node", NODES)
def test_falling_back_never_goes_in_a_circle(node: NodeName) -> None:
    call, seen = NODES[node], []
    for _ in range(5):
        call, _ = advance(call, EVENTS["release fallback"])
        seen.append(call.node)
    assert seen[-1] == ("ended" if node in ("ended", "kept", "calling") else "goodbye")
