"""A sipp process as a phone: free ports, start, stop, and what it complained about."""

import random
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.native import Program

#: RTP ports of demonstration phones, away from Asterisk's own (SIP port + 5000 and up).
MEDIA_FIRST, MEDIA_LAST = 22_000, 30_000
STOP_S = 3.0


def free_port() -> int:
    """A UDP port of the loopback that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Somebody listens there by UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def media_port() -> int:
    """Where RTP ports of a phone begin; random, so that two demonstrations seldom meet."""
    return random.randrange(MEDIA_FIRST, MEDIA_LAST, 4)  # noqa: S311 - a port, not a secret


@contextmanager
def running(program: Program, argv: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The phone while it runs. In a group of its own: Ctrl-C reaches us, and we stop it."""
    phone = subprocess.Popen(
        argv, cwd=folder, env=program.environment(), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield phone
    finally:
        if phone.poll() is None:
            phone.terminate()
            try:
                phone.wait(STOP_S)
            except subprocess.TimeoutExpired:
                phone.kill()
                phone.wait()
