"""Sign-in through an identity provider, a strict double; and what a false or foreign answer does not achieve."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio

from api.accounts.oidc import Provider
from tests.console.conftest import Console, running_console
from tests.identity.provider import IdentityProvider
from tests.servers import RedisServer, free_port
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(
    tmp_path_factory: pytest.TempPathFactory, console_redis: RedisServer
) -> AsyncIterator[tuple[Console, IdentityProvider]]:
    port = free_port()
    provider = IdentityProvider("hotline", f"http://127.0.0.1:{port}/sign-in/oidc/callback")
    serving = asyncio.create_task(provider.server.serve())
    await until(lambda: provider.server.started, 30, "the provider")
    settings = {
        "HOTLINE_HTTP_PORT": str(port), "HOTLINE_OIDC_ISSUER": provider.issuer, "HOTLINE_OIDC_CLIENT_ID": "hotline",
        "HOTLINE_REDIS_PREFIX": "oidc:",
    }  # fmt: skip
    async with running_console(tmp_path_factory.mktemp("oidc"), console_redis, **settings) as console:
        yield console, provider
    provider.server.should_exit = True
    await serving


async def _go(console: Console, browser: httpx.AsyncClient) -> httpx.Response:
    """Follow the redirects as a browser would; the answer of our callback."""
    begun = await browser.get(f"{console.url}/sign-in/oidc", params={"next": "/orders"})
    agreed = await browser.get(begun.headers["location"])
    assert agreed.status_code == 302, agreed.text
    return await browser.get(agreed.headers["location"])


def _browser() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=20)


async def test_a_person_with_an_account_here_is_let_in(both: tuple[Console, IdentityProvider]) -> None:
    console, _ = both
    async with _browser() as browser:
        assert "/sign-in/oidc" in (await browser.get(f"{console.url}/sign-in")).text
        back = await _go(console, browser)
        assert (back.status_code, back.headers["location"]) == (303, "/orders")
        assert (await browser.get(f"{console.url}/board")).status_code == 200
    assert (await console.gate.accounts.find("op")).subject == f"{both[1].issuer}#248289761001"


@pytest.mark.parametrize(
    "mischief",
    [
        {"nonce": "another"},
        {"aud": "somebody-else"},
        {"iss": "https://evil.example"},
        {"exp": 1_000_000_000},
        {"preferred_username": "nobody-here"},
        {"preferred_username": "root"},
        {"sub": "another-person"},
    ],
)
async def test_a_wrong_token_opens_nothing(both: tuple[Console, IdentityProvider], mischief: dict[str, Any]) -> None:
    """`root` under a subject that is pinned to `op`; `op` under another subject."""
    console, provider = both
    provider.mischief = mischief
    try:
        async with _browser() as browser:
            back = await _go(console, browser)
            assert back.status_code == 403
            assert console.gate.cookie not in browser.cookies
    finally:
        provider.mischief = {}


async def test_a_token_signed_by_somebody_else_opens_nothing(both: tuple[Console, IdentityProvider]) -> None:
    console, provider = both
    provider.sign_with_wrong_key = True
    try:
        async with _browser() as browser:
            assert (await _go(console, browser)).status_code == 403
    finally:
        provider.sign_with_wrong_key = False


async def test_an_answer_works_once_and_in_the_browser_that_began(both: tuple[Console, IdentityProvider]) -> None:
    console, _ = both
    async with _browser() as mine, _browser() as theirs:
        begun = await mine.get(f"{console.url}/sign-in/oidc")
        agreed = await mine.get(begun.headers["location"])
        address = agreed.headers["location"]
        assert (await theirs.get(address)).status_code == 403, "an attacker's answer in a victim's browser"
        assert (await mine.get(address)).status_code == 403, "it was used up"
        assert (await mine.get(f"{console.url}/sign-in/oidc/callback?state=made-up&code=x")).status_code == 403


@pytest.mark.parametrize(("said", "set_here"), [("/", ""), ("", "/"), ("/", "/")])
async def test_an_issuer_may_end_with_a_slash_here_and_there(
    both: tuple[Console, IdentityProvider], said: str, set_here: str
) -> None:
    """A token is compared with what the provider calls itself, letter by letter."""
    console, provider = both
    settings = console.settings.model_copy(update={"oidc_issuer": provider.issuer + set_here})
    ours = Provider(console.core.redis, settings, console.core.clock)
    provider.ending = said
    try:
        async with _browser() as browser:
            agreed = await browser.get(await ours.begin("/", "b"))
            back = parse_qs(urlsplit(agreed.headers["location"]).query)
        person = await ours.finish(back["state"][0], back["code"][0], "b")
        assert (person.login, person.subject) == ("op", f"{provider.issuer}#248289761001")
    finally:
        provider.ending = ""
