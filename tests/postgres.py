"""A real PostgreSQL of our own for a test run: a cluster in a temporary directory, stopped and removed afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port

_PLACES = "/usr/lib/postgresql"
_START_WITHIN_S = "30"
_OPTIONS = "-c fsync=off -c max_connections=200 -c listen_addresses=127.0.0.1"


def programs() -> Path:
    """The directory of initdb and pg_ctl. A machine without them fails the tests: nothing is skipped."""
    found = sorted(Path(_PLACES).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True)
    if found:
        return found[0].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise RuntimeError("these tests need a PostgreSQL server: install the package `postgresql`")


@dataclass(frozen=True)
class PostgresServer:
    """One cluster of which a test may kill the server and start it again."""

    url: str
    _data: Path
    _log: Path
    _options: str
    _user: str | None

    def start(self) -> None:
        _run(
            self._user,
            "pg_ctl",
            "-D",
            self._data,
            "-l",
            self._log,
            "-o",
            self._options,
            "-w",
            "-t",
            _START_WITHIN_S,
            "start",
        )

    def kill(self) -> None:
        """As after a crash: nobody is waited for, the next start recovers."""
        _run(self._user, "pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Runs, with an empty database `postgres`: `postgresql+asyncpg://hotline@127.0.0.1:port/postgres`."""
    home, port = Path(tempfile.mkdtemp(prefix="hotline-pg-")), free_port()
    user, data = _owner(home), home / "data"
    _run(user, "initdb", "-D", data, "-U", "hotline", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    url = f"postgresql+asyncpg://hotline@127.0.0.1:{port}/postgres"
    server = PostgresServer(url, data, home / "server.log", f"{_OPTIONS} -p {port} -k {home}", user)
    try:
        server.start()
        yield server
    finally:
        if (data / "postmaster.pid").exists():
            server.kill()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def postgres_cluster() -> Iterator[str]:
    """The URL of one for tests that need no more."""
    with postgres_server() as server:
        yield server.url


def _owner(home: Path) -> str | None:
    """PostgreSQL refuses to run as root: another user gets the directory then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            shutil.chown(home, user=name)
        except LookupError:
            continue
        return name
    raise RuntimeError("PostgreSQL does not run as root, and there is no other user")


def _run(user: str | None, program: str, *arguments: object) -> None:
    command = [str(programs() / program), *map(str, arguments)]
    done = subprocess.run(
        command,
        user=user,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stdout[-2000:]}")
