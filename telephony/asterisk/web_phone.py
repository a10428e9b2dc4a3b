"""The browser phones Asterisk knows, and the header by which it knows them. Talks to nobody; tickets are in `api.phones`.

A browser has no SIP password: our websocket server lets it in for a while and puts the pass of its handset before every
request. Asterisk's own websocket listens on loopback, and takes nothing that has no pass.
"""

import hmac
import re
from dataclasses import dataclass
from hashlib import sha256

from config.secrets import secret
from config.settings import Settings

#: The header that only our server may write.
HANDSET_HEADER = "X-Hotline-Handset"
#: What citizens' browsers call from. It cannot be rung.
CITIZEN = "web-citizen"
_LINE = re.compile(r"sip:((?:web|desk)-[1-9][0-9]?)@browser")
#: As OPERATORS_LINE: the phone of everybody who is at a desk. `sip:web-9@browser`, which was one phone for all, means the same.
DESKS = "sip:desk@browser"


@dataclass(frozen=True, slots=True)
class Handset:
    """One PJSIP endpoint for a browser; `passcode` is its secret, 64 hexadecimal digits."""

    name: str
    passcode: str


def handsets(settings: Settings) -> tuple[Handset, ...]:
    """The leaders' handsets web-1, web-2, ...: as many as WEB_PHONES says."""
    return tuple(_handset(settings, f"web-{number}") for number in range(1, settings.web_phones + 1))


def desk_handsets(settings: Settings) -> tuple[Handset, ...]:
    """Those of the desks, desk-1, desk-2, ...: as many as DESK_PHONES says. Whose each is, api.phone.desks knows."""
    return tuple(_handset(settings, f"desk-{number}") for number in range(1, settings.effective_desk_phones + 1))


def citizens_handset(settings: Settings) -> Handset:
    """The one from which any number of citizens can call on a demonstration system."""
    return _handset(settings, CITIZEN)


def handset_of(line: str, settings: Settings) -> Handset | None:
    """The leader's handset that the line `sip:web-3@browser` rings; None for a line that is no browser, or one we do not have."""
    return _named(line, handsets(settings))


def desk_handset_of(line: str, settings: Settings) -> Handset | None:
    """The same for the handset of a desk, `sip:desk-3@browser`."""
    return _named(line, desk_handsets(settings))


def line_of(handset: str) -> str:
    """How the handset of this name is rung."""
    return f"sip:{handset}@browser"


def rings_desks(line: str, settings: Settings) -> bool:
    """This OPERATORS_LINE is the group of those who are at a desk."""
    return line == DESKS or handset_of(line, settings) is not None


def _named(line: str, known: tuple[Handset, ...]) -> Handset | None:
    found = _LINE.fullmatch(line)
    return next((handset for handset in known if found and handset.name == found[1]), None)


def _handset(settings: Settings, name: str) -> Handset:
    key = secret(settings, "web_phone").encode()
    return Handset(name, hmac.new(key, name.encode(), sha256).hexdigest())
