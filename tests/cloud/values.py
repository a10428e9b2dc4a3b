"""What attribute values may be. Each check takes the raw text and says whether Twilio's documentation allows it."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

Check = Callable[[str], bool]

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
SIP_URI = re.compile(r"sips?:[A-Za-z0-9_.!~*'()&=+$,;?/%-]+@[A-Za-z0-9.-]+(:[0-9]{1,5})?([;?][^\s]*)?")
CLIENT = re.compile(r"[A-Za-z0-9_.@+-]{1,256}")


def one_of(*allowed: str) -> Check:
    """Exactly one of the words, case-sensitive."""
    return lambda value: value in allowed


def some_of(*allowed: str) -> Check:
    """One or more of the words, with single spaces between."""
    return lambda value: bool(value) and all(word in allowed for word in value.split(" "))


def integer(least: int, most: int = 2**31) -> Check:
    """A whole number written in plain digits."""
    return lambda value: bool(re.fullmatch(r"[0-9]{1,9}", value)) and least <= int(value) <= most


def keys(value: str) -> bool:
    """Any of 0-9 # *, or the empty string (no key)."""
    return bool(re.fullmatch(r"[0-9#*]*", value))


def tones(value: str) -> bool:
    """Keys to be played, w = half a second of waiting."""
    return bool(re.fullmatch(r"[0-9#*wW]+", value))


def url(value: str) -> bool:
    """Absolute http(s), or relative to the document. Never empty, no blanks or control characters."""
    if not value or re.search(r"[\s\x00-\x1f\x7f<>\"]", value):
        return False
    try:
        parts = urlsplit(value)
        bad_port = parts.port == 0
    except ValueError:
        return False
    absolute = parts.scheme in ("http", "https") and bool(parts.hostname)
    relative = not parts.scheme and not value.startswith("//")
    return not bad_port and (absolute or relative)


def caller_id(value: str) -> bool:
    """A number in E.164, a SIP user, or a client identifier."""
    return bool(E164.fullmatch(value) or CLIENT.fullmatch(value.removeprefix("client:")))


def anything(value: str) -> bool:
    """Free text."""
    return len(value) <= 1024


METHOD = one_of("GET", "POST")
BOOLEAN = one_of("true", "false")
PROGRESS = some_of("initiated", "ringing", "answered", "completed")
RECORDING_EVENTS = some_of("in-progress", "completed", "absent")
TRIM = one_of("trim-silence", "do-not-trim")
