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
from tests.cloud.leg import Leg
from tests.integration.twilio.town import LEADER, Town, said
from tests.performed import performed
from tests.stories.story import Do, Leader, Story, Told
from tests.waiting import until
from workorders.model import WorkOrder
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
        in_talk = [act for act in story.does if act.hang_up and story.outcome == "talked"]
        leg = here.call(*(_when(act) for act in story.does if act not in in_talk), number=story.number or "anonymous")
        if story.meanwhile:
            await leg.heard(said("choose_waiting"), deadline)
            await self._meanwhile(story, call_id_of(leg.sid))
        if in_talk:  # whoever hangs up in the talk does so once there is one, however long the webhooks before it took
            await here.at(leg, "talking", deadline)
            leg.hang_up()
        outcome = await here.outcome(leg, deadline)
        await until(lambda: leg.over, deadline=deadline, what="the end of the call")
        order = await here.order(leg, deadline) if story.source else await self._no_order(leg)
        kinds = await self._kinds(story, leg, deadline)
        return Told(outcome, order.source if order else "", keys_heard(leg.texts), kinds, tuple(map(str, here.cloud.errors)))

    async def _no_order(self, leg: Leg) -> WorkOrder | None:
        """An order that nobody should have made, looked for when everything has been performed."""
        await performed(self._here.core)
        return await of_call(self._here.core.database, call_id_of(leg.sid))

    async def _kinds(self, story: Story, leg: Leg, deadline: float) -> tuple[str, ...]:
        """What the ledger tells once it tells as much as the story does; other processes write into it, too."""

        async def told() -> tuple[str, ...] | None:
            kinds = tuple(kind for kind in await self._here.kinds(leg) if kind != "closed")
            return kinds if len(kinds) >= len(story.kinds) else None

        return await until(told, deadline, f"the facts of {leg}") or ()

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
