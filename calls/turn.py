"""One turn of a call: read it, let the flow decide, save it if nobody was faster, have its commands performed.

Any process may take any call's next turn. Whatever breaks on the way, the caller is taken to the fallback, never to
silence; only Redis itself being away is passed on (RedisError), for the carrier's own dead-man's switch to act on.
"""

import traceback
from collections.abc import Callable
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from calls.outbox import Outbox
from calls.store import NOT_KNOWN, Beside, Calls, CorruptCall, Put, Reading, Saved, UnknownCall
from config.clock import Clock
from config.settings import Settings
from ivr.call import Call, Carrier
from ivr.commands import AnyCommand, CloseCall, FreeSeat, WakeAt
from ivr.events import AnyEvent, HungUp, OrderMade, Released
from ivr.facts import Facts
from ivr.moves import leave_line, make_order
from ivr.verbs import AnyVerb, HangUp

log = structlog.get_logger()

#: So often may others be faster before something must be wrong.
ATTEMPTS = 30
#: A caller on hold for four hours takes a few hundred turns.
MOST_TURNS = 3000
#: People and carriers do not do more than this in one second; a loop does.
MOST_TURNS_A_SECOND = 30
#: Nodes that the guards leave alone: a talk is never cut, and who is at the fallback cannot be sent there again.
SPARED = frozenset({"talking", "operator", "fallback", "goodbye", "ended"})
#: Of these, nodes in which a storm of events has nothing to decide.
LAST_WORDS = SPARED - {"talking", "operator"}

MakeEvent = Callable[[Facts], AnyEvent]
Advance = Callable[[Call, AnyEvent], tuple[Call, tuple[AnyCommand, ...]]]
Present = Callable[[Call, Facts], tuple[AnyVerb, ...]]


class Congested(RuntimeError):
    """So many turns of one call at the same moment cannot be: the call's saved state is left as it is."""


class Turn(Struct, frozen=True):
    """The call after the turn, and what the caller hears now."""

    call: Call
    verbs: tuple[AnyVerb, ...]
    #: It was saved, and said when the call is to be woken next, or that it is not.
    set_wake_up: bool = False
    #: The event decided something, and that was saved; else the call is as it was.
    decided: bool = False


class FactsOf(Protocol):
    """Facts that are under way."""

    async def of(self, call: Call) -> Facts: ...


class ReadsFacts(Protocol):
    """The part of calls.facts.FactsReader that is needed here."""

    def begin(self, call_id: str, call: Call | None = None) -> FactsOf: ...


class Begun(Struct, frozen=True):
    """A turn that is begun: its call and the facts are being read."""

    reading: Reading
    facts: FactsOf
    #: The record of a call that nobody may have heard of: it is saved with its first turn.
    fresh: Call | None = None


#: Told of a turn that is about to be saved: what is saved with it.
Shows = Callable[[Turn], Beside]


class Turns:
    """Takes turns. `advance` and `present` are the flow's."""

    def __init__(
        self,
        store: Calls,
        outbox: Outbox,
        facts: ReadsFacts,
        clock: Clock,
        settings: Settings,
        advance: Advance,
        present: Present,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._facts = facts
        self._clock = clock
        self._call_max_s = settings.call_max_s
        self._advance = advance
        self._present = present

    async def take_turn(
        self,
        call_id: str,
        make_event: MakeEvent,
        seen: int | None = None,
        at_seq: int | None = None,
        begun: Begun | None = None,
        shows: Shows | None = None,
    ) -> Turn:
        """`seen` is the scene the event answers; when the caller hears another one by now, nothing is decided and the
        present scene is returned. None = the event holds whatever is heard. `at_seq`: the same for the call's `seq`, for
        events that may come twice and leave the scene as it is (the keys of a number). `begun`: by `begin`, for this turn. `shows`
        says what is saved together with the turn: it may be asked for one that is not saved, because somebody was faster.
        The commands for the line are performed when this returns, those for the books soon after.

        Raises UnknownCall, Congested, and RedisError when Redis is away.
        """
        for _ in range(ATTEMPTS):
            now = begun if begun is not None else self.begin(call_id)
            begun = None
            saved = await self._saved(call_id, now.reading, now.fresh)
            facts = await now.facts.of(saved.call)
            if seen not in (None, saved.call.scene) or at_seq not in (None, saved.call.seq):
                return self._turn(saved.call, facts)
            after, commands = self._decide(saved, make_event, facts)
            if after is saved.call and not commands and not saved.is_new:
                return self._turn(after, facts)
            turn = await self._save(saved, after, commands, facts, shows)
            if turn is not None:
                return turn
        raise Congested(call_id)

    def begin(self, call_id: str, fresh: Call | None = None) -> Begun:
        """Asks now for what a turn needs. `fresh`: the record of a call that nobody may have heard of; it is made then."""
        reading = self._store.begin_create(fresh) if fresh is not None else self._store.begin_read(call_id)
        return Begun(reading, self._facts.begin(call_id, fresh))

    def begin_new(self, fresh: Call) -> Begun:
        """The same for a call of which hardly anybody can have heard: its record is not asked for. If it is there all the
        same, the turn is taken anew, of what is there."""
        return Begun(self._store.as_read(fresh.id, NOT_KNOWN), self._facts.begin(fresh.id, fresh), fresh)

    def begin_facts(self, call_id: str, fresh: Call | None = None) -> FactsOf:
        """The same without the call, which somebody else reads: for `go_on`."""
        return self._facts.begin(call_id, fresh)

    def go_on(self, call_id: str, row: list[str | None], facts: FactsOf, fresh: Call | None = None) -> Begun:
        """With what was read. `fresh`: the record of a call that nobody may have heard of; it is saved with its first turn."""
        return Begun(self._store.as_read(call_id, row), facts, fresh)

    async def present(self, call_id: str, begun: Begun | None = None) -> Turn:
        """What the caller hears now, without an event. Raises UnknownCall and RedisError."""
        begun = begun or self.begin(call_id)
        saved = await self._saved(call_id, begun.reading, begun.fresh)
        return self._turn(saved.call, await begun.facts.of(saved.call))

    async def _save(
        self, saved: Saved, after: Call, commands: tuple[AnyCommand, ...], facts: Facts, shows: Shows | None
    ) -> Turn | None:
        """The turn; None when somebody was faster."""
        turn = beside = None
        sets = any(isinstance(command, WakeAt) for command in commands)
        if shows is not None:
            turn = self._turn(after, facts, set_wake_up=sets, decided=True)
            beside = shows(turn)
        put = await self._store.begin_put(None if saved.is_new else saved.call.seq, after, commands, beside)
        if put is None:
            return None
        if put.granted:
            await self._outbox.settle(put)
        return turn or self._turn(after, facts, set_wake_up=sets, decided=True)

    async def _settle(self, put: Put) -> None:
        if put.granted:
            await self._outbox.settle(put)

    async def _saved(self, call_id: str, reading: Reading, fresh: Call | None = None) -> Saved:
        try:
            saved = await reading
        except CorruptCall as error:
            return await self._repair(error)
        if saved is not None:
            return saved
        if fresh is None:
            raise UnknownCall(call_id)
        return Saved(fresh, 0, 0, is_new=True)

    async def _repair(self, error: CorruptCall) -> Saved:
        """What was damaged begins anew, at the fallback; its id and its place in the ledger stay."""
        log.error("a saved call could not be read and goes to the fallback", call_id=error.call_id)
        now = self._clock()
        fresh = Call(error.call_id, _carrier(error.call_id), now, entered_at=now, seq=error.seq)
        facts = await self._facts.begin(fresh.id, fresh).of(fresh)
        after, commands = self._fall_back(fresh, facts)
        put = await self._store.put(error.seq, after, commands)
        if put is not None:
            await self._settle(put)
        saved = await self._store.read(error.call_id)
        if saved is None:
            raise UnknownCall(error.call_id)
        return saved

    def _decide(self, saved: Saved, make_event: MakeEvent, facts: Facts) -> tuple[Call, tuple[AnyCommand, ...]]:
        call = saved.call
        event = make_event(facts)
        guard = "" if isinstance(event, HungUp | OrderMade) else self._exceeded(saved, facts)
        if guard == "pace" and call.node in LAST_WORDS:
            return call, ()
        if guard and call.node not in SPARED:
            log.error("a call exceeds a limit and goes to the fallback", call_id=call.id, limit=guard)
            return self._fall_back(call, facts)
        return self._try(call, event, facts)

    def _exceeded(self, saved: Saved, facts: Facts) -> str:
        """`pace`, `turns` or `length` when a limit is exceeded, else empty."""
        in_this_second = saved.turns if saved.second == int(facts.now) else 0
        if in_this_second >= MOST_TURNS_A_SECOND:
            return "pace"
        if saved.call.seq >= MOST_TURNS:
            return "turns"
        return "length" if facts.now - saved.call.started_at > self._call_max_s else ""

    def _try(self, call: Call, event: AnyEvent, facts: Facts) -> tuple[Call, tuple[AnyCommand, ...]]:
        try:
            return self._advance(call, event)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller must not hear silence
            log.error("the flow failed", call_id=call.id, node=call.node, event_kind=_kind(event), **_where(error))
        if call.node == "ended":
            return call, ()  # nobody hears it, and what is owed was given
        if isinstance(event, HungUp):
            return _ended(call, facts)
        return self._fall_back(call, facts)

    def _fall_back(self, call: Call, facts: Facts) -> tuple[Call, tuple[AnyCommand, ...]]:
        try:
            return self._advance(call, Released(facts=facts, to="fallback", reason="error"))
        except Exception as error:  # noqa: BLE001 - see above
            log.error("the flow's fallback failed", call_id=call.id, node=call.node, **_where(error))
        seq = call.seq + 1
        after = replace(call, node="fallback", source="fallback", reason="error", seq=seq, scene=seq, entered_at=facts.now)
        return after, _out_of_line(call, facts)

    def _turn(self, call: Call, facts: Facts, *, set_wake_up: bool = False, decided: bool = False) -> Turn:
        try:
            return Turn(call, self._present(call, facts), set_wake_up, decided)
        except Exception as error:  # noqa: BLE001 - the carrier's own fallback follows the end of our verbs
            log.error("a scene cannot be presented", call_id=call.id, node=call.node, **_where(error))
            return Turn(call, (HangUp(),), set_wake_up, decided)


def _ended(call: Call, facts: Facts) -> tuple[Call, tuple[AnyCommand, ...]]:
    """The least that must be done for a call whose end the flow could not deal with: it is out of the line, its matter is not
    lost, and its outcome is known."""
    outcome = call.outcome or "fallback"
    ordered, order = make_order(call, facts, "fallback", call.recording, call.contact)
    after = replace(ordered, node="ended", outcome=outcome, ended_at=facts.now, seq=call.seq + 1)
    closed = () if call.ended_at else (CloseCall(outcome=outcome, at=facts.now),)
    return after, (*_out_of_line(call, facts), *order, *closed)


def _out_of_line(call: Call, facts: Facts) -> tuple[AnyCommand, ...]:
    """Whoever stands behind this call, or has its leader on the line, goes on without it."""
    if call.node == "talking":
        return (FreeSeat(seat_id=call.seat_id, token=call.token, talked=True, at=facts.now),)
    return leave_line(call, facts, "failed")


def _carrier(call_id: str) -> Carrier:
    return "twilio" if call_id.startswith("t-") else "asterisk"


def _kind(event: AnyEvent) -> str:
    return type(event).__name__


def _where(error: Exception) -> dict[str, str]:
    """The error's type and place. Its message may hold personal data and stays out of the log."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return {"error": type(error).__name__, "where": f"{last.filename}:{last.lineno}" if last else ""}
