"""Counts and times for Prometheus. Labels are names of ours: never a number, a call, a session or a path as it was sent."""

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.schemas.line import LineOut
from calls.lanes import Lag

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SEAT_STATES = ("closed", "free", "ringing", "talking", "wrap_up", "paused")


class Metrics:
    """The metrics of one process. A registry of its own, so that two apps in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "hotline_http_requests_total",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "hotline_http_request_seconds", "Time to the first byte", ("route",), registry=self.registry
        )
        self.refused = Counter(
            "hotline_cloud_refused_total", "Webhooks refused: not signed, or of another account", ("step",),
            registry=self.registry,
        )  # fmt: skip
        self.streams = Gauge("hotline_line_streams", "Open streams of this process", registry=self.registry)
        self._depth = Gauge("hotline_line_depth", "Callers in the line", registry=self.registry)
        self._longest = Gauge("hotline_line_longest_wait_seconds", "Longest wait now", registry=self.registry)
        self._seats = Gauge("hotline_seats", "Seats of the open session", ("state",), registry=self.registry)
        self._up = Gauge("hotline_redis_up", "Redis answers", registry=self.registry)
        self.ledger_broken = Gauge(
            "hotline_ledger_broken", "1: the sealed ledger was tampered with", registry=self.registry
        )
        self._outbox = Gauge(
            "hotline_outbox", "Calls with commands not performed yet; stuck: failed often, somebody has to look", ("state",),
            registry=self.registry,
        )  # fmt: skip
        self._outbox_age = Gauge(
            "hotline_outbox_oldest_seconds", "Age of the oldest command not performed yet", registry=self.registry
        )
        self._left = Gauge(
            "hotline_orders_left_to_people", "Orders about which somebody has to call: we could not", ("purpose",),
            registry=self.registry,
        )  # fmt: skip

    def set_outbox(self, lag: Lag) -> None:
        """How far the performing of commands is behind."""
        self._outbox.labels("waiting").set(lag.lanes - lag.stuck)
        self._outbox.labels("stuck").set(lag.stuck)
        self._outbox_age.set(lag.oldest_s)

    def set_left_to_people(self, counts: Mapping[str, int]) -> None:
        """By purpose of the call."""
        for purpose, count in counts.items():
            self._left.labels(purpose).set(count)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request that is answered. Names are ours, so that there are few of them to be kept."""
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = self.requests.labels(method, route, str(status)), self.seconds.labels(route)
            self._counters[method, route, status] = counter
        counter[0].inc()
        counter[1].observe(seconds)

    def set_line(self, line: LineOut | None) -> None:
        """Take over the line as it is now; None = Redis is away and the last values stay."""
        self._up.set(0 if line is None else 1)
        if line is None:
            return
        self._depth.set(line.depth)
        self._longest.set(line.longest_wait_s)
        for state in SEAT_STATES:
            self._seats.labels(state).set(sum(seat.state == state for seat in line.seats))

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class Counting:
    """ASGI middleware that counts requests by the pattern of their route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = str(getattr(scope.get("route"), "path", "none"))
                method = scope["method"] if scope["method"] in _METHODS else "OTHER"
                self._metrics.count(method, route, message["status"], time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, send_counted)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
