"""The ways to sign in, each ending in a login or a refusal that tells nothing about which accounts exist."""

import hashlib

import pyotp
import structlog

from api.accounts.acts import Role
from api.accounts.model import Account
from api.accounts.oidc import Person
from api.accounts.passwords import matches
from api.accounts.principal import Principal, of_role
from api.accounts.register import UnknownAccount
from api.accounts.throttle import TRIES_OF_ADDRESS, TRIES_OF_LOGIN
from api.gate import Gate

log = structlog.get_logger("api.sign_in")
#: A code of the step before is still good: people type slowly.
TOTP_STEPS = 1
TOTP_STEP_S = 30


class Refused(Exception):
    """Login, password or code are wrong; or the account is disabled."""


async def by_password(gate: Gate, login: str, password: str, code: str, address: str) -> str:
    """The cookie's value. Raises Refused, TooManyTries."""
    typed = hashlib.sha256(login.strip().lower().encode()).hexdigest()[:32]
    await gate.throttle.count("address", address, TRIES_OF_ADDRESS)
    await gate.throttle.count("login", typed, TRIES_OF_LOGIN)
    account = await _find(gate, login)
    good = await matches(account.password_hash if account else "", password)
    if account is None or not good or not account.enabled:
        await _refuse(gate, account, "password", address)
        raise Refused
    if account.totp_secret and not await code_is_good(gate, account, code):
        await _refuse(gate, account, "totp", address)
        raise Refused
    await gate.throttle.forget("login", typed)
    await gate.throttle.give_back("address", address)
    return await _begin(gate, account, "totp" if account.totp_secret else "password", address)


async def by_link(gate: Gate, token: str, address: str) -> str:
    """The cookie's value. Raises Refused, TooManyTries."""
    await gate.throttle.count("address", address, TRIES_OF_ADDRESS)
    account_id = await gate.links.use(token)
    try:
        account = await gate.accounts.get(account_id)
    except UnknownAccount as error:
        raise Refused from error
    if not account.enabled:
        raise Refused
    await gate.throttle.give_back("address", address)
    return await _begin(gate, account, "link", address)


async def by_provider(gate: Gate, person: Person, address: str) -> str:
    """The cookie's value for whom the identity provider vouches for. Raises Refused."""
    account = await _find(gate, person.login)
    if account is None or not account.enabled or not await gate.accounts.pin_subject(account.id, person.subject):
        await _refuse(gate, account, "oidc", address)
        raise Refused
    return await _begin(gate, account, "oidc", address)


async def code_is_good(gate: Gate, account: Account, code: str) -> bool:
    """A code of the authenticator app, each used once."""
    if not account.totp_secret or not code.isdecimal() or len(code) != 6:
        return False
    await gate.throttle.count("code", account.id, TRIES_OF_LOGIN * 2)
    if not pyotp.TOTP(account.totp_secret).verify(code, valid_window=TOTP_STEPS):
        return False
    await gate.throttle.forget("code", account.id)
    return await gate.throttle.first_use("code-used", f"{account.id}:{code}", 3 * TOTP_STEP_S)


def principal_of(account: Account) -> Principal:
    """What this account may."""
    role: Role = account.role  # type: ignore[assignment]  # checked when it was made
    return of_role(account.login, role, unit=account.unit, account_id=account.id, display=account.name)


async def _find(gate: Gate, login: str) -> Account | None:
    try:
        return await gate.accounts.find(login)
    except UnknownAccount:
        return None


async def _begin(gate: Gate, account: Account, how: str, address: str) -> str:
    await gate.trail.write(principal_of(account), "sign_in", on_what=f"by={how}", result="done", address=address)
    return await gate.logins.begin(account.id, account.login, account.name, account.role, account.unit, how)


async def _refuse(gate: Gate, account: Account | None, how: str, address: str) -> None:
    """What was typed as a login could be a password: only existing accounts are named."""
    log.warning("a sign-in was refused", how=how, known=account is not None)
    who = principal_of(account) if account else Principal("", frozenset(), "citizen")
    await gate.trail.write(who, "sign_in", on_what=f"by={how}", result="refused", address=address)
