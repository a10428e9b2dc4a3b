"""The other side of one caller's leg: who is dialled or talked to, when the talk is over, and the return from the dialplan's
Dial. Turns are taken by the leg."""

import asyncio
from typing import Literal, Protocol, get_args

from calls.turn import Turn
from ivr.call import Call
from ivr.events import Answered, Missed, TalkEnded
from telephony.asterisk import dialplan
from telephony.asterisk.channel import Channel
from telephony.asterisk.stage import MakeEvent

MissedReason = Literal["no_answer", "busy", "declined", "unreachable", "gone", "unconfirmed"]
#: HOTLINE_RESULT as the dialplan writes it.
MISSED: dict[str, MissedReason] = {reason: reason for reason in get_args(MissedReason)}


class TakeTurn(Protocol):
    """Takes a turn of the call and plays the scene that follows."""

    async def __call__(self, make: MakeEvent, /) -> Turn: ...


class Talk:
    """One leg's; over and over again, for a caller may be connected more than once."""

    def __init__(self, channel: Channel, turn: TakeTurn) -> None:
        self._channel, self._turn = channel, turn
        #: Uniqueid of the other side's channel while one is being dialled or talked to.
        self.other_side = ""
        #: Unix seconds; 0 while nobody talks.
        self.since = 0.0

    def forget(self) -> None:
        """The caller is with nobody."""
        self.other_side, self.since = "", 0.0

    async def answered(self) -> None:
        """Both hear each other. Told once a talk."""
        if not self.since:
            turn = await self._turn(lambda facts: Answered(facts=facts))
            self.since = turn.call.talk_started_at or turn.call.entered_at or 1.0

    async def other_side_left(self, uniqueid: str) -> None:
        """The leader's channel is gone: the earliest sign that a talk is over. One that was dialled before tells nothing."""
        if uniqueid != self.other_side:
            return
        self.other_side = ""
        if self.since:
            await self._over()

    async def took_place(self) -> bool:
        """Nobody could tell us, the claim was given up, and they talked all the same."""
        return await self._channel.get_variable(dialplan.RESULT) == dialplan.TALKED

    async def come_back(self, call: Call) -> bool:
        """Back in AGI from the dialplan's Dial, with a talk or without one. False: never having been there, for the bridge
        that should have connected them died first."""
        if call.node == "talking" or self.since:
            await self._over()
            return True
        result, seconds = await asyncio.gather(
            self._channel.get_variable(dialplan.RESULT), self._channel.get_variable(dialplan.TALK_S)
        )
        await self._channel.set_variable(dialplan.RESULT, "")
        if not result:
            return False
        if result == dialplan.TALKED:
            await self._turn(lambda facts: Answered(facts=facts))
            await self._turn(lambda facts: TalkEnded(facts=facts, seconds=float(seconds or 0)))
        else:
            reason = MISSED.get(result, "unreachable")
            await self._turn(lambda facts: Missed(facts=facts, reason=reason))
        return True

    async def _over(self) -> None:
        since, self.since = self.since, 0.0
        await self._turn(lambda facts: TalkEnded(facts=facts, seconds=max(0.0, facts.now - since) if since else 0.0))
