"""What a fuzzed api knows of: callers who wait and who gave up, sessions, seats, orders. So that what is asked for is there."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, get_args
from urllib.parse import urlencode

import httpx

from telephony.twilio.addresses import Step
from telephony.twilio.exchange import call_id_of
from telephony.twilio.signature import Signatures, read_form
from tests.integration.twilio.town import ACCOUNT, LEADER, NUMBER, TOKEN
from tests.waiting import until_now
from workorders.transitions import Transition

WEBHOOK = "/twilio/{step}"
_FORM = "application/x-www-form-urlencoded"
#: Of each five requests, so many are about something that is there, and so many of these say what makes sense.
KNOWN, WELL_SAID, OF = 4, 2, 5
#: One in so many webhooks.
ABOUT_ORDERS = 4
_WAITING, _GONE = 6, 2
_SEAT = {"unit": "市水务局", "leader": "王局长", "line": {"twilio": LEADER}}


@dataclass(frozen=True, slots=True)
class Known:
    """What is there, by the name of the parameter."""

    names: dict[str, tuple[str, ...]]
    #: What a body would have to say; now and then it does.
    words: dict[str, tuple[Any, ...]]
    sids: tuple[str, ...]
    signatures: Signatures

    def put_in(self, parts: tuple[object, ...], pick: int) -> None:
        """Into a request's path parameters and body: most are about something that is there."""
        names = {**self.names, **self.words} if pick % OF < WELL_SAID else self.names
        for part in parts if pick % OF < KNOWN else ():
            if isinstance(part, dict):
                part.update({name: known[pick % len(known)] for name, known in names.items() if name in part})

    def webhook(self, form: object, query: dict[str, Any], pick: int) -> tuple[str, bytes, dict[str, str]]:
        """As the cloud would send it: the target, the body and the headers. Every step, most of them of calls that are there."""
        assert isinstance(form, dict)
        steps = get_args(Step)
        if pick % ABOUT_ORDERS:  # a leg of ours, about an order: the others are citizens' calls
            query = {name: value for name, value in query.items() if name != "placed"}
        elif pick % OF < KNOWN:
            query = {**query, "placed": self.names["placed"][0]}
        if pick % OF < KNOWN:
            form = {**form, "CallSid": self.sids[pick % len(self.sids)]}
        target = f"/twilio/{steps[pick % len(steps)]}"
        asked = urlencode(query, errors="replace")
        target = f"{target}?{asked}" if asked else target
        body = urlencode({**form, "AccountSid": ACCOUNT}, errors="replace").encode()
        signature = self.signatures.sign(target, read_form(body))
        return target, body, {"Content-Type": _FORM, "X-Twilio-Signature": signature}


def make_known(url: str, token: str) -> Known:
    """A session that is open and two to come, callers who wait and who gave up, the orders of those."""
    signatures = Signatures(ACCOUNT, TOKEN, url)
    sids = tuple(f"CA{n:032x}" for n in range(_WAITING + _GONE))
    with httpx.Client(base_url=url, trust_env=False, timeout=20, headers={"Authorization": f"Bearer {token}"}) as client:
        opened, *later = (_plan(client, starts_in_h) for starts_in_h in (-1, 24, 48))
        (seat,) = opened["seats"]
        for act in (f"sessions/{opened['id']}/open", f"seats/{seat['id']}/open"):
            client.post(f"/api/{act}").raise_for_status()
        client.post(f"/api/seats/{seat['id']}/pause", json={"reason": "away"}).raise_for_status()
        for n, sid in enumerate(sids):
            told = {"CallSid": sid, "From": f"+86139{n:08}", "To": NUMBER, "CallStatus": "in-progress"}
            question = _tell(client, signatures, "/twilio/voice", told)
            keys = re.search(r'action="[^"]*(/twilio/keys[^"#]*)', question)
            assert keys is not None, question
            _tell(client, signatures, unescape(keys[1]), {**told, "Digits": "1"})
        for sid in sids[_WAITING:]:
            _tell(client, signatures, "/twilio/status", {"CallSid": sid, "CallStatus": "completed"})
        orders = until_now(lambda: _orders(client), 30.0, "the orders of those who gave up")
        duty = {"unit": _SEAT["unit"], "number": LEADER}
        client.put("/api/units/duty-number", json=duty).raise_for_status()
        asked = client.post(f"/api/work-orders/{orders[0]}/calls/urgent", json={"unit": _SEAT["unit"]})
        placed = str(asked.raise_for_status().json()["id"])
    names = {
        "placed": (placed,),
        "call_id": tuple(map(call_id_of, sids)),
        "session_id": tuple(session["id"] for session in (opened, opened, *later)),
        "seat_id": tuple(seat["id"] for session in (opened, *later) for seat in session["seats"]),
        "order_id": orders,
        "transition": get_args(Transition),
    }
    closes_at = (datetime.now(UTC) + timedelta(hours=hours) for hours in (4, 5))
    words = {
        "reason": ("停水三天",), "closes_at": tuple(map(datetime.isoformat, closes_at)),
        "opens_at": (datetime.now(UTC).isoformat(),), "seats": ([_SEAT],),
        "number": (LEADER,), "unit": (_SEAT["unit"],),
    }  # fmt: skip
    return Known(names, words, sids, signatures)


def _plan(client: httpx.Client, starts_in_h: int) -> Any:
    opens_at = datetime.now(UTC) + timedelta(hours=starts_in_h)
    plan = {"opens_at": opens_at.isoformat(), "closes_at": (opens_at + timedelta(hours=3)).isoformat(), "theme": "供水"}
    answer = client.post("/api/sessions", json={**plan, "seats": [_SEAT]})
    return answer.raise_for_status().json()


def _tell(client: httpx.Client, signatures: Signatures, target: str, params: dict[str, str]) -> str:
    body = urlencode({**params, "AccountSid": ACCOUNT}).encode()
    headers = {"Content-Type": _FORM, "X-Twilio-Signature": signatures.sign(target, read_form(body))}
    return client.post(target, content=body, headers=headers).raise_for_status().text


def _orders(client: httpx.Client) -> tuple[str, ...]:
    """Their ids, once all are there."""
    items = client.get("/api/work-orders").raise_for_status().json()["items"]
    return tuple(item["id"] for item in items) if len(items) == _GONE else ()
