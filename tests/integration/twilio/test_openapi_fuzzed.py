"""The OpenAPI document of everything, fuzzed: whatever is sent, signed webhooks too, nothing answers with 5xx."""

from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import integers
from schemathesis.core.result import Ok

from tests.integration.twilio.conftest import Fuzzed
from tests.integration.twilio.known import WEBHOOK, Known, make_known

#: So many requests for each operation, and for the one that stands for every step of a webhook.
EXAMPLES, WEBHOOKS = 10, 80
#: An event stream does not end.
ENDLESS = "/stream"
#: Acts after which less is possible come last.
LAST = ("/close", "/stop", "/cancel", "/postpone", "/release", "/{transition}")
#: What needs more than an id that is there.
NOT_SEEDED = ("/prompts/", "{supervision_id}", "/phone/tickets")


def _ask(client: httpx.Client, operation: Any, known: Known) -> set[int]:
    """The statuses of one operation's answers. Fails at the first 5xx."""
    statuses: set[int] = set()
    is_webhook = operation.path == WEBHOOK

    @seed(12345)
    @settings(
        max_examples=WEBHOOKS if is_webhook else EXAMPLES, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), pick=integers(0, 9999))
    def ask(case: schemathesis.Case[Any], pick: int) -> None:
        if is_webhook:
            target, body, headers = known.webhook(case.body, dict(case.query or {}), pick)
            answer = client.post(target, content=body, headers=headers)
        else:
            known.put_in((case.path_parameters, case.body), pick)
            answer = _send(client, case)
        statuses.add(answer.status_code)
        # 503 with a named part is what /readyz is for: there is no worker here.
        assert answer.status_code < 500 or case.path == "/readyz", (case.method, case.path, answer.text[:200])

    ask()
    return statuses


def _send(client: httpx.Client, case: schemathesis.Case[Any]) -> httpx.Response:
    wanted = case.as_transport_kwargs(headers={"Authorization": client.headers["Authorization"]})
    data = wanted.get("data")
    return client.request(
        wanted["method"], wanted["url"], params=wanted.get("params"), headers=wanted.get("headers"),
        content=data if isinstance(data, bytes | str) else None, json=wanted.get("json"),
    )  # fmt: skip


def test_nothing_answers_with_a_server_error(fuzzed: Fuzzed) -> None:
    known = make_known(fuzzed.url, fuzzed.token)
    found = schemathesis.openapi.from_url(f"{fuzzed.url}/openapi.json").get_all_operations()
    operations = [result.ok() for result in found if isinstance(result, Ok)]
    asked: dict[str, set[int]] = {}
    with httpx.Client(
        base_url=fuzzed.url, trust_env=False, timeout=20, headers={"Authorization": f"Bearer {fuzzed.token}"}
    ) as client:
        for operation in sorted(operations, key=lambda one: one.path.endswith(LAST)):
            if ENDLESS not in operation.path:
                asked[f"{operation.method.upper()} {operation.path}"] = _ask(client, operation, known)
    assert len(asked) > 40
    assert asked[f"POST {WEBHOOK}"] == {200}, "signed, every step, and answered"
    reached = {name for name, statuses in asked.items() if statuses - {401, 403, 404, 422}}
    beyond = {name for name in asked if not any(part in name for part in NOT_SEEDED)} - reached
    assert not beyond, f"{beyond}: nothing but refusals: what is there was never reached"
