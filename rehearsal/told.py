"""What a rehearsal saw with its own eyes, for the proof and the story."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from ivr.call import Call
from ivr.verbs import AnyVerb, Hold
from rehearsal.phones import Phone

#: Said of a place that an operator changed.
BY_ACT = ("waiting_place_changed", "waiting_overtaken")


@dataclass
class Told:
    """Times in Unix seconds."""

    lines: list[tuple[float, str]] = field(default_factory=list)
    risen: list[str] = field(default_factory=list)
    #: Of two in a line: when they stood as they joined last, and first the other way round; who went back, who forward.
    swapped: list[tuple[float, float, str, str]] = field(default_factory=list)
    stood: dict[str, tuple[float, list[str]]] = field(default_factory=dict)
    depths: list[tuple[float, int]] = field(default_factory=list)
    turns: int = 0
    restarts: int = 0

    def hears(self, phone: Phone, call: Call, verbs: Iterable[AnyVerb], position: int) -> None:
        """A telephone hears this now, and its call stands at this position, from 1; 0 = unknown."""
        for verb in verbs:
            if isinstance(verb, Hold):
                self._check_position(phone, call, verb, position)

    def sees(self, seat_id: str, line: list[str], now: float) -> None:
        """A line, the first first. Of those who were there before, nobody may stand before somebody who stood before them."""
        since, before = self.stood.get(seat_id, (now, []))
        self.stood[seat_id] = now, line
        place = {call_id: at for at, call_id in enumerate(before)}
        stay = [call_id for call_id in line if call_id in place]
        self.swapped += [
            (since, now, back, front)
            for front, back in pairwise(stay)
            if place[front] > place[back]
        ]

    def _check_position(self, phone: Phone, call: Call, hold: Hold, position: int) -> None:
        """A position that is spoken never rises, unless it is said that an operator changed it, and is never better than it is."""
        if any(prompt.key in BY_ACT for prompt in hold.prompts):
            phone.told.pop(call.seat_id, None)
        for prompt in hold.prompts:
            spoken = (
                int(prompt.values["count"]) + 1 if prompt.key == "ahead" else 1 if prompt.key == "next_is_you" else 0
            )
            before = phone.told.get(call.seat_id, spoken)
            if spoken > before:
                self.risen.append(f"{call.id}: from {before} to {spoken}")
            if 0 < spoken < position:
                self.risen.append(f"{call.id}: told {spoken}, at {position}")
            if spoken:
                phone.told[call.seat_id] = spoken
