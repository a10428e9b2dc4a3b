"""How soon a caller hears something: from the answer to the first sound, from a key to the next prompt, with RTP flowing.

sipp does the signalling and dates it; our ears at the port of its SDP hear and speak. Both ends read one clock.
"""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.agents import Crowd, callers
from bench.ears import Ears, Heard
from bench.figures import Summary, ratio, summarise
from bench.report import Chapter, Row, ms, times
from bench.sides import Side
from bench.sip_log import Message, SipLog
from bench.sounds import NEXT_PROMPT_HZ

#: The key is pressed this long after the answer, in the middle of the question.
PRESS_AFTER_S = (1.0, 2.0)
STAY_S = 3.4
#: Ports, so that none is used again before its last call is over.
EARS = 24
FIRST_NUMBER = 50_000_000
SOUND_P99_MOST_S, NEXT_P99_MOST_S = 0.5, 0.15
_LOOK_EVERY_S = 0.004
_SETUP_S = 20.0


@dataclass(frozen=True, slots=True)
class Answers:
    """Seconds. `calls` were placed; what was not heard is in no summary."""

    calls: int
    to_sound: Summary
    to_next: Summary


async def measure(side: Side, folder: Path, calls: int, rate: float, seed: int) -> Answers:
    """Call so often; each caller presses 1 in the middle of the question and hangs up a little later."""
    async with Ears(EARS, NEXT_PROMPT_HZ) as ears:
        crowd = Crowd(
            stay_s=STAY_S,
            rate=rate,
            calls=calls,
            at_once=EARS - 4,
            ears=tuple(ears.by_port),
            first_number=FIRST_NUMBER + seed % 1000 * 10_000,
            logged=True,
        )
        async with callers(folder, crowd, side.target, side.number) as sipp:
            log, desk = SipLog(sipp.messages), _Desk(ears, random.Random(seed))
            deadline = asyncio.get_running_loop().time() + calls / rate * 2 + _SETUP_S
            while sipp.running and asyncio.get_running_loop().time() < deadline:
                desk.note(log.more())
                await asyncio.sleep(_LOOK_EVERY_S)
            desk.note(log.more(ended=True))
    return figures(calls, desk.heard)


def figures(calls: int, heard: Iterable[Heard]) -> Answers:
    """From what was heard in each call."""
    known = [one for one in heard if one.answered_at]
    return Answers(
        calls=calls,
        to_sound=summarise([one.first_sound_at - one.answered_at for one in known if one.first_sound_at]),
        to_next=summarise([one.next_prompt_at - one.key_at for one in known if one.next_prompt_at and one.key_at]),
    )


class _Desk:
    """Brings sipp's calls and our ears together."""

    def __init__(self, ears: Ears, chance: random.Random) -> None:
        self._ears, self._chance = ears, chance
        self._port: dict[str, int] = {}
        self.heard: list[Heard] = []

    def note(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.sent and message.what == "INVITE":
                self._port[message.call_id] = message.audio_port
            elif not message.sent and message.what == "200" and message.method == "INVITE":
                self._answered(message)
            elif message.what == "200" and message.method == "BYE":
                self._over(message)

    def _answered(self, message: Message) -> None:
        ear = self._ears.by_port.get(self._port.get(message.call_id, 0))
        if ear is not None and not ear.heard.answered_at:
            ear.answered(message.at, ("127.0.0.1", message.audio_port), "1", self._chance.uniform(*PRESS_AFTER_S))

    def _over(self, message: Message) -> None:
        ear = self._ears.by_port.get(self._port.pop(message.call_id, 0))
        if ear is not None:
            self.heard.append(ear.over())


def chapter(ours: Answers, theirs: Answers) -> Chapter:
    rows = (
        *_rows("answer (200 OK) -> first sound", ours.to_sound, theirs.to_sound, SOUND_P99_MOST_S, ours.calls),
        *_rows("key -> next prompt", ours.to_next, theirs.to_next, NEXT_P99_MOST_S, ours.calls),
    )
    notes = (
        f"{ours.calls} calls each. The caller sends RTP from the answer on and presses 1 by RFC 4733 in the middle of the "
        "question; the time runs from the end of the key, on which Asterisk acts, to the first packet of the next prompt.",
        "The other side plays the same files by Background and Playback, without a decision, a record or a line.",
    )
    return Chapter("What the caller hears", rows, beside="native dialplan", notes=notes)


def _rows(what: str, ours: Summary, theirs: Summary, most_s: float, calls: int) -> tuple[Row, ...]:
    return (
        Row(f"{what}: median", ms(ours.median), ms(theirs.median), times(ratio(ours.median, theirs.median))),
        Row(
            f"{what}: p99", ms(ours.p99), ms(theirs.p99), times(ratio(ours.p99, theirs.p99)), f"under {ms(most_s)}",
            ours.count == calls and ours.p99 < most_s,
        ),
        Row(f"{what}: longest; heard", f"{ms(ours.most)}; {ours.count}", f"{ms(theirs.most)}; {theirs.count}", "", "", None),
    )  # fmt: skip
