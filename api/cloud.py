"""The cloud phone's parts in an api process: made when an account is configured, run beside the requests."""

import asyncio
from contextlib import suppress

from api.metrics import Metrics
from calls.assembly import Core
from telephony.twilio.bridge import Bridge
from telephony.twilio.exchange import Exchange, assemble
from telephony.twilio.signature import Signatures
from telephony.twilio.webhooks import Webhooks


class Cloud:
    """One account. `start` in the running loop, `close` with the app."""

    def __init__(self, core: Core, metrics: Metrics) -> None:
        settings = core.settings
        self._metrics = metrics
        self.exchange: Exchange = assemble(core)
        self.webhooks = Webhooks(self.exchange)
        self.signatures = Signatures(
            settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.effective_public_url
        )
        self._bridge = Bridge(self.exchange, self.webhooks.spool)
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._bridge.run(self._stop))

    async def close(self) -> None:
        """Ends the sweeps and interruptions; webhooks under way are answered by the server before."""
        self._stop.set()
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task
        await self.exchange.connection.close()

    def count_refused(self, step: str) -> None:
        """A webhook without a valid signature, or of another account."""
        self._metrics.refused.labels(step).inc()


def assemble_cloud(core: Core, metrics: Metrics) -> Cloud | None:
    """None without an account and its token: then there is no cloud phone."""
    settings = core.settings
    if not settings.twilio_account_sid or not settings.twilio_auth_token.get_secret_value():
        return None
    return Cloud(core, metrics)
