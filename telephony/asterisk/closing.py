"""The caller is gone: the last turns of a call, with the message that the dialplan may have recorded meanwhile."""

from ivr.events import Answered, HungUp, Missed, Recorded, Released
from telephony.asterisk.exchange import Exchange
from telephony.asterisk.spool import Spool


async def close_gone(exchange: Exchange, call_id: str, recorded_s: float = 0.0, *, by_operators: bool = False) -> None:
    """End the call in its one outcome. `recorded_s`: of the message the caller hung up in. `by_operators`: the dialplan put
    them through by itself. Repeatable."""
    if by_operators:
        await _put_through(exchange, call_id)
    spool = Spool(exchange.spool, exchange.recordings)
    if spool.holds(call_id):
        recorded_s = await _take_message(exchange, spool, call_id) or recorded_s
    await exchange.turns.take_turn(call_id, lambda facts: HungUp(facts=facts, seconds=recorded_s))


async def _put_through(exchange: Exchange, call_id: str) -> None:
    await exchange.turns.take_turn(call_id, lambda facts: Released(facts=facts, to="fallback", reason="error"))
    await exchange.turns.take_turn(call_id, lambda facts: Answered(facts=facts))


async def _take_message(exchange: Exchange, spool: Spool, call_id: str) -> float:
    """Bring the call to the node that records, as the dialplan did, and hand it what was recorded."""
    call = await exchange.calls.get(call_id)
    if call is not None and call.node not in ("message", "fallback", "operator"):
        turn = await exchange.turns.take_turn(
            call_id, lambda facts: Released(facts=facts, to="fallback", reason="error")
        )
        call = turn.call
    if call is not None and call.node == "operator":
        turn = await exchange.turns.take_turn(call_id, lambda facts: Missed(facts=facts, reason="no_answer"))
        call = turn.call
    if call is None or not call.recording:
        return 0.0
    seconds = spool.take(call_id, call.recording)
    await exchange.turns.take_turn(call_id, lambda facts: Recorded(facts=facts, seconds=seconds))
    return seconds
