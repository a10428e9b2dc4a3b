"""Ways in, and the attacks on them: tried over HTTP as an attacker would."""

import re
from pathlib import Path

import httpx
import pyotp
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.accounts.throttle import TRIES_OF_ADDRESS, TRIES_OF_LOGIN, WINDOW_S
from api.routes.phones import TICKETS_A_MINUTE
from api.server import CertificateRefused, configure_server
from config.database import DatabaseUnavailable
from config.settings import Settings
from tests.certificates import self_signed
from tests.console.conftest import PASSWORD, Console

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _sign_in(http: httpx.AsyncClient, login: str, password: str = PASSWORD, code: str = "") -> httpx.Response:
    return await http.post("/sign-in", data={"login": login, "password": password, "code": code})


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _no_tries(console: Console) -> None:
    """Each test begins with nothing tried."""
    keys = [key async for key in console.core.redis.scan_iter(f"{console.settings.redis_prefix}tries:*")]
    if keys:
        await console.core.redis.delete(*keys)


async def test_a_password_opens_and_the_cookie_is_for_the_browser_alone(console: Console) -> None:
    async with console.client("") as http:
        answer = await _sign_in(http, "OP ")
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert (await http.get("/board")).status_code == 200
    kept = (await console.gate.accounts.find("op")).password_hash
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


async def test_behind_https_the_cookie_is_secure_and_bound_to_the_host(console: Console) -> None:
    from starlette.responses import Response

    from api.gate import assemble_gate
    from calls.assembly import build

    core = build(console.settings.model_copy(update={"public_url": "https://hotline.example"}))
    gate, answer = assemble_gate(core), Response()
    gate.set_cookie(answer, "v")
    await core.close()
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hotline-")
    assert "Secure" in cookie


async def test_a_wrong_password_and_an_unknown_account_look_the_same(console: Console) -> None:
    async with console.client("") as http:
        wrong, unknown = (
            await _sign_in(http, "op", "not the password"),
            await _sign_in(http, "nobody", "whatever it is"),
        )
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.text == unknown.text
        assert "set-cookie" not in wrong.headers


async def test_brute_force_is_stopped_even_with_the_right_password(console: Console) -> None:
    async with console.client("") as http:
        for n in range(TRIES_OF_LOGIN):
            assert (await _sign_in(http, "sup", f"guess number {n}")).status_code == 401
        assert (await _sign_in(http, "sup")).status_code == 429
        assert (await _sign_in(http, "op")).status_code == 303, "others are not locked out"


async def test_a_hall_behind_one_router_signs_in_and_wrong_tries_from_there_count(console: Console) -> None:
    """Good ones are not counted, nor do they wipe out the wrong ones; a count that lost its end gets one."""
    prefix = f"{console.settings.redis_prefix}tries:address:127.0.0.1"
    await console.core.redis.set(prefix, TRIES_OF_ADDRESS - 2)
    async with console.client("") as http:
        for _ in range(3):
            assert (await _sign_in(http, "op")).status_code == 303
        assert (await _sign_in(http, "nobody")).status_code == 401
        assert 0 < await console.core.redis.ttl(prefix) <= WINDOW_S
        assert (await _sign_in(http, "op")).status_code == 303
        assert (await _sign_in(http, "nobody")).status_code == 401
        assert (await _sign_in(http, "op")).status_code == 429


async def test_a_proxy_that_is_trusted_says_where_people_are_and_nobody_else_does(console: Console) -> None:
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    async with console.client("") as http:  # from loopback, which is trusted
        await http.post("/sign-in", data={"login": "op", "password": PASSWORD}, headers=elsewhere)
    assert (await console.gate.trail.read(act="sign_in", limit=1))[0].address == "203.0.113.7"
    named = Settings(trusted_proxies="10.0.0.2, 192.0.2.9/24", state_dir=console.settings.state_dir, _env_file=None)
    assert configure_server(named).forwarded_allow_ips == "10.0.0.2,192.0.2.0/24"


async def test_a_certificate_that_cannot_be_used_is_said(console: Console, tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path)
    (tmp_path / "other").mkdir()
    _, key = self_signed(tmp_path / "other")
    for wrong in (tmp_path / "missing.pem", key):
        with pytest.raises(CertificateRefused):
            configure_server(console.settings.model_copy(update={"tls_cert": certificate, "tls_key": wrong}))


async def test_nobody_in_particular_writes_into_the_audit_trail(console: Console) -> None:
    """It can not be emptied: a flood of refused requests leaves nothing there, and is stopped."""
    async with console.client("") as http:
        asked = {"purpose": "citizen"}
        assert (await http.post("/api/phone/tickets", json=asked)).status_code == 404
        await console.core.redis.set(f"{console.settings.redis_prefix}tries:phone:127.0.0.1", TICKETS_A_MINUTE)
        assert (await http.post("/api/phone/tickets", json=asked)).status_code == 429
    assert await console.gate.trail.read(act="issue_phone_ticket") == []


async def test_a_login_that_the_attacker_brought_along_is_not_kept(console: Console) -> None:
    """Session fixation: the cookie after sign-in is another, and the one before is worth nothing."""
    async with console.client("") as http:
        http.cookies.set(console.gate.cookie, "chosen-by-the-attacker")
        await _sign_in(http, "op")
        issued = [cookie.value for cookie in http.cookies.jar if cookie.value != "chosen-by-the-attacker"]
        assert issued
    async with console.client("") as http:
        http.cookies.set(console.gate.cookie, "chosen-by-the-attacker")
        assert (await http.get("/board")).status_code == 303


async def test_signing_in_again_ends_the_login_before(console: Console) -> None:
    async with console.client("") as http:
        await _sign_in(http, "op")
        before = http.cookies[console.gate.cookie]
        await _sign_in(http, "op")
        assert http.cookies[console.gate.cookie] != before
        assert await console.gate.logins.find(before) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": "wrong"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
    ],
)
async def test_an_act_without_the_token_or_from_elsewhere_is_refused(console: Console, headers: dict[str, str]) -> None:
    http = await console.signed_in("sup")
    right = http.headers.pop("X-CSRF-Token")
    if "X-CSRF-Token" not in headers and headers:
        headers = {**headers, "X-CSRF-Token": right}
    for path in ("/api/sessions/x/open", "/sessions/x/open", "/sign-out"):
        answer = await http.post(path, headers=headers)
        assert (answer.status_code, "csrf_failed" in answer.text) == (403, True), path
    answer = await http.post("/api/sessions/x/open", headers={"X-CSRF-Token": right})
    assert answer.status_code == 404
    await http.aclose()


async def test_a_foreign_page_cannot_sign_a_person_in(console: Console) -> None:
    async with console.client("") as http:
        form = {"login": "op", "password": PASSWORD}
        answer = await http.post("/sign-in", data=form, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_a_link_works_once_and_looking_does_not_use_it_up(console: Console) -> None:
    account = await console.gate.accounts.find("root")
    path = (await console.gate.links.issue(account.id)).removeprefix(console.url)
    async with console.client("") as http:
        for _ in range(2):
            assert (await http.get(path)).status_code == 200
        assert (await http.post(path)).headers["location"] == "/sessions"
        assert (await http.get("/accounts")).status_code == 200
    async with console.client("") as http:
        assert (await http.get(path)).status_code == 410
        assert (await http.post(path)).status_code == 410


async def test_an_expired_link_does_not_work(console: Console) -> None:
    account = await console.gate.accounts.find("root")
    path = (await console.gate.links.issue(account.id)).removeprefix(console.url)
    async for key in console.core.redis.scan_iter(f"{console.settings.redis_prefix}link:*"):
        assert 0 < await console.core.redis.ttl(key) <= console.settings.link_valid_s
        await console.core.redis.pexpire(key, 1)
    async with console.client("") as http:
        assert (await http.post(path)).status_code == 410


async def test_a_disabled_account_is_out_at_once_and_stays_out(console: Console) -> None:
    await console.gate.accounts.create("gone", "operator", password=PASSWORD)
    http = await console.signed_in("gone")
    assert (await http.get("/board")).status_code == 200
    await console.gate.accounts.set_enabled("gone", enabled=False)
    assert (await http.get("/board")).status_code == 303
    assert (await http.get("/api/line")).status_code == 401
    assert (await _sign_in(http, "gone")).status_code == 401
    await http.aclose()


async def test_a_login_ends_by_idleness_and_by_age(console: Console) -> None:
    account = await console.gate.accounts.find("op")
    value = await console.gate.logins.begin(account.id, "op", "op", "operator", "", "password")
    [key] = [
        key async for key in console.core.redis.scan_iter(f"{console.settings.redis_prefix}login:*")
        if await console.core.redis.ttl(key) == int(console.settings.login_idle_s)
        and value not in key
    ][-1:]  # fmt: skip
    assert await console.core.redis.ttl(key) <= console.settings.login_idle_s
    from api.accounts.logins import Logins

    later = Logins(
        console.core.redis, console.settings, lambda: console.core.clock() + console.settings.login_max_s + 1
    )
    assert await later.find(value) is None
    assert await console.gate.logins.find(value) is None


async def test_the_second_factor_is_asked_for_and_each_code_works_once(console: Console) -> None:
    account = await console.gate.accounts.create("careful", "operator", password=PASSWORD)
    http = await console.signed_in("careful")
    page = await http.get("/account")
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert key is not None
    totp = pyotp.TOTP(key[1].replace(" ", ""))
    assert (await http.post("/account/totp", data={"code": "000000"})).status_code == 422
    assert (await http.post("/account/totp", data={"code": totp.now()})).status_code == 303
    await http.aclose()
    async with console.client("") as fresh:
        assert (await _sign_in(fresh, "careful")).status_code == 401
        assert (await _sign_in(fresh, "careful", code="123")).status_code == 401
        code = totp.now()
        assert (await _sign_in(fresh, "careful", code=code)).status_code == 303
        assert (await _sign_in(fresh, "careful", code=code)).status_code == 401, "seen over a shoulder, it is of no use"
    async with console.core.database.read() as session:
        kept = await session.scalar(text("select totp_secret from accounts where id = :id"), {"id": account.id})
    assert totp.secret.encode() not in bytes(kept)


async def test_nobody_is_sent_elsewhere_after_signing_in(console: Console) -> None:
    async with console.client("") as http:
        for after in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
            answer = await http.post("/sign-in", data={"login": "op", "password": PASSWORD, "next": after})
            assert answer.headers["location"] == "/desk"
        answer = await http.get("/language/en", params={"back": "//evil.example"})
        assert answer.headers["location"] == "/"


async def test_the_audit_trail_cannot_be_changed(console: Console) -> None:
    for statement in ("update audit_trail set who = 'x'", "delete from audit_trail"):
        with pytest.raises((DBAPIError, DatabaseUnavailable), match="append-only"):
            async with console.core.database.begin() as session:
                await session.execute(text(statement))


async def test_pages_say_what_browsers_may_load(console: Console) -> None:
    async with console.client("") as http:
        answer = await http.get("/sign-in")
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
