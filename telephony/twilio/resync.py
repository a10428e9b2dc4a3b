"""The cloud's own word on a call, when nothing was heard of it: adopt who is there, close who has left."""

from datetime import UTC, datetime, timedelta
from time import time

import structlog

from calls.store import UnknownCall
from config.numbers import read_number
from ivr.events import HungUp
from telephony.errors import CallGone
from telephony.twilio.connection import CloudCall, started_at
from telephony.twilio.exchange import Exchange, call_id_of, call_sid_of, is_call_sid, is_ours, leg_of, new_call

log = structlog.get_logger()

#: The cloud's list is looked at from the day before on, so that no time zone and no midnight hides a call.
LOOK_BACK = timedelta(days=1)
#: Its webhooks may still be under way.
SETTLED_S = 300.0


async def check(exchange: Exchange, call_id: str) -> bool:
    """Ask the cloud; True while the call goes on. Raises CarrierUnavailable, CarrierRefused, RedisError."""
    call = await exchange.core.calls.get(call_id)
    if call is not None and call.node in ("kept", "calling"):
        await exchange.legs.forget(call_id)  # nobody is on the phone, and that is as it should be
        return True
    try:
        going_on = not (await exchange.connection.call(leg_of(call) if call else call_sid_of(call_id))).ended
    except CallGone:
        going_on = False
    if going_on:
        await exchange.legs.heard(call_id)
        return True
    try:
        seen = call.scene if call else None
        await exchange.core.turns.take_turn(call_id, lambda facts: HungUp(facts=facts), seen)
        log.info("a caller left without a word", call_id=call_id)
    except UnknownCall:
        log.warning("a silent call is not known", call_id=call_id)
    await exchange.legs.forget(call_id)
    return False


async def watch_live(exchange: Exchange) -> None:
    """Every live call is watched, also one whose signs of life were lost with Redis."""
    watched = await exchange.legs.watched()
    for call_id in await exchange.core.calls.live():
        if is_ours(call_id) and call_id not in watched:
            await exchange.legs.heard(call_id)


async def account_for(exchange: Exchange) -> list[str]:
    """Calls the cloud has and the ledger has never heard of: put down as what they were. Their ids."""
    settings = exchange.settings
    if not settings.twilio_number:
        return []
    since = datetime.now(UTC) - LOOK_BACK
    listed = await exchange.connection.calls_to(settings.twilio_number, since.date().isoformat())
    over = {call_id_of(call.sid): call for call in listed if is_call_sid(call.sid) and call.ended and _is_settled(call)}
    unknown = await exchange.core.ledger.unknown_calls(list(over))
    for call_id in unknown:
        await _put_down(exchange, call_id, over[call_id])
    return unknown


async def _put_down(exchange: Exchange, call_id: str, call: CloudCall) -> None:
    started = started_at(call)
    number = read_number(call.caller, exchange.settings)
    fresh = new_call(exchange, call_id, number, started or exchange.core.clock())
    await exchange.core.calls.create(fresh)
    await exchange.core.turns.take_turn(call_id, lambda facts: HungUp(facts=facts))
    log.warning("a call that no webhook told of is in the ledger now", call_id=call_id)


def _is_settled(call: CloudCall) -> bool:
    started = started_at(call)
    return started is None or time() - started > SETTLED_S
