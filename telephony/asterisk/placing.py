"""Rings for a call about an order, from a job: one short login, Originate, logoff by a manager user that may only originate.

Whoever answers comes to the bridge as a channel whose id holds both ids of the call (see `placed`).
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from asterisk.ami import AMIClient, SimpleAction

from calls.placing import Claim
from config.secrets import secret
from config.settings import Settings
from telephony.asterisk import dialplan
from telephony.asterisk.agi import refuse_control
from telephony.asterisk.callbacks import callback_address
from telephony.asterisk.dial_string import dial_string
from telephony.errors import CarrierRefused, CarrierUnavailable, CarrierUncertain

USER = "hotline-originate"
ANSWER_WITHIN_S = 4.0
PREFIX = "placed."
_UNIQUEID = re.compile(r"placed\.([0-9a-z]{26})\.([0-9a-z]{26})\Z")


def uniqueid_of(leg: str, placed_id: str) -> str:
    """The id of a try's channel: Asterisk refuses a second one."""
    return f"{PREFIX}{leg}.{placed_id}"


def read_uniqueid(uniqueid: str) -> tuple[str, str] | None:
    """Leg and id of the placed call; None for any other channel."""
    found = _UNIQUEID.match(uniqueid)
    return (found[1], found[2]) if found else None


class _Client(AMIClient):  # type: ignore[misc]  # asterisk-ami brings no types
    """Leaves no socket behind when nobody answers."""

    def connect(self) -> None:
        try:
            super().connect()
        except OSError:
            self._socket.close()
            raise


class AsteriskPlacing:
    """Rings by the Asterisk at AMI_HOST."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def ring(self, claim: Claim) -> None:
        """One try. Raises CarrierUnavailable, CarrierUncertain, CarrierRefused."""
        settings = self._settings
        fields = {
            "Channel": dial_string(callback_address(settings, claim.number)),
            "ChannelId": uniqueid_of(claim.leg, claim.id),
            "Context": dialplan.PLACED_CONTEXT,
            "Exten": dialplan.START_EXTEN,
            "Priority": "1",
            "Timeout": str(int(claim.ring_s * 1000)),
            "CallerID": settings.service_number,
            "Async": "true",
        }
        await asyncio.to_thread(originate, settings, {name: refuse_control(value) for name, value in fields.items()})

    async def is_over(self, leg: str) -> bool:
        """Its bridge tells of its end, and a channel without a bridge ends by its lease: long before somebody asks this."""
        del leg
        return True


def originate(settings: Settings, fields: Mapping[str, str]) -> None:
    """Blocking. Raises as `ring`."""
    client = _Client(settings.ami_host, settings.effective_ami_port, timeout=ANSWER_WITHIN_S)
    try:
        try:
            login = client.login(USER, secret(settings, "ami_originate")).response
        except OSError as error:
            raise CarrierUnavailable("Asterisk's manager interface cannot be reached") from error
        _check(login, CarrierUnavailable("Asterisk does not answer a login"), "Asterisk refuses the login of our jobs")
        try:
            answer = client.send_action(SimpleAction("Originate", **fields)).response
        except OSError as error:
            raise CarrierUncertain("the connection broke while a call was placed") from error
        _check(answer, CarrierUncertain("Asterisk did not say whether it placed a call"), "Asterisk refuses to place a call")
    finally:
        if client.finished is not None:
            client.disconnect()


def _check(response: Any, silent: Exception, refused: str) -> None:
    if response is None:
        raise silent
    if response.is_error():
        raise CarrierRefused(refused)
