"""Encryption of single values: round trips, rotation, tampering, columns that cannot be swapped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.privacy import Cipher, UnreadableData

CIPHER = Cipher(["one key"])


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_encrypted_is_decrypted(value: str) -> None:
    sealed = CIPHER.encrypt(value, "t.c")
    assert CIPHER.decrypt(sealed, "t.c") == value
    assert not value or value.encode() not in sealed or len(value.encode()) < 3


def test_the_same_value_never_looks_the_same() -> None:
    assert CIPHER.encrypt("x", "t.c") != CIPHER.encrypt("x", "t.c")


def test_a_value_cannot_be_moved_changed_or_read_with_another_key() -> None:
    sealed = CIPHER.encrypt("13812345678", "t.number")
    with pytest.raises(UnreadableData, match="moved"):
        CIPHER.decrypt(sealed, "t.name")
    with pytest.raises(UnreadableData):
        CIPHER.decrypt(sealed[:-1] + bytes([sealed[-1] ^ 1]), "t.number")
    with pytest.raises(UnreadableData, match="HOTLINE_DATA_KEY"):
        Cipher(["another"]).decrypt(sealed, "t.number")


def test_a_rotated_key_reads_old_values_and_keeps_the_hashes() -> None:
    sealed = CIPHER.encrypt("x", "t.c")
    rotated = Cipher(["new", "one key"])
    assert rotated.decrypt(sealed, "t.c") == "x"
    assert rotated.hash_number("+8613812345678") == CIPHER.hash_number("+8613812345678")
    with pytest.raises(UnreadableData):
        CIPHER.decrypt(rotated.encrypt("x", "t.c"), "t.c")


def test_hashes_tell_numbers_apart_and_depend_on_the_key() -> None:
    assert CIPHER.hash_number("+8613812345678") != CIPHER.hash_number("+8613812345679")
    assert CIPHER.hash_number("1") != Cipher(["two"]).hash_number("1")
    assert CIPHER.hash_number("") == ""


def test_a_cipher_needs_a_key() -> None:
    with pytest.raises(ValueError, match="key"):
        Cipher([])
