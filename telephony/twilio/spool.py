"""Messages of callers whom neither Redis nor the database could serve: files, until they become calls and orders.

One JSON file a call, readable by us alone, the number encrypted. The sound stays at the cloud until it is fetched.
"""

import asyncio
import os
import secrets
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct
from redis.exceptions import RedisError

from calls.assembly import order_maker
from calls.job_names import FETCH_RECORDING
from calls.store import KEEP_ENDED_S
from config.database import DatabaseUnavailable
from config.privacy import Cipher, UnreadableData, open_cipher
from config.settings import Settings
from ivr.call import Call
from ivr.commands import MakeOrder
from ivr.events import Arrived, HungUp, Missed, Recorded, Released
from telephony.errors import CallGone, CarrierUnavailable
from telephony.twilio.callbacks import is_of_another_leg
from telephony.twilio.exchange import Exchange, call_id_of, is_call_sid, new_call
from workorders.intake import add_recording

log = structlog.get_logger()

#: After this a message that was announced will not come any more: the caller hung up at once.
OVER_AFTER_S = 300.0
#: Bound to the encrypted number.
CONTEXT = "spool.number"
#: Somebody else is on the line with the caller, or is rung for them: as long as the phone is not hung up, nothing kept here ends it.
WITH_OTHERS = frozenset({"ringing", "talking", "operator"})


class Message(Struct, frozen=True):
    """What is known of one caller. `at` Unix seconds; `number` encrypted."""

    call_sid: str
    at: float
    number: bytes = b""
    recorded_s: float = 0.0
    recording_sid: str = ""
    #: The message has ended; else it may still be spoken.
    done: bool = False
    #: By a leg of ours (`leg`, our id of it): CallSid of the call that it goes on with.
    of: str = ""
    leg: str = ""


class Spool:
    """The files of one machine. Every method may raise OSError."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.state_dir / "spool" / "cloud"
        self._cipher: Cipher = open_cipher(settings)
        #: CallSids of those who still hear our apology, as far as this process knows.
        self._open: set[str] = set()

    def keep(self, message: Message, number: str) -> None:
        """Put down what is known now; a message that is done is never overwritten by one that is not."""
        known = self._read(self._path(message.call_sid))
        if known is not None and known.done:
            return
        hidden = self._cipher.encrypt(number, CONTEXT) if number else (known.number if known else b"")
        whole = msgspec.structs.replace(message, number=hidden, at=known.at if known else message.at)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(message.call_sid)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(whole))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        (self._open.discard if message.done else self._open.add)(message.call_sid)

    def finish(self, call_sid: str) -> bool:
        """The caller has hung up: True when something is known of them here."""
        known = self._read(self._path(call_sid))
        if known is not None and not known.done:
            self.keep(msgspec.structs.replace(known, done=True), "")
        return known is not None

    def is_open(self, call_sid: str) -> bool:
        """True while this process knows of a message that is announced and not spoken. Never raises."""
        return call_sid in self._open

    def withdraw(self, call_sid: str) -> None:
        """The caller was taken out of the apology and goes on as a call: what was announced does not come."""
        self._open.discard(call_sid)
        path = self._path(call_sid)
        known = self._read(path)
        if known is not None and not known.done:
            path.unlink(missing_ok=True)

    def all(self) -> list[Message]:
        """Everything that waits, oldest first."""
        if not self.folder.is_dir():
            return []
        found = [self._read(path) for path in sorted(self.folder.glob("CA*.json"))]
        return sorted((message for message in found if message), key=lambda message: message.at)

    def drop(self, message: Message) -> None:
        """It has become a call."""
        self._open.discard(message.call_sid)
        self._path(message.call_sid).unlink(missing_ok=True)

    def number_of(self, message: Message) -> str:
        """E.164, or empty."""
        try:
            return self._cipher.decrypt(message.number, CONTEXT) if message.number else ""
        except UnreadableData:
            log.error("a number in the spool cannot be read", call_id=call_id_of(message.call_sid))
            return ""

    def _path(self, call_sid: str) -> Path:
        if not is_call_sid(call_sid):
            raise ValueError("not a CallSid")
        return self.folder / f"{call_sid}.json"

    def _read(self, path: Path) -> Message | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Message)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            log.error("a message in the spool cannot be read", file=path.name)
            return None


async def sweep(exchange: Exchange, spool: Spool) -> int:
    """Turn what waits into calls and orders; how many. Repeatable at any point, by several processes. A message that cannot
    be taken up stays, and the others go on; when Redis or the disk is away, all wait."""
    done = 0
    for message in await asyncio.to_thread(spool.all):
        if message.done or exchange.core.clock() - message.at > OVER_AFTER_S:
            done += await _carefully(exchange, spool, message)
    return done


async def _carefully(exchange: Exchange, spool: Spool, message: Message) -> bool:
    try:
        if not await _take_up(exchange, message, await asyncio.to_thread(spool.number_of, message)):
            return False
    except (RedisError, DatabaseUnavailable, OSError):
        raise
    except CarrierUnavailable as error:
        log.warning("a message in the spool waits", call_id=call_id_of(message.call_sid), error=type(error).__name__)
        return False
    except Exception as error:
        call_id = call_id_of(message.call_sid) if is_call_sid(message.call_sid) else ""
        log.exception("a message in the spool cannot be taken up", call_id=call_id, error=type(error).__name__)
        return False
    await asyncio.to_thread(spool.drop, message)
    return True


async def _by_our_leg(exchange: Exchange, call: Call, message: Message) -> Call:
    """Who keeps a place was called back, and the fallback served that leg. Who left a message there has called for an order; who
    said nothing was not reached, and is called again. A call that goes on without this leg is left alone."""
    turns, spoken = exchange.core.turns, message.recording_sid
    if call.leg == message.call_sid:
        return call
    if spoken and call.node in ("kept", "calling"):
        return (await turns.take_turn(call.id, lambda facts: Arrived(facts=facts, leg=message.call_sid))).call
    if not spoken and call.node == "calling" and not is_of_another_leg(call, message.call_sid, message.leg):
        await turns.take_turn(call.id, lambda facts: HungUp(facts=facts), call.scene)
    log.warning("a leg of ours that the fallback served is done with", call_id=call.id, spoken=bool(spoken))
    return call


async def _take_up(exchange: Exchange, message: Message, number: str) -> bool:
    """The call as it went without us: the fallback, the message, the end. False: it has to wait."""
    call_id = call_id_of(message.of or message.call_sid)
    turns, calls = exchange.core.turns, exchange.core.calls
    if not message.done and await _is_on_the_phone(exchange, message):
        # Taken out of the apology: what Redis knows goes on by itself. Who is unknown there may still be speaking.
        return await calls.get(call_id) is not None
    call = await calls.create(new_call(exchange, call_id, number, message.at))
    if message.of and call.node != "arriving":
        call = await _by_our_leg(exchange, call, message)
        if call.leg != message.call_sid:
            return not message.recording_sid or await _put_in_order(exchange, call, message)
    if call.node in WITH_OTHERS and await _is_on_the_phone(exchange, message):
        return False
    if call.node not in ("message", "fallback", "operator", "talking", "ended"):
        call = (await turns.take_turn(call_id, lambda facts: Released(facts=facts, to="fallback", reason="error"))).call
    if call.node == "operator":
        call = (await turns.take_turn(call_id, lambda facts: Missed(facts=facts, reason="no_answer"))).call
    asked = call.node in ("message", "fallback")
    if asked and message.recording_sid:
        name = await _name(exchange, message, call.recording)
        await exchange.core.queue.enqueue(FETCH_RECORDING, f"{message.recording_sid}-{name}")
        await turns.take_turn(call_id, lambda facts: Recorded(facts=facts, seconds=message.recorded_s))
    call = (await turns.take_turn(call_id, lambda facts: HungUp(facts=facts, seconds=message.recorded_s))).call
    await exchange.legs.forget(call_id)
    log.warning("a call that the fallback served is in the ledger now", call_id=call_id)
    return asked or await _put_in_order(exchange, call, message)


async def _is_on_the_phone(exchange: Exchange, message: Message) -> bool:
    """The cloud's own word on the leg that heard the apology. Raises CarrierUnavailable."""
    try:
        return not (await exchange.connection.call(message.call_sid)).ended
    except CallGone:
        return False


async def _name(exchange: Exchange, message: Message, proposed: str) -> str:
    """Under which name the message's recording is kept: by the first one it was given, when a webhook that is repeated after all is
    done, or a process that died before it had removed the file, brings the message once more."""
    redis, key = exchange.core.redis, f"{exchange.core.settings.redis_prefix}spooled:{message.recording_sid}"
    await redis.set(key, proposed, nx=True, ex=KEEP_ENDED_S)
    return str(await redis.get(key) or proposed)


async def _put_in_order(exchange: Exchange, call: Call, message: Message) -> bool:
    """What was spoken while the flow had asked for nothing goes into the order. Another machine may have been told first that the
    caller hung up, and knew of no message: then the order is made here. False: there is no order yet."""
    core, name = exchange.core, await _name(exchange, message, f"{call.id}-m0") if message.recording_sid else ""
    if call.node == "ended" and not call.ordered and (name or call.outcome == "abandoned"):
        make = order_maker(core.database, core.seats, core.settings)
        order = MakeOrder(source="fallback", recording=name, contact=call.contact, at=core.clock())
        await make(f"{call.id}-spool", call, order)
    if not name:
        return True
    if not await add_recording(core.database, call.id, name):
        return False
    await core.queue.enqueue(FETCH_RECORDING, f"{message.recording_sid}-{name}")
    return True
