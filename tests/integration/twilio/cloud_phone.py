"""The cloud's side of tests.stories: plays a story in a town, and reads from the transcript what was heard."""

import re

from calls.directing import Directing
from ivr.events import Released
from ivr.verbs import Prompt
from ivr.wording import render
from ivr.wording.keys import FIXED
from sessions.calendar import Calendar
from telephony.twilio.exchange import call_id_of
from tests.cloud import Callee, When
from tests.integration.twilio.town import LEADER, Town, said
from tests.stories.story import Do, Leader, Story, Told
from tests.waiting import until
from workorders.register import of_call

_SENTENCES = {render(Prompt(key), "zh-Hans"): key for key in FIXED}


def _leader(story: Story) -> Callee:
    behaviours: dict[Leader, Callee] = {
        "busy": Callee(outcome="busy"),
        "no_answer": Callee(outcome="no-answer", answer_after_s=60),
    }
    takes = Callee(answer_after_s=2, script=(When("", press="1"),), talk_s=story.talk_s)
    return behaviours.get(story.leader, takes)


def _when(act: Do) -> When:
    hears = render(Prompt(act.hears, dict(act.values)), "zh-Hans") if act.hears else ""
    return When(hears, press=act.press, speak_s=act.speak_s, hang_up=act.hang_up, after_s=act.after_s)


_GREETING = said("greeting", city="衡阳市")
_ANY = re.compile("|".join(map(re.escape, sorted([*_SENTENCES, _GREETING], key=len, reverse=True))))


def keys_heard(texts: list[str]) -> tuple[str, ...]:
    """The sentences in what was spoken, in order; the longest where one holds another."""
    return tuple(_SENTENCES.get(found[0], "greeting") for text in texts for found in _ANY.finditer(text))


class CloudPhone:
    """The cloud's side of tests.stories.story.Carrier."""

    def __init__(self, here: Town) -> None:
        self._here = here

    async def play(self, story: Story, deadline: float = 40) -> Told:
        here = self._here
        here.cloud.callees[LEADER] = _leader(story)
        if story.leader != "no_session":
            await here.open_session(several=story.leader == "several")
        if story.leader == "away":
            await here.core.seats.pause(here.seat_id, "away")
        leg = here.call(*map(_when, story.does), number=story.number or "anonymous")
        if story.meanwhile:
            await leg.heard(said("choose_waiting"), deadline)
            await self._meanwhile(story, call_id_of(leg.sid))
        outcome = await here.outcome(leg, deadline)
        await until(lambda: leg.over, deadline=deadline, what="the end of the call")
        order = await of_call(here.core.database, call_id_of(leg.sid))
        await here.core.outbox.idle()
        kinds = tuple(kind for kind in await here.kinds(leg) if kind != "closed")
        return Told(outcome, order.source if order else "", keys_heard(leg.texts), kinds, tuple(map(str, here.cloud.errors)))

    async def _meanwhile(self, story: Story, call_id: str) -> None:
        if story.meanwhile == "session closes":
            await self._here.opening.close(self._here.session_id)
            return
        if story.meanwhile == "announcement":
            core, calendar = self._here.core, Calendar(self._here.core.database)
            directing = Directing(
                core.settings, core.redis, calendar, self._here.opening, core.seats, core.line, core.turns, core.clock
            )
            assert await directing.announce(self._here.session_id, "technical") == 1
            return
        await self._here.core.turns.take_turn(
            call_id, lambda facts: Released(facts=facts, to="work_order", reason="operator")
        )
