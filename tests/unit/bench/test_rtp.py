"""RTP, keys and tones of the measuring phone."""

from pathlib import Path

import pytest

from bench.rtp import SILENCE, Stream, is_audible, is_tone, speech_of
from telephony.demo.scenarios import write_speech


@pytest.fixture
def tone(tmp_path: Path) -> bytes:
    return write_speech(tmp_path / "tone.al", 1000.0, 0.1).read_bytes()[:160]


def test_silence_is_not_heard_and_a_tone_is(tone: bytes) -> None:
    assert not is_audible(SILENCE)
    assert not is_audible(b"")
    assert is_audible(tone)


def test_a_tone_is_told_from_others_and_from_silence(tone: bytes, tmp_path: Path) -> None:
    other = write_speech(tmp_path / "other.al", 600.0, 0.1).read_bytes()[:160]
    assert is_tone(tone, 1000.0)
    assert not is_tone(other, 1000.0)
    assert not is_tone(SILENCE, 1000.0)
    assert not is_tone(tone[:16], 1000.0)


def test_packets_are_numbered_and_stamped() -> None:
    stream = Stream(7)
    first, second = stream.silence(), stream.silence()
    assert [int.from_bytes(packet[2:4]) for packet in (first, second)] == [1, 2]
    assert int.from_bytes(second[4:8]) - int.from_bytes(first[4:8]) == 160
    assert speech_of(first) == SILENCE


def test_a_key_has_one_beginning_a_growing_duration_and_three_ends() -> None:
    packets = list(Stream(7).key("#", 6))
    assert [packet[1] for packet in packets] == [0x80 | 101] + [101] * 8
    assert {packet[12] for packet in packets} == {11}
    assert [packet[13] >> 7 for packet in packets] == [0] * 6 + [1] * 3
    durations = [int.from_bytes(packet[14:16]) for packet in packets]
    assert durations == [*range(160, 961, 160), 960, 960, 960]
    assert len({packet[4:8] for packet in packets}) == 1
    assert all(speech_of(packet) == b"" for packet in packets)


@pytest.mark.parametrize("packet", [b"", b"\x80", b"\x00" * 172, bytes(range(12))])
def test_what_is_no_speech_is_nothing(packet: bytes) -> None:
    assert speech_of(packet) == b""
