"""RTP and A-law, as little of them as a measuring phone needs. Pure. RFC 3550, RFC 4733, ITU-T G.711."""

import struct
from collections.abc import Iterator

SAMPLES, PACKET_S = 160, 0.02
SILENCE = bytes([0xD5]) * SAMPLES
_ALAW, _EVENTS = 8, 101
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_KEYS = "0123456789*#"
#: The end of a key is sent three times (RFC 4733, 2.5.1.4).
_ENDS = 3
#: Of 255: quieter than this is silence to a listener (about -42 dBm0).
AUDIBLE = 3


def _magnitude(code: int) -> int:
    """0-255 of one A-law byte."""
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    value = mantissa * 16 + 8 if exponent == 0 else (mantissa * 16 + 264) << (exponent - 1)
    return min(255, value >> 7)


_MAGNITUDES = bytes(_magnitude(code) for code in range(256))
_SIGNS = bytes(code >> 7 for code in range(256))


class Stream:
    """One direction: numbers and stamps the packets."""

    def __init__(self, source: int) -> None:
        self._source, self._number, self._stamp = source, 0, 0

    def silence(self) -> bytes:
        """The next 20 ms of it."""
        packet = self._packet(_ALAW, self._stamp, SILENCE)
        self._stamp += SAMPLES
        return packet

    def key(self, key: str, packets: int) -> Iterator[bytes]:
        """A key pressed for `packets` times 20 ms; the last ones, to be sent together, are its end."""
        begun, event = self._stamp, _KEYS.index(key)
        for n in range(1, packets + 1):
            yield self._packet(_EVENTS, begun, _EVENT.pack(event, 10, n * SAMPLES), marked=n == 1)
        for _ in range(_ENDS):
            yield self._packet(_EVENTS, begun, _EVENT.pack(event, 0x80 | 10, packets * SAMPLES))
        self._stamp += (packets + 1) * SAMPLES

    def _packet(self, kind: int, stamp: int, payload: bytes, *, marked: bool = False) -> bytes:
        self._number = (self._number + 1) & 0xFFFF
        header = _HEADER.pack(0x80, kind | (0x80 if marked else 0), self._number, stamp & 0xFFFFFFFF, self._source)
        return header + payload


def speech_of(packet: bytes) -> bytes:
    """The A-law bytes of a packet, empty for anything else."""
    if len(packet) <= _HEADER.size or packet[0] >> 6 != 2 or packet[1] & 0x7F != _ALAW:
        return b""
    return packet[_HEADER.size + 4 * (packet[0] & 15) :]


def is_audible(speech: bytes) -> bool:
    """Louder than silence somewhere in it."""
    return bool(speech) and max(speech.translate(_MAGNITUDES)) >= AUDIBLE


def is_tone(speech: bytes, hz: float) -> bool:
    """Hardly anything but a tone of that frequency (a divisor of 8000): it repeats, and crosses zero as often as it should."""
    period = round(8000 / hz)
    if len(speech) < 4 * period or not is_audible(speech):
        return False
    signs = speech.translate(_SIGNS)
    repeats = sum(map(int.__eq__, signs, signs[period:])) / (len(signs) - period)
    crossings = sum(map(int.__ne__, signs, signs[1:]))
    expected = 2 * len(signs) / period
    return repeats > 0.9 and abs(crossings - expected) <= 0.15 * expected
