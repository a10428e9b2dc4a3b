"""The part of `hotline twilio check` about leaders' SIP phones behind our Asterisk. The cloud itself keeps nothing of it: name and
password go out with each `<Dial><Sip>`, so there is no domain, trunk or credential list of the account to be asked for."""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Iterator

from msgspec import Struct

from config.cloud_sip import cloud_password
from config.settings import Settings
from telephony.asterisk.pbx_config import branches, cloud_networks
from telephony.errors import CarrierRefused

_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:(?P<port>[0-9]{1,5}))?")
_RESOLVED_WITHIN_S = 5.0


class Finding(Struct, frozen=True):
    """One line of the check. `advice` tells what to do when it is not `ok`."""

    name: str
    ok: bool
    advice: str = ""


async def look_at_sip(settings: Settings) -> list[Finding]:
    """Nothing where no such phone is set up. Neither Asterisk nor cloud are asked: a firewall that lets in the cloud alone, as it
    should, would refuse us."""
    if not (settings.twilio_sip_address or settings.twilio_sip_networks):
        return []
    found = [Finding("sip settings", not missing, missing) for missing in [_missing(settings)]]
    found += [_valid("sip password", lambda: cloud_password(settings))]
    if settings.twilio_sip_networks:
        found += [_valid("sip networks", lambda: cloud_networks(settings))]
    if settings.branch_lines:
        found += [_valid("sip branch lines", lambda: branches(settings))]
    if settings.twilio_sip_address:
        wrong = await _unreachable(settings.twilio_sip_address)
        found.append(Finding("sip address", not wrong, wrong))
    return found


def _missing(settings: Settings) -> str:
    """What else has to be set. An api on a machine without Asterisk needs only the address."""
    return "; ".join(_lacks(settings))


def _lacks(settings: Settings) -> Iterator[str]:
    if not settings.twilio_sip_address:
        yield "set HOTLINE_TWILIO_SIP_ADDRESS: without it no line is dialled with the password, and Asterisk refuses the call"
    if settings.asterisk == "off":
        if not settings.twilio_sip_secret.get_secret_value():
            yield "set HOTLINE_TWILIO_SIP_SECRET here and at Asterisk: a password generated here is not known there"
        return
    if not settings.twilio_sip_networks:
        yield "set HOTLINE_TWILIO_SIP_NETWORKS to the cloud's signalling addresses: Asterisk takes calls from nobody else"
    if not settings.branch_lines:
        yield "set HOTLINE_BRANCH_LINES, for example 801=sip:leader@10.0.0.5: the cloud may ring no other line"


def _valid(name: str, read: Callable[[], object]) -> Finding:
    try:
        read()
    except (ValueError, CarrierRefused) as error:
        return Finding(name, False, str(error))
    return Finding(name, True)


async def _unreachable(address: str) -> str:
    """Why a cloud on the internet cannot ring at this address; empty = nothing is against it."""
    form = _ADDRESS.fullmatch(address)
    if form is None or int(form["port"] or 0) > 65535:
        return "HOTLINE_TWILIO_SIP_ADDRESS is a name or an IPv4 address and perhaps a port, for example sip.example.gov.cn:5060"
    try:
        async with asyncio.timeout(_RESOLVED_WITHIN_S):
            known = await asyncio.get_running_loop().getaddrinfo(form["host"], None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return f"HOTLINE_TWILIO_SIP_ADDRESS: no address is known for {form['host']}; enter it in the public DNS"
    if not any(ipaddress.ip_address(str(one[4][0])).is_global for one in known):
        return "HOTLINE_TWILIO_SIP_ADDRESS leads to a private address: name the public one, and forward the SIP and RTP ports"
    return ""
