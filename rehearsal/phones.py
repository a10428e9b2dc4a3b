"""The telephones of a rehearsal: they hear the verbs of their call and do what their citizen, or the leader, does then."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from ivr.call import Call, NodeName
from ivr.events import Answered, AnyEvent, Arrived, HungUp, Keyed, Missed, Recorded, TalkEnded, TimedOut
from ivr.facts import Facts
from ivr.verbs import AnyVerb, Ask, Await, CallBack, Connect, HangUp, Hold, Record, Say, Transfer
from rehearsal.plan import Citizen

if TYPE_CHECKING:
    from rehearsal.play import Play

#: From the answer to the key: the question is heard, some press at once.
THINKS_S = (2.0, 15.0)
GOODBYE_S = 3.0
#: The leader's telephone rings, and the caller's when we call back.
RINGS_S = (2.0, 6.0)
OPERATOR_TALKS_S = (60.0, 240.0)

_Make = Callable[[Facts], AnyEvent]


class Phone:
    """One call. `hear` may be told the same again; only a new scene is acted upon."""

    def __init__(self, play: "Play", call_id: str, citizen: Citizen) -> None:
        self.call_id, self.citizen = call_id, citizen
        self._play = play
        self._random = Random(f"{play.plan.seed} {call_id}")  # noqa: S311 - a simulation
        self.scene = -1
        self._node: NodeName = "arriving"
        self._waits = False
        self.on_hook = False
        self.over = False
        #: Nothing in the line yet heard of it; positions spoken so far, by seat.
        self.told: dict[str, int] = {}

    def hear(self, call: Call, verbs: tuple[AnyVerb, ...]) -> None:
        """React to what is heard now."""
        self._node = call.node
        if call.node == "ended":
            self.over = True
        if self.over or call.scene == self.scene or not verbs:
            return
        self.scene = call.scene
        for verb in verbs:
            self._act(call, verb)

    def _act(self, call: Call, verb: AnyVerb) -> None:
        match verb:
            case Ask():
                self._answer(call, verb)
            case Hold():
                self._wait(call)
            case Record():
                self._speak(call, verb)
            case Await(timeout_s=timeout_s):
                self._then(timeout_s, lambda facts: TimedOut(facts=facts))
            case Connect():
                self._ring_leader(call, verb)
            case CallBack(ring_s=ring_s):
                self._ring_back(ring_s)
            case Transfer():
                self._then(5.0, lambda facts: Answered(facts=facts))
                self._then(self._between(OPERATOR_TALKS_S), lambda facts: TalkEnded(facts=facts, seconds=60.0))
            case HangUp():
                self._hang_up(GOODBYE_S)
            case Say():
                return

    # -- the citizen --------------------------------------------------------------------------------------------------
    def _answer(self, call: Call, ask: Ask) -> None:
        who = self.citizen
        if call.node == "screening":
            self._press(ask, "1")
        elif call.node == "order" or (call.node == "contact" and self._random.random() < 0.5):
            seconds = self._between((0.5, 2.0)) if who.leaves_in == "order" else self._between((8.0, 20.0))
            self._hang_up(seconds)
        elif who.leaves_in == "question" and call.node == "question":
            self._hang_up(self._between(THINKS_S))
        elif who.silent or call.node == "contact":
            self._then(ask.timeout_s + 8.0, lambda facts: TimedOut(facts=facts))
        elif call.reason == "pick":
            self._press(ask, str(who.unit + 1) if who.willing else "*")
        else:
            self._press(ask, "1" if who.willing else "2")

    def _press(self, ask: Ask, key: str) -> None:
        """The key, or another one that is allowed; and once more when nothing happens."""
        chosen = key if key in ask.keys else ask.keys[0]
        seconds = self._between(THINKS_S)
        self._then(seconds, lambda facts: Keyed(facts=facts, key=chosen))
        self._then(seconds + ask.timeout_s + 10.0, lambda facts: TimedOut(facts=facts))

    def _wait(self, call: Call) -> None:
        if self._waits:
            return
        self._waits = True
        left = max(1.0, call.joined_at + self.citizen.patience_s - self._play.stage.now)
        self._play.stage.after(left, self._lose_patience)

    async def _lose_patience(self) -> None:
        if self.over or self.on_hook or self._node != "waiting":
            return
        match self.citizen.gives_up:
            case "hang_up":
                self._hang_up(0.0, redials=True)
            case "order":
                self._then(0.0, lambda facts: Keyed(facts=facts, key="2"))
            case "callback":
                self._then(0.0, lambda facts: Keyed(facts=facts, key="3"))

    def _speak(self, call: Call, record: Record) -> None:
        seconds = min(self.citizen.message_s, record.max_s)
        if self.citizen.leaves_in == "message":
            self._hang_up(seconds / 2 + 5.0, spoken_s=seconds / 2)
            return
        self._then(
            seconds + 8.0,
            lambda facts: Recorded(facts=facts, seconds=seconds, ended_by="key" if seconds else "silence"),
        )

    # -- the leader ---------------------------------------------------------------------------------------------------
    def _ring_leader(self, call: Call, connect: Connect) -> None:
        if self._play.leader_hears(connect.seat_id):
            rings_s, talk_s = self._between(RINGS_S), self._play.draw_talk()
            self._then(rings_s, lambda facts: Answered(facts=facts))
            self._then(rings_s + talk_s, lambda facts: TalkEnded(facts=facts, seconds=talk_s))
        else:
            self._then(connect.ring_s, lambda facts: Missed(facts=facts, reason="no_answer"))
        if self._random.random() < 0.02:
            self._hang_up(self._between((0.5, 8.0)), redials=True)  # just when the leader's telephone rings

    def _ring_back(self, ring_s: float) -> None:
        if self.citizen.answers:
            self.on_hook = False
            leg = f"leg-{self.call_id}"
            self._then(self._between((3.0, 12.0)), lambda facts: Arrived(facts=facts, leg=leg))
        else:
            self._then(ring_s, lambda facts: HungUp(facts=facts))

    # -- events -------------------------------------------------------------------------------------------------------
    def _then(self, seconds: float, make: _Make) -> None:
        """An event that holds for the scene that is heard now."""
        seen = self.scene
        self._play.deliver(seconds, self.call_id, make, seen)

    def _hang_up(self, seconds: float, *, spoken_s: float = 0.0, redials: bool = False) -> None:
        seen = self.scene

        async def gone() -> None:
            if self.on_hook or self.over or (self.scene != seen and not redials):
                return
            self.on_hook = True
            self._play.deliver(0.0, self.call_id, lambda facts: HungUp(facts=facts, seconds=spoken_s), None)
            if redials and self.citizen.redials_after_s:
                self._play.stage.after(self.citizen.redials_after_s, self._redial)

        self._play.stage.after(seconds, gone)

    async def _redial(self) -> None:
        await self._play.dial(self.citizen, again=True)

    def _between(self, span: tuple[float, float]) -> float:
        return self._random.uniform(*span)
