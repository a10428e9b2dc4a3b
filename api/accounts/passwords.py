"""Passwords as argon2id hashes. Hashing is slow on purpose, so it runs off the event loop."""

import asyncio
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 200
#: RFC 9106's second choice: 64 MiB, three passes. About 50 ms of one core.
_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
#: A burst of sign-ins must not take every core and gigabytes.
_at_once = asyncio.Semaphore(2)


class PasswordRefused(ValueError):
    """A password must have 10 to 200 characters."""


async def hash_password(password: str) -> str:
    """Raises PasswordRefused."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordRefused("a password has 10 to 200 characters")
    return await asyncio.to_thread(_hasher.hash, password)


async def matches(kept: str, password: str) -> bool:
    """True when `password` is the one that was hashed. Takes the same time for an account that does not exist."""
    if len(password) > LONGEST:
        return False
    async with _at_once:
        return await asyncio.to_thread(_verify, kept, password) and bool(kept)


def _verify(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache
def _nobody() -> str:
    """Compared with when there is no such account, so that the answer takes as long."""
    return _hasher.hash(secrets.token_hex(16))
