"""The OpenAPI document of everything, fuzzed: whatever is sent, nothing answers with 5xx."""

from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core.result import Ok

from tests.integration.twilio.conftest import Fuzzed

#: So many requests for each operation.
EXAMPLES = 12
#: An event stream does not end.
ENDLESS = "/stream"


def _ask(client: httpx.Client, operation: Any, token: str) -> set[int]:
    """The statuses of one operation's answers. Fails at the first 5xx."""
    statuses: set[int] = set()

    @seed(12345)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        wanted = case.as_transport_kwargs(headers={"Authorization": f"Bearer {token}"})
        data = wanted.get("data")
        answer = client.request(
            wanted["method"], wanted["url"], params=wanted.get("params"), headers=wanted.get("headers"),
            content=data if isinstance(data, bytes | str) else None, json=wanted.get("json"),
        )  # fmt: skip
        statuses.add(answer.status_code)
        # 503 with a named part is what /readyz is for: there is no worker here.
        assert answer.status_code < 500 or case.path == "/readyz", (case.method, case.path, answer.text[:200])

    ask()
    return statuses


def test_nothing_answers_with_a_server_error(fuzzed: Fuzzed) -> None:
    schema = schemathesis.openapi.from_url(f"{fuzzed.url}/openapi.json")
    asked: dict[str, set[int]] = {}
    with httpx.Client(base_url=fuzzed.url, trust_env=False, timeout=20) as client:
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            operation = result.ok()
            if ENDLESS not in operation.path:
                name = f"{operation.method.upper()} {operation.path}"
                asked[name] = _ask(client, operation, fuzzed.token)
    assert len(asked) > 15
    assert {200, 404, 422} <= set().union(*asked.values())
