"""The caller is gone: the last turns of a call, with what nobody told us of while no bridge was there: a talk, a message."""

import asyncio
from collections.abc import Sequence

from ivr.call import Call
from ivr.events import Answered, HungUp, Missed, Released, TalkEnded
from telephony.asterisk import cdr
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.spool import Spool

#: Where a talk may have begun, or ended, without a word to us.
MAY_TALK = ("waiting", "ringing", "operator", "talking")
#: Where what the caller says goes into a recording of which no order knows yet.
_SAYING = ("message", "fallback", "contact", "talking")


async def close_gone(
    exchange: Exchange, call_id: str, recorded_s: float = 0.0, rows: Sequence[cdr.CallRecord] = ()
) -> None:
    """End the call in its one outcome. `recorded_s`: of the message the caller hung up in. `rows`: the call's own records, where
    they are known. Repeatable."""
    if cdr.talked_to_operators(rows):
        await _put_through(exchange, call_id)
    elif (seconds := cdr.talked(rows)) is not None:
        await talked(exchange, call_id, seconds)
    spool = Spool(exchange.spool, exchange.recordings)
    if spool.holds(call_id):
        recorded_s = await _take_message(exchange, spool, call_id) or recorded_s
    await exchange.turns.take_turn(call_id, lambda facts: HungUp(facts=facts, seconds=recorded_s))


async def talked(exchange: Exchange, call_id: str, seconds: float) -> None:
    """They talked, and it is over. What was known of it before changes nothing. Repeatable."""
    call = await exchange.calls.get(call_id)
    if call is None or call.node not in MAY_TALK:
        return
    if call.node != "talking":
        await exchange.turns.take_turn(call_id, lambda facts: Answered(facts=facts))
    await exchange.turns.take_turn(call_id, lambda facts: TalkEnded(facts=facts, seconds=seconds))


async def _put_through(exchange: Exchange, call_id: str) -> None:
    await exchange.turns.take_turn(call_id, lambda facts: Released(facts=facts, to="fallback", reason="error"))
    await exchange.turns.take_turn(call_id, lambda facts: Answered(facts=facts))


async def _take_message(exchange: Exchange, spool: Spool, call_id: str) -> float:
    """The message into the call's recording, before the turn that has an order made of it; of its own where there is none that
    is still open. Seconds of the call's recording."""
    call = await exchange.calls.get(call_id)
    if call is None:
        return 0.0  # for whoever knows the call
    if not _is_open(call):
        call = await _to_the_recording(exchange, call)
    if not _is_open(call):
        await asyncio.to_thread(spool.set_aside, call_id)
        return 0.0
    return await asyncio.to_thread(spool.take, call_id, call.recording)


def _is_open(call: Call) -> bool:
    """The call has a recording to which something may still be added."""
    return call.node in _SAYING and not call.ordered and call.recording != ""


async def _to_the_recording(exchange: Exchange, call: Call) -> Call:
    """Bring the call to the node that records, as the dialplan did."""
    if call.node != "operator":
        turn = await exchange.turns.take_turn(
            call.id, lambda facts: Released(facts=facts, to="fallback", reason="error")
        )
        call = turn.call
    if call.node == "operator":
        turn = await exchange.turns.take_turn(call.id, lambda facts: Missed(facts=facts, reason="no_answer"))
        call = turn.call
    return call
