"""The parts of one machine as processes: which there are with these settings, and how each shows that it is ready."""

import asyncio
import sys
from pathlib import Path

import httpx

from cli.supervisor import Part
from config.embedded_redis import answers, find_server, server_argv
from config.settings import Settings
from telephony.asterisk.install import AsteriskProgram
from telephony.asterisk.pbx_config import render

#: A question whether something is ready is asked again soon: it must not hang.
ASK_WITHIN_S = 2.0

#: Loading a large append-only file takes time.
REDIS_READY_WITHIN_S = 120.0
ASTERISK_READY_WITHIN_S = 30.0
API_READY_WITHIN_S = 30.0

#: Our own processes in the order of their start; the API first, so that /readyz tells about the others.
COMMANDS = ("api", "bridge", "worker", "cron")


def redis_part(settings: Settings) -> Part | None:
    """The embedded server; None when there is no server to start."""
    server = find_server()
    if server is None:
        return None
    port = settings.effective_redis_port

    async def is_ready() -> bool:
        return await asyncio.to_thread(answers, port)

    argv = tuple(server_argv(server, settings.state_dir / "redis", port))
    return Part("redis", argv, is_ready=is_ready, ready_within_s=REDIS_READY_WITHIN_S)


def asterisk_part(settings: Settings, program: AsteriskProgram) -> Part:
    """Asterisk with a configuration rendered now. Raises ValueError for a setting that cannot be written into it."""
    files = render(settings, settings.state_dir / "asterisk", program)

    async def is_ready() -> bool:
        return await manager_greets("127.0.0.1", settings.effective_ami_port)

    argv = (*program.argv, "-f", "-C", str(files.conf))
    return Part("asterisk", argv, env=program.env, is_ready=is_ready, ready_within_s=ASTERISK_READY_WITHIN_S)


def own_parts(settings: Settings) -> list[Part]:
    """`hotline api`, `bridge`, `worker`, `cron`; no bridge where no Asterisk is wanted. With a cloud phone its recordings are
    fetched by a worker of its own, so that nothing else waits for them."""
    wanted: dict[str, tuple[str, ...]] = {name: (name,) for name in COMMANDS if name != "bridge" or settings.asterisk != "off"}
    if settings.twilio_account_sid:
        wanted |= {"worker": ("worker", "--only", "quick"), "fetcher": ("worker", "--only", "slow")}

    async def api_answers() -> bool:
        return (await ask(f"{local_url(settings)}/healthz")) is not None

    return [
        Part(
            name,
            (*hotline_argv(), *command),
            is_ready=api_answers if name == "api" else None,
            ready_within_s=API_READY_WITHIN_S,
        )
        for name, command in wanted.items()
    ]


def hotline_argv() -> tuple[str, ...]:
    """How to start ourselves, so that the process list says `hotline bridge`."""
    script = Path(sys.executable).with_name("hotline")
    return (sys.executable, str(script)) if script.exists() else (sys.executable, "-m", "cli.main")


def local_url(settings: Settings) -> str:
    """Where the API is reached from this machine, also when it listens on every address."""
    host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::", "") else settings.http_host
    return f"{settings.scheme}://{host}:{settings.http_port}"


async def ask(url: str) -> httpx.Response | None:
    """The answer, whatever its status; None when nobody answers. Nothing secret is sent or believed, and on this machine a
    certificate has another name: it is not checked."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ASK_WITHIN_S, verify=False) as client:  # noqa: S501
            return await client.get(url)
    except httpx.TransportError:
        return None


async def manager_greets(host: str, port: int) -> bool:
    """True when an Asterisk manager interface says who it is there."""
    try:
        async with asyncio.timeout(ASK_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                return (await reader.readline()).startswith(b"Asterisk Call Manager")
            finally:
                writer.close()
    except OSError:  # a time-out is one too
        return False
