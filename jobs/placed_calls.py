"""Places the calls about orders that are due: one try each, or a look after one of which nothing was heard. The argument is an id.

Repeatable at any point, by several at once: a try is made by whoever claims it.
"""

import asyncio
from typing import Literal, Protocol

import structlog

from calls import placing
from calls.assembly import Core, build
from calls.placing import Claim
from config.settings import load_settings
from telephony.asterisk.placing import AsteriskPlacing
from telephony.errors import CarrierRefused, CarrierUnavailable, CarrierUncertain
from telephony.twilio.exchange import assemble
from telephony.twilio.placed import CloudPlacing

log = structlog.get_logger()

#: rung: a phone rings. not_rung: this try came to nothing at once. goes_on, lapsed: an earlier try. nothing: not due (any more).
Result = Literal["rung", "not_rung", "goes_on", "lapsed", "nothing"]


class Carrier(Protocol):
    """What rings phones."""

    async def ring(self, claim: Claim) -> None:
        """Raises CarrierUnavailable, CarrierUncertain, CarrierRefused."""

    async def is_over(self, leg: str) -> bool:
        """What became of a try, by the carrier's own word. Raises CarrierUnavailable."""


def place_call(placed_id: str) -> Result:
    """The RQ job."""
    return asyncio.run(_with_core(placed_id))


async def _with_core(placed_id: str) -> Result:
    core = build(load_settings())
    exchange = assemble(core)
    by_cloud = core.settings.places_calls_by == "twilio"
    try:
        return await attend(core, CloudPlacing(exchange) if by_cloud else AsteriskPlacing(core.settings), placed_id)
    finally:
        await exchange.connection.close()
        await core.close()


async def attend(core: Core, carrier: Carrier, placed_id: str) -> Result:
    """Whatever is due for this call."""
    claim = await placing.claim(core.database, core.settings, placed_id, core.clock())
    return await _ring(core, carrier, claim) if claim else await _look_after(core, carrier, placed_id)


async def _ring(core: Core, carrier: Carrier, claim: Claim) -> Result:
    try:
        await carrier.ring(claim)
    except CarrierUncertain as error:
        log.warning("a phone may ring", placed_id=claim.id, error=str(error))
    except (CarrierUnavailable, CarrierRefused) as error:
        log.warning("a call about an order could not be placed", placed_id=claim.id, error=str(error))
        reason = "refused" if isinstance(error, CarrierRefused) else "unavailable"
        await placing.missed(core.database, core.settings, claim.id, claim.leg, reason, core.clock())
        return "not_rung"
    return "rung"


async def _look_after(core: Core, carrier: Carrier, placed_id: str) -> Result:
    lapsed = await placing.lapsed(core.database, placed_id, core.clock())
    if lapsed is None:
        return "nothing"
    try:
        over = await carrier.is_over(lapsed.leg)
    except (CarrierUnavailable, CarrierRefused) as error:
        # Its time is up all the same: nobody may wait for ever for a carrier that does not answer.
        log.warning("what became of a call about an order is not known", placed_id=lapsed.id, error=str(error))
        over = True
    if not over:
        await placing.goes_on(core.database, lapsed.id, lapsed.leg, core.clock())
        return "goes_on"
    await placing.missed(core.database, core.settings, lapsed.id, lapsed.leg, "no_word", core.clock())
    return "lapsed"
