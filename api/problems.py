"""Errors as `application/problem+json` (RFC 9457) with a stable `code`. An answer never repeats what was sent in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from calls.store import CorruptCall
from config.database import DatabaseUnavailable

MEDIA_TYPE = "application/problem+json"
#: Seconds after which a client should try again when a part of ours is away.
RETRY_AFTER_S = 2
#: More faults than this in one request are not listed.
FAULTS_MAX = 20

#: Every code that the API answers with: status and the sentence for it. Codes are never renamed.
CODES: Mapping[str, tuple[int, str]] = {
    "invalid_request": (422, "The request does not have the documented shape"),
    "control_character": (422, "A text holds a control character"),
    "invalid_json": (422, "The body is not JSON"),
    "invalid_cursor": (422, "The cursor is not one of ours"),
    "invalid_line": (422, "A leader's line is neither a SIP URI nor a telephone number"),
    "invalid_number": (422, "This is no telephone number that could be called"),
    "reason_required": (422, "This wants a stated reason"),
    "unauthenticated": (401, "A valid bearer token is required"),
    "forbidden": (403, "The token does not allow this"),
    "csrf_failed": (403, "The act did not come from one of our own pages"),
    "signature_invalid": (403, "The webhook is not signed by the cloud phone of this instance"),
    "loopback_only": (403, "This address is answered on the machine itself only"),
    "not_found": (404, "There is nothing at this address"),
    "session_not_found": (404, "No session has this id"),
    "seat_not_found": (404, "No seat has this id"),
    "call_not_found": (404, "No call has this id"),
    "supervision_not_found": (404, "Nobody listens or joins under this id"),
    "order_not_found": (404, "No work order has this id"),
    "transition_unknown": (404, "Work orders have no such transition"),
    "method_not_allowed": (405, "The address does not take this method"),
    "not_acceptable": (406, "The answer cannot be given in this form"),
    "caller_not_waiting": (409, "The caller is not waiting in a line"),
    "no_talk": (409, "Nobody talks at this seat now, or not over our own telephone exchange"),
    "call_ended": (409, "The call is over"),
    "state_conflict": (409, "The present state does not allow this"),
    "session_overlaps": (409, "Another session is planned or open at this time"),
    "no_phone_free": (409, "Every browser phone of the desks is in use"),
    "form_changed": (409, "Somebody else saved this form meanwhile"),
    "body_too_large": (413, "The body is larger than 1 MB"),
    "unsupported_media_type": (415, "The body must be JSON"),
    "too_many_tries": (429, "Too many tries; wait"),
    "invalid_sound": (422, "The file is no sound that can be played"),
    "too_many_streams": (503, "This process has as many streams as it can carry"),
    "redis_unavailable": (503, "Redis does not answer"),
    "database_unavailable": (503, "The database does not answer"),
    "no_carrier": (503, "No carrier by which a call could be placed is configured"),
    "bridge_unavailable": (503, "The telephone exchange is not driven now"),
    "not_ready": (503, "A part is not ready"),
    "shutting_down": (503, "The process is about to stop"),
    "internal_error": (500, "Something of ours failed; it has been recorded"),
}
_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 406: "not_acceptable", 413: "body_too_large"}


@dataclass(slots=True)
class Problem(Exception):
    """Answer this request with the problem `code`. `detail` tells a person what to do and holds no personal data."""

    code: str
    detail: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return CODES[self.code][0]


def problem_body(code: str, detail: str = "", extra: Mapping[str, object] | None = None) -> bytes:
    """The JSON of a problem: type, title, status, code, detail and what `extra` adds."""
    status, title = CODES[code]
    document: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "code": code}
    if detail:
        document["detail"] = detail
    return msgspec.json.encode({**document, **(extra or {})})


def answer(
    code: str,
    detail: str = "",
    extra: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The whole response for a problem, with the headers that its status asks for."""
    status = CODES[code][0]
    wanted = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        wanted.setdefault("WWW-Authenticate", 'Bearer realm="hotline"')
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        wanted.setdefault("Retry-After", str(RETRY_AFTER_S))
    return Response(problem_body(code, detail, extra), status, wanted, MEDIA_TYPE)


def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class only
    return answer(error.code, error.detail, error.extra)


def on_http(_: Request, error: Exception) -> Response:
    """An error of the framework, such as an address or a method that is not there."""
    assert isinstance(error, HTTPException)  # noqa: S101
    code = _BY_STATUS.get(error.status_code)
    if code is None:
        code = (
            "internal_error" if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request"
        )
    return answer(code, headers=error.headers)


def _on_redis(_: Request, __: Exception) -> Response:
    return answer("redis_unavailable", "Start Redis, or see `hotline doctor`; nothing was lost, try again.")


def _on_database(_: Request, __: Exception) -> Response:
    return answer("database_unavailable", "See `hotline doctor`; nothing was lost, try again.")


def _on_corrupt(_: Request, __: Exception) -> Response:
    return answer("internal_error", "The saved call cannot be read; its next turn repairs it.")


def read_faults(errors: Sequence[Mapping[str, object]]) -> list[dict[str, str]]:
    """Where and what is wrong, without the input: names of unknown fields and values stay out."""
    faults = []
    for error in errors[:FAULTS_MAX]:
        kind, where = str(error.get("type", "")), error.get("loc", ())
        path = [str(part) for part in where] if isinstance(where, tuple | list) else []
        if kind == "extra_forbidden":
            path = [*path[:-1], "?"]
        message = "unknown field" if kind == "extra_forbidden" else str(error.get("msg", ""))
        faults.append({"at": ".".join(path)[:200], "code": kind, "message": message[:200]})
    return faults


def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = read_faults(error.errors())
    kinds = {fault["code"] for fault in faults}
    code = "invalid_request"
    for kind in ("control_character", "invalid_line"):
        code = kind if kind in kinds else code
    if "json_invalid" in kinds:
        code = "invalid_json"
    return answer(code, extra={"errors": faults})


def add_problem_answers(app: FastAPI) -> None:
    """Turn every error that a route can raise into a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(RedisError, _on_redis)
    app.add_exception_handler(SQLAlchemyError, _on_database)
    app.add_exception_handler(DatabaseUnavailable, _on_database)
    app.add_exception_handler(CorruptCall, _on_corrupt)
