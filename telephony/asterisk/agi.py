"""AGI commands as text and their results as values. Knows the protocol's quoting, nothing of connections or calls."""

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from telephony.errors import CarrierRefused

#: Asterisk hands DTMF to us as AMI events too; in AGI a key only stops what is playing.
ANY_KEY = "0123456789*#"
#: AMI cuts a line at 1024 bytes; what is longer would be run truncated.
LINE_MAX = 900
SAMPLES_PER_SECOND = 8000

_RESULT = re.compile(
    r"^(?P<code>\d{3})[ -]result=(?P<result>-?\w*)(?: \((?P<word>[^)]*)\))?(?: endpos=(?P<endpos>\d+))?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class AgiResult(Struct, frozen=True):
    """One `200 result=...` line. `endpos` in samples at 8 kHz; `word` is what stands in parentheses."""

    code: int
    result: str
    word: str = ""
    endpos: int = 0

    @property
    def hung_up(self) -> bool:
        """The channel went away, or was taken out of AGI, while the command ran."""
        return self.code == 511 or (self.result == "-1" and self.word in ("", "hangup"))

    @property
    def failed(self) -> bool:
        """Asterisk could not do it: a sound or a folder that is missing, a full disk."""
        return self.result == "-1" and not self.hung_up

    @property
    def seconds(self) -> float:
        return self.endpos / SAMPLES_PER_SECOND


def parse_result(line: str) -> AgiResult:
    """`AsyncAGIExec`'s Result header, URL-decoded. Raises CarrierRefused for a malformed command (510, 520)."""
    match = _RESULT.match(line.strip())
    if match is None:
        if line.startswith("511"):
            return AgiResult(511, "-1")
        raise CarrierRefused(f"Asterisk refused an AGI command: {line.strip()[:60]!r}")
    return AgiResult(int(match["code"]), match["result"], match["word"] or "", int(match["endpos"] or 0))


def refuse_control(value: str) -> str:
    """The value itself. Raises CarrierRefused when it could inject a second AMI action or AGI command."""
    if _CONTROL.search(value):
        raise CarrierRefused("a value for Asterisk holds a control character")
    return value


def quote(value: str) -> str:
    """One AGI argument in quotes."""
    refuse_control(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def command(*words: str) -> str:
    """A whole AGI command line. Raises CarrierRefused when Asterisk would cut it."""
    line = " ".join(words)
    if len(refuse_control(line).encode()) > LINE_MAX:
        raise CarrierRefused("an AGI command is longer than the manager interface takes")
    return line


def stream_file(path: Path, stop_keys: str) -> str:
    """Play one sound file (path with its extension); any of `stop_keys` stops it."""
    return command("STREAM FILE", quote(str(path.with_suffix(""))), quote(stop_keys))


def record_file(path: Path, *, finish_key: str, max_s: float, silence_s: float) -> str:
    """Record to `path` (.wav) until the key, the silence or the limit. Times in seconds."""
    return command(
        "RECORD FILE", quote(str(path.with_suffix(""))), "wav", quote(finish_key), str(int(max_s * 1000)),
        f"s={max(1, int(silence_s))}",
    )  # fmt: skip


def start_music() -> str:
    return command("EXEC", "StartMusicOnHold")


def stop_music() -> str:
    return command("EXEC", "StopMusicOnHold")


def answer() -> str:
    return command("ANSWER")


def no_operation() -> str:
    """Answers as soon as the channel is idle in AGI: the probe of `resync`."""
    return command("NOOP")


def hang_up() -> str:
    return command("HANGUP")


def sound_list(paths: Sequence[Path]) -> str:
    """Sound files as one `&` list, as Playback and Dial take it."""
    return "&".join(refuse_control(str(path.with_suffix(""))) for path in paths)
