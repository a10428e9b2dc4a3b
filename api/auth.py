"""Who asks, and what they may. Routes depend on `require(scope)` and know nothing of tokens."""

import hmac
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated, Literal, Protocol

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from msgspec import Struct

from api.problems import Problem

Scope = Literal[
    "read",  # the line, sessions, calls, the ledger and orders, with masked numbers
    "line",  # move and release callers
    "sessions",  # create, open, close, postpone, cancel
    "seats",  # the leader's own seat: open, pause, resume, close
    "orders",  # the transitions of work orders
    "numbers",  # a full number, with a stated reason that is recorded
]
ALL_SCOPES: frozenset[Scope] = frozenset(("read", "line", "sessions", "seats", "orders", "numbers"))

_bearer = HTTPBearer(
    auto_error=False, description="A token of this instance (HOTLINE_ADMIN_TOKEN or the generated one)"
)


class Principal(Struct, frozen=True):
    """Whoever holds a token. `name` goes into the ledger; it is a role or an account, never a citizen."""

    name: str
    scopes: frozenset[Scope]


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


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def require(scope: Scope) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the caller of the API, who must hold `scope`. Raises unauthenticated or forbidden."""

    async def check(
        request: Request, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Principal:
        tokens: Tokens = request.app.state.tokens
        principal = await tokens.find(sent.credentials) if sent else None
        if principal is None:
            raise Problem("unauthenticated", "Send `Authorization: Bearer <token>`.")
        if scope not in principal.scopes:
            raise Problem("forbidden", f"This needs the scope `{scope}`.")
        return principal

    return check


Reader = Annotated[Principal, Depends(require("read"))]
LineOperator = Annotated[Principal, Depends(require("line"))]
SessionPlanner = Annotated[Principal, Depends(require("sessions"))]
SeatHolder = Annotated[Principal, Depends(require("seats"))]
OrderHandler = Annotated[Principal, Depends(require("orders"))]
