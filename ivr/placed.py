"""What is said on a call that we place: urgent assignment (電話交辦, R4.3a) and follow-up (電話回訪, R4.6). Pure, as all of ivr.

Not a citizen's call: no line, no ledger, no outcome. Rule: what is heard derives from the conversation alone, and an event that
changes nothing returns the very same conversation.
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ivr.call import Language
from ivr.events import AnyEvent, Keyed, Missed, TalkEnded, TimedOut
from ivr.facts import Facts
from ivr.spoken import digits
from ivr.verbs import AnyVerb, Ask, HangUp, Prompt, Transfer

#: urgent: a unit's duty number is told of an order. follow_up: the petitioner is asked about the unit's reply.
Purpose = Literal["urgent", "follow_up"]
#: What the person said by a key; empty = nothing yet.
Answer = Literal["", "confirmed", "satisfied", "unsatisfied", "refused", "operator"]
#: asking: the words, and keys are taken. operator: put through. over: last words.
Stage = Literal["asking", "operator", "over"]

#: Whoever asks for it all again and again does not listen.
MOST_ASKED = 6
ANSWERS: dict[Purpose, dict[str, Answer]] = {
    "urgent": {"1": "confirmed"},
    "follow_up": {"1": "satisfied", "2": "unsatisfied", "9": "refused", "0": "operator"},
}
AGAIN: dict[Purpose, str] = {"urgent": "2", "follow_up": ""}
LAST_WORDS: dict[Answer, str] = {
    "confirmed": "urgent_confirmed",
    "satisfied": "follow_up_satisfied",
    "unsatisfied": "follow_up_unsatisfied",
    "refused": "follow_up_refused",
}


class Conversation(Struct, frozen=True, omit_defaults=True):
    """One try of one placed call, once somebody answered. Nothing in it is personal."""

    purpose: Purpose
    #: `2026-1122-0007`, as it was spoken to the citizen.
    order_number: str
    #: urgent: who is to act. follow_up: who has replied.
    unit: str
    language: Language = "zh-Hans"
    stage: Stage = "asking"
    #: Grows when something else is to be heard.
    scene: int = 0
    #: Times in a row that nothing, or a wrong key, came.
    silent: int = 0
    #: Why the last words are said, where no answer tells: a key of the wording.
    reason: str = ""
    answer: Answer = ""


def advance(talk: Conversation, event: AnyEvent) -> Conversation:
    """The conversation after `event`; the same object when nothing changed."""
    facts = event.facts
    match event:
        case Keyed(key=key) if talk.stage == "asking":
            return _keyed(talk, key, facts)
        case TimedOut() if talk.stage == "asking":
            return _once_more(talk, facts)
        case TalkEnded() if talk.stage == "operator":
            return _goes_on(talk, stage="over", reason="")
        case Missed() if talk.stage == "operator":
            return _goes_on(talk, stage="over", reason="follow_up_no_operator")
        case _:
            return talk


def _keyed(talk: Conversation, key: str, facts: Facts) -> Conversation:
    if key not in _keys(talk, facts):
        return _once_more(talk, facts)
    if key == AGAIN[talk.purpose]:
        return _unheard(talk) if talk.scene + 1 >= MOST_ASKED else _goes_on(talk, silent=0)
    answer = ANSWERS[talk.purpose][key]
    return _goes_on(talk, answer=answer, stage="operator" if answer == "operator" else "over")


def _once_more(talk: Conversation, facts: Facts) -> Conversation:
    if talk.silent + 1 >= facts.limits.tries or talk.scene + 1 >= MOST_ASKED:
        return _unheard(talk)
    return _goes_on(talk, silent=talk.silent + 1)


def _unheard(talk: Conversation) -> Conversation:
    return _goes_on(talk, stage="over", reason=f"{talk.purpose}_later")


def _goes_on(talk: Conversation, **changes: object) -> Conversation:
    return replace(talk, scene=talk.scene + 1, **changes)


def present(talk: Conversation, facts: Facts) -> tuple[AnyVerb, ...]:
    """What is heard now."""
    match talk.stage:
        case "asking":
            words = (Prompt("not_understood"),) if talk.silent else _matter(talk, facts)
            keys = _keys(talk, facts)
            choose = f"{talk.purpose}_choose{'_operators' if '0' in keys else ''}"
            return (Ask(prompts=(*words, Prompt(choose)), keys=keys, timeout_s=facts.limits.ask_timeout_s),)
        case "operator":
            return (Transfer(prompts=(Prompt("operator_connecting"),), ring_s=facts.limits.operator_ring_s),)
        case _:
            said = talk.reason or LAST_WORDS.get(talk.answer, "")
            return (HangUp(prompts=(*((Prompt(said),) if said else ()), Prompt("goodbye"))),)


def _keys(talk: Conversation, facts: Facts) -> str:
    keys = "".join(ANSWERS[talk.purpose]) + AGAIN[talk.purpose]
    return keys if facts.operators else keys.replace("0", "")


def _matter(talk: Conversation, facts: Facts) -> tuple[Prompt, ...]:
    return (
        Prompt("placed_greeting", {"city": facts.city}),
        Prompt(f"{talk.purpose}_matter", {"unit": talk.unit}),
        Prompt("placed_order"),
        *digits(talk.order_number),
    )
