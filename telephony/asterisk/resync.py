"""After every login: Asterisk's channels against the calls in Redis. Adopt who is there, close who has left."""

import structlog
from calls.assembly import Core

from telephony.asterisk import cdr, dialplan
from telephony.asterisk.closing import close_gone
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange, call_id_of
from telephony.asterisk.leg import Found, Leg, new_call
from telephony.asterisk.legs import Legs
from telephony.asterisk.pbx_config import pbx_files

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
    await close_unseen(exchange, core, legs)


def _take_up(exchange: Exchange, legs: Legs, channel: Event, channels: list[Event]) -> None:
    uniqueid = channel["Uniqueid"]
    others = [one for one in channels if one.get("Linkedid") == uniqueid and one.get("Uniqueid") != uniqueid]
    leg = Leg(exchange, call_id_of(uniqueid), channel["Channel"], uniqueid)
    leg.other_side = others[0]["Uniqueid"] if others else ""
    bridged = bool(channel.get("BridgeId"))
    legs.add(leg, Found(channel["Context"], bridged, channel.get("CallerIDNum", "")), leg.other_side)


async def close_ended(exchange: Exchange, core: Core, legs: Legs) -> None:
    """Calls that are live in Redis and have no channel any more."""
    for call_id in await core.calls.live():
        call = await core.calls.get(call_id)
        here = call is not None and call.carrier == "asterisk" and call.host == exchange.settings.pbx_node
        if here and call_id not in legs:
            await close_gone(exchange, call_id)


async def close_unseen(exchange: Exchange, core: Core, legs: Legs) -> None:
    """Calls that came and went without any bridge: only Asterisk's own records know them."""
    settings = exchange.settings
    path = pbx_files(settings, settings.state_dir / "asterisk").cdr
    mark = f"{settings.redis_prefix}cdr:{settings.pbx_node}"
    records, offset = cdr.read(path, int(await core.redis.get(mark) or 0))
    rows = {call_id: rows[0] for call_id, rows in cdr.calls(records).items() if call_id not in legs}
    for call_id in await core.ledger.unknown_calls(list(rows)):
        if await core.calls.get(call_id) is None:
            row = rows[call_id]
            await core.calls.create(new_call(settings, call_id, row.source, row.started_at))
            await close_gone(exchange, call_id)
            log.warning("a call that no bridge saw is in the ledger now", call_id=call_id)
    await core.redis.set(mark, offset)
