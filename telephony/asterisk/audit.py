"""Looks, while a bridge drives and after every login, for what events did not tell: callers without a leg, calls without a
caller, calls that no bridge saw. Slow and careful; nothing urgent waits for it."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog
from msgspec.structs import replace

from calls.assembly import Core
from calls.job_names import FINISH_RECORDING
from calls.ledger import Entry
from calls.store import CorruptCall
from ivr.call import Call
from sessions.calendar import Calendar
from telephony.asterisk import cdr, record_files
from telephony.asterisk.closing import MAY_TALK, close_gone
from telephony.asterisk.connection import Event
from telephony.asterisk.exchange import Exchange, call_id_of
from telephony.asterisk.legs import Legs
from telephony.asterisk.node_records import NodeRecords
from telephony.asterisk.pbx_config import pbx_files
from telephony.asterisk.restore import LAST_TURN, new_call
from telephony.asterisk.resync import is_caller, take_up
from telephony.asterisk.spool import Spool
from workorders.intake import add_recording

log = structlog.get_logger()

#: Facts of the ledger that tell at which node a lost call was last.
#: The end of the name of a message that no order knew of; others have the number of a turn there, from 1 on.
LATE = "m0"
_NODES = {"willing": "waiting", "missed": "waiting", "message": "message", "connected": "talking"}


Rows = Mapping[str, Sequence[cdr.CallRecord]]


class Audit:
    """One bridge's. `look` may be repeated and interrupted at any point."""

    def __init__(self, exchange: Exchange, core: Core, legs: Legs) -> None:
        self._exchange, self._core, self._legs = exchange, core, legs
        self._calendar = Calendar(core.database)
        #: Callers' channels without a leg at the last look: one that has just arrived is not taken for forgotten.
        self._strange: frozenset[str] = frozenset()
        #: Legs without a channel at the last look, and ended calls of which Asterisk had written nothing yet.
        self._ghosts: frozenset[str] = frozenset()
        self._unwritten: frozenset[str] = frozenset()
        settings = exchange.settings
        self._records = NodeRecords(core.redis, settings.redis_prefix, settings.call_records_days)

    async def look(self) -> bool:
        """True when it should look again at once. Raises what Redis, the database or the connection raise."""
        live = await self._core.calls.live()
        mark = f"{self._exchange.settings.redis_prefix}cdr:{self._exchange.settings.pbx_node}"
        before = str(await self._core.redis.get(mark) or record_files.BEGINNING)
        file = pbx_files(self._exchange.settings, self._folder).cdr
        begun_at = self._core.clock()
        await asyncio.to_thread(self._keep_days, file)
        # Rows that are written while we look belong to the next look as well.
        _, end = await asyncio.to_thread(record_files.read_on, file, before)
        channels = await self._exchange.connection.listing("CoreShowChannels")
        here = {call_id_of(channel["Uniqueid"]): channel["Uniqueid"] for channel in channels if is_caller(channel)}
        strange = frozenset(uniqueid for call_id, uniqueid in here.items() if call_id not in self._legs)
        forgotten, self._strange = strange & self._strange, strange
        if forgotten and await take_up(self._exchange, self._legs, channels, only=forgotten):
            log.warning("callers whom nobody served are taken up", count=len(forgotten))
        self._drop_ghosts(channels)
        records, _ = await asyncio.to_thread(record_files.read_on, file, before)
        rows = cdr.calls(records)
        await self._records.report(self._exchange.settings.pbx_node, rows, begun_at)
        # A leg whose caller has gone may still find that Redis does not know the call, and leave it to us.
        ending = any(call_id in self._legs and call_id not in here for call_id in rows)
        await self._close_ended([call_id for call_id in live if call_id not in here], rows)
        await self._close_unseen(frozenset(here), rows)
        if end != before and not ending:
            await self._core.redis.set(mark, end)
        await self._add_late()
        return bool(self._unwritten)

    @property
    def _folder(self) -> Path:
        return self._exchange.settings.state_dir / "asterisk"

    def _keep_days(self, file: Path) -> None:
        now = self._core.clock()
        record_files.turn_over(file, now)
        if removed := record_files.remove_old(file, now, self._exchange.settings.call_records_days):
            log.info("call records have been kept for long enough and are removed", days=removed)

    def _drop_ghosts(self, channels: list[Event]) -> None:
        """Legs whose channel went without a word to us must not stand in the line, or keep a seat."""
        there = frozenset(channel["Uniqueid"] for channel in channels)
        legs = {leg.uniqueid: leg for leg in self._legs.all() if leg.uniqueid not in there}
        for uniqueid in self._ghosts & legs.keys():
            log.warning("a caller has gone and nobody told", call_id=legs[uniqueid].call_id)
            self._legs.drop(legs[uniqueid])
        self._ghosts = frozenset(legs) - self._ghosts

    async def _close_ended(self, call_ids: list[str], rows: Rows) -> None:
        """Calls that are live in Redis and have no channel any more. Who may have talked waits a moment for the records, which
        Asterisk writes after the end; after its death there are none."""
        unwritten = set()
        for call_id in call_ids:
            call = await self._ours(call_id) if call_id not in self._legs else None
            if call is None or (call.node == "calling" and call_id not in rows):
                continue  # not ours; or their phone may be ringing, and the claim ends by itself
            if call_id not in rows and call_id not in self._unwritten and call.node in MAY_TALK and call.token:
                unwritten.add(call_id)
            else:
                await close_gone(self._exchange, call_id, rows=rows.get(call_id, ()))
        self._unwritten = frozenset(unwritten)

    async def _close_unseen(self, here: frozenset[str], rows: Rows) -> None:
        """Calls of Asterisk's own records that have no outcome and no caller: they came and went without any bridge, or Redis
        lost them."""
        absent = [call_id for call_id in rows if call_id not in self._legs and call_id not in here]
        for call_id in await self._core.ledger.open_calls(absent):
            if await self._ours(call_id) is None:
                await self._close_lost(rows[call_id])

    async def _ours(self, call_id: str) -> Call | None:
        """A call of this node as Redis has it. A record that was damaged begins anew, and nobody else suffers from it."""
        try:
            call = await self._core.calls.get(call_id)
        except CorruptCall:
            call = (await self._core.turns.present(call_id)).call
        node = self._exchange.settings.pbx_node
        if call is None or call.carrier != "asterisk":
            return None
        at_node = call.host == node if call.host else call_id.startswith(f"a-{node}-")
        return call if at_node else None

    async def _add_late(self) -> None:
        """Messages of callers whose order was made before they spoke: recordings of their own, in the same order."""
        spool = Spool(self._exchange.spool, self._exchange.recordings)
        for call_id in spool.late():
            name = f"{call_id}-{LATE}"
            order_id = await add_recording(self._core.database, call_id, name)
            if not order_id:
                log.warning("a message waits for the order of its call", call_id=call_id)
                continue
            await asyncio.to_thread(spool.give_late, call_id, name)
            await self._core.queue.enqueue(FINISH_RECORDING, order_id, 1)
            spool.forget_late(call_id)

    async def _close_lost(self, rows: Sequence[cdr.CallRecord]) -> None:
        first = rows[0]
        new = new_call(self._exchange.settings, first.call_id, first.source, first.started_at)
        # What came in during a session is of that session, though nobody could ask: its order carries the tag.
        new = replace(new, session_id=await self._calendar.held_at(first.started_at))
        events = await self._core.ledger.events(new.id)
        await self._core.calls.create(as_ledger_has_it(new, events, self._exchange.recordings) if events else new)
        await close_gone(self._exchange, new.id, rows=rows)
        log.warning("a call that nobody saw to its end is in the ledger now", call_id=new.id)


def as_ledger_has_it(new: Call, events: list[Entry], recordings: Path) -> Call:
    """A call of which Redis knows nothing, at the node where the ledger saw it last, beyond all its turns."""
    call = replace(new, seq=LAST_TURN, scene=LAST_TURN)
    for event in events:
        call = replace(call, session_id=event.session_id or call.session_id)
        match _NODES.get(event.kind):
            case "waiting":
                seat_id = str(event.data.get("seat_id", call.seat_id))
                call = replace(call, node="waiting", seat_id=seat_id, joined_at=call.joined_at or event.at)
            case "message":
                call = replace(
                    call, node="message", recording=_newest(recordings, f"{call.id}-m"), outcome="work_order"
                )
            case "talking":
                talk = _newest(recordings, f"{call.id}-t")
                call = replace(call, node="talking", recording=talk, talk_started_at=event.at, outcome="talked")
            case _:
                continue
    return call


def _newest(folder: Path, prefix: str) -> str:
    """Name of the newest recording of a call, or empty. A call id holds no characters that a pattern would mean."""
    files = sorted(folder.glob(f"{prefix}*.wav"), key=lambda path: path.stat().st_mtime)
    return files[-1].stem if files else ""
