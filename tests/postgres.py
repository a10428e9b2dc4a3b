"""A real PostgreSQL of our own for a test run: a cluster in a temporary directory, stopped and removed afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def postgres_cluster() -> Iterator[str]:
    """Yields the URL of its database `postgres`, `postgresql+asyncpg://hotline@127.0.0.1:port/postgres`."""
    home, port = Path(tempfile.mkdtemp(prefix="hotline-pg-")), free_port()
    user = _owner(home)
    data, log = home / "data", home / "server.log"
    _run(user, "initdb", "-D", data, "-U", "hotline", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    try:
        options = f"{_OPTIONS} -p {port} -k {home}"
        _run(user, "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", _START_WITHIN_S, "start")
        yield f"postgresql+asyncpg://hotline@127.0.0.1:{port}/postgres"
    finally:
        _run(user, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(home, ignore_errors=True)


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
