"""Ports for the phones and servers of one test, free when asked for."""

import os
import socket

#: Each test process has its own stretch, below the range from which the kernel takes ports by itself.
_FIRST, _STRETCHES, _PER_PROCESS = 17500, 10, 1400
_given = 0


def free_block(count: int) -> int:
    """The first of `count` consecutive ports that are free on loopback, for UDP and TCP.

    Blocks follow each other: a server's RTP ports are free to look at until its first call.
    """
    global _given  # noqa: PLW0603 - what was given out is known to this process as a whole
    stretch = _FIRST + (os.getpid() % _STRETCHES) * _PER_PROCESS
    for _ in range(200):
        if _given + count > _PER_PROCESS:
            _given = 0
        first, _given = stretch + _given, _given + count
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise RuntimeError("no free ports on loopback")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
