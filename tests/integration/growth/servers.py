"""Several Redis or Valkey servers that belong together: a Cluster of three, a master with a replica and three sentinels."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import redis

from config.embedded_redis import find_server, wait_until_it_answers
from tests.servers import STARTS_WITHIN_S, RedisServer, free_port, redis_server
from tests.waiting import until_now

SLOTS = 16384
NODES = 3
#: A master that is silent for so many milliseconds is down.
DOWN_AFTER_MS = 1500
FAILOVER_WITHIN_S = 30.0
SERVICE = "line"


@contextmanager
def cluster(folder: Path) -> Iterator[list[RedisServer]]:
    """Three nodes, a third of the slots each, all of one mind."""
    with ExitStack() as stack:
        nodes = []
        for n in range(NODES):
            bus = str(free_port())
            options = ("--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000")
            node = stack.enter_context(redis_server(folder / f"node{n}", *options))
            nodes.append((node, bus))
        for n, (node, bus) in enumerate(nodes):
            _ask(node.port, "CLUSTER", "ADDSLOTSRANGE", str(n * SLOTS // NODES), str((n + 1) * SLOTS // NODES - 1))
            if n:
                _ask(nodes[0][0].port, "CLUSTER", "MEET", "127.0.0.1", str(node.port), bus)
        for node, _ in nodes:
            until_now(partial(_agrees, node), STARTS_WITHIN_S)
        yield [node for node, _ in nodes]


def _ask(port: int, *words: str) -> Any:
    """One command. redis-py has no types for this."""
    connection: Any = redis.Redis(port=port, decode_responses=True)
    try:
        return connection.execute_command(*words)
    finally:
        connection.close()


def _agrees(node: RedisServer) -> bool:
    state = str(_ask(node.port, "CLUSTER", "INFO")).split()
    return "cluster_state:ok" in state and f"cluster_known_nodes:{NODES}" in state


class Watched:
    """A master and its replica under three sentinels."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.master = stack.enter_context(redis_server(folder / "master"))
        self.replica = stack.enter_context(
            redis_server(folder / "replica", "--replicaof", "127.0.0.1", str(self.master.port))
        )
        self.sentinels = [self._sentinel(folder / f"sentinel{n}", stack) for n in range(3)]
        until_now(self._replicates, STARTS_WITHIN_S)
        until_now(self._agree, STARTS_WITHIN_S)

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def _sentinel(self, folder: Path, stack: ExitStack) -> int:
        folder.mkdir()
        port = free_port()
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.master.port} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {SERVICE} 5000\n"
        )
        argv = [str(find_server()), str(settings), "--sentinel"]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)
        wait_until_it_answers(port, STARTS_WITHIN_S)
        return port

    def cut_replica(self) -> None:
        """What is written from now on reaches the master alone. Sentinel takes such a replica for ten times the time after which
        the master is down."""
        _ask(self.replica.port, "CONFIG", "SET", "masterauth", "of-nobody")
        _ask(self.replica.port, "CLIENT", "KILL", "TYPE", "master")
        until_now(lambda: not self._replicates(), STARTS_WITHIN_S)

    def misses_master(self) -> bool:
        """A sentinel has noticed that the master is away."""
        return "down" in str(_ask(self.sentinels[0], "SENTINEL", "MASTER", SERVICE)["flags"])

    def _replicates(self) -> bool:
        connection = redis.Redis(port=self.replica.port, decode_responses=True)
        up = connection.info("replication").get("master_link_status") == "up"
        connection.close()
        return up

    def _agree(self) -> bool:
        """Every sentinel knows the replica and the two others."""
        known = []
        for port in self.sentinels:
            state = _ask(port, "SENTINEL", "MASTER", SERVICE)
            known.append((state["num-slaves"], state["num-other-sentinels"]))
        return all((int(replicas), int(others)) == (1, 2) for replicas, others in known)


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        yield Watched(folder, stack)
