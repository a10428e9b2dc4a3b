"""Links to recordings: each for one person, for a few minutes."""

import secrets
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from calls.assembly import Core
from config.ids import new_id
from config.lease import is_first
from workorders.register import recording

LINK_S = 300


class Link(Struct, frozen=True):
    """Who may listen to what, and why they said they would."""

    account_id: str
    order_id: str
    recording_id: str
    reason: str


class RecordingLinks:
    """Kept in Redis by their digest."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def issue(self, link: Link) -> str:
        """The token of a new link."""
        token = secrets.token_urlsafe(24)
        await self._core.redis.set(self._key(token), msgspec.json.encode(link).decode(), ex=LINK_S)
        return token

    async def find(self, token: str, account_id: str) -> Link | None:
        """While it works, and for the person it was made for."""
        kept = await self._core.redis.get(self._key(token))
        link = msgspec.json.decode(kept, type=Link) if kept else None
        return link if link and link.account_id == account_id else None

    async def file(self, link: Link) -> Path | None:
        """The sound, where it is there."""
        found = await recording(self._core.database, link.recording_id)
        folder = self._core.settings.recordings.resolve()
        path = (folder / found.path).resolve() if found else folder
        return path if path.is_relative_to(folder) and path.is_file() else None

    async def is_first(self, token: str) -> bool:
        """Nobody has fetched it by this link yet."""
        return await is_first(self._core.redis, f"{self._key(token)}:heard", LINK_S, new_id())

    def _key(self, token: str) -> str:
        return f"{self._core.settings.redis_prefix}listen:{sha256(token.encode()).hexdigest()}"
