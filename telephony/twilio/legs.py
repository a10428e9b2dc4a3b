"""What the cloud plays to each caller, in Redis: the scene shown last, answers given, signs of life. Decides nothing of calls."""

from collections.abc import Awaitable
from typing import Any, Literal

from redis.asyncio import Redis

from calls.shards import SHARDS, call_key, shard_of, tag_of
from config.clock import Clock
from config.redis import shard_key
from config.scripts import load
from config.settings import Settings
from ivr.call import Call
from telephony.twilio.connection import ANSWER_WITHIN_S

#: The cloud gives up a webhook after 15 s, and repeats it once: an answer is not needed for longer.
ANSWER_KEPT_S = 60
#: A webhook that is not done by then belongs to a process that died.
BUSY_S = 8.0
#: An interruption that the cloud has not carried out by then failed: longer than its request may take, and Redis before it.
INTERRUPTION_S = ANSWER_WITHIN_S + 4.0
LEG_KEPT_S = 86_400
#: More than are answered before their announcement comes around; beyond it, calls are looked at once more than needed.
ANSWERED_MAX = 10_000

_BEGIN = load(__file__, "begin-4")
_FINISH = load(__file__, "finish-3")
_PUT_AND_FINISH = load(__file__, "put_and_finish-10")
_INTERRUPT = load(__file__, "interrupt-1")

Verdict = Literal["yours", "needless", "busy"]
_VERDICTS: dict[int, Verdict] = {1: "yours", 0: "needless", -1: "busy"}


class Told:
    """An answer that is kept in one step with its turn (calls.store.Beside)."""

    __slots__ = ("arguments", "keys", "said")
    script = _PUT_AND_FINISH

    def __init__(self, keys: tuple[str, ...], arguments: tuple[str | int | float, ...]) -> None:
        self.keys, self.arguments = keys, arguments
        #: As `finish`; -1: the turn was not saved.
        self.said = -1

    def told(self, said: Any) -> None:
        self.said = int(said)


class Legs:
    """The callers' legs. Raises redis.exceptions.RedisError when Redis is away."""

    def __init__(self, redis: Redis, settings: Settings, clock: Clock) -> None:
        self._redis, self._prefix, self._clock = redis, settings.redis_prefix, clock
        self._starts = tuple(shard_key(self._prefix, tag_of(shard), "") for shard in range(SHARDS))
        self._all_heard = tuple(shard_key(self._prefix, tag_of(shard), "heard") for shard in range(SHARDS))
        #: `seq` of the calls that this process has answered a moment ago.
        self._answered: dict[str, int] = {}

    def begin(self, call_id: str, digest: str, request: str) -> Awaitable[list[Any]]:
        """A webhook arrives, told now: the answer given to it before (None = none), and the call's record as
        `Calls.as_read` takes it. `request`: its id; empty for a call that arrives."""
        keys = (*self._keys(call_id), call_key(self._prefix, call_id))
        return _BEGIN.begin(self._redis, keys, call_id, self._clock(), digest, request, LEG_KEPT_S)

    def finish(self, call: Call, digest: str, request: str, answer: str, *, presents: bool) -> Awaitable[int | str]:
        """Told now. 1: give this answer. 0: an interruption shows the same scene in a moment; `presents` is that one.
        A text: the answer that another process gave to this webhook meanwhile."""
        arguments = self._finishing(call, digest, request, answer, presents=presents)
        return _FINISH.begin(self._redis, self._keys(call.id), *arguments)

    def beside(self, call: Call, digest: str, request: str, answer: str, *, presents: bool) -> "Told":
        """The same in one step with the turn that leads to the answer."""
        # To call back is more than something to be shown: the bridge places a call.
        is_all = "0" if call.node == "calling" else "1"
        arguments = (LEG_KEPT_S, is_all, *self._finishing(call, digest, request, answer, presents=presents))
        return Told(self._keys(call.id), arguments)

    def _finishing(
        self, call: Call, digest: str, request: str, answer: str, *, presents: bool
    ) -> tuple[str | int | float, ...]:
        return (
            call.id, self._clock(), digest, request, call.scene, call.node, answer, "1" if presents else "0",
            INTERRUPTION_S, ANSWER_KEPT_S, "1" if call.node == "ended" else "0",
        )  # fmt: skip

    def note_answer(self, call: Call) -> None:
        """A webhook of this process has shown the call, which was saved before, as it is now."""
        if call.node == "calling":
            return
        if len(self._answered) >= ANSWERED_MAX:
            self._answered.clear()
        self._answered[call.id] = call.seq

    def has_answered(self, call_id: str, seq: int) -> bool:
        """True when a webhook of this process has shown the call as it was saved then: nobody has to interrupt it."""
        return self._answered.pop(call_id, -1) >= seq

    async def interrupt(self, call: Call, question: str) -> Verdict:
        """Asked before a REST update, by every process that noticed the change: one is told `yours`. `question`: a name of its
        own; who asks by the same name again is told the same."""
        leg, _, _ = self._keys(call.id)
        arguments = (call.scene, call.node, self._clock(), BUSY_S, question)
        return _VERDICTS[await _INTERRUPT.run(self._redis, (leg,), *arguments)]

    async def not_shown(self, call: Call) -> None:
        """The interruption failed: whoever comes next shows the scene."""
        leg, _, _ = self._keys(call.id)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(leg, "shown", "-1")
            pipe.hset(leg, "by", "answer")
            await pipe.execute()

    async def heard(self, call_id: str) -> None:
        """A sign of life from elsewhere (the cloud's REST side)."""
        _, _, heard = self._keys(call_id)
        await self._redis.zadd(heard, {call_id: self._clock()})

    async def forget(self, call_id: str) -> None:
        """The caller is gone."""
        _, _, heard = self._keys(call_id)
        await self._redis.zrem(heard, call_id)

    async def silent(self, since_s: float) -> list[str]:
        """Callers without a sign of life for so long."""
        until = repr(self._clock() - since_s)
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in range(SHARDS):
                pipe.zrangebyscore(self._heard(shard), "-inf", until)
            return [call_id for row in await pipe.execute() for call_id in row]

    async def watched(self) -> set[str]:
        """Every caller whose signs of life are awaited."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in range(SHARDS):
                pipe.zrange(self._heard(shard), 0, -1)
            return {call_id for row in await pipe.execute() for call_id in row}

    def _keys(self, call_id: str) -> tuple[str, str, str]:
        shard = shard_of(call_id)
        start = self._starts[shard]
        return f"{start}leg:{call_id}", f"{start}answers:{call_id}", self._all_heard[shard]

    def _heard(self, shard: int) -> str:
        return self._all_heard[shard]
