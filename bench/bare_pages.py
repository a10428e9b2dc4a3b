"""`python -m bench.bare_pages PORT REDIS_URL CHANNEL BYTES`: passes every change on to its streams as a ready-made text of BYTES
bytes, and serves one page without anything. What fan-out and first paint of ours are held against."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from redis.asyncio import Redis
from starlette.responses import HTMLResponse, Response, StreamingResponse

PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>bare</title><main><h1>12345</h1><p>bare</p></main></html>"


class Fan:
    """The newest text, and who waits for it."""

    def __init__(self, size: int) -> None:
        self._filling, self._count = b"x" * size, 0
        self._body, self._newer = b"", asyncio.Event()

    async def follow(self, url: str, channel: str) -> None:
        redis = Redis.from_url(url)
        async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(channel)
            async for _ in pubsub.listen():
                self._count += 1
                self._body = b'event: live\ndata: data-depth="%d" %b\n\n' % (self._count, self._filling)
                self._newer, passed = asyncio.Event(), self._newer
                passed.set()

    async def stream(self) -> AsyncIterator[bytes]:
        yield b'event: live\ndata: data-depth="%d"\n\n' % self._count
        while True:
            await self._newer.wait()
            yield self._body


def create_app(url: str, channel: str, size: int) -> FastAPI:
    fan = Fan(size)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(fan.follow(url, channel))
        yield
        following.cancel()

    app = FastAPI(lifespan=live)

    @app.get("/board/stream")
    async def stream() -> Response:
        return StreamingResponse(fan.stream(), media_type="text/event-stream")

    @app.get("/")
    async def page() -> Response:
        return HTMLResponse(PAGE)

    @app.get("/healthz")
    async def healthz() -> Response:
        return Response("ok")

    return app


if __name__ == "__main__":
    port, url, channel, size = sys.argv[1:]
    uvicorn.run(create_app(url, channel, int(size)), port=int(port), access_log=False, log_level="warning")
