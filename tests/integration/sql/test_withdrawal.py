"""Orders to call back who gave up, withdrawn when they are back, told in any order; who was promised a call and has nothing."""

from itertools import permutations

import pytest

from calls.assembly import order_maker, order_withdrawer
from calls.ledger import Ledger
from calls.promises import broken_promises
from config.database import Database
from config.settings import Settings
from ivr.call import Call
from ivr.commands import MakeOrder
from workorders import register

AT = 1_763_769_600.0
NUMBER = "+8613812345678"
#: Who gave up with which call and when, and who came back.
STORY = (("drop", "a-1", 0.0), ("back", "a-2", 20.0), ("drop", "a-2", 60.0), ("back", "a-3", 80.0))


class NoSeats:
    """Of the seats nothing is asked here."""


@pytest.mark.parametrize("acts", [2, 3, 4])
async def test_whatever_is_told_first_the_order_stands_for_who_gave_up_last_and_for_nobody_who_is_back(
    database: Database, acts: int
) -> None:
    settings = Settings(_env_file=None)
    make = order_maker(database, NoSeats(), settings)  # type: ignore[arg-type]
    withdraw = order_withdrawer(database, settings)
    for number, told in enumerate(permutations(STORY[:acts])):
        session_id = f"s{number}"
        for kind, name, after_s in (*told, told[0]):  # and the first once more, as after a crash
            call = Call(f"{name}-{number}", "asterisk", AT, number=NUMBER, session_id=session_id)
            if kind == "drop":
                command = MakeOrder(source="abandoned", recording="", contact="", at=AT + after_s)
                await make(f"{call.id}-1", call, command)
            else:
                await withdraw(f"{call.id}-2", call, AT + after_s)
        page = await register.find(database, register.Wanted(session_id=session_id))
        stands = "registered" if acts == 3 else "cancelled"
        assert [order.status for order in page.items] == [stands], told
        assert page.items[0].call_id in (f"a-1-{number}", f"a-2-{number}")
        assert await register.count_by_source(database, session_id) == ({"abandoned": 1} if acts == 3 else {})


async def test_who_was_promised_a_call_and_has_neither_a_talk_nor_an_order_is_named(database: Database) -> None:
    ledger = Ledger(database)
    for name, kind, reason in (("a-1", "connected", ""), ("a-2", "left_line", "replaced"), ("a-3", "left_line", "callback")):
        await ledger.note(f"{name}-1", name, kind, AT, {"reason": reason}, session_id="s1")
        await ledger.close(f"{name}-2", name, "callback", AT + 5, session_id="s1")
    assert [one.call_id for one in await broken_promises(database, "s1", AT + 6)] == ["a-3"]
    assert await broken_promises(database, "s2", AT + 6) == ()
    assert await broken_promises(database, None, AT + 5) == (), "its order may be on its way"
