"""Every error is a problem with a stable code, and repeats nothing of what was sent in."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.problems import CODES
from tests.integration.api.conftest import Instance, plan

SECRET = "13899990000"


def check(answer: httpx.Response, code: str) -> dict[str, object]:
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = answer.json()
    assert problem["code"] == code, answer.text
    assert problem["status"] == answer.status_code == CODES[code][0]
    assert "Traceback" not in answer.text
    return problem


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/nothing", "not_found"),
        ("DELETE", "/api/line", "method_not_allowed"),
        ("GET", "/api/sessions/nope", "session_not_found"),
        ("POST", "/api/sessions/nope/open", "session_not_found"),
        ("POST", "/api/seats/nope/open", "seat_not_found"),
        ("POST", "/api/seats/nope/pause", "seat_not_found"),
        ("POST", "/api/seats/nope/resume", "seat_not_found"),
        ("POST", "/api/seats/nope/close", "seat_not_found"),
        ("GET", "/api/calls/nope", "call_not_found"),
        ("GET", "/api/work-orders/nope", "order_not_found"),
        ("POST", "/api/work-orders/nope/sign", "order_not_found"),
        ("POST", "/api/work-orders/nope/fold", "transition_unknown"),
        ("GET", "/api/work-orders?limit=0", "invalid_request"),
        ("GET", "/api/work-orders?tag=a%0Ab", "control_character"),
        ("GET", "/api/calls/a%0d%0ab", "control_character"),
        ("GET", "/api/calls/a%20b", "invalid_request"),
        ("GET", "/api/ledger?session_id=..%2F", "invalid_request"),
    ],
)
async def test_what_is_not_there_or_not_possible_is_a_problem(instance: Instance, method: str, path: str, code: str) -> None:
    check(await instance.http.request(method, path), code)


async def test_a_wrong_body_names_the_place_and_not_the_value(instance: Instance) -> None:
    body = plan() | {"opens_at": SECRET + "x", SECRET: 1}
    answer = await instance.http.post("/api/sessions", json=body)
    problem = check(answer, "invalid_request")
    assert SECRET not in answer.text
    assert "body.opens_at" in {fault["at"] for fault in problem["errors"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\x00b", "a\x1bb", "a\u2028b", "a\x85b"])
async def test_control_characters_are_refused_in_any_text(instance: Instance, bad: str) -> None:
    for body in (
        plan() | {"theme": bad},
        plan() | {"seats": [{"unit": bad, "leader": "x", "line": {"asterisk": "sip:a@b"}}]},
        plan() | {"seats": [{"unit": "x", "leader": "x", "line": {"asterisk": f"sip:a@b{bad}"}}]},
    ):
        check(await instance.http.post("/api/sessions", json=body), "control_character")


@pytest.mark.parametrize("uri", ["sip:", "tel:123", "sip:a@b,30,mg", "sip:a@b?x=y", "sip:a b@c", "sip:a@b:99999"])
async def test_a_line_that_could_extend_a_dial_string_is_refused(instance: Instance, uri: str) -> None:
    body = plan() | {"seats": [{"unit": "x", "leader": "x", "line": {"asterisk": uri}}]}
    check(await instance.http.post("/api/sessions", json=body), "invalid_line")


async def test_a_body_that_is_not_json_is_refused(instance: Instance) -> None:
    headers = {"content-type": "application/json"}
    check(await instance.http.post("/api/sessions", content=b"{", headers=headers), "invalid_json")


async def test_ten_megabytes_are_refused_by_length_and_while_reading(instance: Instance) -> None:
    headers = {"content-type": "application/json"}
    check(await instance.http.post("/api/sessions", content=b"x" * 10_000_000, headers=headers), "body_too_large")

    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 50_000

    check(await instance.http.post("/api/sessions", content=trickle(), headers=headers), "body_too_large")


async def test_without_redis_it_is_a_503_that_says_when_to_try_again(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis.exceptions import ConnectionError as Away

    async def away(*_: object, **__: object) -> None:
        raise Away("refused")

    monkeypatch.setattr(instance.core.redis, "execute_command", away)
    for path in ("/api/line", "/api/line/stream"):
        answer = await instance.http.get(path)
        check(answer, "redis_unavailable")
        assert int(answer.headers["retry-after"]) > 0


async def test_without_tables_it_is_a_503(instance: Instance) -> None:
    async with instance.core.database.begin() as session:
        from sqlalchemy import text

        await session.execute(text("ALTER TABLE sessions RENAME TO elsewhere"))
    check(await instance.http.get("/api/sessions"), "database_unavailable")


async def test_something_unforeseen_is_a_500_without_a_trace(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError(f"cannot call {SECRET}")

    monkeypatch.setattr(type(instance.core.ledger), "summary", broken)
    answer = await instance.http.get("/api/ledger")
    check(answer, "internal_error")
    assert SECRET not in answer.text
