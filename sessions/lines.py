"""Lines by which a leader is rung: a SIP URI or a number. Whatever else a dial string could be made of is refused."""

import re
from collections.abc import Callable

_LONGEST = 120
#: As the columns are (sessions.model).
_LONGEST_TOGETHER = 200
_MOST_LINES = 3
#: `sip:user@host[:port]` with the characters of an ordinary user and host only: no parameters, headers, quotes or
#: commas, with which a dial string (`Dial(PJSIP/...,20,mg)`) or an AMI action could be extended.
_SIP = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[A-Za-z0-9_.+-]{1,64})@)?"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,80}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
#: A browser or an app that is signed in at the cloud, whose mobile SDKs take no other characters.
_CLIENT = re.compile(r"client:[A-Za-z0-9_]{1,33}")
_NUMBER = re.compile(r"\+?[0-9]{2,15}")
_HIGHEST_PORT = 65535


class LineRefused(ValueError):
    """This is no line a leader can be rung at."""


def read_line(raw: str) -> str:
    """A line for Asterisk, `sip:leader@host:port` or a number, as it may stand in a dial string. Raises LineRefused."""
    line = raw.strip(" ")
    if not line:
        return ""
    if len(line) > _LONGEST:
        raise LineRefused("a line has at most 120 characters")
    if _NUMBER.fullmatch(line):
        return line
    found = _SIP.fullmatch(line)
    if found is None or ".." in found["host"]:
        raise LineRefused("a line is sip:user@host:port or a number; other characters are not allowed")
    if found["port"] and not 0 < int(found["port"]) <= _HIGHEST_PORT:
        raise LineRefused("the port of a line is between 1 and 65535")
    return line


def read_lines(raw: str) -> str:
    """Lines for Asterisk, rung in turn and separated by commas: the desk, then the mobile. Raises LineRefused."""
    return _each(raw, read_line)


def read_cloud_lines(raw: str) -> str:
    """The same for the cloud phone. Raises LineRefused."""
    return _each(raw, read_cloud_line)


def _each(raw: str, read: Callable[[str], str]) -> str:
    lines = [line for line in map(read, raw.split(",")) if line]
    if len(lines) > _MOST_LINES:
        raise LineRefused(f"a seat has at most {_MOST_LINES} lines for a carrier")
    joined = ",".join(lines)
    if len(joined) > _LONGEST_TOGETHER:
        raise LineRefused(f"the lines of a seat have at most {_LONGEST_TOGETHER} characters together")
    return joined


def read_cloud_line(raw: str) -> str:
    """A line for the cloud phone: an international number with its plus, a SIP URI, or a client of the cloud. Raises LineRefused."""
    if _CLIENT.fullmatch(raw.strip(" ")):
        return raw.strip(" ")
    line = read_line(raw)
    if line and not line.startswith(("+", "sip:", "sips:")):
        raise LineRefused("a line of the cloud phone is an international number with +, a SIP URI or client:name")
    return line
