"""Ports for the phones and servers of one test, free when asked for."""

import fcntl
import os
import socket
import tempfile
from functools import lru_cache
from pathlib import Path

#: Each test process has two stretches of its own, below the range from which the kernel takes ports by itself: of phones and
#: servers, and of what phones speak over.
_PROCESSES = 10
_PHONES, _PHONES_EACH = 10_400, 700
_MEDIA, _MEDIA_EACH = 17_500, 1_400
#: Given out so far, by the beginning of the stretch.
_given: dict[int, int] = {}
#: Kept open: closing a file gives its lock back.
_held: list[object] = []


def free_block(count: int) -> int:
    """The first of `count` consecutive ports that are free on loopback, for UDP and TCP.

    Blocks follow each other: a server's RTP ports are free to look at until its first call.
    """
    return _next_block(_PHONES, _PHONES_EACH, count)


def media_block(calls: int) -> int:
    """The first RTP port of a load generator with so many calls at once, four ports each."""
    return _next_block(_MEDIA, _MEDIA_EACH, 4 * calls)


def _next_block(first: int, each: int, count: int) -> int:
    if count > each:
        raise ValueError(f"{count} ports: there are {each}")
    own = first + _turn_of(os.getpid()) * each
    for _ in range(200):
        at = _given.get(own, 0)
        if at + count > each:
            at = 0
        _given[own] = at + count
        if all(_is_free(port) for port in range(own + at, own + at + count)):
            return own + at
    raise RuntimeError("no free ports on loopback")


@lru_cache
def _turn_of(process: int) -> int:
    """Which stretches this process has for as long as it lives; no other process on this machine gets them."""
    for n in range(_PROCESSES):
        turn = (process + n) % _PROCESSES
        lock = (Path(tempfile.gettempdir()) / f"hotline-test-ports-{turn}").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        _held.append(lock)
        return turn
    raise RuntimeError(f"{_PROCESSES} test processes run already, and each needs ports of its own")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
