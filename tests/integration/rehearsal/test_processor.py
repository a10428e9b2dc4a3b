"""A rehearsal and its Redis on one processor, and on all of them again."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rehearsal.processor import ours, together_with


@pytest.fixture
def server() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.communicate(b"\n")


def test_both_share_one_processor_and_have_all_of_them_again_afterwards(server: "subprocess.Popen[bytes]") -> None:
    before = ours()
    assert before == os.sched_getaffinity(0)
    with together_with(server.pid):
        assert len(ours()) == 1
        assert ours() <= before
        assert os.sched_getaffinity(server.pid) == ours()
    assert ours() == os.sched_getaffinity(server.pid) == before


def test_a_server_that_has_gone_is_no_fault() -> None:
    before = ours()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(ConnectionError), together_with(gone.pid):
        raise ConnectionError("the server has gone")
    assert ours() == before


def test_where_the_system_knows_no_such_thing_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "sched_setaffinity")
    with together_with(os.getpid()):
        assert ours() == set()
