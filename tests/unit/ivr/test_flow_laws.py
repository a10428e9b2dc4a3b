"""Laws that hold for every call, whatever happens in it. The alphabet is small, so that the deep nodes are reached."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from ivr.call import Call
from ivr.commands import AnyCommand, CloseCall, FreeSeat, JoinLine, LeaveLine, MakeOrder, ReturnToHead, TakeSeat
from ivr.events import (
    Answered,
    AnyEvent,
    Arrived,
    HungUp,
    Keyed,
    Missed,
    Offered,
    OrderMade,
    Recorded,
    Released,
    TalkEnded,
    TimedOut,
    Woken,
)
from ivr.facts import Facts
from ivr.flow import advance, present
from ivr.verbs import AnyVerb, Connect
from ivr.wording import render
from tests.unit.ivr.scene import CLOSED, NEW, NOW, OPEN, SEAT, SESSION, WITHHELD

#: What can be sure to be told again by the facts alone, without a new scene.
WORLDS = (
    OPEN,
    replace(OPEN, admission="ended"),
    replace(OPEN, admission="discouraged", depth=40, chance=0.01),
    replace(OPEN, position=3),
    replace(OPEN, position=1, operators=True),
    replace(OPEN, depth=0, session=replace(SESSION, seats=(replace(SEAT, state="free"),))),
    CLOSED,
    replace(CLOSED, operators=True),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            "1 1 2 3 3 # 5 back seat other hang-up silence empty words offer offer far same answer miss ended order work"
            " operator callback error wake moved overtaken"
            " hang".split()
        ),
        st.sampled_from(range(len(WORLDS))),
        st.sampled_from((0.1, 2.0, 50.0)),
    ),
    min_size=20,
    max_size=60,
)


SIMPLE: dict[str, Callable[..., AnyEvent]] = {
    "arrive": Arrived, "silence": TimedOut, "answer": Answered, "wake": Woken,
    "moved": partial(Woken, moved=True),
    "overtaken": partial(Woken, overtaken=True),
}
RELEASES: dict[str, Literal["work_order", "operator", "callback", "fallback", "seat", "other_call"]] = {
    "seat": "seat",
    "other": "other_call",
    "work": "work_order",
    "operator": "operator",
    "callback": "callback",
    "error": "fallback",
}


def event_of(step: str, facts: Facts, token: int, seat_id: str = SEAT.id) -> AnyEvent:
    """The event by its short name; `offer` is a new claim, `far` one of a leader without a line for this
    carrier, `same` the one before once more."""
    if step in SIMPLE:
        return SIMPLE[step](facts=facts)
    if step in RELEASES:
        other = f"seat-{token % 2 + 1}" if step == "seat" else ""
        return Released(facts=facts, to=RELEASES[step], reason="session_closed", seat_id=other)
    match step:
        case "back":
            return Arrived(facts=facts, leg="back-1")
        case "empty" | "words":
            return Recorded(facts=facts, seconds=0.0 if step == "empty" else 7.0)
        case "offer" | "same" | "far":
            return Offered(facts=facts, seat_id=seat_id, token=token, line="" if step == "far" else "+8613900000000")
        case "miss":
            return Missed(facts=facts, reason="no_answer")
        case "ended":
            return TalkEnded(facts=facts, seconds=30.0)
        case "order":
            return OrderMade(facts=facts, number="2026-1122-0007")
        case "hang" | "hang-up":
            return HungUp(facts=facts, seconds=3.0)
        case key:
            return Keyed(facts=facts, key=key)


def live(start: Call, first: int, steps: list[tuple[str, int, float]]) -> tuple[Call, list[AnyCommand], set[int]]:
    """A whole call, checked at every turn; ends with the caller gone. Also the tokens that were offered."""
    call, now, tokens = start, NOW, set[int]()
    seat_id = SEAT.id
    given_commands: list[AnyCommand] = []
    for step, world, pause in [("arrive", first, 0.1), *steps, ("hang", 0, 1.0), ("work", 0, 1.0), ("hang", 0, 1.0)]:
        now += pause
        facts = replace(WORLDS[world], now=now)
        if step in ("offer", "far"):
            tokens.add(len(tokens) + 1)
            seat_id = call.seat_id or SEAT.id
        elif step == "same" and not tokens:
            continue
        event = event_of(step, facts, len(tokens), seat_id)
        after, commands = advance(call, event)
        check_turn(call, after, commands, event)
        given_commands.extend(commands)
        call = after
    return call, given_commands, tokens


def check_turn(before: Call, after: Call, commands: tuple[AnyCommand, ...], event: AnyEvent) -> None:
    facts = event.facts
    if after is before:
        assert commands == ()
        return
    assert after.seq == before.seq + 1
    verbs = present(after, facts)
    assert bool(verbs) == (after.node not in ("ended", "kept"))
    assert json.decode(json.encode(after), type=Call) == after
    if after.scene == before.scene:
        assert meaning(present(before, facts)) == meaning(verbs), "something else is heard without a new scene"
    # Only an operator, in the ledger by then, puts somebody further back.
    moved = isinstance(event, Woken) and (event.moved or (before.overtaken and after.reason == "overtaken"))
    if before.node == after.node == "waiting" and before.joined_at and not moved:
        assert after.told_position <= before.told_position or not before.told_position
    if after.node == "waiting" and {"ahead", "next_is_you"} & {prompt.key for verb in verbs for prompt in verb.prompts}:
        assert after.told_position >= facts.position, "nobody is told a better place than it is"
    if before.node == "ended":
        assert not any(isinstance(command, JoinLine | MakeOrder | CloseCall) for command in commands)
    check_wording(verbs)


def meaning(verbs: tuple[AnyVerb, ...]) -> list[AnyVerb]:
    """What is played. A talk goes on under a newer token when the claim lapsed behind its back."""
    return [replace(verb, token=0) if isinstance(verb, Connect) else verb for verb in verbs]


def check_wording(verbs: tuple[AnyVerb, ...]) -> None:
    for verb in verbs:
        for prompt in (*verb.prompts, *getattr(verb, "whisper", ())):
            assert len(prompt.values) <= 1
            assert render(prompt, "zh-Hans")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from((NEW, WITHHELD)), st.sampled_from(range(len(WORLDS))), STEPS)
def test_the_laws_of_every_call(start: Call, world: int, steps: list[tuple[str, int, float]]) -> None:
    ended, commands, tokens = live(start, world, steps)
    kinds = Counter(type(command) for command in commands)
    assert ended.node == "ended"
    assert ended.outcome in get_args(CloseCall.__annotations__["outcome"])
    assert kinds[CloseCall] == 1
    assert kinds[MakeOrder] <= 1
    if kinds[JoinLine]:
        assert given_way(commands) or kinds[MakeOrder] == 1 or ended.outcome in ("transferred", "fallback")
    assert_every_claim_is_given_back(commands, tokens)


def given_way(commands: list[AnyCommand]) -> bool:
    """The same number waits with another call."""
    return any(isinstance(command, LeaveLine) and command.reason == "replaced" for command in commands)


def assert_every_claim_is_given_back(commands: list[AnyCommand], tokens: set[int]) -> None:
    given_back = Counter(command.token for command in commands if isinstance(command, FreeSeat | ReturnToHead))
    taken = Counter(command.token for command in commands if isinstance(command, TakeSeat))
    assert set(given_back) == tokens
    assert all(count == 1 for count in given_back.values()), given_back
    assert all(count == 1 for count in taken.values()), taken
    order = [command for command in commands if isinstance(command, FreeSeat | ReturnToHead | TakeSeat)]
    for token in taken:
        kinds = [type(command) for command in order if command.token == token]
        assert kinds == [TakeSeat, FreeSeat]
