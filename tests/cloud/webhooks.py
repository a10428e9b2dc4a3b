"""Requests to the application, as Twilio sends them: signed, with time limits, retried, and exposed to mischief."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from uuid import uuid4

import httpx

from tests.cloud.clock import Clock
from tests.cloud.errors import CloudError, Rejected
from tests.cloud.lines import Lines
from tests.cloud.mischief import Drop, Echo, Forge, Forgery, Hold, Latency, LoseAnswer, Mischief, Repeat, Trick
from tests.cloud.overrides import Overrides, Timeouts, read_overrides
from tests.cloud.signature import sign

Kind = Literal["document", "callback"]


@dataclass(frozen=True, slots=True)
class Request:
    """One webhook, before it is sent. `url` without the fragment; `token` is the idempotency token."""

    kind: Kind
    call_sid: str
    method: str
    url: str
    params: Mapping[str, str]
    token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application said."""

    status: int
    content_type: str
    body: bytes
    #: Cache-Control's max-age; 0 = not to be kept.
    max_age_s: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt and what came of it: an answer, or why there is none."""

    request: Request
    attempt: int
    answer: Answer | None
    failure: str = ""


class NoConnection(Exception):
    """The request, or its answer, never arrived."""


class Webhooks:
    """The cloud's HTTP client."""

    def __init__(self, account_sid: str, auth_token: str, report: Callable[[CloudError], None], clock: Clock) -> None:
        self.mischief = Mischief()
        self.timeouts = Timeouts()
        self.sent: list[Sent] = []
        #: Answers to the same request sent again, beside the first answer.
        self.copies: list[tuple[Sent, Answer | None]] = []
        self.forgeries: list[Sent] = []
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._report, self._clock = report, clock
        self._held: dict[str, list[tuple[int, Request]]] = {}
        self._echoes: dict[str, list[tuple[int, Sent]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines = Lines()

    async def close(self) -> None:
        """Finish what is under way and disconnect."""
        for call_sid in list(self._held):
            self.release(call_sid)
        await self.settle()
        await self._lines.close()

    async def settle(self) -> None:
        """Wait until all callbacks were sent."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def document(self, call_sid: str, method: str, url: str, params: Mapping[str, str]) -> Answer:
        """Request TwiML. Raises Rejected when no good answer comes."""
        address, _, fragment = url.partition("#")
        overrides = read_overrides(fragment, self.timeouts)
        request = Request("document", call_sid, method, address, params, str(uuid4()))
        with self._clock.busy():
            return await self._deliver(request, overrides, None)

    def callback(self, call_sid: str, method: str, url: str, params: Mapping[str, str]) -> None:
        """Tell the application something; it need not answer with anything but success."""
        request = Request("callback", call_sid, method, url.partition("#")[0], params, str(uuid4()))
        tricks = self.mischief.tricks(request.url)
        for trick in tricks:
            if isinstance(trick, Hold):
                self._held.setdefault(call_sid, []).append((trick.past, request))
                return
        self._start(self._call_back(request, tricks))

    def release(self, call_sid: str) -> None:
        """Send what was held back for this call."""
        for _, request in self._held.pop(call_sid, []):
            self._start(self._call_back(request, []))

    async def fetch(self, url: str) -> Answer:
        """GET a sound. Raises Rejected."""
        try:
            with self._clock.busy():
                async with asyncio.timeout(self.timeouts.total):
                    response = await self._lines.line(url).get(url)
        except (httpx.HTTPError, TimeoutError) as error:
            raise Rejected(11200, f"{url}: {error!r}") from error
        if response.status_code != 200:
            raise Rejected(11200, f"{url}: status {response.status_code}")
        control = response.headers.get("cache-control", "")
        # The media caches are shared proxies: https://www.twilio.com/docs/voice/twiml/play#mp3-or-wav
        age = re.search(r"max-age=([0-9]+)", control) if not re.search(r"no-store|no-cache|private", control) else None
        return Answer(200, response.headers.get("content-type", ""), response.content, int(age[1]) if age else 0)

    async def post_json(self, url: str, body: bytes) -> Answer:
        """POST a JSON body; `url` already carries its hash."""
        headers = {"Content-Type": "application/json", "X-Twilio-Signature": sign(self._auth_token, url, {})}
        response = await self._lines.line(url).post(url, content=body, headers=headers)
        return Answer(response.status_code, response.headers.get("content-type", ""), response.content)

    def _start(self, work: Coroutine[object, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call_back(self, request: Request, tricks: list[Trick]) -> None:
        try:
            with self._clock.busy():
                await self._deliver(request, read_overrides("", self.timeouts), tricks)
        except Rejected as fault:
            if not any(isinstance(trick, Drop | LoseAnswer) for trick in tricks):
                self._report(CloudError(fault.code, f"callback: {fault.detail}", request.url, request.call_sid))

    async def _deliver(self, request: Request, overrides: Overrides, tricks: list[Trick] | None) -> Answer:
        """Try as often as the overrides say, and while the time for all attempts lasts. `tricks`: None = those of the rules, looked
        up for each attempt."""
        failure, until = Rejected(11205, "never tried"), asyncio.get_running_loop().time() + overrides.total
        for attempt in range(1 + overrides.retries):
            now = self.mischief.tricks(request.url) if tricks is None else tricks
            try:
                return await self._try(request, attempt, overrides, now, until)
            except NoConnection as error:
                failure, kind = Rejected(11205, str(error)), "ct"
            except TimeoutError:
                failure, kind = Rejected(11200, "no answer in time"), "rt"
            except httpx.HTTPStatusError as error:
                status = error.response.status_code
                failure, kind = Rejected(11216 if status < 400 else 11200, f"status {status}"), f"{status // 100}xx"
            if not overrides.retries_after(kind) or asyncio.get_running_loop().time() >= until:
                break
        raise failure

    async def _try(
        self, request: Request, attempt: int, overrides: Overrides, tricks: list[Trick], until: float
    ) -> Answer:
        await self._before(request, tricks)
        try:
            async with asyncio.timeout_at(until):
                answer = await self._send(request, overrides)
        except (NoConnection, TimeoutError) as error:
            self.sent.append(Sent(request, attempt, None, repr(error)))
            raise
        sent = Sent(request, attempt, answer)
        self.sent.append(sent)
        await self._after(sent, overrides, tricks)
        if answer.status >= 300:
            response = httpx.Response(answer.status, request=httpx.Request(request.method, request.url))
            raise httpx.HTTPStatusError(f"status {answer.status}", request=response.request, response=response)
        return answer

    async def _before(self, request: Request, tricks: list[Trick]) -> None:
        for trick in tricks:
            match trick:
                case Latency(seconds):
                    await asyncio.sleep(seconds)
                case Forge(how):
                    await self._forge(request, how)
                case Drop():
                    self.sent.append(Sent(request, 0, None, "dropped"))
                    raise NoConnection("dropped")
                case Hold() | Repeat() | Echo() | LoseAnswer():
                    pass

    async def _after(self, sent: Sent, overrides: Overrides, tricks: list[Trick]) -> None:
        await self._echo(sent.request.call_sid, overrides)
        for trick in tricks:
            match trick:
                case Repeat(times):
                    for _ in range(times):
                        self.copies.append((sent, await self._send(sent.request, overrides)))
                case Echo(past):
                    self._echoes.setdefault(sent.request.call_sid, []).append((past, sent))
                case LoseAnswer():
                    raise NoConnection("the answer was lost")
                case Latency() | Forge() | Drop() | Hold():
                    pass
        self._count_down(sent.request.call_sid)

    async def _echo(self, call_sid: str, overrides: Overrides) -> None:
        """Copies whose time has come."""
        waiting = [(past - 1, sent) for past, sent in self._echoes.pop(call_sid, [])]
        self._echoes[call_sid] = [(past, sent) for past, sent in waiting if past > 0]
        for past, sent in waiting:
            if past <= 0:
                self.copies.append((sent, await self._send(sent.request, overrides)))

    def _count_down(self, call_sid: str) -> None:
        held = [(past - 1, request) for past, request in self._held.get(call_sid, [])]
        self._held[call_sid] = [(past, request) for past, request in held if past > 0]
        for past, request in held:
            if past <= 0:
                self._start(self._call_back(request, []))

    async def _forge(self, request: Request, how: Forgery) -> None:
        forged, signature = request, ""
        if how == "account":
            stranger = "AC" + self._account_sid[2:][::-1]
            forged = replace(request, params={**request.params, "AccountSid": stranger})
        if how == "tampered":
            forged = replace(request, params={**request.params, "Digits": "1", "CallStatus": "in-progress"})
            signature = sign(self._auth_token, request.url, request.params)
        elif how != "missing":
            signature = sign("not" + self._auth_token, forged.url, forged.params)
        answer = await self._send(forged, read_overrides("", self.timeouts), signature)
        self.forgeries.append(Sent(forged, 0, answer))

    async def _send(self, request: Request, overrides: Overrides, signature: str | None = None) -> Answer:
        url, form = request.url, request.params
        if request.method == "GET":
            url, form = str(httpx.URL(url).copy_merge_params(dict(form))), {}
        headers = {"I-Twilio-Idempotency-Token": request.token, "User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
        if signature != "":
            headers["X-Twilio-Signature"] = signature or sign(self._auth_token, url, form)
        body = dict(form) if request.method == "POST" else None
        try:
            async with asyncio.timeout(overrides.total):
                response = await self._lines.line(request.call_sid).request(
                    request.method,
                    url,
                    data=body,
                    headers=headers,
                    timeout=httpx.Timeout(None, connect=overrides.connect, read=overrides.read),
                )
        except httpx.ReadTimeout as error:
            raise TimeoutError("no answer in time") from error
        except httpx.TransportError as error:
            raise NoConnection(repr(error)) from error
        return Answer(response.status_code, response.headers.get("content-type", ""), response.content)
