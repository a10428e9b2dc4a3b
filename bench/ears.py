"""The media of many calls: listens at one RTP port a call, sends silence and keys, and notes when what was heard first."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self, cast

from bench.rtp import PACKET_S, Stream, is_audible, is_tone, speech_of
from tests.phones.ports import free_block

#: A key is held for so many packets of 20 ms, as a quick finger does.
KEY_PACKETS = 6
#: A tone is the next prompt when so many packets in a row are it.
IN_A_ROW = 2


@dataclass(slots=True)
class Heard:
    """One call. Unix seconds, 0.0 = it never happened."""

    answered_at: float = 0.0
    first_sound_at: float = 0.0
    #: When the key was let go; Asterisk acts on the end of a key.
    key_at: float = 0.0
    next_prompt_at: float = 0.0


class Ear(asyncio.DatagramProtocol):
    """One port, one call after the other."""

    def __init__(self, number: int, tone_hz: float) -> None:
        self._stream, self._tone_hz = Stream(0x10_0000 + number), tone_hz
        self._transport: asyncio.DatagramTransport | None = None
        self._remote: tuple[str, int] | None = None
        self._key: Iterator[bytes] | None = None
        self._press_at, self._pressed = 0.0, ""
        self._in_a_row, self._since = 0, 0.0
        self.heard = Heard()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def answered(self, at: float, remote: tuple[str, int], key: str, after_s: float) -> None:
        """The call of this port was answered; press `key` so much later."""
        self.heard.answered_at, self._remote = at, remote
        self._pressed, self._press_at = key, at + after_s

    def over(self) -> Heard:
        """The call has ended; what was heard. The port is free for the next one."""
        heard, self.heard = self.heard, Heard()
        self._remote = self._key = None
        self._press_at = self._since = 0.0
        self._in_a_row = 0
        return heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        at, heard = time.time(), self.heard
        if heard.next_prompt_at or not (speech := speech_of(data)):
            return
        if not heard.first_sound_at and is_audible(speech):
            heard.first_sound_at = at
        if heard.key_at:
            self._listen_for_next(at, speech)

    def send(self, at: float) -> None:
        """The next 20 ms."""
        if self._transport is None or self._remote is None:
            return
        if self._key is None and self._press_at and at >= self._press_at:
            self._key, self._press_at = self._stream.key(self._pressed, KEY_PACKETS), 0.0
        if self._key is None:
            self._transport.sendto(self._stream.silence(), self._remote)
            return
        packet = next(self._key)
        self._transport.sendto(packet, self._remote)
        if packet[13] & 0x80:  # the end of the key; its repetitions follow at once
            self.heard.key_at = time.time()
            for again in self._key:
                self._transport.sendto(again, self._remote)
            self._key = None

    def _listen_for_next(self, at: float, speech: bytes) -> None:
        if not is_tone(speech, self._tone_hz):
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if self._in_a_row == 1:
            self._since = at
        if self._in_a_row >= IN_A_ROW:
            self.heard.next_prompt_at = self._since


@dataclass
class Ears:
    """`async with Ears(count, hz)`: so many ports, all sending their 20 ms in step."""

    count: int
    tone_hz: float
    by_port: dict[int, Ear] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        first = free_block(2 * self.count)
        for n in range(self.count):
            ear, port = Ear(n, self.tone_hz), first + 2 * n
            await loop.create_datagram_endpoint(lambda ear=ear: ear, local_addr=("127.0.0.1", port))  # type: ignore[misc]
            self.by_port[port] = ear
        self._sending = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)
        for ear in self.by_port.values():
            ear.close()

    async def _send(self) -> None:
        due = time.time()
        while True:
            due += PACKET_S
            await asyncio.sleep(max(0.0, due - time.time()))
            for ear in self.by_port.values():
                ear.send(time.time())
