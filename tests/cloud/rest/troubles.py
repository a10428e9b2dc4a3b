"""What goes wrong with the REST API, by rule: it does nothing, does it and does not say so, or sends half of a sound."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

#: `before`: refused for now. `after`: carried out, and the answer is an error all the same. `cut`: half of the answer.
Kind = Literal["before", "after", "cut"]


@dataclass(slots=True)
class Trouble:
    """The next `times` requests whose `METHOD path` matches `pattern`."""

    pattern: str
    kind: Kind
    times: int = 1


class Troubles:
    """The rules of one cloud."""

    def __init__(self) -> None:
        self._coming: list[Trouble] = []

    def add(self, *troubles: Trouble) -> None:
        """From now on."""
        self._coming.extend(troubles)

    def strike(self, request: Request) -> Kind | None:
        """What is to go wrong with this request; counts it."""
        for trouble in self._coming:
            if trouble.times and re.search(trouble.pattern, f"{request.method} {request.url.path}"):
                trouble.times -= 1
                return trouble.kind
        return None


def spoil(kind: Kind | None, answer: Response) -> Response:
    """The answer as it arrives."""
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
