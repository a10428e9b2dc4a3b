"""Is whoever opened a stream still let in? Asked now and then while it is open, however much it is told meanwhile."""

import time

from fastapi import Request
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.gate import Gate
from config.database import DatabaseUnavailable

#: Between two looks at a login or a token.
LOOK_EVERY_S = 15.0
_BEARER = "bearer "


class Presence:
    """Of one request that goes on. To follow a stream is to be there: each look keeps the login from being idle."""

    def __init__(self, request: Request) -> None:
        self._request, self._looked_at = request, time.monotonic()

    async def is_over(self) -> bool:
        """The login has ended, or the token was revoked. Nobody in particular stays; so does everybody while Redis or the
        database is away."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return False
        self._looked_at = now
        try:
            return not await self._is_let_in()
        except (RedisError, SQLAlchemyError, DatabaseUnavailable):
            return False

    async def _is_let_in(self) -> bool:
        request = self._request
        sent = request.headers.get("authorization", "")
        if sent.lower().startswith(_BEARER):
            return await request.app.state.tokens.find(sent[len(_BEARER) :].strip()) is not None
        if getattr(request.state, "login", None) is None:
            return True
        gate: Gate = request.app.state.gate
        return await gate.login_of(request) is not None
