"""Many callers of the cloud phone on hold: each follows the TwiML it is given, as far as holding needs it."""

import asyncio
import html
import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.http_client import Connection, post
from telephony.twilio.signature import Form, Signatures

_GATHER = re.compile(r'<Gather\b[^>]*\baction="([^"]+)"')
_REDIRECT = re.compile(r"<Redirect\b[^>]*>([^<]+)</Redirect>")
#: Connections that all callers share.
CONNECTIONS = 16


@dataclass(slots=True)
class CloudCaller:
    """One call at the cloud, and the URL (path and query) that it asks next when nothing is pressed."""

    form: list[tuple[str, str]]
    next_target: str = "/twilio/voice"


class CloudCallers:
    """`count` callers who arrive, press 1, and ask for more music once in `loop_s` each."""

    def __init__(self, signatures: Signatures, callers: list[CloudCaller], port: int) -> None:
        self._signatures, self._callers, self._port = signatures, callers, port

    async def join(self) -> int:
        """All of them, as fast as they are answered; how many are on hold then."""
        waiting = iter(self._callers)
        joined = 0

        async def some() -> None:
            nonlocal joined
            async with Connection(self._port) as connection:
                for caller in waiting:
                    said = await self._ask(connection, caller, caller.next_target)
                    keys = target_of(_GATHER, said)
                    if keys:
                        await self._ask(connection, caller, keys, ("Digits", "1"))
                        joined += bool(caller.next_target)

        await asyncio.gather(*(some() for _ in range(CONNECTIONS)))
        return joined

    async def hold(self, seconds: float, loop_s: float) -> int:
        """Everybody asks once in `loop_s`, evenly spread; how many webhooks were answered."""
        each = loop_s / len(self._callers)
        asked, begun = 0, time.perf_counter()

        async def some(first: int) -> None:
            nonlocal asked
            async with Connection(self._port) as connection:
                n = first
                while (at := begun + n * each) < begun + seconds:
                    await asyncio.sleep(max(0.0, at - time.perf_counter()))
                    caller = self._callers[n % len(self._callers)]
                    await self._ask(connection, caller, caller.next_target)
                    asked += 1
                    n += CONNECTIONS

        await asyncio.gather(*(some(first) for first in range(CONNECTIONS)))
        return asked

    async def _ask(self, connection: Connection, caller: CloudCaller, target: str, *more: tuple[str, str]) -> str:
        form = [*caller.form, *more]
        status, body = await connection.fetch(post(target, form, self._signatures.sign(target, Form(form))))
        if status != 200:
            raise RuntimeError(f"a webhook was answered with {status}")
        said = body.decode()
        caller.next_target = target_of(_REDIRECT, said) or caller.next_target
        return said


def target_of(pattern: re.Pattern[str], twiml: str) -> str:
    """Path and query of the last such URL in it, without the connection's overrides; empty when there is none."""
    found = pattern.findall(twiml)
    if not found:
        return ""
    url = urlsplit(html.unescape(found[-1]).strip())
    return f"{url.path}?{url.query}" if url.query else url.path
