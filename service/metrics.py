"""What the service says of itself, for Prometheus.

One registry per application, so that two in one process do not meet. Routes are
labelled by their template, never by the address asked, or every point would be
a time series. A stream counts when it begins, not when it ends.
"""

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.webhook_metrics import Counts, DeliveryCollector

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are labels; a client may invent any other, and each would be a time series for ever."""
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "stackwatt_service_requests",
            "HTTP requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "stackwatt_service_request_seconds",
            "From the request to the first byte of its answer",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.streams = Gauge("stackwatt_service_live_streams", "Open live streams", registry=self.registry)
        self.inbox = Counter(
            "stackwatt_service_inbox_bodies",
            "Bodies accepted for ingest, without repeated ones",
            ["site"],
            registry=self.registry,
        )
        self.database_up = Gauge(
            "stackwatt_service_database_up", "1 if the database answered just now", registry=self.registry
        )
        self.commit_age = Gauge(
            "stackwatt_service_ingest_commit_age_seconds",
            "Time since ingest committed last",
            ["site"],
            registry=self.registry,
        )
        self.connections = Gauge(
            "stackwatt_service_database_connections",
            "Connections of the reading pool",
            ["state"],
            registry=self.registry,
        )
        self.deliveries = DeliveryCollector(self.registry)

    def exposition(
        self, commit_age_s: Mapping[str, float] | None, pool: Mapping[str, int], deliveries: Counts | None
    ) -> bytes:
        """The text format; `commit_age_s` per site and `deliveries`, None while the database is away."""
        self.deliveries.counts = deliveries
        self.database_up.set(0 if commit_age_s is None else 1)
        self.commit_age.clear()
        for site, age in (commit_age_s or {}).items():
            self.commit_age.labels(site).set(age)
        idle = pool.get("pool_available", 0)
        self.connections.labels("idle").set(idle)
        self.connections.labels("busy").set(pool.get("pool_size", 0) - idle)
        return generate_latest(self.registry)


class Measured:
    """Middleware that counts and times every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note its status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._metrics.requests.labels(method, route, str(message["status"])).inc()
                self._metrics.seconds.labels(route).observe(time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, note)
