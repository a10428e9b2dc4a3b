"""Carries SIP between one browser and Asterisk's websocket until one of them goes, or the browser may no longer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from api.phone.sip import LONGEST, SipRefused, Stamp, admit

SUBPROTOCOL = "sip"
#: Between two looks whether the browser may still be connected.
LOOK_EVERY_S = 10.0
#: Messages a browser may send at once, and a second. A call is set up with six; a key pressed is one.
BURST, RATE = 60.0, 20.0
OPENS_WITHIN_S = 3.0
#: Close codes, read by phone.js: Asterisk is away, no longer allowed, said what it must not.
AWAY, OVER, REFUSED = 1013, 4401, 1008

_log = structlog.get_logger("api.phone")


async def relay(browser: WebSocket, place: tuple[str, int], stamp: Stamp, still: Callable[[], Awaitable[bool]]) -> None:
    """Accepts the browser's connection once Asterisk took ours. `still` is asked now and then: False ends it."""
    host, port = place
    try:
        connecting = connect(
            f"ws://{host}:{port}/ws", subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None, compression=None,
            open_timeout=OPENS_WITHIN_S, close_timeout=1, max_size=4 * LONGEST, user_agent_header=None,
        )  # fmt: skip
        asterisk = await connecting
    except (OSError, TimeoutError, WebSocketException):
        # Accepted first: a browser is told nothing of the reason of a refusal.
        await browser.accept(subprotocol=SUBPROTOCOL)
        await browser.close(AWAY)
        return
    await browser.accept(subprotocol=SUBPROTOCOL)
    async with asterisk:
        code = await _first_of(
            _from_browser(browser, asterisk, stamp), _from_asterisk(browser, asterisk), _watch(still)
        )
    with suppress(RuntimeError, WebSocketDisconnect):
        await browser.close(code)


async def _first_of(*ways: Awaitable[int]) -> int:
    """The close code of the way that ended first; the others are stopped."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _from_browser(browser: WebSocket, asterisk: ClientConnection, stamp: Stamp) -> int:
    bucket, last = BURST, asyncio.get_running_loop().time()
    try:
        while True:
            said = await browser.receive_text()
            now = asyncio.get_running_loop().time()
            bucket, last = min(BURST, bucket + (now - last) * RATE) - 1, now
            if bucket < 0:
                raise SipRefused("too fast")
            if message := admit(said, stamp):
                await asterisk.send(message)
    except (WebSocketDisconnect, KeyError):
        return 1000
    except ConnectionClosed:
        return AWAY
    except SipRefused as refused:
        _log.warning("a browser phone was refused", reason=str(refused))
        return REFUSED


async def _from_asterisk(browser: WebSocket, asterisk: ClientConnection) -> int:
    try:
        async for said in asterisk:
            await browser.send_text(said if isinstance(said, str) else said.decode("utf-8", errors="replace"))
    except (WebSocketDisconnect, RuntimeError):
        return 1000
    except ConnectionClosed:
        return AWAY
    return AWAY


async def _watch(still: Callable[[], Awaitable[bool]]) -> int:
    never = asyncio.Event()
    while await still():
        with suppress(TimeoutError):
            await asyncio.wait_for(never.wait(), LOOK_EVERY_S)
    return OVER
