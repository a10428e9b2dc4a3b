"""Messages that the dialplan recorded for callers whom no bridge served. They become part of the call's recording, or a
recording of their own when that one is settled already."""

import shutil
import wave
from pathlib import Path

#: 16-bit mono at 8 kHz, as Asterisk writes it.
WAV_HEADER, WAV_BYTES_PER_S = 44, 16000


def seconds_of(path: Path) -> float:
    """Length by size: a header that was never finished does not matter. 0.0 when there is no file."""
    return max(0.0, (path.stat().st_size - WAV_HEADER) / WAV_BYTES_PER_S) if path.is_file() else 0.0


class Spool:
    """One folder. A message is complete when its call is over. Blocks for the time of copying it.

    `<call id>.wav` is as the dialplan left it, `.taken` on its way into a recording, `.joined` that recording with the message
    behind it, `.late` what its call's order does not know of yet. `.draft` is nothing.
    """

    def __init__(self, folder: Path, recordings: Path) -> None:
        self._folder, self._recordings = folder, recordings

    def holds(self, call_id: str) -> bool:
        """There is a message of this call that nobody has taken to its end."""
        return any(self._file(call_id, kind).is_file() for kind in ("wav", "taken", "joined"))

    def take(self, call_id: str, name: str) -> float:
        """Put the message behind what the recording `name` holds already; the seconds it has now. Repeatable: a crash at any
        point leaves every second once, here or there."""
        target = self._recordings / f"{name}.wav"
        taken, joined = self._file(call_id, "taken"), self._file(call_id, "joined")
        self._recordings.mkdir(parents=True, exist_ok=True)
        self._finish(taken, joined, target)
        if (spooled := self._file(call_id, "wav")).is_file():
            spooled.replace(taken)
            self._finish(taken, joined, target)
        return seconds_of(target)

    def set_aside(self, call_id: str) -> None:
        """The message is to be a recording of its own. Repeatable."""
        for kind in ("wav", "taken"):
            if (file := self._file(call_id, kind)).is_file():
                file.replace(self._file(call_id, "late"))

    def late(self) -> list[str]:
        """Ids of the calls whose messages were set aside."""
        return sorted(file.stem for file in self._folder.glob("*.late"))

    def give_late(self, call_id: str, name: str) -> None:
        """The message that was set aside is the recording `name` as well. Repeatable."""
        self._recordings.mkdir(parents=True, exist_ok=True)
        target = self._recordings / f"{name}.wav"
        if not target.is_file():
            shutil.copyfile(self._file(call_id, "late"), draft := self._file(call_id, "draft"))
            draft.replace(target)

    def forget_late(self, call_id: str) -> None:
        """Its order knows the recording, and somebody finishes it. Repeatable."""
        self._file(call_id, "late").unlink(missing_ok=True)

    def _finish(self, taken: Path, joined: Path, target: Path) -> None:
        """From wherever it was left. Once `joined` is there it holds both, and `taken` nothing that it does not."""
        if not joined.is_file() and taken.is_file():
            if seconds_of(target) <= 0:
                taken.replace(target)
                return
            _join(target, taken, joined)
        if joined.is_file():
            taken.unlink(missing_ok=True)
            joined.replace(target)

    def _file(self, call_id: str, kind: str) -> Path:
        return self._folder / f"{call_id}.{kind}"


def _join(first: Path, second: Path, joined: Path) -> None:
    """Both, one after the other. `joined` is whole or not there."""
    draft = joined.with_suffix(".draft")
    with wave.open(str(draft), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        for path in (first, second):
            out.writeframes(path.read_bytes()[WAV_HEADER:])
    draft.replace(joined)
