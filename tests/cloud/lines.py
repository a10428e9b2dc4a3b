"""The cloud's connections to the application: many small pools, because one large pool is slow with many callers."""

import ssl
import zlib
from functools import lru_cache

import httpx

#: A pool looks through all of its connections for every request.
POOLS = 32
#: Less than any server keeps an idle connection, so that none is closed under our hands.
KEEP_S = 2.0


@lru_cache
def _trusted() -> ssl.SSLContext:
    """Read once a process: it takes as long as twenty requests."""
    return ssl.create_default_context()


class Lines:
    """HTTP clients, chosen by name: requests of one call share a pool."""

    def __init__(self) -> None:
        self._clients: dict[int, httpx.AsyncClient] = {}

    def line(self, name: str) -> httpx.AsyncClient:
        """The client for whatever is called `name`."""
        index = zlib.crc32(name.encode()) % POOLS
        if index not in self._clients:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=KEEP_S)
            self._clients[index] = httpx.AsyncClient(limits=limits, timeout=None, trust_env=False, verify=_trusted())
        return self._clients[index]

    async def close(self) -> None:
        """Disconnect."""
        for client in self._clients.values():
            await client.aclose()
