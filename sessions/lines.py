"""Lines by which a leader is rung: a SIP URI or a number. Whatever else a dial string could be made of is refused."""

import re

_LONGEST = 120
#: `sip:user@host[:port]` with the characters of an ordinary user and host only: no parameters, headers, quotes or
#: commas, with which a dial string (`Dial(PJSIP/...,20,mg)`) or an AMI action could be extended.
_SIP = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[A-Za-z0-9_.+-]{1,64})@)?"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,80}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
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


def read_number_line(raw: str) -> str:
    """A line for the cloud phone: an international number with its plus, or a SIP URI. Raises LineRefused."""
    line = read_line(raw)
    if line and not line.startswith(("+", "sip:", "sips:")):
        raise LineRefused("a line of the cloud phone is an international number with + or a SIP URI")
    return line
