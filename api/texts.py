"""The kinds of text that come in: none holds a control character, ids are short and plain, lines can be dialled."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from config import text
from sessions.lines import LineRefused, read_cloud_lines, read_lines

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_SIP_URI = re.compile(
    r"sips?:[A-Za-z0-9_.!~*'()&=+$%-]{1,64}@([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(:[0-9]{1,5})?"
    r"(;transport=(udp|tcp|tls|ws|wss))?\Z"
)


def refuse_control(value: str) -> str:
    """The value, unless it holds a character that could end a line or a header somewhere behind us."""
    try:
        return text.refuse_control(value)
    except text.UnsafeText as error:
        raise PydanticCustomError("control_character", "control characters are not allowed") from error


def _passage(value: str) -> str:
    """Lines of text: a line feed is the only control character."""
    lines = value.replace("\r\n", "\n").split("\n")
    return "\n".join(refuse_control(line) for line in lines).strip()


def _identifier(value: str) -> str:
    if not _IDENTIFIER.match(refuse_control(value)):
        raise PydanticCustomError("identifier", "letters, digits, '.', '_' and '-', at most 64")
    return value


def _sip_uri(value: str) -> str:
    if not _SIP_URI.match(refuse_control(value)):
        raise PydanticCustomError("invalid_line", "a SIP URI such as sip:leader@192.0.2.1:5060")
    return value


def _asterisk_lines(value: str) -> str:
    return _lines(value, read_lines)


def _cloud_lines(value: str) -> str:
    return _lines(value, read_cloud_lines)


def _lines(value: str, read: Callable[[str], str]) -> str:
    """Lines that are rung in turn, separated by commas."""
    try:
        lines = read(refuse_control(value))
    except LineRefused as error:
        raise PydanticCustomError("invalid_line", "{why}", {"why": str(error)}) from error
    if not lines:
        raise PydanticCustomError("invalid_line", "a line is not empty")
    return lines


Identifier = Annotated[str, AfterValidator(_identifier)]
Word = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(refuse_control)]
Sentence = Annotated[str, Field(max_length=500), AfterValidator(refuse_control)]
Passage = Annotated[str, Field(max_length=4000), AfterValidator(_passage)]
Reason = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(refuse_control)]
AsteriskLines = Annotated[str, Field(max_length=255), AfterValidator(_asterisk_lines)]
CloudLines = Annotated[str, Field(max_length=255), AfterValidator(_cloud_lines)]
SipUri = Annotated[str, Field(max_length=255), AfterValidator(_sip_uri)]
