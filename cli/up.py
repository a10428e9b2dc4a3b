"""`hotline up`: everything on one machine. Starts what is missing, tells how to call, stops it all again."""

import asyncio
import fcntl
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from cli.account import first_link
from cli.native import install
from cli.parts import ask, asterisk_part, hotline_argv, local_url, own_parts, redis_part
from cli.platform_messages import sentence
from cli.ports import taken_ports, wanted_ports
from cli.processes import stop_leftovers
from cli.supervisor import Part, PartFailed, Supervisor, until_told_to_stop
from config.database import Database, DatabaseUnavailable
from config.migrate import bring_up
from config.secrets import secret
from config.settings import Settings
from telephony.asterisk.install import AsteriskProgram, find_asterisk
from telephony.sounds import prepare_first
from telephony.speech import SpeechUnavailable

#: How long the parts may take to find each other before we say that they have not.
READY_WITHIN_S = 30.0
ASK_EVERY_S = 0.25

_COLOURS = {"redis": 35, "asterisk": 33, "api": 32, "bridge": 36, "worker": 34, "fetcher": 94, "cron": 37}


class CannotStart(Exception):
    """`hotline up` ends at once; the text is for the person who typed it."""


def run(settings: Settings) -> int:
    """Runs until Ctrl-C or SIGTERM; the exit code."""
    os.umask(0o077)  # recordings and secrets are ours alone
    try:
        with _only_instance(settings):
            return asyncio.run(_run(settings))
    except CannotStart as reason:
        print(reason, file=sys.stderr, flush=True)
        return 1


async def _run(settings: Settings) -> int:
    stop = asyncio.create_task(until_told_to_stop())
    await asyncio.sleep(0)  # its signal handlers are in place from here on
    print(sentence("starting", settings.language, path=settings.state_dir), flush=True)
    async with _supervised(settings) as supervisor:
        start = asyncio.create_task(_start(settings, supervisor))
        await asyncio.wait((start, stop), return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
            print(await _outcome(settings, stop), flush=True)
            await stop
        else:
            start.cancel()
            await asyncio.wait((start,))
        print(sentence("stopping", settings.language, signal=stop.result()), flush=True)
    print(sentence("stopped", settings.language), flush=True)
    return 0


@asynccontextmanager
async def _supervised(settings: Settings) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(settings.state_dir / "run", _say)
    try:
        yield supervisor
    finally:
        await supervisor.stop()


async def _start(settings: Settings, supervisor: Supervisor) -> None:
    """Starts every part in its order. Raises CannotStart."""
    asterisk = await asyncio.to_thread(_asterisk, settings)
    _check_ports(settings, with_asterisk=asterisk is not None)
    secret(settings, "admin_token")
    try:
        if not settings.redis_url:
            await supervisor.start(_redis(settings))
        await _migrate(settings)
        if asterisk is not None:
            await _make_sounds(settings)
            await supervisor.start(asterisk_part(settings, asterisk))
        for part in own_parts(settings):
            await supervisor.start(part)
    except (PartFailed, ValueError, OSError) as reason:
        raise CannotStart(sentence("failed", settings.language, detail=reason)) from reason


def _asterisk(settings: Settings) -> AsteriskProgram | None:
    """The Asterisk to start; fetched when it is missing and can be had."""
    if settings.asterisk != "auto":
        return None
    found = find_asterisk(settings) or (find_asterisk(settings) if install(["asterisk", "espeak-ng"]) else None)
    if found is None:
        command = " ".join((*hotline_argv()[-1:], "doctor", "--install"))
        print(sentence("no_asterisk", settings.language, command=command), file=sys.stderr, flush=True)
    return found


def _redis(settings: Settings) -> Part:
    part = redis_part(settings)
    if part is None:
        raise CannotStart(sentence("no_redis", settings.language))
    return part


def _check_ports(settings: Settings, *, with_asterisk: bool) -> None:
    taken = taken_ports(wanted_ports(settings, with_asterisk=with_asterisk))
    if taken:
        raise CannotStart("\n".join(sentence("port_taken", settings.language, **port.fields()) for port in taken))


async def _migrate(settings: Settings) -> None:
    database = Database.of(settings)
    try:
        await bring_up(database)
    except DatabaseUnavailable as reason:
        raise CannotStart(sentence("database", settings.language, detail=reason)) from reason
    finally:
        await database.close()


async def _make_sounds(settings: Settings) -> None:
    """Music and the sentences of the fallback. Without a voice there are calls all the same, with recorded prompts only."""
    try:
        await prepare_first(settings)
    except SpeechUnavailable as reason:
        print(sentence("no_voice", settings.language, detail=reason), file=sys.stderr, flush=True)


async def _outcome(settings: Settings, stop: "asyncio.Task[str]") -> str:
    """What to print once everything runs: how to call, or what is not ready."""
    detail = "/readyz"
    deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
    while asyncio.get_running_loop().time() < deadline and not stop.done():
        answer = await ask(f"{local_url(settings)}/readyz")
        if answer is not None and answer.is_success:
            return await _how_to_call(settings)
        detail = answer.text if answer is not None else detail
        await asyncio.wait((stop,), timeout=ASK_EVERY_S)
    return sentence("not_ready", settings.language, detail=detail)


async def _how_to_call(settings: Settings) -> str:
    page = await ask(local_url(settings))
    url = settings.effective_public_url
    console = ""
    if page is not None and not page.is_client_error:
        minutes = int(settings.link_valid_s // 60)
        console = sentence("console", settings.language, url=url, link=await first_link(settings), minutes=minutes)
    configured = settings.admin_token.get_secret_value()
    token = "HOTLINE_ADMIN_TOKEN" if configured else settings.state_dir / "secrets" / "admin_token"
    return sentence(
        "ready",
        settings.language,
        url=url,
        console=console,
        token=token,
        number=settings.service_number,
        sip=f"127.0.0.1:{settings.sip_port}",
    )


@contextmanager
def _only_instance(settings: Settings) -> Iterator[None]:
    """Holds the state directory, and stops what a killed run left in it."""
    folder: Path = settings.state_dir / "run"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / "up.lock").open("w")
    except OSError as reason:
        raise CannotStart(sentence("failed", settings.language, detail=reason)) from reason
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise CannotStart(sentence("already_running", settings.language, path=settings.state_dir)) from held
        if names := stop_leftovers(folder):
            print(sentence("leftovers", settings.language, names=", ".join(names)), flush=True)
        yield


def _say(name: str, line: str) -> None:
    """One line of a part, with its name before it; in colour on a terminal."""
    label = f"{name:>8} | "
    if sys.stdout.isatty():
        label = f"\033[{_COLOURS.get(name, 37)}m{label}\033[0m"
    print(f"{label}{line}", flush=True)
