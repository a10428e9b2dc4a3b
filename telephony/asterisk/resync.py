"""After every login: Asterisk's channels against the calls in Redis. Whoever is there is taken up; `audit` has the rest."""

from telephony.asterisk import dialplan
from telephony.asterisk.adoption import Found
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange, call_id_of
from telephony.asterisk.leg import Leg
from telephony.asterisk.legs import Legs

#: Where callers' channels are. Others (leaders' phones) have a context of their own.
CALLERS = frozenset(
    {dialplan.SERVICE_CONTEXT, dialplan.CONNECT_CONTEXT, dialplan.TRANSFER_CONTEXT, dialplan.FALLBACK_CONTEXT}
)


async def resync(exchange: Exchange, legs: Legs) -> int:
    """Take up every caller on this node who has no leg; how many. Calls that Redis lost are restored first, talks before
    the others, so that no seat and no place in the line is given away twice."""
    return await take_up(exchange, legs, await exchange.connection.listing("CoreShowChannels"))


async def take_up(exchange: Exchange, legs: Legs, channels: list[Event], only: frozenset[str] | None = None) -> int:
    """The same for a list of channels; `only` these Uniqueids. The list is of a moment ago: they hear their events from here
    on, and what is done about them follows from how they are after that."""
    found: list[Leg] = []
    for channel in channels:
        uniqueid = channel.get("Uniqueid", "")
        if not is_caller(channel) or call_id_of(uniqueid) in legs or (only is not None and uniqueid not in only):
            continue
        others = [one for one in channels if one.get("Linkedid") == uniqueid and is_other_side(one, uniqueid)]
        leg = Leg(exchange, call_id_of(uniqueid), channel["Channel"], uniqueid)
        leg.turns.number = channel.get("CallerIDNum", "")
        leg.talk.other_side = others[0]["Uniqueid"] if others else ""
        legs.expect(leg, leg.talk.other_side)
        found.append(leg)
    try:
        return await _adopt(exchange, legs, found) if found else 0
    except BaseException:
        for leg in found:
            legs.drop(leg)
        raise


async def _adopt(exchange: Exchange, legs: Legs, found: list[Leg]) -> int:
    for leg in sorted(found, key=lambda leg: not leg.talk.other_side):
        await leg.be_known()
    now = {channel.get("Uniqueid", ""): channel for channel in await exchange.connection.listing("CoreShowChannels")}
    for leg in found:
        if (channel := now.get(leg.uniqueid)) is None:
            legs.drop(leg)  # gone, and perhaps without a word to us: the audit finds what the records say
        else:
            bridged = bool(channel.get("BridgeId"))
            legs.add(leg, Found(channel.get("Context", ""), bridged, leg.turns.number))
    return len(found)


def is_caller(channel: Event) -> bool:
    """The channel of a citizen, in whatever part of the dialplan."""
    return channel.get("Context") in CALLERS


def is_other_side(channel: Event, uniqueid: str) -> bool:
    """Not the caller's own channel, nor that of somebody who supervises the talk or was told that it is over."""
    apart = (dialplan.SUPERVISE_CONTEXT, dialplan.TOLD_CONTEXT)
    return channel.get("Uniqueid") != uniqueid and channel.get("Context") not in apart
