"""All legs of one bridge, found by channel: gives every AMI event to the leg it belongs to."""

import asyncio
from functools import partial

from calls.turn import Turn
from telephony.asterisk import dialplan
from telephony.asterisk.adoption import Found, adopt
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange, call_id_of
from telephony.asterisk.leg import Leg

_OF_CALLER = frozenset(
    {
        *("AsyncAGIStart", "AsyncAGIExec", "AsyncAGIEnd", "DTMFEnd", "BridgeEnter", "Hangup"),
        *(dialplan.FELL_BACK, dialplan.TALK_LEFT),
    }
)
#: The leader's own hang-up is first seen as a request, a moment before the channel is gone.
_OTHER_LEAVES = frozenset({"HangupRequest", "SoftHangupRequest", "Hangup"})


class Legs:
    """Callers' legs by Asterisk's Uniqueid and by call id."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._by_uniqueid: dict[str, Leg] = {}
        self._by_call: dict[str, Leg] = {}
        #: Leader's or operator's channel -> the caller's leg.
        self._by_other: dict[str, Leg] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._by_call)

    def all(self) -> list[Leg]:
        """Every leg now; a copy, legs come and go meanwhile."""
        return list(self._by_call.values())

    def of(self, call_id: str) -> Leg | None:
        """The leg of this call, if the caller is here."""
        return self._by_call.get(call_id)

    def change(self, call_id: str, seq: int) -> None:
        """The call was changed, here or elsewhere; `seq` was saved, 0 = something."""
        if (leg := self._by_call.get(call_id)) is not None:
            leg.change(seq)

    def take(self, turn: Turn) -> None:
        """This process took a turn of the call on somebody else's behalf."""
        if (leg := self._by_call.get(turn.call.id)) is not None:
            leg.take(turn)

    def change_all(self) -> None:
        """Changes may have been missed."""
        for leg in self._by_call.values():
            leg.change()

    def route(self, event: Event) -> None:
        """One AMI event to its leg. Events of other channels are none of ours."""
        name = event.get("Event", "")
        uniqueid = event.get("Uniqueid", "")
        if name == "UserEvent":
            name = event.get("UserEvent", "")
        if name == "DialBegin":
            self._dialled(event)
        elif name == "OriginateResponse":
            self._called_back(event)
        elif (leg := self._by_uniqueid.get(uniqueid)) is not None:
            if name in _OF_CALLER and not (name == "DTMFEnd" and event.get("Direction") != "Received"):
                leg.hear(name, event)
        elif name in _OTHER_LEAVES and (leg := self._by_other.pop(uniqueid, None)) is not None:
            leg.hear("OtherSideLeft", event)
        elif name == "AsyncAGIStart" and event.get("Context") == dialplan.SERVICE_CONTEXT:
            self._arrive(event)
        elif name == dialplan.FELL_BACK:
            self._arrive_late(event)

    def __contains__(self, call_id: object) -> bool:
        return call_id in self._by_call

    def expect(self, leg: Leg, other: str = "") -> None:
        """From now on the leg hears its events; they wait until it is added. `other`: the other side's Uniqueid."""
        self._by_uniqueid[leg.uniqueid] = self._by_call[leg.call_id] = leg
        if other:
            self._by_other[other] = leg

    def drop(self, leg: Leg) -> None:
        """Without a word: whatever is to be known of its call is known elsewhere."""
        if (task := self._tasks.get(leg.call_id)) is not None:
            task.cancel()
        self._forget(leg)

    def add(self, leg: Leg, found: Found | None = None) -> None:
        """Take the leg up and let it run. `found`: how its channel was found."""
        self.expect(leg)
        task = self._tasks[leg.call_id] = asyncio.create_task(leg.run(partial(adopt, leg, found) if found else None))
        task.add_done_callback(lambda _: self._forget(leg))

    async def let_go(self) -> None:
        """Drop every leg without a word to the callers: the connection is gone, or the node is somebody else's."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for table in (self._by_uniqueid, self._by_call, self._by_other, self._tasks):
            table.clear()

    def _arrive(self, event: Event) -> None:
        """A channel nobody knows entered AGI: a new call, or one that came in while nobody looked."""
        leg = Leg(self._exchange, call_id_of(event["Uniqueid"]), event["Channel"], event["Uniqueid"])
        leg.hear("AsyncAGIStart", event)
        self.add(leg)

    def _arrive_late(self, event: Event) -> None:
        """The dialplan serves a caller whom we do not know: take note, and account for the call when it ends."""
        leg = Leg(self._exchange, call_id_of(event["Uniqueid"]), event["Channel"], event["Uniqueid"])
        self.add(leg, Found(dialplan.FALLBACK_CONTEXT, bridged=False, number=event.get("CallerIDNum", "")))

    def _called_back(self, event: Event) -> None:
        """What became of a call back. An answer comes in by itself, as AsyncAGIStart."""
        leg = self._by_uniqueid.get(event.get("Uniqueid", ""))
        if leg is not None and event.get("Response") == "Failure":
            leg.hear("Hangup", event)

    def _dialled(self, event: Event) -> None:
        leg = self._by_uniqueid.get(event.get("Uniqueid", ""))
        other = event.get("DestUniqueid", "")
        if leg is not None and other:
            self._by_other[other] = leg
            leg.hear("DialBegin", event)

    def _forget(self, leg: Leg) -> None:
        if self._by_call.get(leg.call_id) is leg:
            del self._by_call[leg.call_id]
            self._by_uniqueid.pop(leg.uniqueid, None)
            self._tasks.pop(leg.call_id, None)
        for other in [other for other, owner in self._by_other.items() if owner is leg]:
            del self._by_other[other]
