"""Calls back who keeps a place in the line. Whoever answers comes in as the same call, by a leg named in every address.

A try is known by the claim's token: any process may notice that it is due, one makes it, and none makes it twice.
"""

import hashlib

import structlog

from config.numbers import read_dialable
from ivr.call import Call
from ivr.events import HungUp
from ivr.verbs import CallBack
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable, CarrierUncertain
from telephony.twilio.exchange import Exchange, call_sid_of, is_ours
from telephony.twilio.outbound import Outbound

log = structlog.get_logger()

#: Nodes at which nobody is on the phone, or somebody on another leg than the one the call came by.
OFF_THE_FIRST_LEG = frozenset({"kept", "calling", "screening"})


def leg_of_try(call: Call) -> str:
    """The id of the try that this claim asks for."""
    return hashlib.sha256(f"{call.id}/{call.token}".encode()).hexdigest()[:26]


def is_of_another_leg(call: Call, call_sid: str, leg: str) -> bool:
    """True for what is told of a leg this call has left: the one it came by, or that of an earlier try."""
    if leg:
        return leg != leg_of_try(call) and call.leg != call_sid
    return call.node in OFF_THE_FIRST_LEG or (call.leg != "" and call.leg != call_sid)


async def call_back(exchange: Exchange, outbound: Outbound, call: Call) -> None:
    """Place the call, unless somebody else does. Raises CarrierUnavailable: then it is to be tried again."""
    turn = await exchange.core.turns.present(call.id)
    verb = turn.verbs[0] if turn.verbs else None
    if turn.call.token != call.token or not isinstance(verb, CallBack):
        return
    leg = leg_of_try(call)
    mine = await outbound.reserve(leg)
    if not mine:
        return
    number = read_dialable(verb.number, exchange.settings)

    async def wanted() -> bool:
        return await _is_wanted(exchange, call)

    try:
        if not number:
            raise CarrierRefused("this is no telephone that may be rung")
        await outbound.place(number, leg, of=call_sid_of(call.id), ring_s=verb.ring_s, wanted=wanted)
    except CarrierUncertain as error:
        # It stays reserved: nobody is rung twice. If no phone rings, the claim lapses and the next try begins.
        log.warning("a caller may have been called back", call_id=call.id, error=str(error))
    except CallGone:
        await outbound.give_up(leg, mine)
    except CarrierUnavailable:
        await outbound.give_up(leg, mine)
        raise
    except CarrierRefused as error:
        log.warning("a caller could not be called back", call_id=call.id, error=str(error))
        await exchange.core.turns.take_turn(call.id, lambda facts: HungUp(facts=facts), call.scene)
        await outbound.give_up(leg, mine)


async def _is_wanted(exchange: Exchange, call: Call) -> bool:
    """The try still stands after it waited for its turn; its claim holds from now on while the cloud is asked."""
    now = await exchange.core.calls.get(call.id)
    if now is None or (now.node, now.token) != (call.node, call.token):
        return False
    return await exchange.core.line.renew(call.seat_id, call.token, exchange.settings.claim_lease_s)


async def look_for_missed(exchange: Exchange, outbound: Outbound) -> None:
    """Whose phone has stopped ringing was not reached, also when the cloud's notice of it never came: else the claim would lapse
    and they would be rung again, uncounted, for ever. Raises CarrierUnavailable, CarrierRefused, RedisError."""
    core = exchange.core
    for seat_id in await core.seats.known():
        seat = await core.seats.state(seat_id)
        call = await core.calls.get(seat.call_id) if seat.state == "ringing" and is_ours(seat.call_id) else None
        if call is not None and call.node == "calling":
            await _look_at_try(exchange, outbound, call)


async def _look_at_try(exchange: Exchange, outbound: Outbound, call: Call) -> None:
    leg = leg_of_try(call)
    call_sid = await outbound.call_sid(leg)
    if not call_sid:
        return  # not placed yet, as far as we know
    try:
        now = await exchange.connection.call(call_sid)
    except CallGone:
        return
    if now.ended:
        await outbound.note(leg, now.status, call_sid)
        await exchange.core.turns.take_turn(call.id, lambda facts: HungUp(facts=facts), call.scene)
        log.info("a caller was not reached, and the cloud did not tell", call_id=call.id)
