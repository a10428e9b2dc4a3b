"""The cloud's REST side: the few requests we make, over one connection pool. Maps every failure to telephony.errors.

The official client brings some two thousand modules for the dozen requests that are made here; this speaks the same API
(2010-04-01) directly. TwiML and signatures are the official library's.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from msgspec import Struct

from config.settings import Settings
from telephony.errors import CallGone, CarrierRefused, CarrierUnavailable, CarrierUncertain

API_URL = "https://api.twilio.com"
#: The cloud answers in well under a second; a caller waits meanwhile.
ANSWER_WITHIN_S = 8.0
CONNECT_WITHIN_S = 4.0
#: The cloud's error codes of a call that is over: not in progress, unknown.
GONE_CODES = frozenset({21220, 20404})
#: Later it may work: too many requests, and its own troubles.
AGAIN_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
#: Of these, what may have been carried out all the same.
UNCERTAIN_STATUSES = AGAIN_STATUSES - {429}
#: Failures before anything was sent.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
#: So many on a page of the cloud's list, and so many pages: a week of sessions.
MOST_CALLS, MOST_PAGES = 1000, 50
#: A message of two minutes has 2 MB, a talk of two hours 230 MB.
LARGEST_RECORDING = 500_000_000

#: CallStatus after which nobody is there any more.
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class CloudCall(Struct, frozen=True):
    """A call as the cloud knows it. `caller` is personal data. `started_at`: RFC 2822; of a call that was never answered, when
    it came."""

    sid: str
    status: str
    caller: str = ""
    started_at: str = ""
    seconds: float = 0.0

    @property
    def ended(self) -> bool:
        return self.status in ENDED


class CloudRecording(Struct, frozen=True):
    """A recording at the cloud. `status`: processing completed absent failed deleted. `source`: RecordVerb, DialVerb ..."""

    sid: str
    status: str
    source: str
    call_sid: str
    seconds: float


class Number(Struct, frozen=True):
    """Our number as it is configured at the cloud. With an application or a trunk the cloud ignores the voice URLs."""

    sid: str
    number: str
    voice_url: str
    voice_method: str
    fallback_url: str
    fallback_method: str
    status_url: str
    status_method: str
    application_sid: str = ""
    trunk_sid: str = ""


class Connection:
    """Requests raise CallGone, CarrierUnavailable (try again) or CarrierRefused (mend something)."""

    def __init__(self, settings: Settings) -> None:
        self._account = settings.twilio_account_sid
        base = settings.twilio_api_url.rstrip("/") or API_URL
        self._client = httpx.AsyncClient(
            base_url=f"{base}/2010-04-01/Accounts",
            auth=(self._account, settings.twilio_auth_token.get_secret_value()),
            timeout=httpx.Timeout(ANSWER_WITHIN_S, connect=CONNECT_WITHIN_S),
            trust_env=not settings.twilio_api_url,
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
        )

    async def close(self) -> None:
        await self._client.aclose()

    # -- calls --------------------------------------------------------------------------------------------------------
    async def redirect(self, call_sid: str, url: str, fallback_url: str) -> None:
        """Break off what the caller hears; the cloud asks `url` what comes next, and `fallback_url`, from now on, when it gets
        no good answer (an update without one is not promised to keep that of the number). Over within ANSWER_WITHIN_S, however slow each
        part of it is: the caller's webhooks wait for it no longer (legs.INTERRUPTION_S)."""
        form = {"Url": url, "Method": "POST", "FallbackUrl": fallback_url, "FallbackMethod": "POST"}
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._send("POST", f"/Calls/{call_sid}.json", form)
        except TimeoutError as error:
            raise CarrierUncertain("the cloud does not answer in time") from error

    async def hang_up(self, call_sid: str) -> None:
        await self._send("POST", f"/Calls/{call_sid}.json", {"Status": "completed"})

    async def place(self, fields: Mapping[str, str | list[str]]) -> str:
        """Place a call; its CallSid. `fields` as documented for Calls.create. Raises CarrierUncertain when it may have been
        placed all the same."""
        return str((await self._send("POST", "/Calls.json", fields))["sid"])

    async def call(self, call_sid: str) -> CloudCall:
        return _call(await self._send("GET", f"/Calls/{call_sid}.json"))

    async def calls_to(self, number: str, since: str) -> list[CloudCall]:
        """Calls to our number that started on `since` (YYYY-MM-DD, UTC) or later."""
        query = {"To": number, "StartTime>": since, "PageSize": str(MOST_CALLS)}
        found: list[CloudCall] = []
        for _ in range(MOST_PAGES):
            page = await self._send("GET", "/Calls.json", query=query)
            found += [_call(row) for row in page.get("calls", [])]
            following = str(page.get("next_page_uri") or "")
            if not following:
                break
            query = dict(parse_qsl(urlsplit(following).query))
        return found

    # -- recordings ---------------------------------------------------------------------------------------------------
    async def recordings_of(self, call_sid: str) -> list[CloudRecording]:
        """The recordings of a call, oldest first."""
        rows = (await self._send("GET", "/Recordings.json", query={"CallSid": call_sid})).get("recordings", [])
        return [_recording(row) for row in sorted(rows, key=lambda row: _unix(str(row.get("start_time") or "")) or 0.0)]

    async def download(self, recording_sid: str, path: Path) -> int:
        """The sound as WAV into `path`; its bytes. Raises CarrierUnavailable when it is not ready, or came cut short."""
        try:
            async with self._client.stream(
                "GET", f"/{self._account}/Recordings/{recording_sid}.wav", follow_redirects=True
            ) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise CarrierUnavailable(f"the recording is not there yet ({answer.status_code})")
                stated = answer.headers.get("content-length", "")
                written = await _write(answer.aiter_bytes(), path)
        except httpx.HTTPError as error:
            raise CarrierUnavailable(f"the cloud does not answer ({type(error).__name__})") from error
        if stated.isdigit() and int(stated) != written and "content-encoding" not in answer.headers:
            raise CarrierUnavailable("the recording was cut short on its way")
        return written

    async def delete_recording(self, recording_sid: str) -> None:
        """Repeatable: a recording that is gone already is fine."""
        try:
            await self._send("DELETE", f"/Recordings/{recording_sid}.json")
        except CallGone:
            return

    # -- the account --------------------------------------------------------------------------------------------------
    async def account_status(self) -> str:
        """`active`, `suspended` or `closed`. CarrierRefused: wrong credentials."""
        return str((await self._send("GET", ".json")).get("status", ""))

    async def number(self, number: str) -> Number | None:
        """Our number, or None when the account has no such number."""
        query = {"PhoneNumber": number}
        rows = (await self._send("GET", "/IncomingPhoneNumbers.json", query=query)).get("incoming_phone_numbers", [])
        return _number(rows[0]) if rows else None

    async def configure(self, number_sid: str, fields: Mapping[str, str | list[str]]) -> Number:
        """Set the number's URLs; the number as it is then."""
        return _number(await self._send("POST", f"/IncomingPhoneNumbers/{number_sid}.json", fields))

    async def _send(
        self,
        method: str,
        path: str,
        form: Mapping[str, str | list[str]] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, f"/{self._account}{path}", data=form, params=query)
        except NEVER_SENT as error:
            raise CarrierUnavailable(f"the cloud cannot be reached ({type(error).__name__})") from error
        except httpx.HTTPError as error:
            raise CarrierUncertain(f"the cloud does not answer ({type(error).__name__})") from error
        if answer.is_success:
            return _document(answer)
        code = _document(answer).get("code", 0)
        if code in GONE_CODES or answer.status_code == httpx.codes.NOT_FOUND:
            raise CallGone("the cloud knows no such call, or it is over")
        if answer.status_code in UNCERTAIN_STATUSES:
            raise CarrierUncertain(f"the cloud answers {answer.status_code}")
        if answer.status_code in AGAIN_STATUSES:
            raise CarrierUnavailable(f"the cloud answers {answer.status_code}")
        raise CarrierRefused(f"the cloud refused a request: status {answer.status_code}, code {code}")


def started_at(call: CloudCall) -> float | None:
    """Unix seconds; None when the cloud does not say."""
    return _unix(call.started_at)


def _unix(date: str) -> float | None:
    """Of a date as RFC 2822 writes it."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json() if answer.content else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


async def _write(chunks: AsyncIterator[bytes], path: Path) -> int:
    written = 0
    with path.open("wb") as file:
        async for chunk in chunks:
            written += file.write(chunk)
            if written > LARGEST_RECORDING:
                raise CarrierRefused("the recording is larger than any of ours")
    return written


def _call(row: Mapping[str, Any]) -> CloudCall:
    sid, status, caller = (str(row.get(name) or "") for name in ("sid", "status", "from"))
    started_at, seconds = str(row.get("start_time") or row.get("date_created") or ""), str(row.get("duration") or "")
    return CloudCall(sid, status, caller, started_at, float(seconds) if seconds.isdigit() else 0.0)


def _recording(row: Mapping[str, Any]) -> CloudRecording:
    sid, status, source, call_sid = (str(row.get(name) or "") for name in ("sid", "status", "source", "call_sid"))
    seconds = str(row.get("duration") or "0")
    return CloudRecording(sid, status, source, call_sid, float(seconds) if seconds.isdigit() else 0.0)


def _number(row: Mapping[str, Any]) -> Number:
    names = (
        "sid", "phone_number", "voice_url", "voice_method", "voice_fallback_url", "voice_fallback_method",
        "status_callback", "status_callback_method", "voice_application_sid", "trunk_sid",
    )  # fmt: skip
    return Number(*(str(row.get(name) or "") for name in names))
