"""Ids that sort by time and are safe in keys, URLs and job names: 26 letters and digits (ULID, lower case)."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80
_LENGTH = 26


def new_id() -> str:
    """A new id, unique over all processes: 48 bits of milliseconds, 80 random bits."""
    value = (int(time.time() * 1000) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    return "".join(_ALPHABET[(value >> (5 * place)) & 31] for place in reversed(range(_LENGTH)))
