"""A seat is ready for a caller who kept the place: we call back, and whoever answers must press 1 before the leader rings.

A voicemail or somebody else in the house never takes the leader's time. After `callback_tries` tries: a work order.
"""

from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import FreeSeat, JoinLine, ReturnToHead
from ivr.events import AnyEvent, Arrived, HungUp, Keyed, Offered, Released, TimedOut
from ivr.facts import Facts
from ivr.moves import Step, enter, note, try_again
from ivr.nodes import kept, message, ringing, waiting
from ivr.verbs import AnyVerb, Ask, CallBack, HangUp, Prompt

#: Who did not answer lets one caller go first before we try again.
BEHIND = 1


def enter_calling(call: Call, offer: Offered) -> Step:
    """The seat is claimed; the caller's phone is to ring."""
    after = enter(ringing.at_seat(call, offer), "calling", offer.facts, reason="", leg="")
    return after, (
        ringing.note_offer(call, offer),
        note(offer.facts, "called_back", seat_id=offer.seat_id, attempt=call.callbacks_missed + 1),
    )


def advance(call: Call, event: AnyEvent) -> Step | None:
    match event:
        case Arrived(leg=leg) if leg and call.node == "calling":  # without: told late of the leg they came by
            return enter(call, "screening", event.facts, leg=leg), ()
        case Keyed(key="1") if call.node == "screening":
            return _talk(call, event.facts)
        case Keyed(key="2") if call.node == "screening":
            return message.enter_message(call, event.facts, source="callback", reason="declined")
        case TimedOut() if call.node == "screening" and (asked := try_again(call, event.facts)):
            return asked, ()
        case TimedOut() if call.node == "screening" and call.reason != "unscreened":
            return enter(call, "screening", event.facts, reason="unscreened"), ()  # last words; hanging up is the miss
        case HungUp():
            return missed(call, event.facts)
        case Offered(seat_id=call.seat_id) if ringing.can_ring(call, event):
            after, commands = _offered_anew(call, event)
            old = FreeSeat(seat_id=call.seat_id, token=call.token, talked=False, at=event.facts.now)
            return after, (old, *commands)
        case Released():
            return _released(call, event)
        case _:
            return None


def _released(call: Call, event: Released) -> Step | None:
    if event.to == "seat":
        return call, ()
    if call.node == "calling":
        replaced = event.to == "other_call"
        after, commands = kept.give_way(call, event) if replaced else kept.end(call, event.facts)
        return after, (note(event.facts, "released", to=event.to, reason=event.reason), *commands)
    if event.to == "other_call":  # perhaps a voicemail hears our question; there somebody has pressed 1
        return waiting.give_way(call, event)
    return None


def _offered_anew(call: Call, offer: Offered) -> Step:
    """The claim lapsed, and the seat claimed this caller again."""
    if call.node == "calling":
        return enter_calling(call, offer)
    return replace(ringing.at_seat(call, offer)), (ringing.note_offer(call, offer),)


def _talk(call: Call, facts: Facts) -> Step:
    """It is the caller: the leader rings. From here on the call is like any other, at the head of the line."""
    joined = JoinLine(seat_id=call.seat_id, joined_at=call.joined_at)
    return ringing.ring(call, facts), (note(facts, "callback_answered", seat_id=call.seat_id), joined)


def missed(call: Call, facts: Facts) -> Step:
    """Nobody answered, or nobody pressed 1: once more later, or a work order."""
    count = call.callbacks_missed + 1
    tried = replace(call, callbacks_missed=count, leg="")
    told = note(facts, "callback_missed", seat_id=call.seat_id, attempt=count)
    if count >= facts.limits.callback_tries or facts.session is None:
        after, commands = kept.end(tried, facts)
        return after, (told, *commands)
    back = ReturnToHead(seat_id=call.seat_id, token=call.token, reason="callback_missed", pause=False, behind=BEHIND)
    return enter(tried, "kept", facts, reason=""), (told, back)


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    if call.node == "calling":
        number = call.contact or call.number
        return (CallBack(number=number, ring_s=facts.limits.callback_ring_s, token=call.token),)
    if call.reason == "unscreened":
        return (HangUp(prompts=(Prompt("callback_later"), Prompt("goodbye"))),)
    hello = () if call.tries else (Prompt("greeting", {"city": facts.city}), Prompt("callback_your_turn"))
    return (Ask(prompts=(*hello, Prompt("choose_callback")), keys="12", timeout_s=facts.limits.ask_timeout_s),)
