"""Plays one session: opening, leaders, callers, faults, closing. Afterwards everything is in ledger and order book."""

import asyncio
from collections import Counter
from random import Random

from msgspec.structs import replace

from calls.ledger import Ledger
from calls.opening import Opening
from calls.store import UnknownCall
from calls.turn import MakeEvent
from config.columns import from_unix
from config.database import Database
from config.settings import Settings
from ivr.call import Call
from ivr.commands import FreeSeat
from ivr.events import Arrived
from ivr.facts import Facts
from ivr.verbs import AnyVerb
from rehearsal.books import BATCH, BufferedLedger, OrderBook
from rehearsal.direct import DirectRedis
from rehearsal.faults import OVERTAKEN_S, TOLD_AGAIN_S, DeafRedis, Faults
from rehearsal.intake import RealOrders
from rehearsal.phones import Phone
from rehearsal.plan import OPENS_AT, SESSION_S, Citizen, Plan, citizens, draw_talk, talk_lengths
from rehearsal.stage import Act, Stage
from rehearsal.told import Told
from rehearsal.troupe import LineAct, Process, start
from sessions.calendar import Calendar
from sessions.plan import Plan as SessionPlan
from sessions.plan import PlannedSeat

#: How often wake-ups, claims that lapsed and commands that were left behind are looked for.
LOOK_EVERY_S = 10.0
#: How often a seat is looked at of which nothing was heard: its claimer may have died.
REAP_EVERY_S = 40.0
#: How often the calendar is looked at while a session closes, if anything changed at its seats; and if nothing did.
CALENDAR_EVERY_S, CALENDAR_AT_LEAST_S = 20.0, 120.0
#: Nothing takes longer than this after closing time.
GIVES_UP_S = 3 * 3600.0
#: A leader whose telephone was not heard is told by the operators, and ready again after this.
BACK_AFTER_S = (30.0, 120.0)
RESTARTS = 3


class Play:
    """One session. `play` it once."""

    def __init__(self, plan: Plan, settings: Settings, redis: DirectRedis, database: Database) -> None:
        self.plan, self.settings, self.database = plan, settings, database
        self.stage = Stage(OPENS_AT - 60)
        self.faults = Faults(plan.seed, on=plan.faults)
        self.redis = DeafRedis(redis, self.faults) if plan.faults else redis
        self.ledger = BufferedLedger(Ledger(database))
        self.orders = RealOrders(settings, redis, database, self.stage) if plan.intake else OrderBook()
        self.phones: dict[str, Phone] = {}
        self.told = Told()
        self.session_id = ""
        self.seat_ids: list[str] = []
        self.signals: list[str] = []
        self._talks = talk_lengths(plan)
        self._leaders = Random(f"leaders {plan.seed}")  # noqa: S311 - a simulation
        self._calendar = Calendar(database, self.stage)
        #: Seats to be served after this act, those to be reaped first, and calls on hold.
        self._look: set[str] = set()
        self._reap: set[str] = set()
        self._waiting: set[str] = set()
        self._reaped_at, self._struck, self._left_behind = 0.0, 0, False
        self._dialled: Counter[str] = Counter()
        self._over, self._ticks = False, True
        self._ticked_at, self._moved_since = 0.0, False
        self._side_by_side = False
        self._start_process()
        redis.wire.others = self._others

    async def play(self) -> None:
        """From one minute before the opening until nobody is left."""
        await self._prepare()
        for citizen in citizens(self.plan):
            self.stage.at(OPENS_AT + citizen.at, _dialling(self, citizen))
        await self.stage.play(self._settle)
        await self.process.outbox.idle()
        await self.ledger.flush()

    def _others(self) -> bool:
        """Something goes on beside the act on the stage."""
        return self._side_by_side or not self.process.outbox.is_idle

    # -- what the phones use ------------------------------------------------------------------------------------------
    def deliver(
        self, seconds: float, call_id: str, make: MakeEvent, seen: int | None, fresh: Call | None = None
    ) -> None:
        """An event on its way: it may be lost and told again, come twice, or be overtaken. `fresh`: the first of its call."""
        faults = self.faults
        if faults.strike("lost"):
            seconds += faults.random.uniform(*TOLD_AGAIN_S)
        elif faults.strike("overtaken"):
            seconds += faults.random.uniform(*OVERTAKEN_S)

        async def come() -> None:
            if seen is not None and not faults.on and self.phones[call_id].scene != seen:
                return  # a carrier's timer ends with the sentence it belongs to; who is late all the same comes with the faults
            await self.take(call_id, make, seen, fresh)

        self.stage.after(seconds, come)
        if faults.strike("repeated"):
            self.stage.after(seconds + faults.random.uniform(*OVERTAKEN_S), come)

    async def take(self, call_id: str, make: MakeEvent, seen: int | None, fresh: Call | None = None) -> None:
        self.told.turns += 1
        turns = self.process.turns
        # As each carrier's side does it: of the call of a first webhook hardly anybody can have heard.
        is_new = fresh is not None and fresh.carrier == "twilio"
        begun = turns.begin_new(fresh) if fresh is not None and is_new else turns.begin(call_id, fresh)
        try:
            await turns.take_turn(call_id, make, seen, begun=begun)
        except UnknownCall:
            self.told.lines.append((self.stage.now, f"{call_id} is not known"))

    def leader_hears(self, seat_id: str) -> bool:
        """False: nobody takes the call; the operators see to it, and the seat is ready again."""
        if self._leaders.random() >= self.plan.misses:
            return True

        async def ready() -> None:
            await self.process.seats.resume(seat_id)
            self._look.add(seat_id)

        self.stage.after(self.settings.ring_s + self._leaders.uniform(*BACK_AFTER_S), ready)
        return False

    def draw_talk(self) -> float:
        return draw_talk(self._talks)

    async def dial(self, citizen: Citizen, *, again: bool = False) -> None:
        """A call comes in."""
        name = citizen.number[-8:] or f"w{len(self.signals)}"
        self._dialled[name] += 1
        letter = "t" if citizen.carrier == "twilio" else "a"
        call_id = f"{letter}-{self.plan.seed}-{name}-{self._dialled[name]}"
        who = replace(citizen, redials_after_s=0.0) if again else citizen
        self.phones[call_id] = Phone(self, call_id, who)
        self.signals.append(call_id)
        if not self._ticks:  # somebody who comes when everybody had left
            self._ticks = True
            self.stage.after(LOOK_EVERY_S, self._tick)
        call = Call(call_id, citizen.carrier, self.stage.now, number=citizen.number, host="pbx1")
        self.deliver(0.0, call_id, lambda facts: Arrived(facts=facts), None, call)

    # -- the course of the session ------------------------------------------------------------------------------------
    async def _prepare(self) -> None:
        closes_at = OPENS_AT + SESSION_S
        seats = tuple(
            PlannedSeat(
                unit=f"单位{n}", leader=f"领导{n}", line_asterisk=f"sip:leader{n}@127.0.0.1:5060", line_twilio=f"client:leader{n}"
            )
            for n in range(1, self.plan.seats + 1)
        )
        plan = SessionPlan(opens_at=from_unix(OPENS_AT), closes_at=from_unix(closes_at), seats=seats)
        session = await self._calendar.plan(plan)
        self.session_id, self.seat_ids = session.id, [seat.id for seat in session.seats]
        self.stage.at(OPENS_AT, self._tick_calendar)
        for seat_id in self.seat_ids:
            self.stage.at(OPENS_AT + self.plan.leader_late_s, self._signing_in(seat_id))
        self.stage.at(closes_at, self._tick_calendar)
        self.stage.at(OPENS_AT + LOOK_EVERY_S, self._tick)
        if self.plan.faults:
            for _ in range(RESTARTS):
                self.stage.at(OPENS_AT + self.faults.random.uniform(0, SESSION_S), self._restart)

    def _signing_in(self, seat_id: str) -> Act:
        async def sign_in() -> None:
            await self._opening().sign_in(seat_id)
            self._look.add(seat_id)
            self._tell("leader_came" if self.plan.leader_late_s else "leader_there")

        return sign_in

    async def _tick_calendar(self) -> None:
        ticked = await self._opening().tick()
        for kind, ids in (("opened", ticked.opened), ("closing", ticked.closing), ("closed", ticked.closed)):
            if self.session_id in ids:
                self._tell(kind)
        self._over = self._over or self.session_id in ticked.closed
        self._ticked_at, self._moved_since = self.stage.now, False
        if self.stage.now >= OPENS_AT + SESSION_S:
            self._look_at_calendar()

    def _look_at_calendar(self) -> None:
        """Its questions to the database are slow, and most of the time only a talk goes on."""

        async def look() -> None:
            if self._moved_since or self.stage.now - self._ticked_at >= CALENDAR_AT_LEAST_S:
                await self._tick_calendar()
            else:
                self._look_at_calendar()

        if not self._over:
            self.stage.after(CALENDAR_EVERY_S, look)

    async def _tick(self) -> None:
        """What cron, the drainers and the switchboards do again and again."""
        self._side_by_side = True
        taken = await asyncio.gather(*map(self.process.depths.sample, self.seat_ids), self._wake())
        self._side_by_side = False
        self.told.depths.append((self.stage.now, sum(sample.depth for sample in taken if sample)))
        if self.faults.on:
            await self._drain()
            for seat_id in self.seat_ids:
                self.told.sees(seat_id, await self.process.line.members(seat_id), self.stage.now)
        if self.stage.now - self._reaped_at >= REAP_EVERY_S:
            self._reaped_at = self.stage.now
            self._reap.update(self.seat_ids)
            self._look.update(self.seat_ids)
        self._ticks = await self._goes_on()
        if self._ticks:
            self.stage.after(LOOK_EVERY_S, self._tick)

    async def _wake(self) -> None:
        if self._waiting:
            await self.process.wakeups.wake_due()

    async def _drain(self) -> None:
        """Only when something was left behind since, for it is looked for in every shard."""
        struck = self.faults.struck.total() + self.told.restarts
        if struck != self._struck or self._left_behind:
            self._struck = struck
            await self.process.outbox.drain_once()
            await self.process.outbox.idle(told=False)
            self._left_behind = (await self.process.outbox.lag()).lanes > 0

    async def _goes_on(self) -> bool:
        if self.stage.now > OPENS_AT + SESSION_S + GIVES_UP_S:
            return False
        if not self._over or any(not phone.over for phone in self.phones.values()):
            return True
        return (await self.process.outbox.lag()).lanes > 0

    async def _restart(self) -> None:
        """Everything that is not in Redis is forgotten."""
        self._start_process()
        self.told.restarts += 1
        self._tell("restarted")

    async def _settle(self) -> None:
        """What the switchboards do after an act, in the order of the seats; and everything but facts is performed."""
        await self.process.outbox.idle(told=False)
        while self._look:
            seat_id = min(self._look, key=self.seat_ids.index)
            self._look.discard(seat_id)
            reap = seat_id in self._reap
            self._reap.discard(seat_id)
            if await self._dies_claiming(seat_id):
                continue
            if await self.process.switchboard.serve(seat_id, reap=reap):
                self._moved_since = True
                await self.process.outbox.idle(told=False)
        await self.ledger.flush(at_least=BATCH)

    async def _dies_claiming(self, seat_id: str) -> bool:
        """A process claims the head of the line and dies before it rings anybody."""
        if not self.faults.chance("died after claiming"):
            return False
        claim = await self.process.line.claim_next(seat_id, "dead", self.settings.claim_lease_s)
        if claim is not None:
            self.faults.struck["died after claiming"] += 1
        return True

    def _moved(self, act: LineAct) -> None:
        """A line or its seat changed: the switchboards look, and once more when the leader has rested."""
        self._look.add(act.seat_id)
        self._moved_since = True
        if isinstance(act, FreeSeat) and act.talked:
            self.stage.at(act.at + self.settings.wrap_up_s, self._looking(act.seat_id))

    def _looking(self, seat_id: str) -> Act:
        async def look() -> None:
            self._look.add(seat_id)

        return look

    def _start_process(self) -> None:
        self.process: Process = start(
            self.settings, self.redis, self.stage, self.ledger, self.orders, self.faults, self._hear, self._moved
        )

    def _opening(self) -> Opening:
        process = self.process
        return Opening(self.settings, self.redis, self._calendar, process.seats, process.line, process.turns)

    def _hear(self, call: Call, verbs: tuple[AnyVerb, ...], facts: Facts) -> None:
        (self._waiting.add if call.node == "waiting" else self._waiting.discard)(call.id)
        phone = self.phones[call.id]
        self.told.hears(phone, call, verbs, facts.position)
        phone.hear(call, verbs)

    def _tell(self, what: str) -> None:
        self.told.lines.append((self.stage.now, what))


def _dialling(play: Play, citizen: Citizen) -> Act:
    async def dial() -> None:
        await play.dial(citizen)

    return dial
