"""The Call resource: create, fetch, list, and update a live call."""

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.cloud import values
from tests.cloud.clock import rfc2822, utc_day
from tests.cloud.leg import Leg
from tests.cloud.outbound import Order
from tests.cloud.rest import forms
from tests.cloud.rest.problems import Problem
from tests.cloud.signals import HungUp, Redirected, Source

if TYPE_CHECKING:
    from tests.cloud.cloud import Cloud

CREATE = (
    "To From Url Twiml Method FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod StatusCallbackEvent"
    " Timeout MachineDetection MachineDetectionTimeout"
).split()
UPDATE = "Url Twiml Method Status FallbackUrl FallbackMethod".split()
FILTERS = {"To": "to", "From": "from", "Status": "status", "ParentCallSid": "parent_call_sid"}
EVENTS = ("initiated", "ringing", "answered", "completed")


class Calls:
    """https://www.twilio.com/docs/voice/api/call-resource"""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._free_at = 0.0

    async def create(self, request: Request) -> Response:
        """Order a call. 201 with the call in state queued."""
        form = await forms.read_form(request, CREATE)
        order = self._read_order(form)
        self._limit_rate()
        return JSONResponse(self._show(self._cloud.order_call(order)), 201)

    async def fetch(self, request: Request) -> Response:
        """One call."""
        return JSONResponse(self._show(self._find(request)))

    async def page(self, request: Request) -> Response:
        """Calls, newest first. StartTime in whole days, UTC: `StartTime=`, `StartTime>=` (on or after), `StartTime<=`."""
        query = request.query_params
        forms.check_query(request, [*FILTERS, "StartTime", "StartTime>", "StartTime<"])
        shown = []
        for leg in reversed(self._cloud.calls.values()):
            call, day = self._show(leg), utc_day(leg.answered_at or leg.created_at)
            right = all(query.get(name, call[field]) == call[field] for name, field in FILTERS.items())
            in_time = (
                query.get("StartTime>", day) <= day <= query.get("StartTime<", day)
                and query.get("StartTime", day) == day
            )
            if right and in_time:
                shown.append(call)
        return JSONResponse(forms.page(request, "calls", shown))

    async def update(self, request: Request) -> Response:
        """Redirect a live call, or end it."""
        leg = self._find(request)
        form = await forms.read_form(request, UPDATE)
        status = forms.one(form, "Status")
        if status not in ("", "completed", "canceled"):
            raise Problem(20001, f"Status={status!r}")
        waiting = leg.status in ("queued", "initiated", "ringing") and leg.parties.direction != "inbound"
        if leg.over or (not status and leg.status != "in-progress") or (status == "canceled" and not waiting):
            raise Problem(21220, f"Call is {leg.status}")
        if status:
            leg.interrupt(HungUp("cancelled" if waiting else "rest"))
        else:
            leg.interrupt(Redirected(replace(self._read_source(form), fallback=self._read_fallback(form))))
        return JSONResponse(self._show(leg))

    def _find(self, request: Request) -> Leg:
        leg = self._cloud.calls.get(request.path_params["sid"])
        if leg is None:
            raise Problem(20404, request.url.path)
        return leg

    def _limit_rate(self) -> None:
        now = self._cloud.clock.now()
        if now < self._free_at:
            raise Problem(20429)
        self._free_at = now + 1 / self._cloud.calls_per_second

    def _read_order(self, form: dict[str, list[str]]) -> Order:
        to, from_ = forms.one(form, "To"), forms.one(form, "From")
        self._check_parties(to, from_)
        events = tuple(form.get("StatusCallbackEvent", ["completed"]))
        if not set(events) <= set(EVENTS):
            raise Problem(21626, f"one parameter for each event, not {events!r}")
        timeout = forms.one(form, "Timeout", "60")
        if not values.integer(1, 600)(timeout):
            raise Problem(21208, timeout)
        status_url = forms.url(form, "StatusCallback", 21205)
        self._cloud.given.update([status_url] if status_url else [])
        detection = forms.one(form, "MachineDetection")
        if detection not in ("", "Enable", "DetectMessageEnd"):
            raise Problem(20001, f"MachineDetection={detection!r}")
        return Order(
            from_=from_,
            to=to,
            source=self._read_source(form),
            fallback=self._read_fallback(form),
            status_url=status_url,
            status_method=forms.method(form, "StatusCallbackMethod"),
            events=events,
            timeout_s=int(timeout),
            detection=detection,
        )

    def _check_parties(self, to: str, from_: str) -> None:
        if not to:
            raise Problem(21201)
        if not from_:
            raise Problem(21213)
        if not (values.E164.fullmatch(to) or values.SIP_URI.fullmatch(to) or to.startswith("client:")):
            raise Problem(21211, to)
        if not values.E164.fullmatch(from_):
            raise Problem(21212, from_)
        if from_ not in self._cloud.numbers:
            raise Problem(21210, from_)

    def _read_source(self, form: dict[str, list[str]]) -> Source:
        twiml, address = forms.one(form, "Twiml"), forms.url(form, "Url", 21205)
        if bool(twiml) == bool(address):
            raise Problem(21205, "either Url or Twiml")
        if address:
            self._cloud.given.add(address)
        return Source(address, forms.method(form, "Method"), twiml=twiml)

    def _read_fallback(self, form: dict[str, list[str]]) -> Source | None:
        address = forms.url(form, "FallbackUrl", 21205)
        if not address:
            return None
        self._cloud.given.add(address)
        return Source(address, forms.method(form, "FallbackMethod"))

    def _show(self, leg: Leg) -> dict[str, object]:
        parties = leg.parties
        number = self._cloud.numbers.get(parties.to if parties.direction == "inbound" else parties.from_)
        uri = f"/2010-04-01/Accounts/{self._cloud.account_sid}/Calls/{leg.sid}.json"
        return {
            "sid": leg.sid,
            "account_sid": self._cloud.account_sid,
            "parent_call_sid": parties.parent.sid if parties.parent is not None else None,
            "phone_number_sid": number.sid if number is not None else None,
            "to": parties.to,
            "from": parties.from_,
            "to_formatted": parties.to,
            "from_formatted": parties.from_,
            "status": leg.status if leg.status != "initiated" else "queued",
            "direction": parties.direction,
            "answered_by": leg.answered_by or None,
            "duration": str(leg.duration) if leg.over else None,
            "date_created": rfc2822(leg.created_at),
            "start_time": rfc2822(leg.answered_at),
            "end_time": rfc2822(leg.ended_at),
            "api_version": "2010-04-01",
            "forwarded_from": parties.forwarded_from or None,
            "caller_name": parties.caller_name or None,
            "uri": uri,
        }
