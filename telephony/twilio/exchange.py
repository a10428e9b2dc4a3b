"""What every part of this carrier shares: settings, calls, prompts, the cloud's REST side. No state of its own."""

import re

from msgspec import Struct

from calls.assembly import Core
from config.settings import Settings
from ivr.call import Call
from telephony.prompts import Prompts
from telephony.twilio.addresses import Addresses
from telephony.twilio.connection import Connection
from telephony.twilio.legs import Legs

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}\Z")
_RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}\Z")
PREFIX = "t-"
#: So much of the account's id names it in the ledger.
_HOST_LENGTH = 8


class Exchange(Struct, frozen=True):
    """One account at the cloud as our processes see it."""

    settings: Settings
    core: Core
    connection: Connection
    prompts: Prompts
    addresses: Addresses
    legs: Legs

    @property
    def host(self) -> str:
        """The account's short name, for the ledger."""
        return host_of(self.settings.twilio_account_sid)


def assemble(core: Core) -> Exchange:
    """The parts for this process. Nothing is sent yet."""
    settings = core.settings
    return Exchange(
        settings=settings,
        core=core,
        connection=Connection(settings),
        prompts=Prompts(settings),
        addresses=Addresses(settings, core.clock),
        legs=Legs(core.redis, settings, core.clock),
    )


def host_of(account_sid: str) -> str:
    return account_sid[:_HOST_LENGTH]


def is_call_sid(text: str) -> bool:
    return bool(_CALL_SID.match(text))


def is_recording_sid(text: str) -> bool:
    return bool(_RECORDING_SID.match(text))


def call_id_of(call_sid: str) -> str:
    """The same call never gets a second id. Raises ValueError for what is no CallSid."""
    if not is_call_sid(call_sid):
        raise ValueError("not a CallSid")
    return PREFIX + call_sid


def call_sid_of(call_id: str) -> str:
    return call_id.removeprefix(PREFIX)


def leg_of(call: Call) -> str:
    """CallSid of the leg the caller is on: the one by which we called back, else the one they came by."""
    return call.leg or call_sid_of(call.id)


def is_ours(call_id: str) -> bool:
    """True for the id of a call of this carrier."""
    return call_id.startswith(PREFIX) and is_call_sid(call_sid_of(call_id))


def new_call(exchange: Exchange, call_id: str, number: str, started_at: float) -> Call:
    """The record of a call that nobody knows yet. `number` E.164 or empty."""
    return Call(
        id=call_id,
        carrier="twilio",
        started_at=started_at,
        number=number,
        host=exchange.host,
        language=exchange.settings.language,
    )
