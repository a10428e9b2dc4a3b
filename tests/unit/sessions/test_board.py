"""The board shows the open session and the next one, in the shape of the flow's facts."""

import msgspec

from config.columns import from_unix
from ivr.facts import SessionFacts
from sessions.board import Board, draw
from sessions.model import Seat, Session


def session(name: str, state: str, at: float) -> Session:
    return Session(
        id=name, state=state, opens_at=from_unix(at), closes_at=from_unix(at + 7200), theme="供水",
        seats=[Seat(id=f"{name}-1", unit="市水务局", leader="李四", line_asterisk="sip:secret@h")],
    )  # fmt: skip


def test_open_and_next_are_shown_and_the_others_are_not() -> None:
    rows = (("a", "closing", 1.0), ("b", "open", 2.0), ("c", "postponed", 3.0), ("d", "planned", 4.0))
    board = draw([session(*row) for row in rows])
    assert board.open is not None
    assert board.next is not None
    assert (board.open.id, board.next.id) == ("b", "c")


def test_a_session_that_was_opened_early_has_begun_then_and_one_opened_late_when_it_was_planned() -> None:
    for opened_at, begins in ((4000.0, 4000.0), (6000.0, 5000.0), (None, 5000.0)):
        held = session("b", "open", 5000.0)
        held.opened_at = from_unix(opened_at) if opened_at else None
        assert draw([held]).open.opens_at == begins  # type: ignore[union-attr]


def test_nothing_is_an_empty_board() -> None:
    assert draw([]) == Board()


def test_the_flow_reads_it_and_the_leaders_line_is_not_on_it() -> None:
    text = msgspec.json.encode(draw([session("b", "open", 2.0)]).open)
    facts = msgspec.json.decode(text, type=SessionFacts)
    assert (facts.id, facts.closes_at, facts.seats[0].leader) == ("b", 7202.0, "李四")
    assert b"sip:" not in text
