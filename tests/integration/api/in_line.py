"""Callers in the line of an instance: how they come in, in which order they stand, what they hear, and a talk."""

from ivr.events import Answered, HungUp, Offered, TalkEnded
from ivr.wording import render
from tests.integration.api.conftest import Instance

WHY = {"reason": "停水三天"}


async def wait_in_line(instance: Instance, *numbers: int, keys: str = "1") -> list[str]:
    names = [f"a-pbx1-9-{number}" for number in numbers]
    for number, name in zip(numbers, names, strict=True):
        await instance.call_in(name, number=f"+8613812345{number:03d}", keys=keys)
    return names


async def order(instance: Instance, seat_id: str) -> list[str]:
    await instance.core.outbox.idle()
    return [caller.call_id[-1] for caller in await instance.core.line.callers(seat_id)]


async def talk(instance: Instance, seat_id: str) -> str:
    """The seat serves the head of its line; the call id."""
    core = instance.core
    await core.seats.resume(seat_id)
    claim = await core.line.claim_next(seat_id, "test", 60)
    assert claim is not None
    for event in (
        lambda facts: Offered(facts=facts, seat_id=seat_id, token=claim.token, line=claim.line),
        lambda facts: Answered(facts=facts),
        lambda facts: TalkEnded(facts=facts, seconds=60.0),
        lambda facts: HungUp(facts=facts),
    ):
        await core.turns.take_turn(claim.call_id, event)
    await core.outbox.idle()
    return claim.call_id


async def heard(instance: Instance, call_id: str) -> list[str]:
    turn = await instance.core.turns.present(call_id)
    return [render(prompt, "zh-Hans") for verb in turn.verbs for prompt in verb.prompts]
