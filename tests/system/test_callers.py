"""Numbers and names of callers as networks and mischief bring them: every call works, numbers are encrypted, none is logged."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from telephony.demo.scenarios import Citizen
from tests.phones.raw_sip import invite
from tests.system.crowd import citizens
from tests.system.installation import Installation
from tests.system.watch import accounted, petitioner_of, session
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: From number and display name as they come -> the number we know the caller by.
CALLERS = {
    ("13512345601", ""): "+8613512345601",
    ("5551602", "本地固话"): "+867345551602",
    ("+8613512345603", "张三丰 \U0001f600"): "+8613512345603",
    ("8613512345604", "李四光"): "+8613512345604",
    ("13512345605", 'O\'Brien \\"quoted\\" ${HANGUPCAUSE} $[1+1]'): "+8613512345605",
    ("13512345606", "x,y|z)(&"): "+8613512345606",
    ("1" * 40, "Forty Digits"): "",
    ("1%0D%0AAction:%20Logoff", "Percent%0D%0AAction: Logoff"): "",
    ("13512345609", "a\\r\\nAction: Logoff"): "+8613512345609",
}
WITHHELD = ("anonymous", "Anonymous")
TYPED = "13512345608"
NAMES = ("张三丰", "李四光", "本地固话", "O'Brien", "Forty Digits", "Percent")

#: Display names as bytes, with what would be lines of their own for a manager connection or a log.
CONTROLLED = {
    "folded": b"a\r\n Action: Logoff",
    "crlf": b"a\r\nAction: Logoff\r\n\r\n",
    "line feed": b"a\nAction: Logoff\n\nb",
    "carriage return": b"a\rAction: Logoff",
    "escape and nul": b"a\x1b[2J\x00b",
    "not utf-8": b"\xff\xfe\xc0\xaf",
    "long": "长".encode() * 900,
}

#: 2 for the matter, # for no more instructions, # for the end of the matter.
DECLINES = ((2.0, "2"), (3.0, "#"), (3.0, "#"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def orders(brisk_house: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Any]]:
    """The orders of all these callers, who called at once."""
    house, folder = brisk_house, tmp_path_factory.mktemp("callers")
    every = len(CALLERS) + 1
    async with (
        session(house, sign_in=False) as (session_id, _),
        citizens(house, folder / "many", Citizen(tuple(CALLERS), DECLINES, stay_s=6), len(CALLERS), 20),
        citizens(house, folder / "withheld", Citizen((WITHHELD,), (*DECLINES, *typing(TYPED)), stay_s=4), 1),
    ):
        assert await accounted(house, session_id, every, 90) == {"work_order": every}
        found = await until(lambda: dispatched(house, session_id, every), 30, "all orders")
        yield [await house.get(f"/api/work-orders/{order['id']}") for order in found]


def typing(number: str) -> tuple[tuple[float, str], ...]:
    """The keys of a number, some of them while the question is still being asked, and # at the end."""
    return tuple((0.4, key) for key in f"{number}#")


async def dispatched(house: Installation, session_id: str, count: int) -> list[Any]:
    found = [order for order in await house.orders(session_id=session_id) if order["status"] == "dispatched"]
    return found if len(found) == count else []


async def test_every_call_works_and_is_known_by_the_right_number(brisk_house: Installation, orders: list[Any]) -> None:
    people = [await petitioner_of(brisk_house, order) for order in orders]
    known = sorted(person.number or "" for person in people)
    assert known == sorted([*CALLERS.values(), ""])
    assert [person.contact for person in people if person.contact] == [f"+86{TYPED}"]
    assert all(order["recordings"] for order in orders)


async def test_the_api_shows_masked_numbers_only(brisk_house: Installation, orders: list[Any]) -> None:
    shown = "".join(str(order) for order in orders) + str(
        [await brisk_house.get(f"/api/calls/{order['call_id']}") for order in orders]
    )
    assert "135****5601" in shown
    assert not [number for number in everything_personal() if number in shown]


async def test_no_number_and_no_name_is_in_the_database_file_or_in_any_log(
    brisk_house: Installation, orders: list[Any]
) -> None:
    """Asterisk's call records are no log: they are what the ledger is proved by. Redis holds calls that go on."""
    folder = brisk_house.folder
    logs = [path for path in folder.rglob("*") if path.is_file() and path.suffix in {".log", ".db", ".db-wal"}]
    assert {"bridge.log", "api.log", "worker.log", "cron.log", "messages.log", "hotline.db"} <= {p.name for p in logs}
    for path in logs:
        text = path.read_bytes().decode(errors="replace")
        found = [words for words in (*everything_personal(), *NAMES) if words in text]
        assert (path.name, found) == (path.name, [])


@pytest.mark.parametrize("name", CONTROLLED)
async def test_an_invite_with_control_characters_in_its_name_is_refused_or_is_a_call_like_any_other(
    brisk_house: Installation, orders: list[Any], name: str
) -> None:
    """Raw bytes on the wire, where a phone would not send them."""
    house, number = brisk_house, f"1351234570{list(CONTROLLED).index(name)}"
    known = await calls_known(house)
    answer = await invite(house.settings.sip_port, house.service, number.encode(), CONTROLLED[name], f"c{number}")
    if answer.taken:
        await until(lambda: closed_more(house, known, 1), 20, "the call in the ledger")
    else:
        assert await calls_known(house) == known
        assert not answer.statuses or 400 <= answer.statuses[-1] < 500
    assert (await house.asterisk.command("core show version")).startswith("Asterisk")


async def calls_known(house: Installation) -> int:
    return int((await house.ledger())["calls"])


async def closed_more(house: Installation, before: int, more: int) -> bool:
    ledger = await house.ledger()
    return (ledger["calls"], ledger["unaccounted"]) == (before + more, 0)


async def test_the_manager_connection_outlived_them_all(brisk_house: Installation, orders: list[Any]) -> None:
    log = (brisk_house.folder / "bridge.log").read_text()
    assert log.count("asterisk is driven") == 1
    await until(lambda: ready(brisk_house), 30, "readiness")


async def ready(house: Installation) -> bool:
    return (await house.http.get("/readyz")).status_code == 200


def everything_personal() -> list[str]:
    """The digits by which anybody could be recognised, without prefixes."""
    numbers = [number[3:] for number in CALLERS.values() if number]
    return [number.removeprefix("734") for number in numbers] + [TYPED, "1" * 40]
