"""Phones to which a talk may be sent: those of our own house. An address elsewhere would carry a citizen's words out of it."""

import ipaddress
import re

from config.settings import Settings
from telephony.asterisk.pbx_config import trusted_networks
from telephony.asterisk.web_phone import desk_handset_of, handset_of

_SIP = re.compile(r"sip:[A-Za-z0-9_.+-]{1,64}@(?P<host>[0-9.]{7,15})(?::(?P<port>[0-9]{1,5}))?")
_HIGHEST_PORT = 65535


class PhoneRefused(ValueError):
    """This is no phone of this house."""


def read_phone(phone: str, settings: Settings) -> str:
    """The address itself: a browser phone of ours, or a SIP phone at an IPv4 address of SIP_TRUST. Raises PhoneRefused."""
    if handset_of(phone, settings) is not None or desk_handset_of(phone, settings) is not None:
        return phone
    found = _SIP.fullmatch(phone)
    if found is None or not 0 < int(found["port"] or 1) <= _HIGHEST_PORT:
        raise PhoneRefused("a phone is sip:user@address[:port] with an IPv4 address, or a browser phone of this house")
    try:
        address = ipaddress.ip_address(found["host"])
    except ValueError as error:
        raise PhoneRefused("a phone has an IPv4 address") from error
    if not any(address in ipaddress.ip_network(network) for network in trusted_networks(settings)):
        raise PhoneRefused("a talk is sent to phones in the trusted networks only (SIP_TRUST)")
    return phone
