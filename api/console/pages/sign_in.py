"""Sign in by password, link or identity provider; sign out. A refusal never tells which accounts exist."""

import secrets
from hashlib import sha256
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Request
from fastapi import Path as InPath
from starlette.responses import RedirectResponse, Response

from api.accounts.oidc import PATIENCE_S, ProviderAway, ProviderRefused
from api.accounts.throttle import TooManyTries
from api.auth import address_of
from api.console.navigation import first_page
from api.console.visit import Anybody, PageRoute, Visit, our_path
from api.gate import Gate
from api.problems import Problem
from api.proof import check_origin, check_same_site
from api.signing_in import Refused, by_link, by_password, by_provider

router = APIRouter(route_class=PageRoute, include_in_schema=False)
log = structlog.get_logger("api.sign_in")
_BROWSER = "hotline-oidc"

Typed = Annotated[str, Form(max_length=200)]
Next = Annotated[str, Query(alias="next", max_length=500)]
Token = Annotated[str, InPath(max_length=64)]


@router.get("/sign-in")
async def show_sign_in(seen: Anybody, after: Next = "/") -> Response:
    """The form."""
    return _form(seen, our_path(after))


@router.post("/sign-in")
async def sign_in(
    seen: Anybody,
    login: Typed,
    password: Typed,
    code: Annotated[str, Form(max_length=12)] = "",
    after: Annotated[str, Form(alias="next", max_length=500)] = "/",
) -> Response:
    """By password, and by a code where the account asks for one."""
    gate = _gate(seen.request)
    check_origin(seen.request, gate)
    try:
        value = await by_password(gate, login, password, code.replace(" ", ""), address_of(seen.request))
    except Refused:
        return _form(seen, our_path(after), "sign_in.refused", 401)
    except TooManyTries as wait:
        return _form(seen, our_path(after), "sign_in.wait", 429, minutes=-(-wait.seconds // 60))
    return await _enter(seen, value, our_path(after))


@router.get("/sign-in/link/{token}")
async def show_link(token: Token, seen: Anybody) -> Response:
    """A button: looking at a link does not use it up."""
    good = await _gate(seen.request).links.is_good(token)
    return seen.show("sign_in_link.html", 200 if good else 410, good=good, token=token)


@router.post("/sign-in/link/{token}")
async def use_link(token: Token, seen: Anybody) -> Response:
    """Once."""
    gate = _gate(seen.request)
    check_origin(seen.request, gate)
    try:
        value = await by_link(gate, token, address_of(seen.request))
    except (Refused, TooManyTries):
        return seen.show("sign_in_link.html", 410, good=False, token="")
    return await _enter(seen, value, "/")


@router.get("/sign-in/oidc")
async def begin_at_provider(seen: Anybody, after: Next = "/") -> Response:
    """Send the browser to the identity provider."""
    gate = _gate(seen.request)
    if gate.provider is None:
        raise Problem("not_found")
    browser = secrets.token_urlsafe(24)
    try:
        address = await gate.provider.begin(our_path(after), sha256(browser.encode()).hexdigest())
    except (ProviderAway, ProviderRefused) as error:
        log.warning("the identity provider cannot be used", error=str(error))
        return _form(seen, our_path(after), "sign_in.provider", 502)
    going = RedirectResponse(address, 303, seen.studio.headers())
    going.set_cookie(_BROWSER, browser, max_age=PATIENCE_S, httponly=True, secure=gate.is_secure, samesite="lax")
    return going


@router.get("/sign-in/oidc/callback")
async def come_back(
    seen: Anybody,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """The browser is back from the identity provider."""
    gate = _gate(seen.request)
    if gate.provider is None:
        raise Problem("not_found")
    browser = seen.request.cookies.get(_BROWSER, "")
    try:
        person = await gate.provider.finish(state, code, sha256(browser.encode()).hexdigest())
        value = await by_provider(gate, person, address_of(seen.request))
    except (ProviderAway, ProviderRefused, Refused) as error:
        log.warning("a sign-in through the identity provider failed", error=str(error) or type(error).__name__)
        return _form(seen, "/", "sign_in.provider", 403)
    return await _enter(seen, value, our_path(person.after))


@router.post("/sign-out")
async def sign_out(seen: Anybody) -> Response:
    """End this login."""
    gate = _gate(seen.request)
    if seen.login is not None:
        await check_same_site(seen.request, gate, seen.login.csrf)
        await gate.trail.write(seen.who, "sign_out", result="done", address=address_of(seen.request))
        await gate.sign_out(seen.request)
    going = seen.go("/", "signed_out")
    gate.clear_cookie(going)
    return going


async def _enter(seen: Visit, value: str, after: str) -> Response:
    """Always under a new cookie; whatever login came with the request is over."""
    gate = _gate(seen.request)
    await gate.sign_out(seen.request)
    login = await gate.logins.find(value)
    if login is None:
        raise Problem("unauthenticated")
    going = seen.go(after if after != "/" else first_page(seen.request, login.principal))
    gate.set_cookie(going, value)
    return going


def _form(seen: Visit, after: str, fault: str = "", status: int = 200, **values: object) -> Response:
    provider = _gate(seen.request).provider is not None
    text = seen.words(fault, **values) if fault else ""
    return seen.show("sign_in.html", status, after=after, fault=text, provider=provider)


def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate
