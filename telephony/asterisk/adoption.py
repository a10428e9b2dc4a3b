"""A caller's channel that was there before this bridge: what goes on is left in peace, what has stopped is taken up."""

from msgspec import Struct

from ivr.call import Call
from ivr.events import Arrived
from ivr.verbs import Hold, Record
from telephony.asterisk import dialplan
from telephony.asterisk.leg import NOBODY_THERE, WITH_OTHERS, Leg


class Found(Struct, frozen=True):
    """A caller's channel as a newly connected bridge finds it."""

    context: str
    bridged: bool
    number: str


async def adopt(leg: Leg, found: Found) -> None:
    """The first thing a leg does whose channel was found."""
    leg.turns.number = found.number
    call = await leg.turns.known_call()
    leg.node = call.node
    if found.context in (dialplan.CONNECT_CONTEXT, dialplan.TRANSFER_CONTEXT):
        await _with_others(leg, call, found)
    elif found.context == dialplan.SERVICE_CONTEXT:
        leg.channel.in_agi.set()
        await leg.extend_lease()  # it may be nearly over
        if call.node in WITH_OTHERS or (call.node == "waiting" and await leg.talk.took_place()):
            await leg.come_back(call)
        else:
            await _in_agi(leg, call)
    else:
        await leg.watch()
        if found.bridged:
            await leg.talk.answered()


async def _with_others(leg: Leg, call: Call, found: Found) -> None:
    if call.node in WITH_OTHERS or found.bridged:
        leg.stage.resume(call, answered=True)
    leg.talk.since = call.talk_started_at
    if found.bridged and call.node in ("ringing", "operator", "waiting"):
        await leg.talk.answered()


async def _in_agi(leg: Leg, call: Call) -> None:
    turn = await leg.turns.present()
    last = turn.verbs[-1] if turn.verbs else None
    if call.node == "arriving":
        await leg.turn(lambda facts: Arrived(facts=facts))
    elif call.node in NOBODY_THERE:
        await leg.turn(lambda facts: Arrived(facts=facts, leg=leg.uniqueid))
    elif isinstance(last, Hold):
        leg.stage.resume(turn.call, answered=True)
        leg.stage.play((Hold(keys=last.keys),), turn.call, at_once=False)
    elif isinstance(last, Record):
        leg.stage.resume(turn.call, answered=True)
        leg.stage.finish_recording(last)
    else:
        leg.show(turn)
