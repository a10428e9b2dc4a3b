"""The line against a model of it in plain Python, with two clients interleaved (Hypothesis, stateful)."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from config.redis import connect
from config.settings import Settings
from queueing.line import Claim, Line
from queueing.seats import Seats
from tests.clocks import SetClock
from tests.servers import RedisServer

T = TypeVar("T")
SEAT = "s1"
LEASE_S = 30.0
WRAP_UP_S = 15.0
CALLERS = [f"a-{number}" for number in range(6)]


@dataclass
class Model:
    """What must be true, in a few lists."""

    #: (joined_at, arrival, call_id), always sorted.
    line: list[tuple[float, int, str]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    state: str = "closed"
    until: float = 0.0
    closing: bool = False
    pause_after: bool = False
    held: bool = False
    #: The newest claim and what became of it.
    claim: Claim | None = None
    fate: str = "none"
    claimed_until: float = 0.0
    arrivals: int = 0

    @property
    def order(self) -> list[str]:
        return [call_id for _, _, call_id in sorted(self.line)]

    def remove(self, call_id: str) -> bool:
        before = len(self.line)
        self.line = [row for row in self.line if row[2] != call_id]
        return len(self.line) < before

    def settle(self, state: str, until: float = 0.0) -> None:
        self.state, self.until = state, until
        if self.closing:
            self.state = "closed"
        elif self.pause_after and state != "paused":
            self.state = "paused"
        self.closing = self.pause_after = False


class LineMachine(RuleBasedStateMachine):
    """Two processes do what processes do, in any order, with lost time, late tokens and replayed commands."""

    url = ""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = SetClock()
        config = Settings(redis_url=self.url, wrap_up_s=WRAP_UP_S, _env_file=None)
        self.connections = [connect(config), connect(config)]
        self.lines = [Line(connection, config, self.clock) for connection in self.connections]
        self.seats = Seats(self.connections[0], config, self.clock)
        self.model = Model()
        self.seqs = dict.fromkeys(CALLERS, 0)
        self.tokens: list[int] = []
        self.do(self.empty())

    async def empty(self) -> None:
        await self.connections[0].flushall()

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            for connection in self.connections:
                self.do(connection.aclose())
            self.loop.close()

    def do(self, act: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(act)

    client = strategies.integers(0, 1)
    caller = strategies.sampled_from(CALLERS)

    @rule(client=client, caller=caller, early=strategies.integers(0, 3), late=strategies.integers(0, 2))
    def join(self, client: int, caller: str, early: int, late: int) -> None:
        seq = max(0, self.seqs[caller] + 1 - late)
        self.seqs[caller] = max(seq, self.seqs[caller])
        joined_at = self.clock() - early
        position = self.do(self.lines[client].join(SEAT, caller, joined_at, seq))
        model = self.model
        if seq > model.seen.get(caller, -1):
            model.seen[caller] = seq
            if caller not in model.order:
                model.arrivals += 1
                model.line.append((joined_at, model.arrivals, caller))
        assert position == (model.order.index(caller) + 1 if caller in model.order else 0)

    @rule(client=client, caller=caller, late=strategies.integers(0, 2))
    def leave(self, client: int, caller: str, late: int) -> None:
        seq = max(0, self.seqs[caller] + 1 - late)
        self.seqs[caller] = max(seq, self.seqs[caller])
        left = self.do(self.lines[client].leave(SEAT, caller, "abandoned", seq))
        model = self.model
        expected = False
        if seq >= model.seen.get(caller, -1):
            model.seen[caller] = seq
            expected = model.remove(caller)
        assert left == expected

    @rule(client=client)
    def claim_next(self, client: int) -> None:
        claim = self.do(self.lines[client].claim_next(SEAT, f"client-{client}", LEASE_S))
        model = self.model
        rested = model.state == "wrap_up" and model.until <= self.clock()
        if (model.state == "free" or rested) and model.line and not model.held:
            assert claim is not None
            assert claim.call_id == model.order[0]
            assert claim.joined_at == min(model.line)[0]
            assert claim.token > max(self.tokens, default=0)
            self.tokens.append(claim.token)
            model.claim, model.fate, model.state = claim, "ringing", "ringing"
            model.claimed_until = self.clock() + LEASE_S
        else:
            assert claim is None

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

    @rule(client=client, choice=strategies.integers(0, 8), pause=strategies.booleans())
    def return_to_head(self, client: int, choice: int, pause: bool) -> None:
        token = self.some_token(choice)
        model = self.model
        good = self.is_newest(token) and model.fate in {"ringing", "reaped"}
        assert self.do(self.lines[client].return_to_head(SEAT, token, "no_answer", pause)) == good
        if good:
            if model.fate == "ringing" or (model.state == "free" and pause):
                model.settle("paused" if pause else "free")
            model.fate = "returned"

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
        assert [row.joined_at for row in callers] == [row[0] for row in sorted(model.line)]
        offered = {row.call_id for row in callers if row.state == "offered"}
        assert model.claim is not None or not offered
        seat = self.do(self.seats.state(SEAT))
        rested = model.state == "wrap_up" and model.until <= self.clock()
        state = "free" if rested else model.state
        assert seat.state == ("paused" if model.held and state == "free" else state)


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
