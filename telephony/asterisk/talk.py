"""The other side of one caller's leg: who is dialled or talked to, when the talk is over, and the return from the dialplan's
Dial. Turns are taken by the leg."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol, get_args

from calls.turn import Turn
from ivr.call import Call
from ivr.events import Answered, Missed, TalkEnded
from telephony.asterisk import dialplan
from telephony.asterisk.agi import sound_list
from telephony.asterisk.channel import Channel
from telephony.asterisk.closing import MAY_TALK
from telephony.asterisk.stage import MakeEvent
from telephony.errors import CallGone, CarrierRefused

MissedReason = Literal["no_answer", "busy", "declined", "unreachable", "gone", "unconfirmed"]
#: HOTLINE_RESULT as the dialplan writes it.
MISSED: dict[str, MissedReason] = {reason: reason for reason in get_args(MissedReason)}


class TakeTurn(Protocol):
    """Takes a turn of the call and plays the scene that follows."""

    async def __call__(self, make: MakeEvent, /) -> Turn: ...


class Talk:
    """One leg's; over and over again, for a caller may be connected more than once. Whether two talked, and for how long, is
    for Asterisk's events and variables to say: ours come later, and on a busy machine much later."""

    def __init__(self, channel: Channel, turn: TakeTurn) -> None:
        self._channel, self._turn = channel, turn
        #: Uniqueid of the other side's channel while one is being dialled or talked to.
        self.other_side = ""
        #: The others that ring with it, where several phones are rung at once: whoever answers stays.
        self._besides: list[str] = []
        #: Unix seconds; 0 while nobody talks.
        self.since = 0.0
        #: Asterisk's time of the event that is being handled; 0.0 = not told.
        self.at = 0.0
        #: The same of the moment at which the two were put together, when we were there.
        self._began = 0.0
        #: The dialling was seen from its beginning: what was not seen then did not happen.
        self._watched = False
        #: The two were seen in one bridge, on their way into a talk or out of the whisper.
        self._together = False

    def dialled(self, uniqueid: str) -> None:
        """The other side's phone is about to ring."""
        if self.other_side:
            self._besides.append(self.other_side)
        self.other_side, self._watched, self._together = uniqueid, True, False

    def forget(self) -> None:
        """The caller is with nobody."""
        self.other_side, self.since, self._began = "", 0.0, 0.0
        self._watched = self._together = False
        self._besides.clear()

    async def joined(self, channels: str) -> None:
        """The caller was put into a bridge that holds so many channels. Only a talk if the other side is in it too, and was
        there to the end of the whisper: one who hung up before may only be on the way out."""
        together = channels.isdigit() and int(channels) > 1
        if self.since or not together or not self.other_side:
            return
        self._together = True
        try:
            talks = await self._channel.get_variable(dialplan.TALK_FROM)
        except CallGone:
            return  # too late to ask: TALK_LEFT and Hangup, which are on the way, tell
        if talks:
            self._began = self.at
            await self.answered()

    async def answered(self) -> None:
        """Both hear each other. Told once a talk."""
        if not self.since:
            turn = await self._turn(lambda facts: Answered(facts=facts))
            self.since = turn.call.talk_started_at or turn.call.entered_at or 1.0

    async def other_side_left(self, uniqueid: str) -> None:
        """The leader's channel is gone: the earliest sign that a talk is over. One that was dialled before, or rang beside the one
        that was answered, tells nothing."""
        if uniqueid in self._besides:
            self._besides.remove(uniqueid)
        if uniqueid != self.other_side:
            return
        self.other_side = self._besides.pop() if self._besides else ""
        if self.since and not self.other_side:
            await self._over()

    async def break_off(self, notice: Sequence[Path]) -> None:
        """Bring the caller back into AGI, whatever Dial or talk they are in. The other side stops ringing, or hears `notice`."""
        other, together = self.other_side, bool(self.since)
        self.forget()
        if together and await self._tell_both(other, notice):
            return
        if other:
            with suppress(CallGone):
                await self._channel.hang_up_other(other)
        await self._channel.redirect(dialplan.SERVICE_CONTEXT, dialplan.AGAIN_EXTEN)

    async def _tell_both(self, other: str, notice: Sequence[Path]) -> bool:
        """False when the other side is gone already."""
        try:
            await self._channel.part(other, sound_list(notice))
        except (CallGone, CarrierRefused):
            return False
        return True

    async def took_place(self) -> bool:
        """Nobody could tell us, the claim was given up, and they talked all the same."""
        return await self._channel.get_variable(dialplan.RESULT) == dialplan.TALKED

    async def come_back(self, call: Call) -> bool:
        """Back in AGI from the dialplan's Dial, with a talk or without one. False: never having been there, for the bridge
        that should have connected them died first."""
        if self.since:
            await self._over()
            return True
        result, seconds = await self._came_of_it()
        if call.node == "talking":
            known = result == dialplan.TALKED
            await self._turn(
                lambda facts: TalkEnded(
                    facts=facts, seconds=_seconds(seconds) if known else facts.now - call.talk_started_at
                )
            )
            return True
        if not result:
            return False
        if result == dialplan.TALKED and self._watched and not self._together:
            # The whisper was over, but the two were never put together. Forgotten first: it must never count as a talk.
            await self._channel.set_variable(dialplan.RESULT, "")
            result = "gone"
        if result == dialplan.TALKED:
            await self._talked(seconds)
        else:
            reason = MISSED.get(result, "unreachable")
            await self._turn(lambda facts: Missed(facts=facts, reason=reason))
            # Not before it is saved: whoever comes after us would ring the leader a second time.
            await self._channel.set_variable(dialplan.RESULT, "")
        return True

    def is_unclear(self, node: str) -> bool:
        """A talk may have been of which only Asterisk's own records can tell now."""
        return node in ("ringing", "operator") and not self._watched

    async def left(self, seconds: str) -> None:
        """The dialplan says that the caller ended a talk. One whose beginning we know is over with the Hangup that follows."""
        if not self.since and (self._together or not self._watched):
            await self._talked(seconds)

    async def was(self, call: Call) -> bool:
        """There was a talk before the dialplan took the caller, and it is over; now it is known."""
        if call.node not in MAY_TALK:
            return False
        result, seconds = await self._came_of_it()
        if result == dialplan.TALKED:
            await self._talked(seconds)
        return result == dialplan.TALKED

    async def _came_of_it(self) -> tuple[str, str]:
        return await asyncio.gather(
            self._channel.get_variable(dialplan.RESULT), self._channel.get_variable(dialplan.TALK_S)
        )

    async def _talked(self, seconds: str) -> None:
        """From its beginning to its end; what is known of it already changes nothing."""
        self.since = 0.0
        await self._turn(lambda facts: Answered(facts=facts))
        await self._turn(lambda facts: TalkEnded(facts=facts, seconds=_seconds(seconds)))

    async def _over(self) -> None:
        since, self.since = self.since, 0.0
        measured = self.at - self._began if self._began and self.at else None
        await self._turn(lambda facts: TalkEnded(facts=facts, seconds=_length(measured, since, facts.now)))


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def _length(measured: float | None, since: float, now: float) -> float:
    """Seconds of the talk: as Asterisk measured it, or by our clock when we were not there at its beginning."""
    if measured is not None:
        return max(0.0, measured)
    return max(0.0, now - since) if since else 0.0
