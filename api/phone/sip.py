"""What a browser may say in SIP: one request or response a message, of known methods and headers. Pure text, no network.

The pass of the handset is written here, so a browser can neither forge one nor hide a second request behind the first.
"""

import re

from msgspec import Struct

#: A citizen calls; a handset that can be rung registers, too. Nobody transfers, subscribes or sends texts.
CALLING = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "PRACK", "OPTIONS"})
RINGING = CALLING | {"REGISTER"}
#: Everything else is left out: a number of the browser's choosing, authorisations, routes around us.
_HEADERS = frozenset(
    (
        "via max-forwards from to call-id cseq contact content-type expires allow supported require user-agent reason "
        "rack rseq session-expires min-se accept"
    ).split()
)
LONGEST = 32_768
_REQUEST = re.compile(r"([A-Z]{3,9}) sips?:[\x21-\x7e]{1,200} SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 [1-6][0-9]{2} [^\x00-\x1f]{0,120}")
_HEADER = re.compile(r"([A-Za-z-]{1,40})[ \t]*:[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_NOTHING = ("", "\r\n", "\r\n\r\n")


class SipRefused(ValueError):
    """The browser said something that no browser phone of ours says. Holds nothing of the message."""


class Stamp(Struct, frozen=True):
    """What is written into every request: the pass, and the number of a citizen."""

    header: str
    passcode: str
    methods: frozenset[str]
    number: str = ""

    def lines(self) -> list[str]:
        asserted = [f"P-Asserted-Identity: <sip:{self.number}@hotline.invalid>"] if self.number else []
        return [f"{self.header}: {self.passcode}", *asserted]


def admit(message: str, stamp: Stamp) -> str:
    """The message as Asterisk gets it; empty for a keep-alive. Raises SipRefused."""
    if message in _NOTHING:
        return ""
    if len(message) > LONGEST:
        raise SipRefused("too long")
    head, separator, body = message.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    if not separator:
        raise SipRefused("not a whole message")
    stamped = stamp.lines() if _is_request(first, stamp) else []
    # The length is ours: what lies behind a shorter one would be read as a message of its own.
    length = f"Content-Length: {len(body.encode())}"
    return "\r\n".join((first, *stamped, *_known(lines), length, "", body))


def _is_request(first: str, stamp: Stamp) -> bool:
    if _RESPONSE.fullmatch(first):
        return False
    found = _REQUEST.fullmatch(first)
    if found is None or found[1] not in stamp.methods:
        raise SipRefused("not for browsers")
    return True


def _known(lines: list[str]) -> list[str]:
    headers = [_HEADER.fullmatch(line) for line in lines]
    if not all(headers):
        raise SipRefused("not a header")
    return [f"{header[1]}: {header[2]}" for header in headers if header and header[1].lower() in _HEADERS]
