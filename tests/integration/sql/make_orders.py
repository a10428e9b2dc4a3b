"""One of several processes that make orders at once. Arguments: database URL, which quarter. Prints the numbers as JSON."""

import asyncio
import json
import sys

from config.database import Database, DatabaseUnavailable
from config.privacy import Cipher
from workorders.intake import NewOrder, OrderRef, make_order

AT = 1_763_769_600.0
TRIES = 20


async def make_at_last(database: Database, new: NewOrder) -> OrderRef:
    """As the outbox does: what finds all connections busy is tried again."""
    for _ in range(TRIES):
        try:
            return await make_order(database, new)
        except DatabaseUnavailable as error:
            if "busy" not in str(error):
                raise
    raise AssertionError(f"{new.command_id}: no connection was free, {TRIES} times")


async def main(url: str, part: int) -> None:
    database = Database(url, Cipher(["a key for tests"]))
    first = 25 * (part // 2)
    orders = [
        NewOrder(command_id=f"p{part}-{call}", call_id=f"a-{call}", at=AT, source="declined")
        for call in range(first, first + 25)
    ]
    made = await asyncio.gather(*(make_at_last(database, order) for order in orders))
    await database.close()
    print(json.dumps([order.number for order in made]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
