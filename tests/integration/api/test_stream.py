"""The line as server-sent events, from a real process over real connections."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import httpx

from calls.assembly import Core, build
from config.settings import Settings
from ivr.call import Call
from tests.integration.api.conftest import NUMBER, TOKEN, Process, plan
from tests.waiting import patient, until

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
#: A change reaches a page within this (p95 of the requirement); the deadline of a loaded test machine is longer.
SOON_S = 5.0


async def events(http: httpx.AsyncClient, last_id: str = "") -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
    """(name, id, document) of each event."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with http.stream("GET", "/api/line/stream", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        name, number = "", ""
        async for line in answer.aiter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                number = value
            elif field == "data":
                yield name, number, json.loads(value)


def client(process: Process) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=process.url, headers=HEADERS, timeout=20, trust_env=False)


async def join(core: Core, seat: str, call_id: str) -> None:
    await core.calls.create(Call(id=call_id, carrier="asterisk", started_at=1.0, number=NUMBER))
    await core.line.join(seat, call_id, core.clock(), 1)


@asynccontextmanager
async def following(http: httpx.AsyncClient) -> AsyncIterator[AsyncIterator[tuple[str, str, dict[str, Any]]]]:
    """A stream that is closed in the end, wherever it was left."""
    async with aclosing(events(http)) as stream:  # type: ignore[type-var]
        yield stream


async def next_with(stream: AsyncIterator[tuple[str, str, dict[str, Any]]], depth: int) -> tuple[str, str, dict[str, Any]]:
    async with asyncio.timeout(patient(SOON_S)):
        async for event in stream:
            if event[2]["depth"] == depth:
                return event
    raise AssertionError("the stream ended")


async def test_a_snapshot_comes_first_and_then_every_change(process: Process, api_settings: Settings) -> None:
    core = build(api_settings)
    async with client(process) as http, following(http) as stream:
        session = (await http.post("/api/sessions", json=plan())).json()
        seat = session["seats"][0]["id"]
        name, number, line = await anext(stream)
        assert (name, line["depth"], line["session"]["id"]) == ("snapshot", 0, session["id"])
        await join(core, seat, "a-pbx1-1-1")
        name, newer, line = await next_with(stream, 1)
        assert name == "change"
        assert int(newer) > int(number)
        assert line["callers"][0]["number"] == "138****5678"
        await http.post(f"/api/seats/{seat}/open")
        async with asyncio.timeout(patient(SOON_S)):
            assert (await anext(stream))[2]["seats"][0]["state"] == "free"
    await core.close()


async def test_many_changes_at_once_are_told_as_few_and_the_last_is_never_missed(process: Process, api_settings: Settings) -> None:
    core = build(api_settings)
    async with client(process) as http, following(http) as stream:
        seat = (await http.post("/api/sessions", json=plan())).json()["seats"][0]["id"]
        await anext(stream)
        await asyncio.gather(*(join(core, seat, f"a-pbx1-1-{n}") for n in range(50)))
        told = 0
        async with asyncio.timeout(patient(SOON_S)):
            async for _, _, line in stream:
                told += 1
                if line["depth"] == 50:
                    break
        assert told <= 20
    await core.close()


async def test_after_a_reconnect_the_snapshot_has_what_was_missed(process: Process, api_settings: Settings) -> None:
    core = build(api_settings)
    async with client(process) as http:
        seat = (await http.post("/api/sessions", json=plan())).json()["seats"][0]["id"]
        stream = events(http)
        _, number, _ = await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await join(core, seat, "a-pbx1-1-1")
        async with aclosing(events(http, last_id=number)) as again:  # type: ignore[type-var]
            name, newer, line = await anext(again)
        assert (name, line["depth"]) == ("snapshot", 1)
        assert int(newer) > int(number)
    await core.close()


async def test_streams_share_the_subscription_of_their_process(process: Process, api_settings: Settings) -> None:
    core = build(api_settings)
    async with client(process) as http, AsyncExitStack() as open_streams:
        seat = (await http.post("/api/sessions", json=plan())).json()["seats"][0]["id"]
        streams = [await open_streams.enter_async_context(following(http)) for _ in range(20)]
        for stream in streams:
            await anext(stream)
        subscribers = await core.redis.pubsub_numsub(f"{api_settings.redis_prefix}changes")
        assert subscribers[0][1] == 1, "however many look on, and at whatever"
        await join(core, seat, "a-pbx1-1-1")
        for stream in streams:
            await next_with(stream, 1)
    await core.close()


async def test_a_process_that_stops_ends_its_streams_at_once(process: Process) -> None:
    async with client(process) as http, following(http) as stream:
        await anext(stream)
        process.part.terminate()
        async with asyncio.timeout(patient(SOON_S)):
            async for _ in stream:
                continue
    await until(lambda: process.part.poll() is not None, SOON_S, "the process ended")
    assert process.part.poll() in (0, -signal.SIGTERM)
