"""Ports for the phones and servers of one test, free when asked for."""

import itertools
import os
import socket

_blocks = itertools.count()
#: Each test process has its own stretch, below the range from which the kernel takes ports by itself.
_FIRST, _STRETCHES, _PER_PROCESS = 17500, 20, 700


def free_block(count: int) -> int:
    """The first of `count` consecutive ports that are free on loopback, for UDP and TCP."""
    stretch = _FIRST + (os.getpid() % _STRETCHES) * _PER_PROCESS
    for _ in range(200):
        first = stretch + next(_blocks) * count % (_PER_PROCESS - count)
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
