"""Accounts `/accounts` for administrators, and one's own second factor `/account`."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from pyotp import TOTP
from starlette.responses import Response

from api.accounts.acts import ROLES
from api.accounts.model import Account
from api.accounts.passwords import PasswordRefused
from api.accounts.register import AccountRefused, UnknownAccount, new_totp_secret
from api.console.visit import PageRoute, Visit, visit
from api.gate import Gate
from api.problems import Problem
from api.proof import read_stated
from api.signing_in import code_is_good

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Governing = Annotated[Visit, Depends(visit("accounts"))]
#: Whoever works here; a citizen has no account.
Working = Annotated[Visit, Depends(visit("board"))]
#: A key that nobody has confirmed is forgotten.
_OFFERED_S = 900


@router.get("/accounts")
async def accounts_page(seen: Governing) -> Response:
    """Every account, and the form for a new one."""
    return await _list(seen)


@router.post("/accounts")
async def create_account(seen: Governing) -> Response:
    """From the form; without a password a one-time link is shown."""
    form = await read_stated(seen.request)
    try:
        account = await _create(_gate(seen), form)
    except (AccountRefused, PasswordRefused):
        return await _list(seen, fault="problem.account_refused", status=422)
    if form.get("password"):
        return seen.go("/accounts", "account_created")
    return await _list(seen, link=await _gate(seen).links.issue(account.id), login=account.login)


@router.post("/accounts/{login}/{act}")
async def change_account(login: str, act: str, seen: Governing) -> Response:
    """Disable, enable, or a one-time link."""
    accounts = _gate(seen).accounts
    try:
        if act == "link":
            account = await accounts.find(login)
            return await _list(seen, link=await _gate(seen).links.issue(account.id), login=account.login)
        if act not in ("enable", "disable"):
            raise Problem("not_found")
        await accounts.set_enabled(login, enabled=act == "enable")
    except UnknownAccount as error:
        raise Problem("not_found") from error
    except AccountRefused:
        return await _list(seen, fault="problem.account_refused", status=409)
    return seen.go("/accounts", "account_changed")


@router.get("/account")
async def own_page(seen: Working) -> Response:
    """Who I am, what I may do, and my second factor."""
    return await _own(seen)


@router.post("/account/totp")
async def change_totp(seen: Working, code: Annotated[str, Form(max_length=10)] = "") -> Response:
    """Turn the second factor on with a code of the new key, or off with a code of the old one."""
    gate, account = _gate(seen), await _mine(seen)
    if account.totp_secret:
        if not await code_is_good(gate, account, code):
            return await _own(seen, fault="account.bad_code")
        await gate.accounts.set_totp(account.id, None)
        return seen.go("/account", "totp_off")
    key = str(await seen.parts.core.redis.get(_offered(seen, account)) or "")
    if not key or not TOTP(key).verify(code, valid_window=1):
        return await _own(seen, fault="account.bad_code")
    await gate.accounts.set_totp(account.id, key)
    return seen.go("/account", "totp_on")


async def _own(seen: Visit, fault: str = "") -> Response:
    account, key = await _mine(seen), ""
    if not account.totp_secret:
        redis, name = seen.parts.core.redis, _offered(seen, account)
        await redis.set(name, new_totp_secret(), ex=_OFFERED_S, nx=True)
        key = str(await redis.get(name))
    grouped = " ".join(key[at : at + 4] for at in range(0, len(key), 4))
    return seen.show("account.html", 422 if fault else 200, account=account, key=grouped, fault=fault)


async def _mine(seen: Visit) -> Account:
    try:
        return await _gate(seen).accounts.get(seen.who.account_id)
    except UnknownAccount as error:
        raise Problem("forbidden") from error


async def _list(seen: Visit, *, link: str = "", login: str = "", fault: str = "", status: int = 200) -> Response:
    accounts = await _gate(seen).accounts.all()
    minutes = int(_gate(seen).settings.link_valid_s // 60)
    roles = [role for role in ROLES if role != "citizen"]
    return seen.show(
        "accounts.html", status, accounts=accounts, link=link, login=login, fault=fault, minutes=minutes, roles=roles
    )


async def _create(gate: Gate, form: Mapping[str, str]) -> Account:
    return await gate.accounts.create(
        form.get("login", ""), form.get("role", ""), name=form.get("name", ""), unit=form.get("unit", ""),
        password=form.get("password", ""),
    )  # fmt: skip


def _offered(seen: Visit, account: Account) -> str:
    return f"{seen.parts.core.settings.redis_prefix}totp-offered:{account.id}"


def _gate(seen: Visit) -> Gate:
    gate: Gate = seen.request.app.state.gate
    return gate
