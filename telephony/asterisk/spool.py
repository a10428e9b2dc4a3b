"""Messages that the dialplan recorded for callers whom no bridge served. They become part of the call's recording."""

import wave
from pathlib import Path

#: 16-bit mono at 8 kHz, as Asterisk writes it.
WAV_HEADER, WAV_BYTES_PER_S = 44, 16000


def seconds_of(path: Path) -> float:
    """Length by size: a header that was never finished does not matter. 0.0 when there is no file."""
    return max(0.0, (path.stat().st_size - WAV_HEADER) / WAV_BYTES_PER_S) if path.is_file() else 0.0


class Spool:
    """One folder of `<call id>.wav`. A file is complete when its call is over."""

    def __init__(self, folder: Path, recordings: Path) -> None:
        self._folder, self._recordings = folder, recordings

    def holds(self, call_id: str) -> bool:
        """There is a message of this call that nobody has taken."""
        return self._file(call_id).is_file()

    def take(self, call_id: str, name: str) -> float:
        """Put the message behind what the recording `name` holds already; the seconds it has now. Repeatable: after a
        crash in between, the message is either still here or there."""
        spooled, target = self._file(call_id), self._recordings / f"{name}.wav"
        if spooled.is_file():
            self._recordings.mkdir(parents=True, exist_ok=True)
            if seconds_of(target) > 0:
                _join(target, spooled)
            spooled.replace(target)
        return seconds_of(target)

    def _file(self, call_id: str) -> Path:
        return self._folder / f"{call_id}.wav"


def _join(first: Path, second: Path) -> None:
    """Both, one after the other, in place of `second`. What a crash leaves behind is never a half of either."""
    draft = second.with_suffix(".joined")
    with wave.open(str(draft), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        for path in (first, second):
            out.writeframes(path.read_bytes()[WAV_HEADER:])
    draft.replace(second)
