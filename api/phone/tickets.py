"""Tickets for the websocket of a browser phone: each opens one connection, soon, and by the browser that asked for it."""

import secrets
from hashlib import sha256

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from config.settings import Settings

#: A page opens its websocket at once; a slow network may need some seconds.
VALID_S = 30


class Ticket(Struct, frozen=True):
    """What a connection may do. It holds no secret of Asterisk."""

    #: Name of the handset, telephony.asterisk.web_phone.
    handset: str
    #: The number from which a citizen calls; empty for leaders and operators.
    number: str = ""
    #: Who is signed in; the connection lives as long as this login. Empty for citizens.
    account_id: str = ""
    #: The seat that the handset belongs to, as long as its line says so.
    seat_id: str = ""


class Tickets:
    """Only digests are in Redis."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis, self._prefix = redis, settings.redis_prefix

    async def issue(self, ticket: Ticket) -> str:
        """The value that the browser shows when it connects, within VALID_S."""
        value = secrets.token_urlsafe(32)
        await self._redis.set(self._key(value), msgspec.json.encode(ticket).decode(), ex=VALID_S)
        return value

    async def use(self, value: str) -> Ticket | None:
        """The ticket, once. None when it was used, has expired, or never was."""
        found = await self._redis.getdel(self._key(value))
        return msgspec.json.decode(found, type=Ticket) if found else None

    def _key(self, value: str) -> str:
        return f"{self._prefix}phone-ticket:{sha256(value.encode()).hexdigest()}"
