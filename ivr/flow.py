"""The call flow: `advance` decides, `present` says what the caller hears.

Rule 1: everything that decides about a call is reached from here. Rule 2: the same call, event and facts give the same
answer; there is no clock, carrier, database or chance in it. Rule 3: an event that changes nothing returns the very
same call, so that nothing is saved and nothing is heard twice.
"""

from collections.abc import Callable

from msgspec.structs import replace

from ivr import anywhere
from ivr.call import Call, NodeName
from ivr.commands import AnyCommand
from ivr.events import AnyEvent
from ivr.facts import Facts
from ivr.moves import Step
from ivr.nodes import (
    arriving,
    callback,
    calling,
    closed,
    contact,
    fallback,
    goodbye,
    kept,
    message,
    operator,
    order,
    question,
    ringing,
    talking,
    waiting,
)
from ivr.verbs import AnyVerb

Advance = Callable[[Call, AnyEvent], Step | None]
Present = Callable[[Call, Facts], tuple[AnyVerb, ...]]


def _nothing_particular(call: Call, event: AnyEvent) -> Step | None:
    return None


def _silence(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    return ()


NODES: dict[NodeName, tuple[Advance, Present]] = {
    "arriving": (arriving.advance, arriving.present),
    "question": (question.advance, question.present),
    "waiting": (waiting.advance, waiting.present),
    "ringing": (ringing.advance, ringing.present),
    # Answered changes nothing in what the carrier plays: the talk is the rest of the same Connect.
    "talking": (talking.advance, ringing.present),
    "message": (message.advance, message.present),
    "contact": (contact.advance, contact.present),
    "order": (order.advance, order.present),
    "closed": (closed.advance, closed.present),
    "operator": (operator.advance, operator.present),
    "callback": (callback.advance, callback.present),
    "kept": (kept.advance, kept.present),
    "calling": (calling.advance, calling.present),
    "screening": (calling.advance, calling.present),
    "goodbye": (goodbye.advance, goodbye.present),
    "fallback": (fallback.advance, fallback.present),
    "ended": (_nothing_particular, _silence),
}


def advance(call: Call, event: AnyEvent) -> tuple[Call, tuple[AnyCommand, ...]]:
    """The call after `event`, one `seq` older, and what is to be done. The same object and () when nothing changed."""
    particular, _ = NODES[call.node]
    after, commands = particular(call, event) or anywhere.advance(call, event)
    if after is call and not commands:
        return call, ()
    return replace(after, seq=call.seq + 1), commands


def present(call: Call, facts: Facts) -> tuple[AnyVerb, ...]:
    """What the caller hears now. `facts` are for the wording only; empty when the caller is gone."""
    _, verbs = NODES[call.node]
    return verbs(call, facts)
