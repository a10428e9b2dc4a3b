"""Orders to call back who gave up, withdrawn when they are back, told in any order; who was promised a call and has nothing."""

from itertools import permutations

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from calls.assembly import order_maker, order_withdrawer
from calls.ledger import Ledger
from calls.promises import broken_promises
from config.database import Database
from config.settings import Settings
from ivr.call import Call
from ivr.commands import MakeOrder
from rehearsal.books import OrderBook
from workorders import register
from workorders.intake import NewOrder, make_order
from workorders.model import OrderEvent

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
        session_id, book = f"s{number}", OrderBook()  # by which rehearsals are judged: it says the same
        for kind, name, after_s in (*told, told[0]):  # and the first once more, as after a crash
            call = Call(f"{name}-{number}", "asterisk", AT, number=NUMBER, session_id=session_id)
            if kind == "drop":
                command = MakeOrder(source="abandoned", recording="", contact="", at=AT + after_s)
                await make(f"{call.id}-1", call, command)
                await book.make(f"{call.id}-1", call, command)
            else:
                await book.withdraw(f"{call.id}-2", call, AT + after_s)
                await withdraw(f"{call.id}-2", call, AT + after_s)
        page = await register.find(database, register.Wanted(session_id=session_id))
        assert book.is_to_be_called_back(NUMBER) == (acts == 3), told
        stands = "registered" if acts == 3 else "cancelled"
        assert [order.status for order in page.items] == [stands], told
        assert page.items[0].call_id in (f"a-1-{number}", f"a-2-{number}")
        assert await register.count_by_source(database, session_id) == ({"abandoned": 1} if acts == 3 else {})


async def tell(ledger: Ledger, call_id: str, *facts: tuple[str, dict[str, str]], outcome: str = "callback") -> None:
    """The call's story, and its end."""
    for number, (kind, data) in enumerate(facts):
        await ledger.note(f"{call_id}-{number}", call_id, kind, AT, data, session_id="s1")
    await ledger.close(f"{call_id}-end", call_id, outcome, AT + 5, session_id="s1")  # type: ignore[arg-type]


async def forgotten(database: Database, *live: str) -> list[str]:
    return [one.call_id for one in await broken_promises(database, "s1", AT + 6, live) if one.last_kind == "callback"]


async def owed(database: Database) -> list[str]:
    return [one.call_id for one in await broken_promises(database, "s1", AT + 6)]


async def test_who_was_promised_a_call_and_has_neither_a_talk_nor_an_order_is_named(database: Database) -> None:
    ledger = Ledger(database)
    await tell(ledger, "a-1", ("connected", {}))
    await tell(ledger, "a-2", ("connected", {}), ("missed", {}), ("left_line", {"reason": "abandoned"}))  # never together
    await tell(ledger, "a-3", ("left_line", {"reason": "callback"}))
    await tell(ledger, "a-4", ("transferred", {}))
    assert await forgotten(database) == ["a-2", "a-3"]
    assert await forgotten(database, "a-3") == ["a-2"]
    assert await broken_promises(database, "s2", AT + 6) == ()
    assert await broken_promises(database, None, AT + 5) == (), "its order may be on its way"


async def test_a_promise_goes_on_with_the_newer_call_of_the_number_and_is_lost_when_that_is(database: Database) -> None:
    ledger = Ledger(database)

    def to(call_id: str) -> tuple[str, dict[str, str]]:
        return "left_line", {"reason": "replaced", "to_call": call_id}

    await tell(ledger, "a-1", to("b-1"))
    await tell(ledger, "b-1", to("c-1"))
    await tell(ledger, "c-1", ("place_taken_back", {"from_call": "b-1"}), ("connected", {}), outcome="talked")
    await tell(ledger, "a-2", to("b-2"))
    await tell(ledger, "b-2", ("left_line", {"reason": "abandoned"}), outcome="abandoned")
    await tell(ledger, "a-3", ("left_line", {"reason": "replaced"}))
    await tell(ledger, "a-4", to("b-4"))  # of whom nothing is known
    assert await forgotten(database) == ["a-2", "a-3", "a-4"]
    assert await forgotten(database, "b-2") == ["a-3", "a-4"], "somebody waits"
    await tell(ledger, "b-3", ("place_taken_back", {"from_call": "a-3"}), outcome="transferred")
    assert await forgotten(database) == ["a-2", "a-4"]


async def test_who_gave_up_after_the_promise_has_the_one_order_of_the_number_unless_it_was_withdrawn(database: Database) -> None:
    ledger, settings = Ledger(database), Settings(_env_file=None)
    make = order_maker(database, NoSeats(), settings)  # type: ignore[arg-type]

    async def give_up(call_id: str, at: float) -> Call:
        call = Call(call_id, "asterisk", AT, number=NUMBER, session_id="s1")
        await make(f"{call_id}-order", call, MakeOrder(source="abandoned", recording="", contact="", at=at))
        return call

    await give_up("b-1", AT)
    left = ("left_line", {"reason": "abandoned"})
    await tell(ledger, "a-1", left)
    assert await forgotten(database) == ["a-1"], "its order was never made"
    call = await give_up("a-1", AT + 10)
    assert await forgotten(database) == []
    await order_withdrawer(database, settings)("a-2-1", replace(call, id="a-2"), AT + 20)
    assert await forgotten(database) == ["a-1"]
    await tell(ledger, "a-2", ("place_taken_back", {"from_call": "a-1"}), left, outcome="abandoned")
    assert await owed(database) == ["a-1", "a-2"], "whoever came back has gone, and the order is withdrawn"
    await tell(ledger, "a-3", left, outcome="abandoned")
    await give_up("a-3", AT + 15)  # told late
    await give_up("a-3", AT + 15)
    assert await owed(database) == ["a-1", "a-2", "a-3"]
    await give_up("a-2", AT + 30)
    assert await owed(database) == [], "one order of the number, whatever was told last"
    async with database.read() as session:
        kinds = list(await session.scalars(select(OrderEvent.kind)))
    assert kinds.count("abandoned_earlier") == 1


async def test_who_talked_left_a_matter_gave_up_or_met_a_fault_has_an_order(database: Database) -> None:
    ledger = Ledger(database)
    gone = ("left_line", {"reason": "abandoned"})
    lost: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
        "a-talked": (("connected", {}),), "a-work_order": (), "a-fallback": (("fallback", {}),), "a-abandoned": (("willing", {}), gone),
        "b-abandoned": (("operator", {}),),
    }  # fmt: skip
    fine: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
        "c-transferred": (("transferred", {}),), "c-abandoned": (), "d-abandoned": (("left_line", {"reason": "released"}),),
        "c-fallback": (("fallback", {}), ("operator_talked", {})),
    }  # fmt: skip
    for call_id, facts in {**lost, **fine}.items():
        await tell(ledger, call_id, *facts, outcome=call_id[2:])
    found = await broken_promises(database, "s1", AT + 6)
    assert {one.call_id: one.last_kind for one in found} == {call_id: call_id[2:] for call_id in lost}
    for call_id in lost:
        await make_order(database, NewOrder(command_id=f"{call_id}-o", call_id=call_id, at=AT, source="declined"))
    assert await broken_promises(database, None, AT + 6) == ()
