"""The IncomingPhoneNumber resource: where a number's calls are answered."""

import re
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.cloud.numbers import DEFAULTS, INSTEAD, Number
from tests.cloud.rest import forms
from tests.cloud.rest.problems import Problem

if TYPE_CHECKING:
    from tests.cloud.cloud import Cloud


class PhoneNumbers:
    """https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource"""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud

    async def page(self, request: Request) -> Response:
        """The account's numbers, or the one asked for."""
        forms.check_query(request, ["PhoneNumber"])
        wanted = request.query_params.get("PhoneNumber")
        shown = [self._show(n) for n in self._cloud.numbers.values() if wanted in (None, n.number)]
        return JSONResponse(forms.page(request, "incoming_phone_numbers", shown))

    async def fetch(self, request: Request) -> Response:
        """One number."""
        return JSONResponse(self._show(self._find(request)))

    async def update(self, request: Request) -> Response:
        """Set URLs and methods, or the application or the trunk that takes their place: each deletes the other."""
        number = self._find(request)
        form = await forms.read_form(request, DEFAULTS)
        for name in form:
            if name.endswith("Method"):
                forms.method(form, name)
            elif name in INSTEAD:
                _check_sid(name, forms.one(form, name))
            elif name != "FriendlyName":
                forms.url(form, name, 21402)
        number.settings.update({name: forms.one(form, name) for name in form})
        for name, other in zip(INSTEAD, reversed(INSTEAD), strict=True):
            if forms.one(form, name):
                number.settings[other] = ""
        return JSONResponse(self._show(number))

    def _find(self, request: Request) -> Number:
        for number in self._cloud.numbers.values():
            if number.sid == request.path_params["sid"]:
                return number
        raise Problem(20404, request.url.path)

    def _show(self, number: Number) -> dict[str, object]:
        settings = number.settings
        return {
            "sid": number.sid,
            "account_sid": self._cloud.account_sid,
            "phone_number": number.number,
            "friendly_name": settings["FriendlyName"] or number.number,
            "voice_url": settings["VoiceUrl"],
            "voice_method": settings["VoiceMethod"],
            "voice_fallback_url": settings["VoiceFallbackUrl"],
            "voice_fallback_method": settings["VoiceFallbackMethod"],
            "status_callback": settings["StatusCallback"],
            "status_callback_method": settings["StatusCallbackMethod"],
            "voice_application_sid": settings["VoiceApplicationSid"] or None,
            "trunk_sid": settings["TrunkSid"] or None,
            "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
            "api_version": "2010-04-01",
        }


def _check_sid(name: str, value: str) -> None:
    if value and not re.fullmatch(f"{INSTEAD[name]}[0-9a-f]{{32}}", value):
        raise Problem(21218, f"{name}={value!r}")
