"""What Dial may be given for a line. The dialplan filters again: values come from people and from Redis."""

import re

from telephony.errors import CarrierRefused

_SIP = re.compile(r"sips?:(?:[A-Za-z0-9._+~%-]+@)?[A-Za-z0-9.-]+(?::\d{1,5})?(?:;[a-z]+=[A-Za-z0-9]+)*")
#: A handset of telephony.asterisk.web_phone. The dialplan knows the same notation.
_BROWSER = re.compile(r"sip:((?:web|desk)-[1-9][0-9]?)@browser")
_NUMBER = re.compile(r"\+?\d{3,15}")


def line_address(line: str) -> str:
    """The line itself, for HOTLINE_LINE: `sip:user@host:port` or a number behind the trunk. Raises CarrierRefused."""
    if len(line) > 200 or not (_SIP.fullmatch(line) or _NUMBER.fullmatch(line)):
        raise CarrierRefused("a line must be sip:user@host:port or a number")
    return line


def dial_string(line: str) -> str:
    """Dial's first argument for a line of the settings; empty for an empty line."""
    if not line:
        return ""
    address = line_address(line)
    if browser := _BROWSER.fullmatch(address):
        return f"PJSIP/{browser[1]}"
    return f"PJSIP/line/{address}" if address.startswith("sip") else f"PJSIP/{address}@trunk"
