"""Sound as numbers: what comes out is 8 kHz mono, starts at once, and is as loud as it should be."""

import io
import wave
from array import array
from math import pi, sin
from pathlib import Path

import pytest

from telephony.sound import RATE, UnreadableSound, levels, read_wav, resample, speech, write_wav


def sine(hertz: float, rate: int, seconds: float = 0.5, peak: int = 12000) -> "array[int]":
    return array("h", (round(peak * sin(2 * pi * hertz * at / rate)) for at in range(int(seconds * rate))))


def wav(samples: "array[int]", rate: int, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def rms(samples: "array[int]") -> float:
    inner = levels(samples)[3:-3]
    return sum(inner) / len(inner)


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 44100, 48000])
def test_a_tone_keeps_length_and_loudness_through_a_change_of_rate(rate: int) -> None:
    changed = resample(sine(1000, rate), rate)
    assert len(changed) == pytest.approx(0.5 * RATE, abs=1)
    assert rms(changed) == pytest.approx(12000 / 2**0.5, rel=0.02)


@pytest.mark.parametrize("hertz", [5000, 7000, 9500])
def test_what_is_too_high_for_a_telephone_does_not_fold_back(hertz: int) -> None:
    assert rms(resample(sine(hertz, 22050), 22050)) < 60


def test_two_channels_become_one() -> None:
    mono = sine(500, 16000)
    stereo = array("h", (value for value in mono for _ in range(2)))
    assert read_wav(wav(stereo, 16000, 2)) == read_wav(wav(mono, 16000))


@pytest.mark.parametrize("data", [b"", b"RIFF", b"\x00" * 100, b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_what_is_no_wav_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableSound):
        read_wav(data)


def test_what_is_too_long_is_refused_before_it_is_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.sound.resample", lambda *_: pytest.fail("it was worked on"))
    with pytest.raises(UnreadableSound, match="longer than"):
        read_wav(wav(sine(500, 16000), 16000), 0.4)


@pytest.mark.parametrize("peak", [300, 6000, 32767])
def test_a_sentence_starts_at_once_evenly_loud_and_unclipped(peak: int) -> None:
    silence = array("h", bytes(2 * RATE))
    made = speech(silence + sine(300, RATE, 1.0, peak) + silence, pause_s=0.1)
    assert next(at for at, level in enumerate(levels(made)) if level > 500) < 5
    assert len(made) / RATE == pytest.approx(1.1, abs=0.08)
    assert max(map(abs, made)) < 24000
    assert rms(made[:RATE]) == pytest.approx(3277, rel=0.05)


def test_silence_is_no_sentence() -> None:
    with pytest.raises(UnreadableSound):
        speech(array("h", bytes(2 * RATE)), 0.1)


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.wav"
    write_wav(path, sine(440, RATE))
    assert [file.name for file in path.parent.iterdir()] == ["a.wav"]
    assert read_wav(path.read_bytes()) == sine(440, RATE)
