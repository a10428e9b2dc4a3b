"""Talks to the HTTP API as an administrator, from this machine or from far. Turns its problems into clear ends."""

import json
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
from pydantic import ValidationError

from cli.errors import CommandError, Exit
from cli.messages import say
from cli.output import local
from config.secrets import secret
from config.settings import Settings, load_settings

#: An answer of the API never takes longer; a stream may be silent for two of its heartbeats.
ANSWER_S = 15.0
STREAM_SILENT_S = 40.0
Query = Mapping[str, str | int | None]


class Api:
    """One connection to the API. All calls raise CommandError and nothing else of the network."""

    def __init__(self, url: str = "") -> None:
        settings = read_settings()
        self.url = (url or settings.effective_public_url).rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            timeout=ANSWER_S,
            trust_env=False,
            verify=_trusted(settings),
            headers={"Authorization": f"Bearer {read_token(settings)}", "Accept": "application/json"},
        )

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON at `path`."""
        return self._ask("GET", path, query=query)

    def text(self, path: str, query: Query | None = None) -> str:
        """The document at `path` as it comes: CSV, HTML."""
        return self._send("GET", path, query=query).text

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """The JSON that the act at `path` answers with."""
        return self._ask("POST", path, body=dict(body or {}))

    def _ask(
        self, method: str, path: str, *, query: Query | None = None, body: Mapping[str, object] | None = None
    ) -> Any:
        return self._send(method, path, query=query, body=body).json()

    def _send(
        self, method: str, path: str, *, query: Query | None = None, body: Mapping[str, object] | None = None
    ) -> httpx.Response:
        wanted = {name: value for name, value in (query or {}).items() if value not in (None, "")}
        try:
            answer = self._http.request(method, path, params=wanted, json=body if method == "POST" else None)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise CommandError(Exit.UNREACHABLE, "api_away", url=self.url) from error
        _check(answer, self.url)
        return answer

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Server-sent events as (name, document) until the stream ends; a cut is the end, too."""
        limits = httpx.Timeout(ANSWER_S, read=STREAM_SILENT_S)
        try:
            with self._http.stream("GET", path, timeout=limits, headers={"Accept": "text/event-stream"}) as answer:
                if answer.is_error:
                    answer.read()
                _check(answer, self.url)
                yield from _read_events(answer.iter_lines())
        except httpx.ConnectError as error:
            raise CommandError(Exit.UNREACHABLE, "api_away", url=self.url) from error
        except httpx.TransportError:
            return


def _trusted(settings: Settings) -> ssl.SSLContext | bool:
    """Who may vouch for the API: whoever usually does, and the certificate of this instance, which may be its own word."""
    if settings.tls_cert is None:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(settings.tls_cert)
    except OSError as error:
        raise CommandError(Exit.USAGE, "bad_setting", detail=f"HOTLINE_TLS_CERT: {error}") from error
    return context


def read_settings() -> Settings:
    """The settings; a wrong one ends the command and is named."""
    try:
        return load_settings()
    except ValidationError as error:
        raise CommandError(Exit.USAGE, "bad_setting", detail=name_faults(error)) from error


def name_faults(error: ValidationError) -> str:
    """Which settings are wrong and why, without their values."""
    faults = (("_".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in error.errors())
    return "; ".join(f"HOTLINE_{name.upper()}: {message}" for name, message in faults)


def read_token(settings: Settings) -> str:
    """The administrator's token. Raises CommandError when there is none and none can be made."""
    try:
        return secret(settings, "admin_token")
    except OSError as error:
        raise CommandError(Exit.REFUSED, "token_missing", path=settings.state_dir) from error


def _check(answer: httpx.Response, url: str) -> None:
    if answer.is_success:
        return
    problem = _problem(answer)
    code, detail = str(problem.get("code", answer.status_code)), _detail(problem)
    if code == "session_overlaps":
        other = {"id": problem.get("session_id"), "state": say(str(problem.get("state")))}
        times = {name: local(problem.get(f"{name}_at")) for name in ("opens", "closes")}
        raise CommandError(Exit.IMPOSSIBLE, code, **other, **times)
    match answer.status_code:
        case 401 | 403:
            raise CommandError(Exit.REFUSED, "refused", code=code, detail=detail)
        case status if status < 500:
            raise CommandError(Exit.IMPOSSIBLE, "impossible", code=code, detail=detail)
        case _ if not problem:
            raise CommandError(Exit.UNREACHABLE, "api_away", url=url)
        case _:
            raise CommandError(Exit.UNREACHABLE, "api_failed", code=code, detail=detail)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) and "code" in document else {}


def _detail(problem: Mapping[str, Any]) -> str:
    faults = "; ".join(f"{fault['at']}: {fault['message']}" for fault in problem.get("errors") or ())
    return faults or str(problem.get("detail") or problem.get("title") or "")


def _read_events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name, data = "message", list[str]()
    for line in lines:
        match line.partition(":"):
            case ("", "", _):
                if data:
                    yield name, json.loads("\n".join(data))
                name, data = "message", []
            case ("event", _, value):
                name = value.strip()
            case ("data", _, value):
                data.append(value.removeprefix(" "))
            case _:
                continue
