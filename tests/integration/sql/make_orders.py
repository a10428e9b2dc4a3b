"""One of several processes that make orders at once. Arguments: database URL, which quarter. Prints the numbers as JSON."""

import asyncio
import json
import sys

from config.database import Database
from config.privacy import Cipher
from workorders.intake import NewOrder, make_order

AT = 1_763_769_600.0


async def main(url: str, part: int) -> None:
    database = Database(url, Cipher(["a key for tests"]))
    first = 25 * (part // 2)
    orders = [
        NewOrder(command_id=f"p{part}-{call}", call_id=f"a-{call}", at=AT, source="declined")
        for call in range(first, first + 25)
    ]
    made = await asyncio.gather(*(make_order(database, order) for order in orders))
    await database.close()
    print(json.dumps([order.number for order in made]))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
