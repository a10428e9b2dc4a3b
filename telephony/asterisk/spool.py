"""Messages that the dialplan recorded for callers whom no bridge served. They become recordings like any other."""

import os
from pathlib import Path

from msgspec import Struct

WAV_HEADER, WAV_BYTES_PER_S = 44, 16000


class Message(Struct, frozen=True):
    """A spooled message, now among the recordings. `name` without folder or extension."""

    name: str
    seconds: float


class Spool:
    """One folder of `<call id>.wav`. A file is complete when its call is over."""

    def __init__(self, folder: Path, recordings: Path) -> None:
        self._folder, self._recordings = folder, recordings

    def take(self, call_id: str) -> Message | None:
        """Move the call's message to the recordings; None when there is none. Repeatable: a message that was moved
        before (and perhaps not yet ordered) is found again."""
        name = f"{call_id}-fallback"
        spooled, moved = self._folder / f"{call_id}.wav", self._recordings / f"{name}.wav"
        if spooled.is_file():
            self._recordings.mkdir(parents=True, exist_ok=True)
            os.replace(spooled, moved)
        if not moved.is_file():
            return None
        return Message(name, max(0.0, (moved.stat().st_size - WAV_HEADER) / WAV_BYTES_PER_S))
