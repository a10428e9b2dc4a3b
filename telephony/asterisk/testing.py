"""Places test calls to leaders' phones on this Asterisk: rings, speaks, records both sides, listens whether there is sound."""

import asyncio
import math
from contextlib import suppress
from pathlib import Path

import structlog
from msgspec.structs import replace
from redis.exceptions import RedisError

from calls.assembly import Core
from config.changes import Change
from ivr.verbs import Prompt
from telephony.asterisk import dialplan
from telephony.asterisk.agi import sound_list
from telephony.asterisk.connection import Event
from telephony.asterisk.dial_string import dial_string
from telephony.asterisk.exchange import Exchange
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable
from telephony.sound import RATE, UnreadableSound, read_wav
from telephony.test_calls import TAKES_S, Result, TestCall, TestCalls

log = structlog.get_logger()

PREFIX = "test."
#: The loudest tenth of a second of a recording that is more than noise on the line, as RMS of 16-bit samples.
LOUD_ENOUGH = 150.0
#: After the hang-up a recording is written to its end by another thread of Asterisk.
WRITTEN_WITHIN_S = 3.0
_REFUSED = "0"


class Testing:
    """Of one bridge."""

    def __init__(self, exchange: Exchange, core: Core) -> None:
        self._exchange = exchange
        self._records = TestCalls(core.redis, exchange.settings.redis_prefix)
        self._heard: dict[str, asyncio.Queue[Event]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, change: Change) -> None:
        if change.kind == "test_calls" and self._exchange.connection.connected:
            task = asyncio.create_task(self._make(change.id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def hear(self, event: Event) -> bool:
        """True for an event about a test call."""
        uniqueid = event.get("Uniqueid", "")
        if not uniqueid.startswith(PREFIX):
            return False
        if event.get("Event") in ("OriginateResponse", "Hangup") and uniqueid in self._heard:
            self._heard[uniqueid].put_nowait(event)
        return True

    async def _make(self, session_id: str) -> None:
        """One after the other within a seat would take long; all at once: each is another phone."""
        try:
            asked = [call for call in await self._records.of_session(session_id) if not call.result]
            mine = [call for call in asked if await self._records.claim(call)]
            await asyncio.gather(*(self._place(call) for call in mine))
        except (RedisError, OSError) as error:
            log.warning("test calls are not made", session_id=session_id, error=type(error).__name__)

    async def _place(self, call: TestCall) -> None:
        events = self._heard[_uniqueid(call)] = asyncio.Queue()
        try:
            async with asyncio.timeout(TAKES_S):
                done = await self._try(call, events)
        except (TimeoutError, CallGone, CarrierRefused, CarrierUnavailable, OSError) as error:
            log.warning("a test call failed", seat_id=call.seat_id, error=type(error).__name__)
            done = replace(call, result="unreachable")
        finally:
            self._heard.pop(_uniqueid(call), None)
            for path in self._files(call):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        await self._records.put(done)

    async def _try(self, call: TestCall, events: asyncio.Queue[Event]) -> TestCall:
        settings = self._exchange.settings
        notice = await self._exchange.prompts.audio((Prompt("test_call"),), settings.language)
        loop = asyncio.get_running_loop()
        began = loop.time()
        variables = [f"{dialplan.NOTICE}={sound_list(notice)}", f"{dialplan.RECORDING}={_recording(call)}"]
        fields: dict[str, str | list[str]] = {
            "Channel": dial_string(call.line),
            "ChannelId": _uniqueid(call),
            "Context": dialplan.TEST_CONTEXT,
            "Exten": dialplan.START_EXTEN,
            "Priority": "1",
            "Timeout": str(int(settings.ring_s * 1000)),
            "CallerID": settings.service_number,
            "Variable": variables,
            "Async": "true",
        }
        await self._exchange.connection.action("Originate", fields)
        answer = await _next(events, "OriginateResponse")
        rang = replace(call, ring_s=round(loop.time() - began, 1))
        if answer.get("Response") != "Success":
            reached = answer.get("Reason", _REFUSED) != _REFUSED
            return replace(rang, result="no_answer" if reached else "unreachable")
        await _next(events, "Hangup")
        return await self._judge(rang)

    async def _judge(self, call: TestCall) -> TestCall:
        """Both sides must be there: what we said, in the whole, and what the phone said, in its own."""
        whole, phone = self._files(call)
        seconds = await _written(whole)
        loud = await asyncio.to_thread(lambda: min(loudest(whole), loudest(phone)))
        result: Result = "answered" if loud >= LOUD_ENOUGH else "silent"
        return replace(call, result=result, recorded_s=round(seconds, 1))

    def _files(self, call: TestCall) -> tuple[Path, Path]:
        folder = self._exchange.recordings
        return folder / f"{_recording(call)}.wav", folder / f"{_recording(call)}-phone.wav"


def loudest(path: Path) -> float:
    """RMS of the loudest tenth of a second; 0.0 for a file that is no sound."""
    try:
        samples = read_wav(path.read_bytes())
    except (OSError, UnreadableSound):
        return 0.0
    size = RATE // 10
    parts = [samples[start : start + size] for start in range(0, len(samples) - size, size)]
    return max((math.sqrt(sum(one * one for one in part) / size) for part in parts), default=0.0)


async def _written(path: Path) -> float:
    """Seconds of the recording once it does not grow any more."""
    before = -1
    for _ in range(round(WRITTEN_WITHIN_S / 0.2)):
        now = await asyncio.to_thread(lambda: path.stat().st_size if path.is_file() else 0)
        if now == before > 0:
            break
        before = now
        await asyncio.sleep(0.2)
    return max(0, before - 44) / (2 * RATE)


async def _next(events: asyncio.Queue[Event], name: str) -> Event:
    while (event := await events.get()).get("Event") != name:
        continue
    return event


def _uniqueid(call: TestCall) -> str:
    return f"{PREFIX}{call.id}"


def _recording(call: TestCall) -> str:
    return f"test-{call.id}"
