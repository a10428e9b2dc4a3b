"""After every login: Asterisk's channels against the calls in Redis. Adopt who is there, close who has left."""

import structlog

from calls.assembly import Core
from ivr.events import HungUp, Recorded, Released
from telephony.asterisk import dialplan
from telephony.asterisk.cdr import calls_in
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange, call_id_of
from telephony.asterisk.leg import Found, Leg
from telephony.asterisk.legs import Legs
from telephony.asterisk.spool import Spool

log = structlog.get_logger()

_CALLERS = frozenset(
    {dialplan.SERVICE_CONTEXT, dialplan.CONNECT_CONTEXT, dialplan.TRANSFER_CONTEXT, dialplan.FALLBACK_CONTEXT}
)


async def resync(exchange: Exchange, core: Core, legs: Legs) -> None:
    """Take up every caller on this node, then account for everybody who left while nobody looked."""
    channels = await exchange.connection.listing("CoreShowChannels")
    for channel in channels:
        if channel.get("Context") in _CALLERS and call_id_of(channel["Uniqueid"]) not in legs:
            _take_up(exchange, legs, channel, channels)
    await close_ended(exchange, core, legs)


def _take_up(exchange: Exchange, legs: Legs, channel: Event, channels: list[Event]) -> None:
    uniqueid = channel["Uniqueid"]
    other = next((one["Uniqueid"] for one in channels if _is_other_side(one, uniqueid)), "")
    leg = Leg(exchange, call_id_of(uniqueid), channel["Channel"], uniqueid)
    leg.other_side = other
    found = Found(
        context=channel["Context"], bridged=bool(channel.get("BridgeId")), number=channel.get("CallerIDNum", "")
    )
    legs.add(leg, found, other)


def _is_other_side(channel: Event, uniqueid: str) -> bool:
    return channel.get("Linkedid") == uniqueid and channel.get("Uniqueid") != uniqueid


async def close_ended(exchange: Exchange, core: Core, legs: Legs) -> None:
    """Calls that Redis or the CDR know and Asterisk does not have any more."""
    node = exchange.settings.pbx_node
    for call_id in await core.calls.live():
        call = await core.calls.get(call_id)
        if call is not None and call.carrier == "asterisk" and call.host == node and call_id not in legs:
            await _close(exchange, core, call_id)
    await _close_unseen(exchange, core, legs)


async def _close_unseen(exchange: Exchange, core: Core, legs: Legs) -> None:
    """Calls that came and went without any bridge: only the CDR knows them."""
    rows = {row.call_id: row for row in calls_in(exchange.settings) if row.call_id not in legs}
    for call_id in await core.ledger.unknown_calls(list(rows)):
        row = rows[call_id]
        leg = Leg(exchange, call_id, row.channel, row.uniqueid)
        await core.calls.create(leg.new_call(row.number, row.started_at))
        await _close(exchange, core, call_id)
        log.warning("a call that no bridge saw is in the ledger now", call_id=call_id)


async def _close(exchange: Exchange, core: Core, call_id: str) -> None:
    """The caller is gone; a message in the spool becomes part of the call first."""
    spooled = Spool(exchange.spool, exchange.recordings)
    if (message := spooled.take(call_id)) is not None:
        await core.turns.take_turn(call_id, lambda facts: Released(facts=facts, to="fallback", reason="error"))
        await core.turns.take_turn(
            call_id, lambda facts: Recorded(facts=facts, seconds=message.seconds, name=message.name)
        )
    await core.turns.take_turn(call_id, lambda facts: HungUp(facts=facts))
