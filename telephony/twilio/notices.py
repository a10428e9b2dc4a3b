"""Webhooks that ask for nothing: a call changed, a recording is ready. Late and repeated ones do no harm."""

import asyncio

from calls.job_names import FETCH_RECORDING, LOSE_RECORDING
from calls.store import UnknownCall
from telephony.twilio.callbacks import leg_of_try
from telephony.twilio.caller import Caller
from telephony.twilio.connection import ENDED
from telephony.twilio.exchange import Exchange, call_id_of, new_call
from telephony.twilio.outbound import Outbound
from telephony.twilio.spool import Spool
from telephony.twilio.webhook import Webhook

#: RecordingStatus of a recording that will never be.
LOST = frozenset({"absent", "failed"})


class Notices:
    """They only ever move a call towards its end."""

    def __init__(self, exchange: Exchange, caller: Caller, outbound: Outbound, spool: Spool) -> None:
        self._exchange, self._caller, self._outbound, self._spool = exchange, caller, outbound, spool

    async def status(self, hook: Webhook) -> None:
        """The call is over, or it is of no interest. One that came and went unseen is put into the ledger."""
        if hook.leg:
            state = await self._outbound.note(hook.leg, hook.status, hook.call_sid)
            await self._renew(hook, over=state in ENDED)
        if not hook.ended or not hook.call_sid:
            return
        if await asyncio.to_thread(self._spool.finish, hook.call_sid):
            return  # the fallback served this caller: the sweep of the spool knows more than we do
        call_id = call_id_of(hook.for_sid or hook.call_sid)
        try:
            await self._caller.gone(call_id, hook)
        except UnknownCall:
            if hook.outbound:
                return  # nobody took a call of ours: nobody called us
            now = self._exchange.core.clock()
            await self._exchange.core.calls.create(new_call(self._exchange, call_id, hook.number, now))
            await self._caller.gone(call_id, hook)
        await self._exchange.legs.forget(call_id)

    async def _renew(self, hook: Webhook, *, over: bool) -> None:
        """A caller's phone rings because we call back: the claim must not lapse meanwhile. What is told late, of a leg that is
        over or of an earlier try, keeps no claim alive."""
        call = await self._exchange.core.calls.get(call_id_of(hook.for_sid)) if hook.for_sid and not over else None
        if call is not None and call.node in ("calling", "screening") and hook.leg == leg_of_try(call):
            await self._exchange.core.line.renew(call.seat_id, call.token, self._exchange.settings.claim_lease_s)

    async def recording(self, hook: Webhook) -> None:
        """Have it fetched. A notice that is lost is made up for by the sweep of jobs.cloud_recordings."""
        enqueue = self._exchange.core.queue.enqueue
        if not hook.recording:
            return
        if hook.recording_status == "completed" and hook.recording_sid:
            await enqueue(FETCH_RECORDING, f"{hook.recording_sid}-{hook.recording}")
        elif hook.recording_status in LOST:
            await enqueue(LOSE_RECORDING, hook.recording)
