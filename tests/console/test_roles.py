"""Every role against every act, over HTTP without the pages; and what belongs to another unit or person."""

import time
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import Request
from starlette.routing import Match

from api import presence, streams
from api.accounts.acts import ACTS, ROLES, TABLE, Act
from api.app import create_app
from api.console import live, looks
from api.console.catalogue import LANGUAGES, sentences
from api.console.pages.desk import desk_piece
from api.console.visit import Visit, anybody
from config.database import DatabaseUnavailable
from tests.console.conftest import PEOPLE, Console
from tests.console.doors import ALSO, BODIES, DOORS, ELSEWHERE, FOR_ANYBODY
from tests.integration.api.conftest import plan
from workorders.intake import NewOrder, make_order

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEOPLE_OF = {role: login for login, (role, _) in PEOPLE.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(console: Console) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A client for each role, signed in by cookie; the citizen is nobody."""
    clients = {role: await console.signed_in(login) for login, (role, _) in PEOPLE.items()}
    clients["citizen"] = console.client("")
    yield clients
    for client in clients.values():
        await client.aclose()


async def test_the_table_is_tried_in_full() -> None:
    assert set(DOORS) | ELSEWHERE == ACTS
    assert TABLE["administrator"] == ACTS
    assert set(TABLE) == set(ROLES)


async def test_every_route_is_tried_or_is_for_anybody(console: Console) -> None:
    """A route that is added is added here. What it writes into the audit trail has a word in every language."""
    routes = [
        one for route in create_app(console.settings, console.core).routes
        for one in getattr(getattr(route, "original_router", None), "routes", [route])
    ]  # fmt: skip
    there = {(method, one.path) for one in routes for method in getattr(one, "methods", None) or ["WS"]} - {("HEAD", "/openapi.json")}
    tried = [(method, path.partition("?")[0]) for doors in DOORS.values() for method, path in doors]
    found = {(method, _pattern_of(method, path, routes)) for method, path in tried}
    assert there - found - FOR_ANYBODY == set()
    assert not FOR_ANYBODY - there
    assert not FOR_ANYBODY & found
    acts = {one.name for one in routes if not {"GET", "WS"} & set(getattr(one, "methods", None) or ["WS"])}
    for language in LANGUAGES:
        known = {key.removeprefix("audit_act.") for key in sentences(language) if key.startswith("audit_act.")}
        assert acts - known == {"use_link", "take_webhook", "release", "move"} & (acts - known)


def _pattern_of(method: str, path: str, routes: list[Any]) -> str:
    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
    return next((one.path for one in routes if one.matches(scope)[0] == Match.FULL), f"no route: {path}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", sorted(DOORS))
async def test_a_role_does_what_the_table_says(people: dict[str, httpx.AsyncClient], role: str, act: Act) -> None:
    allowed = bool((ALSO.get(act, frozenset()) | {act}) & TABLE[role])  # type: ignore[index]
    for method, path in DOORS[act]:
        body = BODIES.get(path.rpartition("/")[2])
        async with people[role].stream(method, path, json=body if method == "POST" else None) as answer:
            await answer.aclose()  # some go on for ever
        entered = answer.status_code not in (401, 403) and "/sign-in" not in answer.headers.get("location", "")
        assert entered == allowed, f"{role} {method} {path}: {answer.status_code}"


async def test_a_refused_act_is_in_the_audit_trail(console: Console, people: dict[str, httpx.AsyncClient]) -> None:
    await people["handler"].post("/api/sessions/secret/close")
    line = (await console.gate.trail.read(who="unit", act="close_session_now", limit=1))[0]
    assert (line.result, line.role, line.on_what) == ("refused", "handler", "session_id=secret")


async def test_an_act_is_in_the_audit_trail_with_reason_and_address(
    console: Console, people: dict[str, httpx.AsyncClient]
) -> None:
    made = (await people["supervisor"].post("/api/sessions", json=plan(86_400))).json()
    answer = await people["supervisor"].post(f"/api/sessions/{made['id']}/cancel", json={"reason": "台风"})
    assert answer.status_code == 200
    line = (await console.gate.trail.read(act="cancel_session", limit=1))[0]
    assert (line.who, line.reason, line.result, line.address) == ("sup", "台风", "asked", "127.0.0.1")
    assert line.on_what == f"session_id={made['id']}"


async def test_a_unit_finds_its_own_orders_only(console: Console, people: dict[str, httpx.AsyncClient]) -> None:
    ours, theirs = [
        await make_order(
            console.core.database,
            NewOrder(command_id=unit, at=console.core.clock(), source="declined", call_id=f"a-{n}", unit=unit),
        )
        for n, unit in enumerate(("单位0", "单位9"))
    ]
    for role in ("handler", "leader"):
        client = people[role]
        listed = {one["id"] for one in (await client.get("/api/work-orders")).json()["items"]}
        assert ours.id in listed
        assert theirs.id not in listed
        asked = (await client.get("/api/work-orders", params={"unit": "单位9"})).json()["items"]
        assert {one["unit"] for one in asked} == {"单位0"}
        for path in (f"/api/work-orders/{theirs.id}", f"/orders/{theirs.id}"):
            assert (await client.get(path)).status_code == 404
            assert (await client.get(path.replace(theirs.id, ours.id))).status_code == 200
        seen = [(line.on_what, line.reason) for line in await console.gate.trail.read(act="see_order", who=PEOPLE_OF[role])]
        assert seen == [(f"order_id={ours.id}", f"work_{'unit' if role == 'handler' else 'seat'}")], "each look, once"
    assert (await people["handler"].post(f"/api/work-orders/{theirs.id}/dispatch")).status_code == 404
    assert (await people["handler"].post(f"/orders/{theirs.id}/step/dispatch")).status_code == 404


async def test_a_look_at_what_a_citizen_said_is_recorded(console: Console, people: dict[str, httpx.AsyncClient]) -> None:
    """By page or API, with the kind of work that is the reason; also after the call."""
    await console.call_in("a-pbx1-looks")
    for role, path in (("operator", "form"), ("supervisor", "notes"), ("administrator", "now")):
        address = f"/desk/calls/a-pbx1-looks/{path}" if path == "now" else f"/api/calls/a-pbx1-looks/{path}"
        for _ in range(2):
            assert (await people[role].get(address)).status_code == 200
        lines = await console.gate.trail.read(act="see_history", who=PEOPLE_OF[role])
        told = [(line.reason, line.result) for line in lines if line.on_what == "call_id=a-pbx1-looks"]
        assert told == [("call_live", "done")]
    assert (await people["operator"].get("/api/calls/a-over/notes")).status_code == 200
    assert (await console.gate.trail.read(act="see_history", who="op"))[0].reason == "call_over"


async def test_a_leader_has_only_the_own_seat(console: Console, people: dict[str, httpx.AsyncClient]) -> None:
    session = await console.open_session(seats=2)
    mine, other = session["seats"]
    assert mine["unit"] == "单位0"
    assert (await people["leader"].post(f"/api/seats/{mine['id']}/open")).status_code == 200
    for act in ("open", "pause", "resume", "close"):
        assert (await people["leader"].post(f"/api/seats/{other['id']}/{act}")).status_code == 404
    refused = await people["leader"].post(f"/sessions/{session['id']}/seats/{other['id']}/open")
    assert refused.status_code == 404
    for path in ("/leader?seat={}", "/leader/stream/{}", "/leader/seat/{}/caller"):
        assert (await people["leader"].get(path.format(other["id"]))).status_code == 404
    assert (await people["leader"].get(f"/leader/seat/{mine['id']}/caller")).status_code == 200


async def test_a_full_number_wants_a_reason_and_leaves_a_line(
    console: Console, people: dict[str, httpx.AsyncClient]
) -> None:
    order = await make_order(
        console.core.database,
        NewOrder(command_id="n", at=console.core.clock(), source="declined", call_id="a-n", number="+8613812345678"),
    )
    operator = people["operator"]
    page = await operator.get(f"/orders/{order.id}")
    assert "138****5678" in page.text
    assert "13812345678" not in page.text
    without = await operator.post(f"/orders/{order.id}/number", data={"reason": ""})
    assert without.status_code == 422
    shown = await operator.post(f"/orders/{order.id}/number", data={"reason": "回访"})
    assert "13812345678" in shown.text
    line = (await console.gate.trail.read(act="see_number", limit=1))[0]
    assert (line.who, line.reason, line.on_what) == ("op", "回访", f"order_id={order.id}")
    over_api = await operator.get(f"/api/work-orders/{order.id}", params={"reason": "核对"})
    assert over_api.json()["petitioner"] == "+8613812345678"
    assert (await console.gate.trail.read(act="see_number", limit=1))[0].reason == "核对"


async def test_a_token_may_what_its_scopes_say_until_it_is_revoked(console: Console) -> None:
    token = await console.gate.tokens.create("robot", ["read"])
    async with console.client(token) as http:
        assert (await http.get("/api/line")).status_code == 200
        assert (await http.post("/api/sessions/x/open")).status_code == 403
        assert await console.gate.tokens.revoke("robot")
        assert (await http.get("/api/line")).status_code == 401
    stored = {row.name: row.digest for row in await console.gate.tokens.all()}
    assert token not in stored["robot"]


async def _visit(console: Console) -> tuple[Visit, str]:
    """An operator in an application of this process, and the cookie's value."""
    app = create_app(console.settings, console.core)
    account = await console.gate.accounts.find("op")
    value = await console.gate.logins.begin(account.id, "op", "op", "operator", "", "password")
    cookie = f"{console.gate.cookie}={value}".encode()
    scope = {"type": "http", "app": app, "headers": [(b"cookie", cookie)], "path": "/desk", "query_string": b""}
    return await anybody(Request({**scope, "client": ("127.0.0.1", 1)})), value


@pytest.mark.parametrize("busy", [False, True])
async def test_a_stream_ends_with_its_login(console: Console, monkeypatch: pytest.MonkeyPatch, busy: bool) -> None:
    """A disabled account's open page is told nothing more, however much there is to tell; whoever watches is not idle."""
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(presence, "LOOK_EVERY_S", 0.0)
    seen, value = await _visit(console)
    app = seen.request.app
    await console.close_sessions()
    seat_id = (await console.open_session(seats=1))["seats"][0]["id"]
    desk, line = app.state.desk_feed, app.state.parts.feed
    pages = desk_piece(seen).events(seen, await desk.refresh())
    programs = await streams.open_stream(line, presence.Presence(seen.request))
    for stream, first in ((pages, b"event: live"), (programs, b"event: snapshot")):
        assert first in await anext(stream)

    async def change(n: int) -> None:
        if busy:
            await console.core.line.join(seat_id, f"a-pbx1-busy-{n}", time.time(), 1)
            await desk.refresh()
            await line.refresh()

    [key] = [key async for key in console.core.redis.scan_iter("*login:*") if await _is_of(console, key, value)]
    await console.core.redis.expire(key, 5)
    await change(1)
    for stream in (pages, programs):
        assert (b"a-pbx1-busy-1" in await anext(stream)) == busy
    assert await console.core.redis.ttl(key) > 5, "an open page is there"
    await console.gate.logins.end(value)
    await change(2)
    for stream in (pages, programs):
        assert [piece async for piece in stream] == []
    await console.close_sessions()


async def _is_of(console: Console, key: Any, value: str) -> bool:
    return sha256(value.encode()).hexdigest() in str(key)


async def test_a_look_that_could_not_be_recorded_is_recorded_with_the_next(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, _ = await _visit(console)
    call = await console.call_in("a-pbx1-looked-at", "+8613812000999")
    trail = seen.request.app.state.gate.trail

    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    with monkeypatch.context() as outage:
        outage.setattr(type(trail), "write", away)
        with pytest.raises(DatabaseUnavailable):
            await looks.what_came_before(seen, call)
    for _ in range(2):
        await looks.what_came_before(seen, call)
    lines = await console.gate.trail.read(act="see_history", who="op")
    assert [line.on_what for line in lines].count("call_id=a-pbx1-looked-at") == 1
