"""Who asks, and what they may. Routes depend on `require(act)` and know nothing of tokens, cookies and the audit trail."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.accounts.acts import ACTS, Act
from api.accounts.principal import CITIZEN, Principal
from api.gate import Gate
from api.problems import Problem
from api.proof import check_same_site, read_stated

__all__ = ["ALL_SCOPES", "FixedTokens", "Principal", "Scope", "Tokens", "require"]

Scope = Act
ALL_SCOPES: frozenset[Scope] = ACTS
#: Methods that change nothing.
_SAFE = ("GET", "HEAD", "OPTIONS")

_bearer = HTTPBearer(
    auto_error=False, description="A token of this instance: HOTLINE_ADMIN_TOKEN, or one of `hotline token create`"
)


class Tokens(Protocol):
    """Where tokens are looked up."""

    async def find(self, token: str) -> Principal | None:
        """The principal of this token, or None. Takes the same time for every wrong token of a length."""
        ...


class FixedTokens:
    """Tokens known at start. Only their digests are kept, compared in constant time."""

    def __init__(self, known: dict[str, Principal]) -> None:
        self._known = tuple((_digest(token), principal) for token, principal in known.items() if token)

    async def find(self, token: str) -> Principal | None:
        wanted, found = _digest(token), None
        for digest, principal in self._known:
            if hmac.compare_digest(digest, wanted):
                found = principal
        return found


class TokensInTurn:
    """Several places, asked one after the other."""

    def __init__(self, *places: Tokens) -> None:
        self._places = places

    async def find(self, token: str) -> Principal | None:
        for place in self._places:
            if found := await place.find(token):
                return found
        return None


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def admit(act: Act) -> Callable[..., Awaitable[Principal]]:
    """A dependency: whoever asks, who may do `act`, without a line in the audit trail: for what anybody may ask. Its route
    writes the line once it knows that this is no flood. Raises unauthenticated, forbidden or csrf_failed."""

    async def check(
        request: Request, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Principal:
        gate: Gate = request.app.state.gate
        principal = await _identify(request, gate, sent)
        if not principal.may(act):
            raise Problem("forbidden", f"This needs the scope `{act}`.")
        return principal

    return check


def require(*acts: Act) -> Callable[..., Awaitable[Principal]]:
    """A dependency: whoever asks, who may do one of `acts`. What changes something is put into the audit trail first.
    Raises unauthenticated, forbidden or csrf_failed."""

    async def check(
        request: Request, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Principal:
        gate: Gate = request.app.state.gate
        principal = await _identify(request, gate, sent)
        allowed = any(principal.may(act) for act in acts)
        if not allowed and principal is CITIZEN:
            raise Problem("unauthenticated", "Send `Authorization: Bearer <token>`, or sign in.")
        if request.method not in _SAFE:
            result = "asked" if allowed else "refused"
            await gate.trail.write(
                principal, _act_of(request), on_what=_ids(request.path_params), reason=await _reason(request),
                result=result, address=address_of(request),
            )  # fmt: skip
        if not allowed:
            raise Problem("forbidden", f"This needs the scope `{acts[0]}`.")
        return principal

    return check


async def _identify(request: Request, gate: Gate, sent: HTTPAuthorizationCredentials | None) -> Principal:
    if sent is not None:
        tokens: Tokens = request.app.state.tokens
        principal = await tokens.find(sent.credentials)
        if principal is None:
            raise Problem("unauthenticated", "Send `Authorization: Bearer <token>`.")
        return principal
    login = await gate.login_of(request)
    request.state.login = login
    if login is None:
        return CITIZEN
    if request.method not in _SAFE:
        await check_same_site(request, gate, login.csrf)
    return login.principal


def address_of(request: Request) -> str:
    """Where a request came from."""
    return request.client.host if request.client else ""


def _act_of(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "name", "unknown"))


def _ids(path_params: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in path_params.items())


async def _reason(request: Request) -> str:
    stated = await read_stated(request)
    return stated.get("reason", "")


Reader = Annotated[Principal, Depends(require("read"))]
OrderReader = Annotated[Principal, Depends(require("read", "own_orders"))]
LineOperator = Annotated[Principal, Depends(require("line"))]
DeskOperator = Annotated[Principal, Depends(require("desk"))]
SessionPlanner = Annotated[Principal, Depends(require("sessions"))]
SeatHolder = Annotated[Principal, Depends(require("seats"))]
OrderHandler = Annotated[Principal, Depends(require("orders"))]
