"""Personal data: read a caller's number, mask it, encrypt it, recognise it again without keeping it in clear."""

import hashlib
import hmac
import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.numbers import read_number
from config.secrets import secret
from config.settings import Settings

__all__ = ["Cipher", "UnreadableData", "mask", "mask_numbers", "open_cipher", "read_number"]

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES
_SHORTEST_NUMBER = 7
#: A run of digits that may be a telephone number; not a part of an id or of a decimal fraction.
_NUMBER_LIKE = re.compile(r"(?<![\w.-])(?:\+|00)?\d{7,20}(?![\w-]|\.\d)")


class UnreadableData(Exception):
    """An encrypted value cannot be read: the data key is another one, or the value was changed."""


def mask(number: str) -> str:
    """`138****5678`: our country code goes, three first and four last digits stay; short numbers vanish."""
    digits = number.removeprefix("+86")
    if len(digits) < _SHORTEST_NUMBER:
        return "****" if digits else ""
    return f"{digits[:3]}****{digits[-min(4, len(digits) - 5) :]}"


def mask_numbers(text: str) -> str:
    """`text` with everything that looks like a telephone number masked."""
    return _NUMBER_LIKE.sub(lambda found: mask(found[0]), text)


class Cipher:
    """AES-GCM over single values. `keys`: the first encrypts, all decrypt, so a key can be changed without a stop.

    A value is `version | key id | nonce | ciphertext`; `context` (table and column) is authenticated with it, so
    that a value cannot be moved to another column.
    """

    def __init__(self, keys: list[str]) -> None:
        if not keys or not all(keys):
            raise ValueError("at least one data key is needed")
        derived = [hashlib.sha256(b"hotline data key\0" + key.encode()).digest() for key in keys]
        self._ciphers = {hashlib.sha256(key).digest()[:_KEY_ID_BYTES]: AESGCM(key) for key in derived}
        self._current = next(iter(self._ciphers))
        # The oldest key, which stays the last of the list: hashes that are stored must stay comparable.
        self._hash_key = hashlib.sha256(b"hotline number hash\0" + keys[-1].encode()).digest()

    def encrypt(self, value: str, context: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, value.encode(), context.encode())
        return _VERSION + self._current + nonce + sealed

    def decrypt(self, value: bytes, context: str) -> str:
        """Raises UnreadableData."""
        cipher = self._ciphers.get(value[len(_VERSION) : _HEADER_BYTES])
        if value[:1] != _VERSION or cipher is None:
            raise UnreadableData("encrypted with a data key that is not configured: check HOTLINE_DATA_KEY")
        nonce, sealed = value[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES], value[_HEADER_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, sealed, context.encode()).decode()
        except InvalidTag as error:
            raise UnreadableData("an encrypted value was changed or moved to another column") from error

    def hash_number(self, number: str) -> str:
        """A keyed hash of an E.164 number, by which the same caller is found again. Empty for empty."""
        return hmac.digest(self._hash_key, number.encode(), "sha256").hex() if number else ""


def open_cipher(settings: Settings) -> Cipher:
    """The cipher of this instance. HOTLINE_DATA_KEY may hold several keys, comma separated, the newest first."""
    return Cipher([key for key in secret(settings, "data_key").split(",") if key])
