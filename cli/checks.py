"""What `hotline doctor` looks at, one function a subject. Looks only; changes nothing and starts nothing."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from cli.parts import ask, local_url, manager_greets
from cli.ports import taken_ports, wanted_ports
from config.database import Database, DatabaseUnavailable
from config.embedded_redis import find_server
from config.migrate import check as check_migrations
from config.native import find_program
from config.redis import connect, health
from config.settings import Settings
from telephony.asterisk.install import find_asterisk

#: "ok", "note" (works, but worth knowing), "missing" (something that is needed).
State = Literal["ok", "note", "missing"]

#: An hour of a talk at 8 kHz, 16 bit is 58 MB; a session of two hours with messages fits many times.
ENOUGH_DISK_BYTES = 2 * 1024**3

OLDEST_PYTHON = (3, 11)
INSTALL = "hotline doctor --install"
OTHERS_BITS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    subject: str
    state: State
    #: What there is.
    what: str
    #: What to do; empty when nothing is to be done.
    todo: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


async def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order of the table."""
    running = await ask(f"{local_url(settings)}/healthz") is not None
    return [
        check_python(),
        await check_redis(settings, running=running),
        await check_asterisk(settings),
        check_voice(),
        *check_phones(),
        await check_database(settings),
        *check_ports(settings, running=running),
        check_disk(settings),
        check_recordings(settings),
        *check_secrets(settings),
        await check_readiness(settings, running=running),
    ]


def check_python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", "missing", version, "Python 3.11+: apt-get install python3 python3-venv")
    return Finding("python", "ok", f"{version} {sys.executable}")


async def check_redis(settings: Settings, *, running: bool) -> Finding:
    if settings.redis_url or running:
        return await _check_redis_answers(settings)
    server = find_server()
    if server is None:
        return Finding("redis", "missing", "-", "apt-get install redis-server / HOTLINE_REDIS_URL")
    return Finding("redis", "ok", f"{server}, started by `hotline up`")


async def _check_redis_answers(settings: Settings) -> Finding:
    connection = connect(settings)
    try:
        condition = await health(connection)
    finally:
        await connection.aclose()
    where = "HOTLINE_REDIS_URL" if settings.redis_url else f"127.0.0.1:{settings.effective_redis_port}"
    if condition == "ok":
        return Finding("redis", "ok", f"{where} answers")
    return Finding("redis", "missing", f"{where}: {condition}", "start it, or correct HOTLINE_REDIS_URL")


async def check_asterisk(settings: Settings) -> Finding:
    match settings.asterisk:
        case "off":
            return Finding("asterisk", "note", "HOTLINE_ASTERISK=off: no telephone", "")
        case "external":
            where = f"{settings.ami_host}:{settings.effective_ami_port}"
            if await manager_greets(settings.ami_host, settings.effective_ami_port):
                return Finding("asterisk", "ok", f"manager interface at {where}")
            return Finding(
                "asterisk", "missing", f"no manager interface at {where}", "HOTLINE_AMI_HOST, HOTLINE_AMI_PORT"
            )
        case "auto":
            found = find_asterisk(settings)
            if found is None:
                return Finding("asterisk", "missing", "no Asterisk 20 or later", INSTALL)
            return Finding("asterisk", "ok", f"{found.version} ({'unpacked' if found.program.root else found.argv[0]})")


def check_voice() -> Finding:
    """Without a voice only recorded prompts can be heard."""
    return _program("espeak-ng", needed=True, purpose="speaks the prompts")


def check_phones() -> Iterator[Finding]:
    """Wanted for demonstrations and tests only."""
    yield _program("sipp", needed=False, purpose="tests, bench")
    yield _program("baresip", needed=False, purpose="hotline dial")


def _program(name: str, *, needed: bool, purpose: str) -> Finding:
    program = find_program(name)
    if program is None:
        return Finding(name, "missing" if needed else "note", f"- ({purpose})", INSTALL)
    return Finding(name, "ok", "unpacked" if program.root else program.argv[0])


async def check_database(settings: Settings) -> Finding:
    kind = "PostgreSQL" if "postgres" in settings.effective_database_url.partition(":")[0] else "SQLite"
    if kind == "SQLite" and not settings.database_url and not (settings.state_dir / "hotline.db").exists():
        return Finding("database", "ok", "SQLite, made by `hotline up`")
    try:
        await _check_tables(settings)
    except DatabaseUnavailable as reason:
        return Finding(
            "database", "missing", str(reason), "HOTLINE_DATABASE_URL; `hotline up` brings the tables up to date"
        )
    return Finding("database", "ok", f"{kind}, tables up to date")


async def _check_tables(settings: Settings) -> None:
    database = Database(settings.effective_database_url)
    try:
        await check_migrations(database)
    finally:
        await database.close()


def check_ports(settings: Settings, *, running: bool) -> Iterator[Finding]:
    """When our own instance runs, its ports are taken by right."""
    if running:
        yield Finding("ports", "ok", f"an instance answers at {local_url(settings)}")
        return
    wanted = wanted_ports(settings, with_asterisk=settings.asterisk == "auto")
    taken = taken_ports(wanted)
    for port in taken:
        yield Finding("ports", "missing", f"{port.transport} {port.number} ({port.purpose}) is taken", port.setting)
    if not taken:
        yield Finding("ports", "ok", ", ".join(sorted({f"{port.transport} {port.number}" for port in wanted})))


def check_disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_existing(settings.recordings)).free
    what = f"{free / 1024**3:.1f} GB free"
    if free < ENOUGH_DISK_BYTES:
        return Finding("disk", "missing", what, f"free some: recordings need room ({settings.recordings})")
    return Finding("disk", "ok", what)


def check_recordings(settings: Settings) -> Finding:
    folder = _existing(settings.recordings)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("recordings", "missing", f"{folder} cannot be written", "chown / HOTLINE_RECORDINGS_DIR")
    return Finding("recordings", "ok", str(settings.recordings))


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Secrets and data that others on this machine can read are no secrets."""
    folder = settings.state_dir / "secrets"
    if not folder.exists():
        yield Finding("secrets", "ok", "made by `hotline up`")
        return
    open_to_others = [path for path in (folder, *folder.iterdir()) if path.stat().st_mode & OTHERS_BITS]
    for path in open_to_others:
        yield Finding("secrets", "missing", f"{path} can be read by others", f"chmod go= {path}")
    if not open_to_others:
        yield Finding("secrets", "ok", f"{folder}, readable by us alone")


async def check_readiness(settings: Settings, *, running: bool) -> Finding:
    if not running:
        return Finding("running", "note", f"nothing answers at {local_url(settings)}", "hotline up")
    answer = await ask(f"{local_url(settings)}/readyz")
    if answer is None or not answer.is_success:
        return Finding(
            "running", "missing", f"/readyz: {answer.text if answer is not None else '-'}", "see the lines above"
        )
    return Finding("running", "ok", f"/readyz: {answer.text}")


def _existing(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists already."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
