"""A client that costs next to nothing: requests made beforehand, over connections that stay open."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode


@dataclass(slots=True)
class Answered:
    """Seconds from when a request was due to its whole answer, and answers that were not 200."""

    taken: list[float] = field(default_factory=list)
    refused: int = 0


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def send(self, request: bytes) -> int:
        """The status, once the whole answer is there."""
        return (await self.fetch(request))[0]

    async def fetch(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)


def post(path: str, form: Sequence[tuple[str, str]], signature: str, token: str = "") -> bytes:
    """One request as it goes over the wire. `token`: the cloud's mark of a repetition."""
    body = urlencode(form).encode()
    head = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/x-www-form-urlencoded",
        f"X-Twilio-Signature: {signature}",
        f"Content-Length: {len(body)}",
        *([f"I-Twilio-Idempotency-Token: {token}"] if token else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


async def at_rate(port: int, requests: Sequence[bytes], per_s: float, connections: int = 24) -> Answered:
    """One request after the other at a fixed rate, whether or not earlier ones were answered."""
    answered = Answered()
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()

    async def serve(connection: Connection) -> None:
        while (item := await due.get()) is not None:
            at, request = item
            status = await connection.send(request)
            answered.taken.append(time.perf_counter() - at)
            answered.refused += status != 200

    async def one() -> None:
        async with Connection(port) as connection:
            await serve(connection)

    serving = [asyncio.create_task(one()) for _ in range(connections)]
    begun = time.perf_counter()
    for n, request in enumerate(requests):
        at = begun + n / per_s
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        due.put_nowait((at, request))
    for _ in serving:
        due.put_nowait(None)
    await asyncio.gather(*serving)
    return answered


async def as_fast_as_possible(port: int, requests: Sequence[bytes], seconds: float, connections: int) -> float:
    """Answers a second; each connection sends the next request when the last one is answered. Raises RuntimeError for refusals."""
    waiting, done = iter(requests), 0
    begun = time.perf_counter()

    async def one() -> None:
        nonlocal done
        async with Connection(port) as connection:
            for request in waiting:
                if time.perf_counter() - begun > seconds:
                    return
                if await connection.send(request) != 200:
                    raise RuntimeError("a webhook was refused")
                done += 1

    await asyncio.gather(*(one() for _ in range(connections)))
    return done / (time.perf_counter() - begun)
