"""The embedded server, for real: what was written is there after kill -9."""

import signal
import socket
import subprocess
from pathlib import Path

from redis import Redis

from config.embedded_redis import answers, find_server, server_argv, wait_until_it_answers

READY_WITHIN_S = 10.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def start(directory: Path, port: int) -> subprocess.Popen[bytes]:
    server = find_server()
    assert server is not None
    running = subprocess.Popen(server_argv(server, directory, port), stdout=subprocess.DEVNULL)
    wait_until_it_answers(port, READY_WITHIN_S)
    return running


def test_a_write_that_was_answered_survives_kill_9(tmp_path: Path) -> None:
    port = free_port()
    first = start(tmp_path, port)
    with Redis(port=port) as connection:
        for number in range(100):
            connection.rpush("line", number)
    first.send_signal(signal.SIGKILL)
    first.wait(READY_WITHIN_S)
    assert not answers(port)
    second = start(tmp_path, port)
    with Redis(port=port) as connection:
        assert connection.llen("line") == 100
        assert connection.config_get("appendfsync") == {"appendfsync": "always"}
        assert connection.config_get("save") == {"save": ""}
    second.terminate()
    assert second.wait(READY_WITHIN_S) == 0


def test_another_service_on_the_port_does_not_count_as_redis() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not answers(other.getsockname()[1])
