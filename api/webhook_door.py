"""The short way to webhooks: hundreds come in a second when everybody calls, and none of what a framework works out for a
route (parameters, dependencies, models), and no layer around it, is needed.

The route itself stays, for the API's document and for an instance without a cloud phone.
"""

import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from api.cloud import Cloud
from api.limits import ADDED
from api.metrics import Metrics
from api.problems import Problem, answer
from api.routes.twilio import WEBHOOKS, answer_webhook

_FOLDER = "/twilio/"
_TWIML = (b"content-type", b"text/xml; charset=utf-8")

_log = structlog.get_logger("api")


class WebhookDoor:
    """Answers webhooks as an ASGI application, with the headers and the count that every answer of ours has."""

    def __init__(self, cloud: Cloud, metrics: Metrics) -> None:
        self._cloud, self._metrics = cloud, metrics

    @staticmethod
    def is_for(scope: Scope) -> bool:
        """True for what only a webhook can be."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return False
        path: str = scope["path"]
        return path.startswith(_FOLDER) and len(path) > len(_FOLDER) and "/" not in path[len(_FOLDER) :]

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One webhook, from its first byte to its answer's last."""
        begun = time.perf_counter()
        try:
            twiml = await answer_webhook(self._cloud, scope["path"][len(_FOLDER) :], scope, receive)
        except ClientDisconnect:
            return
        except Problem as problem:
            await self._refuse(problem, begun, scope, receive, send)
            return
        except Exception as error:  # noqa: BLE001 - it is told, and the cloud goes to the fallback
            _log.exception("a request failed", path=WEBHOOKS, error=type(error).__name__)
            await self._refuse(Problem("internal_error"), begun, scope, receive, send)
            return
        body = twiml.encode()
        self._metrics.count("POST", WEBHOOKS, 200, time.perf_counter() - begun)
        headers = [_TWIML, (b"content-length", b"%d" % len(body)), *ADDED]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _refuse(self, problem: Problem, begun: float, scope: Scope, receive: Receive, send: Send) -> None:
        unread = {"Connection": "close"} if problem.code == "body_too_large" else None
        response = answer(problem.code, problem.detail, problem.extra, unread)
        response.raw_headers.extend(ADDED)
        self._metrics.count("POST", WEBHOOKS, response.status_code, time.perf_counter() - begun)
        await response(scope, receive, send)
