"""Two hundred callers who do what people do: `hotline ledger` accounts for every one, and Asterisk's own records agree."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from calls.model import LedgerEntry
from cli.parts import hotline_argv
from telephony.asterisk.cdr import calls, read
from telephony.demo.scenarios import Citizen, Leader
from tests.system.crowd import a_leader, citizens, numbers
from tests.system.installation import Installation
from tests.system.watch import accounted, session
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS, A_GROUP, A_SECOND = 200, 10, 0.5
#: Chosen once; every run does the same.
CHANCE = Random(20181125)


def some_citizen(group: int) -> Citizen:
    """Waits, declines and speaks, is silent or presses something wrong; and hangs up at some moment."""
    keys: tuple[tuple[float, str], ...] = CHANCE.choice(
        (
            ((1.0, "1"),),
            ((1.0, "1"), (CHANCE.uniform(3, 10), "2"), (3.0, "#")),
            ((1.0, "2"), (3.0, "#"), (2.0, "#")),
            ((2.0, "2"),),
            ((1.0, "7"), (2.0, "9")),
            (),
        )
    )
    return Citizen(keys=keys, stay_s=CHANCE.uniform(0.1, 20.0), callers=numbers(1000 + group * A_GROUP, A_GROUP))


async def test_given_200_mixed_calls_then_the_ledger_accounts_for_each_as_asterisk_does(
    brisk_house: Installation, tmp_path: Path
) -> None:
    house = brisk_house
    leader, address = a_leader(tmp_path / "leader", Leader(ring_s=0.1, talk_s=8.0))
    async with leader, session(house, address) as (session_id, _), AsyncExitStack() as groups:
        crowd = [
            await groups.enter_async_context(citizens(house, tmp_path / f"c{n}", some_citizen(n), A_GROUP, A_SECOND))
            for n in range(CALLS // A_GROUP)
        ]
        # Whether each call went by the generator's script is not asked: a BYE and an INFO may cross.
        await asyncio.gather(*(group.done(90) for group in crowd))
        outcomes = await accounted(house, session_id, CALLS, 60)
    assert {"talked", "work_order", "abandoned"} <= set(outcomes)
    told, status = await hotline_ledger(house, "--session", session_id, "--cdr")
    assert (status, told["calls"], told["unaccounted"], told["outcomes"]) == (0, CALLS, 0, outcomes)
    assert sum(told["outcomes"].values()) == CALLS
    assert (told["cdr"]["records"], told["cdr"]["missing"]) == (CALLS, [])
    checked, status = await hotline_ledger(house, "check", "--session", session_id)
    assert (status, checked["complete"], checked["missing"], checked["broken_seals"]) == (0, True, [], [])
    assert (checked["asterisk"], checked["cloud"]) == ("ok", "off")
    assert set(calls(read(house.files.cdr)[0])) == await closed_in_ledger(house)
    with_order = outcomes["talked"] + outcomes["work_order"]
    orders = await until(lambda: all_orders(house, session_id, with_order), 60, "an order of each")
    assert len({order["call_id"] for order in orders}) == len(orders)


async def hotline_ledger(house: Installation, *words: str) -> tuple[Any, int]:
    """What `hotline ledger` says, and its exit status."""
    process = await asyncio.create_subprocess_exec(
        *hotline_argv(), "ledger", *words, "--json",
        env=house.environment(), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    return json.loads(output), process.returncode or 0


async def closed_in_ledger(house: Installation) -> set[str]:
    async with house.core.database.read() as database:
        return set(await database.scalars(select(LedgerEntry.call_id).where(LedgerEntry.kind == "closed")))


async def all_orders(house: Installation, session_id: str, least: int) -> list[Any]:
    """Every order of the session, once there are that many."""
    found: list[Any] = []
    query = {"session_id": session_id, "limit": "200"}
    while True:
        page = await house.get("/api/work-orders", **query)
        found += page["items"]
        if not page["next"]:
            return found if len(found) >= least else []
        query["cursor"] = page["next"]
