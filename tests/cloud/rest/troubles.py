"""What goes wrong with the REST API, by rule: it does nothing, does it and does not say so, does it late, or sends half of
a sound."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

#: `before`: refused for now. `after`: carried out, and the answer is an error all the same. `cut`: half of the answer.
#: `slow`: carried out and answered after so many real seconds.
Kind = Literal["before", "after", "cut", "slow"]


@dataclass(slots=True)
class Trouble:
    """The next `times` requests whose `METHOD path` matches `pattern`."""

    pattern: str
    kind: Kind
    times: int = 1
    seconds: float = 0.0


class Troubles:
    """The rules of one cloud."""

    def __init__(self) -> None:
        self._coming: list[Trouble] = []

    def add(self, *troubles: Trouble) -> None:
        """From now on."""
        self._coming.extend(troubles)

    def strike(self, request: Request) -> Trouble | None:
        """What is to go wrong with this request; counts it."""
        for trouble in self._coming:
            if trouble.times and re.search(trouble.pattern, f"{request.method} {request.url.path}"):
                trouble.times -= 1
                return trouble
        return None


async def answer_in_trouble(trouble: Trouble | None, answering: Callable[[], Awaitable[Response]]) -> Response:
    """The answer as it arrives."""
    if trouble and trouble.kind == "before":
        return Response(status_code=503)
    if trouble and trouble.kind == "slow":
        await asyncio.sleep(trouble.seconds)
    return _spoil(trouble.kind if trouble else None, await answering())


def _spoil(kind: Kind | None, answer: Response) -> Response:
    match kind:
        case "after":
            return Response(status_code=500)
        case "cut":
            half = bytes(answer.body[: len(answer.body) // 2])

            async def first_half() -> AsyncIterator[bytes]:
                yield half

            return StreamingResponse(first_half(), headers={"Content-Length": str(len(answer.body))})
        case _:
            return answer
