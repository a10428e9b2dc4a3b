"""Texts that come in: lines that could extend a dial string and characters that could end one are refused."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.texts import AsteriskLines, CloudLines, Identifier, SipUri, Word


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


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (AsteriskLines, "sip:leader@10.0.0.5:5060"), (AsteriskLines, "+8613900000001"), (AsteriskLines, "sip:a@b,13900000001"),
        (CloudLines, "+8613900000001"), (CloudLines, "client:leader_1"),
        (CloudLines, "sip:801@sip.hotline.example.gov.cn:5060,+8613900000001"),
    ],
)  # fmt: skip
def test_every_line_of_the_table_of_pairs_can_be_planned(kind: Any, line: str) -> None:
    assert TypeAdapter(kind).validate_python(line) == line


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (AsteriskLines, ""), (AsteriskLines, "client:a"), (AsteriskLines, "sip:a@b,20,mg"), (AsteriskLines, "sip:a@b&c"),
        (CloudLines, ""), (CloudLines, "13900000001"), (CloudLines, "client:a b"), (CloudLines, "+1,+2"), (CloudLines, "+１３９００００"),
    ],
)  # fmt: skip
def test_no_other_line_can(kind: Any, line: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(line)
    assert refused.value.errors()[0]["type"] == "invalid_line"


def test_a_refused_text_says_that_it_is_the_control_character() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Word).validate_python("a\x00b")
    assert refused.value.errors()[0]["type"] == "control_character"
