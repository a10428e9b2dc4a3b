"""The order to call back who gave up, and its withdrawal when they are back: told in any order, and more than once."""

from itertools import permutations

import pytest

from calls.assembly import order_maker, order_withdrawer
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
    make = order_maker(database, NoSeats(), Settings(_env_file=None))  # type: ignore[arg-type]
    withdraw = order_withdrawer(database)
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
