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
_LINE = re.compile(r"sip:(web-[1-9][0-9]?)@browser")


@dataclass(frozen=True, slots=True)
class Handset:
    """One PJSIP endpoint for a browser; `passcode` is its secret, 64 hexadecimal digits."""

    name: str
    passcode: str


def handsets(settings: Settings) -> tuple[Handset, ...]:
    """The leaders' and operators' handsets web-1, web-2, ...: as many as WEB_PHONES says."""
    return tuple(_handset(settings, f"web-{number}") for number in range(1, settings.web_phones + 1))


def citizens_handset(settings: Settings) -> Handset:
    """The one from which any number of citizens can call on a demonstration system."""
    return _handset(settings, CITIZEN)


def handset_of(line: str, settings: Settings) -> Handset | None:
    """The handset that the line `sip:web-3@browser` rings; None for a line that is no browser, or one we do not have."""
    found = _LINE.fullmatch(line)
    wanted = found[1] if found else ""
    return next((handset for handset in handsets(settings) if handset.name == wanted), None)


def _handset(settings: Settings, name: str) -> Handset:
    key = secret(settings, "web_phone").encode()
    return Handset(name, hmac.new(key, name.encode(), sha256).hexdigest())
