"""The cloud phone: numbers, calls, recordings, an HTTP API, and everything that went wrong."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.cloud.audio_cache import Sounds
from tests.cloud.callee import Callees, Directory
from tests.cloud.clock import Clock, ExactClock
from tests.cloud.errors import CloudError
from tests.cloud.leg import Leg, Parties
from tests.cloud.numbers import Number
from tests.cloud.outbound import Order, run_outbound
from tests.cloud.recordings import Recordings
from tests.cloud.rest import rest_app
from tests.cloud.rest.troubles import Troubles
from tests.cloud.script import Script, When
from tests.cloud.server import Server
from tests.cloud.sids import new_sid
from tests.cloud.signature import with_body_hash
from tests.cloud.verbs import PERFORMERS
from tests.cloud.watch import Watch
from tests.cloud.webhooks import Answer, Sent, Webhooks

T = TypeVar("T")


class Cloud:
    """An account at the cloud. `speed`: virtual seconds in one real second (webhooks always take real time)."""

    performers = PERFORMERS

    def __init__(
        self, account_sid: str, auth_token: str, *, host: str = "127.0.0.1", port: int = 0, speed: float = 50.0,
        exact: bool = False,
    ) -> None:  # fmt: skip
        """`exact`: time is that of tests.cloud.clock.ExactClock."""
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.clock = ExactClock(speed) if exact else Clock(speed)
        self.watch = Watch()
        self.errors: list[CloudError] = []
        self.calls: dict[str, Leg] = {}
        self.numbers: dict[str, Number] = {}
        self.callees: Callees = {}
        self.directory = Directory(self.callees)
        self.recordings = Recordings(self)
        self.webhooks = Webhooks(account_sid, auth_token, self.report, self.clock)
        self.mischief = self.webhooks.mischief
        self.timeouts = self.webhooks.timeouts
        #: DialCallStatus of a leg that answered and hung up in its whisper.
        self.declined_status = "completed"
        #: Whether the action of a Dial says DialBridged; where it does not, whoever answered and never talked has a duration, too.
        self.tells_bridged = True
        #: REST: so many new calls in one virtual second, the next one is refused.
        self.calls_per_second = 1.0
        #: REST: what goes wrong with the requests to come.
        self.troubles = Troubles()
        #: Every URL that a document or a REST request held.
        self.given: set[str] = set()
        #: REST: every request that was let in, as `METHOD path`.
        self.asked: list[str] = []
        #: What a sound says, for the transcript; the URL itself unless a test knows better.
        self.read_aloud: Callable[[str], str] = lambda url: url
        #: Added to every webhook about a call, over what it says by itself: for hostile input.
        self.extra_params: dict[str, str] = {}
        self._sounds = Sounds(self.webhooks, self.clock)
        self._server = Server(rest_app(self), host, port)
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- for tests ----------------------------------------------------------------------------------------------------
    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def api_url(self) -> str:
        """Base of the REST API, without a slash at its end."""
        return self._server.url

    @property
    def sent(self) -> Sequence[Sent]:
        """Every webhook that was tried."""
        return self.webhooks.sent

    def own(self, number: str, *, voice_url: str = "", status_url: str = "", fallback_url: str = "") -> str:
        """Add a number to the account; returns it."""
        self.numbers[number] = Number(
            number, {"VoiceUrl": voice_url, "StatusCallback": status_url, "VoiceFallbackUrl": fallback_url}
        )
        return number

    def place_call(
        self, from_: str, to: str, *, script: Sequence[When] = (), forwarded_from: str = "", caller_name: str = ""
    ) -> Leg:
        """Somebody calls one of our numbers."""
        number = self.numbers[to]
        parties = Parties(from_, to, "inbound", None, forwarded_from, caller_name)
        leg = self.new_leg(parties, Script(script))
        self.start(number.take_call(self, leg))
        return leg

    async def leg_to(self, address: str, timeout_s: float = 10.0) -> Leg:
        """Wait for a leg that rings at `address` or talks there."""

        def legs() -> list[Leg]:
            return [leg for leg in self.calls.values() if leg.parties.to == address and not leg.over]

        await self.watch.until(lambda: bool(legs()), timeout_s, f"nobody called {address}")
        return legs()[-1]

    async def post_json(self, url: str, payload: object) -> Answer:
        """Post a signed JSON hook."""
        body = json.dumps(payload).encode()
        return await self.webhooks.post_json(with_body_hash(url, body), body)

    async def quiet(self) -> None:
        """Wait until all calls are over and all callbacks were sent."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await self.webhooks.settle()

    def assert_faultless(self) -> None:
        """Fail with everything that Twilio would have complained about."""
        assert not self.errors, "\n".join(str(error) for error in self.errors)

    async def close(self) -> None:
        """Hang up everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.webhooks.close()
        await self._server.stop()

    # -- for the engine -----------------------------------------------------------------------------------------------
    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run something that lives as long as this cloud."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def report(self, error: CloudError) -> None:
        """Put a fault into the debugger's log."""
        self.errors.append(error)
        self.watch.changed()

    def new_leg(self, parties: Parties, script: Script) -> Leg:
        """A new call, not yet ringing."""
        leg = Leg(new_sid("CA"), parties, self.clock, script, self.watch)
        self.calls[leg.sid] = leg
        return leg

    def order_call(self, order: Order) -> Leg:
        """A call that the application asked for."""
        callee = self.directory.take(order.to)
        leg = self.new_leg(Parties(order.from_, order.to, "outbound-api"), Script(callee.script if callee else ()))
        self.start(run_outbound(self, leg, callee, order))
        return leg

    async def sound(self, url: str) -> Answer:
        """A sound to be played. Raises Rejected."""
        return await self._sounds.fetch(url)

    def call_params(self, leg: Leg) -> dict[str, str]:
        """What every webhook about a call says. https://www.twilio.com/docs/voice/twiml#request-parameters"""
        parties = leg.parties
        params = {
            "CallSid": leg.sid,
            "AccountSid": self.account_sid,
            "From": parties.from_,
            "To": parties.to,
            "Caller": parties.from_,
            "Called": parties.to,
            "CallStatus": leg.status,
            "ApiVersion": "2010-04-01",
            "Direction": parties.direction,
        }
        optional = {
            "ForwardedFrom": parties.forwarded_from,
            "CallerName": parties.caller_name,
            "AnsweredBy": leg.answered_by,
            "ParentCallSid": parties.parent.sid if parties.parent is not None else "",
        }
        return params | {name: value for name, value in optional.items() if value} | self.extra_params
