"""Routes and authentication of the REST API."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.cloud.rest.calls import Calls
from tests.cloud.rest.media import Media
from tests.cloud.rest.phone_numbers import PhoneNumbers
from tests.cloud.rest.problems import Problem
from tests.cloud.rest.troubles import answer_in_trouble

if TYPE_CHECKING:
    from tests.cloud.cloud import Cloud

Endpoint = Callable[[Request], Awaitable[Response]]
ROOT = "/2010-04-01/Accounts/{account}"


def rest_app(cloud: "Cloud") -> Starlette:
    """The application that answers under `cloud.api_url`."""

    def guarded(endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                _authenticate(cloud, request)
                cloud.asked.append(f"{request.method} {request.url.path}")
                trouble = cloud.troubles.strike(request)
                return await answer_in_trouble(trouble, partial(endpoint, request))
            except Problem as problem:
                return problem.response()

        return answer

    async def account(request: Request) -> Response:
        return JSONResponse(
            {"sid": cloud.account_sid, "status": "active", "type": "Full", "friendly_name": "double", "auth_token": ""}
        )

    async def nothing(request: Request) -> Response:
        raise Problem(20404, request.url.path)

    calls, media, numbers = Calls(cloud), Media(cloud), PhoneNumbers(cloud)
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", ".json", account),
        ("POST", "/Calls.json", calls.create),
        ("GET", "/Calls.json", calls.page),
        ("GET", "/Calls/{sid}.json", calls.fetch),
        ("POST", "/Calls/{sid}.json", calls.update),
        ("GET", "/Calls/{call}/Recordings.json", media.page),
        ("GET", "/Recordings.json", media.page),
        ("GET", "/Recordings/{sid}.json", media.fetch),
        ("DELETE", "/Recordings/{sid}.json", media.delete),
        ("GET", "/Recordings/{sid}.wav", media.download),
        ("GET", "/Recordings/{sid}", media.download),
        ("GET", "/IncomingPhoneNumbers.json", numbers.page),
        ("GET", "/IncomingPhoneNumbers/{sid}.json", numbers.fetch),
        ("POST", "/IncomingPhoneNumbers/{sid}.json", numbers.update),
    ]
    routes = [Route(ROOT + path, guarded(endpoint), methods=[method]) for method, path, endpoint in table]
    anything = Route("/{path:path}", guarded(nothing), methods=["GET", "POST", "PUT", "DELETE"])
    return Starlette(routes=[*routes, anything])


def _authenticate(cloud: "Cloud", request: Request) -> None:
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        given = b""
    right = f"{cloud.account_sid}:{cloud.auth_token}".encode()
    if kind.lower() != "basic" or not hmac.compare_digest(given, right):
        raise Problem(20003)
    if request.path_params.get("account", cloud.account_sid) != cloud.account_sid:
        raise Problem(20404, request.url.path)
