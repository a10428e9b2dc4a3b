"""Texts that come in: lines that could extend a dial string and characters that could end one are refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from api.texts import Identifier, Number, SipUri, Word


@pytest.mark.parametrize("uri", ["sip:leader@127.0.0.1:6060", "sip:a.b-c@example.org", "sip:x@[::1]:5060"])
def test_ordinary_uris_pass(uri: str) -> None:
    assert TypeAdapter(SipUri).validate_python(uri) == uri


@pytest.mark.parametrize("uri", ["", "sip:", "http://x", "sip:a@b,20", "sip:a@b\r\nX: y", "sip:a@b>", 'sip:"a"@b', "sip:a b@c"])
def test_everything_else_does_not(uri: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SipUri).validate_python(uri)


@pytest.mark.parametrize("bad", ["", "../x", "a/b", "a b", "-a", "é", "a" * 65, "a\n"])
def test_ids_are_short_and_plain(bad: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Identifier).validate_python(bad)


def test_numbers_are_digits_with_a_plus_at_most() -> None:
    assert TypeAdapter(Number).validate_python("+8613800005678")
    for bad in ("+", "12", "1" * 17, "138 0000", "１３８００００"):
        with pytest.raises(ValidationError):
            TypeAdapter(Number).validate_python(bad)


def test_a_refused_text_says_that_it_is_the_control_character() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Word).validate_python("a\x00b")
    assert refused.value.errors()[0]["type"] == "control_character"
