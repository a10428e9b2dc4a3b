"""The kinds of text that come in: none holds a control character, ids are short and plain, lines can be dialled."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from config import text

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_SIP_URI = re.compile(
    r"sips?:[A-Za-z0-9_.!~*'()&=+$%-]{1,64}@([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(:[0-9]{1,5})?"
    r"(;transport=(udp|tcp|tls|ws|wss))?\Z"
)
_CLIENT = re.compile(r"client:[A-Za-z0-9_.-]{1,33}\Z")
_NUMBER = re.compile(r"\+?[0-9]{3,15}\Z")


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


def _number(value: str) -> str:
    if not _NUMBER.match(refuse_control(value)):
        raise PydanticCustomError("invalid_line", "a telephone number such as +8613800005678")
    return value


def _line(value: str) -> str:
    return _sip_uri(value) if value.startswith("sip") else _number(value)


def _lines(value: str) -> str:
    """Lines that are rung in turn, separated by commas; each a SIP URI or a number."""
    for line in refuse_control(value).split(","):
        _line(line.strip())
    return value


def _cloud_lines(value: str) -> str:
    """The same; a client of the cloud is one, too."""
    for line in refuse_control(value).split(","):
        if not _CLIENT.match(line.strip()):
            _line(line.strip())
    return value


Identifier = Annotated[str, AfterValidator(_identifier)]
Word = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(refuse_control)]
Sentence = Annotated[str, Field(max_length=500), AfterValidator(refuse_control)]
Passage = Annotated[str, Field(max_length=4000), AfterValidator(_passage)]
Reason = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(refuse_control)]
AsteriskLines = Annotated[str, Field(max_length=255), AfterValidator(_lines)]
CloudLines = Annotated[str, Field(max_length=64), AfterValidator(_cloud_lines)]
SipUri = Annotated[str, Field(max_length=255), AfterValidator(_sip_uri)]
Number = Annotated[str, Field(max_length=16), AfterValidator(_number)]
