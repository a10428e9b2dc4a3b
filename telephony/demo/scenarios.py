"""Scenario files and command lines for sipp: many citizens at once, or a leader's phone. Writes files, starts nothing."""

import math
import struct
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

from config.native import Program

_HERE = Path(__file__).parent
SAMPLES_PER_SECOND = 8000


@dataclass(frozen=True, slots=True)
class Citizen:
    """What each of the citizens does. Times in seconds."""

    #: From number and display name of each call in turn.
    callers: tuple[tuple[str, str], ...] = (("13812345678", ""),)
    #: Keys by SIP INFO: (seconds after the one before, key).
    keys: tuple[tuple[float, str], ...] = ()
    #: Hangs up after this long, when we did not before.
    stay_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Leader:
    """What the leader's phone does with each call. Times in seconds."""

    answer: Literal["talk", "busy", "decline"] = "talk"
    ring_s: float = 1.0
    talk_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sipp listens: signalling port, and RTP ports from `media_port` on (four a call are kept free)."""

    port: int
    media_port: int
    host: str = "127.0.0.1"
    tcp: bool = False


def citizens_argv(
    sipp: Program, citizen: Citizen, folder: Path, place: Place, target: str, number: str, calls: int, rate: float
) -> list[str]:
    """The command that places `calls` calls to `number` at `target` (host:port), `rate` a second. Exit status 0 = all went well."""
    folder.mkdir(parents=True, exist_ok=True)
    speech = write_speech(folder / "speech.al", 440.0)
    scenario, callers = folder / "citizen.xml", folder / "callers.csv"
    keys = "".join(_key(n, after, key) for n, (after, key) in enumerate(citizen.keys))
    text = _read("citizen").replace("@keys@\n", keys).replace("@speech@", str(speech))
    scenario.write_text(text.replace("@stay_ms@", _ms(citizen.stay_s)))
    lines = [f"{_field(who)};{_field(chr(34) + name + chr(34) if name else '')}" for who, name in citizen.callers]
    callers.write_text("\n".join(["SEQUENTIAL", *lines, ""]))
    return [
        *sipp.argv, target, "-s", number, "-sf", str(scenario), "-inf", str(callers), "-m", str(calls),
        "-l", str(calls), "-r", f"{max(rate, 0.01):g}", *_common(place, folder, "citizen"),
    ]  # fmt: skip


def leader_argv(sipp: Program, leader: Leader, folder: Path, place: Place, calls: int = 0) -> list[str]:
    """The command that answers as the leader at `place`; ends after `calls` calls, 0 = never."""
    folder.mkdir(parents=True, exist_ok=True)
    speech = write_speech(folder / "speech.al", 880.0)
    match leader.answer:
        case "talk":
            answer = _read("leader_talk").replace("@speech@", str(speech)).replace("@talk_ms@", _ms(leader.talk_s))
        case "busy":
            answer = _read("leader_refuse").replace("@status@", "486 Busy Here")
        case "decline":
            answer = _read("leader_refuse").replace("@status@", "603 Decline")
        case never:
            assert_never(never)
    scenario = folder / "leader.xml"
    scenario.write_text(_read("leader").replace("@answer@\n", answer).replace("@ring_ms@", _ms(leader.ring_s)))
    limit = ["-m", str(calls)] if calls else []
    return [*sipp.argv, "-sf", str(scenario), *limit, *_common(place, folder, "leader")]


def write_speech(path: Path, hz: float, seconds: float = 4.0) -> Path:
    """A tone as raw A-law, which sipp plays in a loop without any rights."""
    samples = (round(9000 * math.sin(2 * math.pi * hz * n / SAMPLES_PER_SECOND)) for n in range(int(seconds * 8000)))
    path.write_bytes(bytes(_alaw(sample) for sample in samples))
    return path


def write_tone(path: Path, hz: float, seconds: float) -> Path:
    """The same as a wav file, 8 kHz mono 16 bit."""
    count = int(seconds * SAMPLES_PER_SECOND)
    values = (round(12000 * math.sin(2 * math.pi * hz * n / SAMPLES_PER_SECOND)) for n in range(count))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLES_PER_SECOND, count, "NONE", ""))
        file.writeframes(struct.pack(f"<{count}h", *values))
    return path


def _common(place: Place, folder: Path, name: str) -> Sequence[str]:
    return (
        "-i", place.host, "-p", str(place.port), "-mi", place.host, "-t", "t1" if place.tcp else "u1",
        "-mp", str(place.media_port),
        "-trace_err", "-error_file", str(folder / f"{name}.err"), "-nostdin",
    )  # fmt: skip


def _key(n: int, after_s: float, key: str) -> str:
    if key not in "0123456789*#" or len(key) != 1:
        raise ValueError("a key is one of 0-9 * #")
    text = _read("citizen_key").replace("@n@", str(n)).replace("@key@", key).replace("@cseq@", str(n + 2))
    return text.replace("@after_ms@", _ms(after_s))


def _read(name: str) -> str:
    return (_HERE / f"{name}.xml").read_text()


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _field(value: str) -> str:
    """A field of sipp's injection file."""
    return value.replace(";", "").replace("\n", " ").replace("\r", " ")


def _alaw(sample: int) -> int:
    """ITU-T G.711 A-law of one 16-bit sample."""
    sign = 0x80 if sample >= 0 else 0
    exponent, mantissa = _segment(min(abs(sample), 32635))
    return (sign | exponent << 4 | mantissa) ^ 0x55


def _segment(value: int) -> tuple[int, int]:
    if value < 256:
        return 0, value >> 4
    exponent = value.bit_length() - 8
    return exponent, (value >> (exponent + 3)) & 0x0F
