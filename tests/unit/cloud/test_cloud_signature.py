"""The double's signatures and the official validator agree, though neither was written from the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from tests.cloud import Cloud
from tests.cloud.signature import sign, with_body_hash
from tests.unit.cloud.conftest import CALLER, NUMBER, Application

TOKEN = "12345"


def test_the_example_of_the_documentation() -> None:
    params = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
        "To": "+18005551212",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign(TOKEN, url, params) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=6))
def test_the_official_validator_accepts_every_form(params: dict[str, str]) -> None:
    url = "https://hotline.example/twilio/voice?seq=3"
    assert RequestValidator(TOKEN).validate(url, params, sign(TOKEN, url, params))


@given(st.binary(max_size=64))
def test_the_official_validator_accepts_every_body(body: bytes) -> None:
    url = with_body_hash("https://hotline.example/twilio/events", body)
    assert RequestValidator(TOKEN).compute_signature(url, {}) == sign(TOKEN, url, {})


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_what_is_sent_is_signed(cloud: Cloud, application: Application, method: str) -> None:
    application.pages["/voice"] = f'<Redirect method="{method}">/next?seq=1</Redirect>'
    await cloud.place_call(CALLER, NUMBER).ended()
    signature = application.headers[-2 if method == "POST" and application.requests[-1][0] == "/status" else -1]
    asked = next(sent for sent in cloud.sent if "/next" in sent.request.url)
    assert asked.request.method == method
    assert signature["i-twilio-idempotency-token"]
    if method == "POST":
        url, form = asked.request.url, dict(application.asked("/next")[0])
        headers = next(
            h for (path, _), h in zip(application.requests, application.headers, strict=True) if path == "/next"
        )
        assert RequestValidator("secret").validate(url, form, headers["x-twilio-signature"])
