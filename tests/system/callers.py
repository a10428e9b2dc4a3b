"""Where everybody is in a running installation, and how often a leader was rung. Looks only."""

import asyncio
import re
from itertools import groupby
from pathlib import Path
from typing import Any

from config.native import find_program
from queueing.line import order_of
from telephony.demo.scenarios import Leader, Place, leader_argv
from tests.phones.ports import free_block, media_block
from tests.system.crowd import Sipp
from tests.system.installation import Installation
from tests.waiting import until


async def nodes(house: Installation) -> dict[str, str]:
    """Call id -> node of every live call."""
    found: dict[str, str] = {}
    for call_id in await house.core.calls.live():
        call = await house.core.calls.get(call_id)
        if call is not None and call.node != "ended":
            found[call_id] = call.node
    return found


async def order(house: Installation, seat_id: str) -> list[tuple[str, float]]:
    """Call ids of the line, in order, with their first joining times."""
    return [(caller.call_id, caller.joined_at) for caller in await house.core.line.callers(seat_id)]


async def line_of(house: Installation, seat_id: str, count: int) -> list[tuple[str, float]]:
    """The line once that many callers are in it."""

    async def whole() -> Any:
        found = await order(house, seat_id)
        return found if len(found) == count else None

    line: list[tuple[str, float]] = await until(whole, 15, f"{count} callers in the line")
    return line


def by_moment(line: list[tuple[str, float]]) -> list[tuple[int, list[str]]]:
    """The line as far as it says who came first: two who join in the same millisecond follow each other in either order, and
    perhaps in the other one when the line was lost and put back."""
    alike = groupby(line, key=lambda one: order_of(one[1])[0])
    return [(moment, sorted(call_id for call_id, _ in some)) for moment, some in alike]


async def until_order(house: Installation, seat_id: str, expected: list[tuple[str, float]]) -> None:
    """The line is so, very soon: a turn is seen a moment before its commands are performed."""

    async def so() -> bool:
        return await order(house, seat_id) == expected

    await until(so, 15, f"the line {expected}")


def counted(found: dict[str, str]) -> dict[str, int]:
    values = list(found.values())
    return {node: values.count(node) for node in set(values)}


async def until_nodes(house: Installation, within_s: float = 45.0, **expected: int) -> dict[str, str]:
    """Everybody's node once that many callers are at each of these, and nobody anywhere else."""

    found: dict[str, str] = {}

    async def there() -> bool:
        found.clear()
        found.update(await nodes(house))
        return counted(found) == expected

    try:
        await until(there, within_s, f"callers at {expected}")
        return found
    except AssertionError as error:
        raise AssertionError(f"{error}, but {counted(found)}") from None


async def outlive(house: Installation, node_of: dict[str, str], seconds: float) -> None:
    """Nobody goes anywhere for so long."""
    end = asyncio.get_running_loop().time() + seconds

    async def over() -> bool:
        assert await nodes(house) == node_of
        return asyncio.get_running_loop().time() > end

    await until(over, seconds + 5)


async def until_closed(house: Installation, session_id: str, calls: int, within_s: float = 60.0) -> dict[str, int]:
    """The outcomes once that many calls have one; none is unaccounted for and there are no others. No session id = all."""

    async def whole() -> Any:
        ledger = await house.ledger(**({"session_id": session_id} if session_id else {}))
        return ledger if sum(ledger["outcomes"].values()) >= calls else None

    ledger = await until(whole, within_s, f"{calls} outcomes")
    assert (ledger["calls"], ledger["unaccounted"]) == (calls, 0)
    outcomes: dict[str, int] = ledger["outcomes"]
    return outcomes


async def until_orders(house: Installation, count: int, status: str = "", within_s: float = 60.0) -> list[Any]:
    """The orders once there are that many (with this status): one a call, no more."""

    async def there() -> Any:
        found = await house.orders(limit="200")
        assert len(found) == len({item["call_id"] for item in found}) <= count
        fitting = [item for item in found if not status or item["status"] == status]
        return fitting if len(fitting) == count else None

    orders: list[Any] = await until(there, within_s, f"{count} orders {status}")
    return orders


async def checked(house: Installation, session_id: str) -> dict[str, Any]:
    """The check of the ledger against the carriers' records, once it is complete."""
    check: dict[str, Any] = await house.get("/api/ledger/check", session_id=session_id)
    return check if check["complete"] else {}


async def end_all(house: Installation) -> None:
    """Everybody hangs up at once."""
    await house.asterisk.command("channel request hangup all")


async def channels(house: Installation) -> int:
    text = await house.asterisk.command("core show channels count")
    found = re.search(r"(\d+) active channel", text)
    assert found is not None, text
    return int(found[1])


async def in_bridges(house: Installation, count: int) -> bool:
    """So many channels hear somebody else."""
    rows = (await house.asterisk.command("core show channels concise")).splitlines()
    return sum(len(row.split("!")) > 3 and bool(row.split("!")[-2]) for row in rows) == count


class WatchedLeader:
    """A leader's phone of which we know which calls it was rung for."""

    def __init__(self, folder: Path, leader: Leader) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        sipp = find_program("sipp")
        if sipp is None:
            raise RuntimeError("sipp is missing: run `make setup`")
        port = free_block(1)
        self._messages = folder / "leader.messages"
        argv = leader_argv(sipp, leader, folder, Place(port, media_block(10)))
        self.phone = Sipp([*argv, "-trace_msg", "-message_file", str(self._messages)], folder / "sipp.log")
        self.address = f"sip:leader@127.0.0.1:{port}"

    @property
    def rung(self) -> int:
        """Calls that reached the phone so far; one that was sent twice over UDP counts once."""
        text = self._messages.read_text(errors="replace") if self._messages.exists() else ""
        invites = re.findall(r"^INVITE sip:.*?^Call-ID: (\S+)", text, re.DOTALL | re.MULTILINE | re.IGNORECASE)
        return len(set(invites))
