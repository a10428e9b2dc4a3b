"""Links to recordings: each for one person, for a few minutes."""

import secrets
from hashlib import sha256
from pathlib import Path

from calls.assembly import Core
from workorders.register import recording

LINK_S = 300


class RecordingLinks:
    """Kept in Redis by their digest."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def issue(self, recording_id: str, account_id: str) -> str:
        """The token of a new link."""
        token = secrets.token_urlsafe(24)
        await self._core.redis.set(self._key(token), f"{account_id} {recording_id}", ex=LINK_S)
        return token

    async def find(self, token: str, account_id: str) -> Path | None:
        """The file, while the link works and for the person it was made for."""
        owner, _, recording_id = str(await self._core.redis.get(self._key(token)) or "").partition(" ")
        if not recording_id or owner != account_id:
            return None
        found = await recording(self._core.database, recording_id)
        folder = self._core.settings.recordings.resolve()
        path = (folder / found.path).resolve() if found else folder
        return path if path.is_relative_to(folder) and path.is_file() else None

    def _key(self, token: str) -> str:
        return f"{self._core.settings.redis_prefix}listen:{sha256(token.encode()).hexdigest()}"
