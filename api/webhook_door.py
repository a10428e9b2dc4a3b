"""The short way to webhooks: none of what a framework works out for a route (parameters, dependencies, models) is needed.

The route itself stays, for the API's document and for an instance without a cloud phone.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.cloud import Cloud
from api.problems import Problem, answer
from api.routes.twilio import WEBHOOKS, answer_webhook

_FOLDER = "/twilio/"


class _Webhook:
    """What counts and logs name the route by."""

    path = WEBHOOKS


class WebhookDoor:
    """ASGI middleware, the innermost one."""

    def __init__(self, app: ASGIApp, cloud: Cloud | None) -> None:
        self._app, self._cloud = app, cloud
        self._route = _Webhook()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cloud = self._cloud
        if cloud is None or scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        folder, step = scope["path"][: len(_FOLDER)], scope["path"][len(_FOLDER) :]
        if folder != _FOLDER or not step or "/" in step:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        try:
            response = await answer_webhook(cloud, step, Request(scope, receive))
        except Problem as problem:
            response = answer(problem.code, problem.detail, problem.extra)
        await response(scope, receive, send)
