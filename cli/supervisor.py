"""Runs parts as processes: starts them in order, restarts one that dies, forwards what they say, stops all at the end.

Knows nothing of what the parts are; `up.py` does.
"""

import asyncio
import contextlib
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.processes import forget, remember, signal_group

#: Pauses before a part that died is started again; the last one stays.
BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

#: A part that ran this long has recovered: its next death starts the pauses from the beginning.
RECOVERED_AFTER_S = 60.0

#: A part that dies this often before it was ever ready will not become ready by itself.
HOPELESS_AFTER = 3

#: How long we still listen to a part that has ended.
LAST_WORDS_S = 1.0

#: Longer lines of a part are cut into pieces of this many bytes.
LONGEST_LINE = 64 * 1024

#: How often a part that is starting is asked whether it is ready.
ASK_EVERY_S = 0.05

_ORDERS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

#: Takes (name of the part, one line of its output).
Say = Callable[[str, str], None]


class PartFailed(Exception):
    """A part did not become ready; the text says which and what it said last."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process: how it is started, and how we see that it is ready."""

    name: str
    argv: tuple[str, ...]
    #: Added to our own environment.
    env: dict[str, str] = field(default_factory=dict)
    #: Asked until true before the next part starts; None = ready at once.
    is_ready: Callable[[], Awaitable[bool]] | None = None
    ready_within_s: float = 20.0
    #: How long it may take to stop after SIGTERM.
    stop_within_s: float = 10.0


class Supervisor:
    """Holds the parts that run. `folder` keeps their process numbers for the next run, should we be killed."""

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder = folder
        self._say = say
        self._running: dict[str, _Running] = {}

    async def start(self, part: Part) -> None:
        """Starts a part and waits until it is ready. Raises PartFailed."""
        running = _Running(part, self._folder, self._say)
        self._running[part.name] = running
        running.keep_alive()
        await running.wait_until_ready()

    async def stop(self) -> None:
        """Stops every part, the last started first; returns when none is left."""
        for running in reversed(self._running.values()):
            await running.stop()
        self._running.clear()

    def pid(self, name: str) -> int | None:
        """The process number of a part at this moment."""
        running = self._running.get(name)
        return running.pid if running else None


class _Running:
    """One part from its first start to its stop, through all its deaths."""

    def __init__(self, part: Part, folder: Path, say: Say) -> None:
        self._part = part
        self._folder = folder
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._last_words: list[str] = []
        self._deaths = 0
        self._was_ready = False
        #: Not started again any more: told to stop, or it will never become ready.
        self._given_up = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    def keep_alive(self) -> None:
        self._keeper = asyncio.create_task(self._keep_alive(), name=f"keep {self._part.name} alive")

    async def _keep_alive(self) -> None:
        while True:
            began = time.monotonic()
            await self._run_once()
            if self._given_up.is_set():
                return
            self._deaths = 1 if time.monotonic() - began > RECOVERED_AFTER_S else self._deaths + 1
            if not self._was_ready and self._deaths >= HOPELESS_AFTER:
                self._given_up.set()
                return
            pause = BACK_OFF_S[min(self._deaths, len(BACK_OFF_S)) - 1]
            self._say(self._part.name, f"started again in {pause:g} s")
            await asyncio.sleep(pause)

    async def _run_once(self) -> None:
        try:
            self._process, output = await _spawn(self._part)
        except OSError as error:
            self._hear(f"cannot be started: {error.strerror or error}: {self._part.argv[0]}")
            return
        remember(self._folder, self._part.name, self._process.pid)
        forwarding = asyncio.create_task(_forward(output, self._hear))
        code = await self._process.wait()
        signal_group(
            self._process.pid, signal.SIGKILL
        )  # its children, if it left any: they must not work beside the next
        await asyncio.wait((forwarding,), timeout=LAST_WORDS_S)
        forwarding.cancel()
        forget(self._folder, self._part.name)
        self._say(self._part.name, f"ended ({_describe(code)})")

    def _hear(self, line: str) -> None:
        self._last_words = [*self._last_words[-4:], line]
        self._say(self._part.name, line)

    async def wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._part.ready_within_s
        while not await self._is_ready():
            if self._given_up.is_set() or time.monotonic() > deadline:
                raise PartFailed(
                    f"{self._part.name} did not start: {' / '.join(self._last_words) or 'it said nothing'}"
                )
            await asyncio.sleep(ASK_EVERY_S)
        self._was_ready = True

    async def _is_ready(self) -> bool:
        if self.pid is None:
            return False
        return True if self._part.is_ready is None else await self._part.is_ready()

    async def stop(self) -> None:
        if self._keeper is None:
            return
        self._given_up.set()
        process = self._process
        if process and process.returncode is None:
            process.terminate()  # its children are its own business, until it has ended
            try:
                await asyncio.wait_for(asyncio.shield(self._keeper), self._part.stop_within_s)
            except TimeoutError:
                self._say(self._part.name, f"did not stop within {self._part.stop_within_s:g} s: killed")
                signal_group(process.pid, signal.SIGKILL)
                await process.wait()
        self._keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeper
        forget(self._folder, self._part.name)


async def _spawn(part: Part) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
    """The process and what it says. A group of its own: Ctrl-C reaches only us, and a part stops with its children.

    The pipe is ours and not asyncio's, whose `wait` lasts until every child of a dead process has closed it as well.
    """
    reading, writing = os.pipe()
    output = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), os.fdopen(reading, "rb", buffering=0)
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *part.argv,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **part.env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    finally:
        os.close(writing)
    return process, output


async def _forward(output: asyncio.StreamReader, hear: Callable[[str], None]) -> None:
    """Passes on every line until the part closes its output; a line without end is cut, never kept."""
    while True:
        try:
            line = await output.readuntil(b"\n")
        except asyncio.IncompleteReadError as rest:
            line = rest.partial
            if not line:
                return
        except asyncio.LimitOverrunError as overrun:
            line = await output.readexactly(overrun.consumed)
        hear(_printable(line))


def _printable(line: bytes) -> str:
    """Without colours and other orders to the terminal: what callers send may end up in a part's output."""
    text = _ORDERS.sub("", line.decode("utf-8", "replace")).rstrip()
    return "".join(sign for sign in text if sign.isprintable() or sign == "\t")


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


async def until_told_to_stop(names: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)) -> str:
    """Waits for Ctrl-C or a signal to stop; its name."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def tell(which: signal.Signals) -> None:
        if not told.done():
            told.set_result(which.name)

    for which in names:
        asyncio.get_running_loop().add_signal_handler(which, tell, which)
    return await told
