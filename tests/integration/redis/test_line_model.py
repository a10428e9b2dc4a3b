"""The line against a model of it in plain Python, with two clients interleaved and at once (Hypothesis, stateful)."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from config.redis import connect
from config.settings import Settings
from queueing.line import Claim, Line
from queueing.moves import IsOffered, NotInLine, move
from queueing.seats import Seats
from tests.clocks import SetClock
from tests.integration.redis.line_model import Model
from tests.servers import RedisServer

T = TypeVar("T")
U = TypeVar("U")
SEAT, OTHER = "s1", "s2"
LEASE_S = 30.0
WRAP_UP_S = 15.0
CALLERS = [f"a-{number}" for number in range(6)]


class LineMachine(RuleBasedStateMachine):
    """Two processes do what processes do, in any order, with lost time, late tokens and replayed commands."""

    url = ""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = SetClock()
        self.config = config = Settings(redis_url=self.url, wrap_up_s=WRAP_UP_S, claim_lease_s=LEASE_S, _env_file=None)
        self.connections = [connect(config), connect(config)]
        self.lines = [Line(connection, config, self.clock) for connection in self.connections]
        self.seats = Seats(self.connections[0], config, self.clock)
        self.model, self.other = Model(), Model()
        #: Where everybody stood when we looked last.
        self.stood: dict[str, int] = {}
        self.seqs = dict.fromkeys(CALLERS, 0)
        self.tokens: list[int] = []
        self.do(self.empty())
        self.seat("open")
        for early, caller in enumerate(CALLERS[:5]):
            self.join(early % 2, caller, early % 3, 0)

    async def empty(self) -> None:
        await self.connections[0].flushall()

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            for connection in self.connections:
                self.do(connection.aclose())
            self.loop.close()

    def do(self, act: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(act)

    def standing(self, choice: int, model: Model | None = None) -> str:
        """One of those who are in the line."""
        order = (model or self.model).order
        return order[choice % len(order)]

    client = strategies.integers(0, 1)
    choice = strategies.integers(0, 5)
    caller = strategies.sampled_from(CALLERS)

    @rule(client=client, caller=caller, early=strategies.integers(0, 3), late=strategies.integers(0, 2))
    def join(self, client: int, caller: str, early: int, late: int) -> None:
        seq = max(0, self.seqs[caller] + 1 - late)
        self.seqs[caller] = max(seq, self.seqs[caller])
        joined_at = self.clock() - early
        joined = self.do(self.lines[client].join(SEAT, caller, joined_at, seq))
        model, before = self.model, list(self.model.order)
        if seq > model.seen.get(caller, -1):
            model.seen[caller] = seq
            if caller not in model.order:
                model.join(caller, joined_at, self.order(), is_new=not early)
        assert joined.position == (model.order.index(caller) + 1 if caller in model.order else 0)
        assert joined.is_new == (caller in model.order and caller not in before)

    def order(self, seat_id: str = SEAT) -> list[str]:
        return [row.call_id for row in self.do(self.lines[0].callers(seat_id))]

    @rule(client=client, caller=caller, late=strategies.integers(0, 2))
    def leave(self, client: int, caller: str, late: int) -> None:
        seq = max(0, self.seqs[caller] + 1 - late)
        self.seqs[caller] = max(seq, self.seqs[caller])
        left = self.do(self.lines[client].leave(SEAT, caller, "abandoned", seq))
        model = self.model
        expected = False
        if seq >= model.seen.get(caller, -1):
            model.seen[caller] = seq
            expected = model.leave(caller)
        assert left == expected

    @rule(client=client)
    def claim_next(self, client: int) -> None:
        claim = self.do(self.lines[client].claim_next(SEAT, f"client-{client}", LEASE_S))
        model = self.model
        rested = model.state == "wrap_up" and model.until <= self.clock()
        if (model.state == "free" or rested) and model.order and not model.held:
            assert claim is not None
            self.claimed(claim)
        else:
            assert claim is None

    def claimed(self, claim: Claim) -> None:
        model = self.model
        assert claim.call_id == model.order[0]
        assert claim.token > max(self.tokens, default=0)
        self.tokens.append(claim.token)
        model.claim, model.fate, model.state = claim, "ringing", "ringing"
        model.claimed_until = self.clock() + LEASE_S

    @rule(client=client, head_leaves=strategies.booleans())
    def claim_at_once(self, client: int, head_leaves: bool) -> None:
        """Both claim, or one claims while the head of the line leaves: each caller has one winner, in whatever order."""
        model, lines = self.model, self.lines
        rested = model.state == "wrap_up" and model.until <= self.clock()
        claimable = (model.state == "free" or rested) and not model.held
        if head_leaves and model.order:
            head = model.order[0]
            self.seqs[head] += 1
            model.seen[head] = self.seqs[head]
            leave = lines[client].leave(SEAT, head, "abandoned", self.seqs[head])
            claim, left = self.do(both(lines[1 - client].claim_next(SEAT, "one", LEASE_S), leave))
            assert left
            if claim is not None and claim.call_id == head:
                self.claimed(claim)
                model.leave(head)
                return
            model.leave(head)
            winners = [claim] if claim else []
        else:
            claims = self.do(both(*(line.claim_next(SEAT, f"client-{n}", LEASE_S) for n, line in enumerate(lines))))
            winners = [claim for claim in claims if claim]
        assert len(winners) == (1 if claimable and model.order else 0)
        for claim in winners:
            self.claimed(claim)

    @rule(position=strategies.integers(1, 8), choice=choice, known=strategies.integers(0, 9))
    def move(self, position: int, choice: int, known: int) -> None:
        model = self.model
        caller = self.standing(choice) if model.order and known else CALLERS[choice]
        to = model.reach(caller, position) if caller in model.order else None
        try:
            reached = self.do(move(self.connections[1], self.config, SEAT, caller, position))
        except NotInLine:
            assert caller not in model.order
        except IsOffered:
            assert to is None
        else:
            assert to is not None
            assert reached == to + 1
            model.place(caller, to)

    @rule(client=client, choice=choice, back=strategies.booleans())
    def change_seat(self, client: int, choice: int, back: bool) -> None:
        """To the line of the other seat, or back, with the joining time kept."""
        source, target = (self.other, self.model) if back else (self.model, self.other)
        names = (OTHER, SEAT) if back else (SEAT, OTHER)
        if not source.order or self.standing(choice, source) in target.order:
            return
        caller = self.standing(choice, source)
        self.seqs[caller] += 1
        seq, joined_at = self.seqs[caller], source.joined[caller]
        assert self.do(self.lines[client].leave(names[0], caller, "moved", seq))
        joined = self.do(self.lines[client].join(names[1], caller, joined_at, seq))
        source.leave(caller)
        source.seen[caller] = target.seen[caller] = seq
        target.join(caller, joined_at, self.order(names[1]), is_new=False)
        assert joined.position == target.order.index(caller) + 1

    @rule(client=client, caller=caller, kept=strategies.booleans())
    def mark(self, client: int, caller: str, kept: bool) -> None:
        """A caller hangs up and keeps the place, or is on the phone again."""
        self.do(self.lines[client].mark(SEAT, caller, "callback" if kept else ""))
        (self.model.kept.add if kept else self.model.kept.discard)(caller)

    @precondition(lambda self: self.model.order)
    @rule(client=client, choice=choice, talking=strategies.booleans(), late=strategies.integers(0, 1))
    def restore(self, client: int, choice: int, talking: bool, late: int) -> None:
        """A bridge puts back the claim that it knows of."""
        model, caller = self.model, self.standing(choice)
        token = max(self.tokens, default=0) + 1 - late
        good = model.fate not in {"ringing", "talking"} and (model.claim is None or token > model.claim.token)
        state: Literal["ringing", "talking"] = "talking" if talking else "ringing"
        anew = model.fate == "ringing" and model.claim is not None and model.claim.call_id == caller and model.claim.token >= token
        claim = model.claim
        there = talking and model.fate == "talking" and claim is not None and (claim.call_id, claim.token) == (caller, token)
        restored = self.do(self.lines[client].restore(SEAT, caller, token, state, self.clock()))
        assert restored == (token if good or there else model.claim.token if anew and model.claim else 0)
        if anew:
            model.fate = model.state = state
            model.claimed_until = self.clock() + LEASE_S
            if talking:
                model.remove(caller)
        if good:
            self.tokens.append(token)
            model.claim = Claim(SEAT, caller, token, self.clock() + LEASE_S)
            model.fate = model.state = state
            model.claimed_until = self.clock() + LEASE_S
            if talking:
                model.remove(caller)

    def is_newest(self, token: int) -> bool:
        return self.model.claim is not None and self.model.claim.token == token

    def some_token(self, choice: int) -> int:
        """Mostly the newest, sometimes an older one, sometimes one that never was."""
        return self.tokens[max(-len(self.tokens), -1 - choice // 4)] if self.tokens else 1

    @rule(client=client, choice=strategies.integers(0, 8))
    def renew(self, client: int, choice: int) -> None:
        token = self.some_token(choice)
        good = self.is_newest(token) and self.model.fate in {"ringing", "talking"}
        assert self.do(self.lines[client].renew(SEAT, token, LEASE_S)) == good
        if good and self.model.fate == "ringing":
            self.model.claimed_until = self.clock() + LEASE_S

    @rule(client=client, choice=strategies.integers(0, 8))
    def take(self, client: int, choice: int) -> None:
        token = self.some_token(choice)
        model = self.model
        good = self.is_newest(token) and model.fate in {"ringing", "reaped", "returned", "talking"}
        assert self.do(self.lines[client].take(SEAT, token, self.clock())) == good
        if good and model.fate != "talking":
            assert model.claim is not None
            if model.fate in {"reaped", "returned"}:
                model.closing = model.closing or model.state == "closed"
            if model.fate == "reaped":
                model.pause_after = model.pause_after or model.state == "paused"
            model.remove(model.claim.call_id)
            model.state = model.fate = "talking"

    @rule(client=client, choice=strategies.integers(0, 8), talked=strategies.booleans())
    def free(self, client: int, choice: int, talked: bool) -> None:
        token = self.some_token(choice)
        model = self.model
        good = self.is_newest(token) and model.fate in {"ringing", "talking", "reaped"}
        assert self.do(self.lines[client].free(SEAT, token, talked, self.clock())) == good
        if good:
            if model.fate != "reaped":
                model.settle("wrap_up" if talked else "free", self.clock() + WRAP_UP_S)
            model.fate = "freed"

    @rule(
        client=client, choice=strategies.integers(0, 8), pause=strategies.booleans(), behind=strategies.integers(0, 2),
        from_talk=strategies.booleans(),
    )  # fmt: skip
    def return_to_head(self, client: int, choice: int, pause: bool, behind: int, from_talk: bool) -> None:
        token = self.some_token(choice)
        model = self.model
        never_talked = from_talk and model.fate == "talking"
        good = self.is_newest(token) and (never_talked or model.fate in {"ringing", "reaped"})
        returning = self.lines[client].return_to_head(SEAT, token, "no_answer", pause, behind, from_talk=from_talk)
        assert self.do(returning) == good
        if good:
            if never_talked or model.fate == "ringing" or (model.state == "free" and pause):
                model.settle("paused" if pause else "free")
            model.fate = "freed" if never_talked else "returned"
            assert model.claim is not None
            to = min(behind, len(model.order) - 1)
            if to > 0 and model.order[0] == model.claim.call_id:
                model.place(model.claim.call_id, to)

    @rule(client=client)
    def reap(self, client: int) -> None:
        lapsed = self.do(self.lines[client].reap(SEAT))
        model = self.model
        if model.fate == "ringing" and model.claimed_until <= self.clock():
            assert lapsed is not None
            assert model.claim is not None
            assert lapsed.token == model.claim.token
            model.fate = "reaped"
            model.settle("free")
        else:
            assert lapsed is None

    @rule(act=strategies.sampled_from(["open", "open", "pause", "resume", "resume", "close"]))
    def seat(self, act: str) -> None:
        model = self.model
        busy = model.state in {"ringing", "talking"}
        match act:
            case "open":
                self.do(self.seats.open(SEAT))
                model.closing = False
                model.state = "free" if model.state == "closed" else model.state
            case "pause":
                assert self.do(self.seats.pause(SEAT, "tea")) == (model.state != "closed")
                model.pause_after = model.pause_after or busy
                model.state = model.state if busy or model.state == "closed" else "paused"
            case "resume":
                assert self.do(self.seats.resume(SEAT)) == (model.state != "closed")
                if model.state != "closed":
                    model.pause_after = False
                model.state = "free" if model.state in {"paused", "wrap_up"} else model.state
            case _:
                self.do(self.seats.close(SEAT))
                model.closing = model.closing or busy
                model.state = model.state if busy else "closed"

    @rule(on=strategies.booleans())
    def hold(self, on: bool) -> None:
        assert self.do(self.seats.hold(SEAT, on=on)) == (on != self.model.held)
        self.model.held = on

    @rule(seconds=strategies.sampled_from([0.0, 1.0, 10.0, LEASE_S]))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_by(seconds)

    @invariant()
    def they_agree(self) -> None:
        if not hasattr(self, "loop"):
            return
        model = self.model
        callers = self.do(self.lines[1].callers(SEAT))
        assert [row.call_id for row in callers] == model.order
        assert {row.call_id: row.joined_at for row in callers} == model.joined
        assert self.order(OTHER) == self.other.order
        offered = {model.claim.call_id} & set(model.order) if model.claim and model.fate == "ringing" else set()
        assert {row.call_id for row in callers if row.state == "offered"} == offered
        assert {row.call_id for row in callers if row.state == "callback"} == model.kept & set(model.order) - offered
        seat = self.do(self.seats.state(SEAT))
        rested = model.state == "wrap_up" and model.until <= self.clock()
        state = "free" if rested else model.state
        assert seat.state == ("paused" if model.held and state == "free" else state)

    @invariant()
    def nobody_falls_back_but_by_an_act(self) -> None:
        """A position never rises, except of those whom an act, or a place that was taken back, puts behind somebody."""
        if not hasattr(self, "loop"):
            return
        for seat_id, model in ((SEAT, self.model), (OTHER, self.other)):
            stands = {call_id: place for place, call_id in enumerate(self.order(seat_id), 1)}
            for call_id in model.order:
                before = self.stood.get(f"{seat_id} {call_id}", stands[call_id])
                assert stands[call_id] <= before or call_id in model.may_fall_back, (seat_id, call_id)
            model.may_fall_back = set()
            self.stood = {key: at for key, at in self.stood.items() if not key.startswith(f"{seat_id} ")}
            self.stood |= {f"{seat_id} {call_id}": place for call_id, place in stands.items()}


async def both(one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Through two connections, at once."""
    first, second = await asyncio.gather(one, other)
    return first, second


def test_the_line_does_what_its_model_does(shared_redis: RedisServer) -> None:
    LineMachine.url = shared_redis.url
    run_state_machine_as_test(
        LineMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
