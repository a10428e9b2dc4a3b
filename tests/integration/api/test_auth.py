"""Who may do what: every path but the four public ones wants a token, and the scope of its act."""

import pytest

from tests.integration.api.conftest import Instance
from tests.integration.api.test_problems import check

PATHS = [
    ("GET", "/api/line", "read"),
    ("GET", "/api/line/stream", "read"),
    ("POST", "/api/line/x/move", "line"),
    ("POST", "/api/line/x/release", "line"),
    ("POST", "/api/sessions", "sessions"),
    ("GET", "/api/sessions", "read"),
    ("GET", "/api/sessions/x", "read"),
    *(("POST", f"/api/sessions/x/{act}", "sessions") for act in ("open", "close", "postpone", "cancel")),
    *(("POST", f"/api/seats/x/{act}", "seats") for act in ("open", "pause", "resume", "close")),
    ("GET", "/api/calls/x", "read"),
    ("GET", "/api/ledger", "read"),
    ("GET", "/api/work-orders", "read"),
    ("GET", "/api/work-orders/x", "read"),
    ("POST", "/api/work-orders/x/sign", "orders"),
]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "Basic YTpi", "Bearer a-token-for-test"])
async def test_without_the_right_token_nothing_is_told(instance: Instance, header: str | None) -> None:
    for method, path, _ in PATHS:
        headers = {"Authorization": header} if header else {}
        instance.http.headers.pop("Authorization", None)
        answer = await instance.http.request(method, path, headers=headers)
        check(answer, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path", "scope"), PATHS)
async def test_each_act_wants_its_scope(instance: Instance, method: str, path: str, scope: str) -> None:
    others = {"read", "line", "sessions", "seats", "orders", "numbers"} - {scope}
    instance.allow(limited=" ".join(others))
    answer = await instance.http.request(method, path, headers={"Authorization": "Bearer limited"})
    assert scope in str(check(answer, "forbidden")["detail"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
async def test_what_machines_ask_needs_no_token(instance: Instance, path: str) -> None:
    instance.http.headers.pop("Authorization")
    assert (await instance.http.get(path)).status_code in (200, 503)
