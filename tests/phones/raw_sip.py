"""A call whose INVITE is made of bytes that no decent phone would send. One UDP socket, no media."""

import asyncio
import re
import socket
from dataclasses import dataclass
from typing import Protocol

_SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8\r\n"
#: Final answers to an INVITE that was sent once: nothing is sent again, so silence is an answer too.
_SILENCE_S = 8.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the statuses in turn; the call was ended by us if it was taken."""

    statuses: tuple[int, ...]

    @property
    def taken(self) -> bool:
        return bool(self.statuses) and self.statuses[-1] == 200


async def invite(port: int, service: str, number: bytes, display: bytes, call: str) -> Answer:
    """Dial `service` at 127.0.0.1:`port` as `"<display>" <sip:<number>@...>`, the bytes as they are; hang up once answered.

    `call`: what makes the Call-ID and the tags unique.
    """
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip:
        sip.bind(("127.0.0.1", 0))
        sip.setblocking(False)
        own = sip.getsockname()[1]
        head = _head(own, service, number, display, call)
        body = _SDP % own
        parts = (head("INVITE", 1), b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(body), body)
        await loop.sock_sendto(sip, b"".join(parts), ("127.0.0.1", port))
        statuses: list[int] = []
        answer = b""
        while not statuses or statuses[-1] < 200:
            try:
                async with asyncio.timeout(_SILENCE_S):
                    answer = await loop.sock_recv(sip, 65535)
            except TimeoutError:
                break
            statuses.append(int(answer.split(b" ", 2)[1]))
        if statuses and statuses[-1] >= 200:
            tag = (re.search(rb"(?im)^To:.*?;tag=([^;\r\n]+)", answer) or [b"", b""])[1]
            for method, sequence in (("ACK", 1), ("BYE", 2)) if statuses[-1] == 200 else (("ACK", 1),):
                text = head(method, sequence, b";tag=" + tag) + b"Content-Length: 0\r\n\r\n"
                await loop.sock_sendto(sip, text, ("127.0.0.1", port))
        return Answer(tuple(statuses))


class _Head(Protocol):
    def __call__(self, method: str, sequence: int, tag: bytes = b"") -> bytes: ...


def _head(own: int, service: str, number: bytes, display: bytes, call: str) -> _Head:
    to, name = service.encode(), call.encode()

    def head(method: str, sequence: int, tag: bytes = b"") -> bytes:
        verb = method.encode()
        lines = (
            verb + b" " + to + b" SIP/2.0",
            b"Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s%s%d" % (own, name, verb, sequence),
            b"Max-Forwards: 70",
            b'From: "' + display + b'" <sip:' + number + b"@127.0.0.1>;tag=f" + name,
            b"To: <" + to + b">" + tag,
            b"Call-ID: " + name + b"@127.0.0.1",
            b"CSeq: %d %s" % (sequence, verb),
            b"Contact: <sip:citizen@127.0.0.1:%d>" % own,
        )
        return b"\r\n".join(lines) + b"\r\n"

    return head
