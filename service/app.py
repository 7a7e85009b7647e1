"""The HTTP application, put together.

`create_app` makes everything one service needs and hands it to the routes as one
value; nothing here listens on a port (`service.main`) or knows what a figure is.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import (
    auth,
    failures,
    known_keys,
    routes_alerts,
    routes_audit,
    routes_comparison,
    routes_costs,
    routes_declarations,
    routes_demand,
    routes_documents,
    routes_emissions,
    routes_evidence,
    routes_explain,
    routes_factors,
    routes_footprints,
    routes_gaps,
    routes_health,
    routes_inbox,
    routes_instruments,
    routes_keys,
    routes_kpis,
    routes_ledger,
    routes_live,
    routes_mes,
    routes_orders,
    routes_page,
    routes_periods,
    routes_plant,
    routes_points,
    routes_reconciliations,
    routes_regimes,
    routes_reports,
    routes_schedules,
    routes_session,
    routes_stages,
    routes_tests,
    routes_webhooks,
)
from service.context import HEAD_ONLY, Service
from service.feed import Feed
from service.key_use import KeyUse
from service.limits import USUAL, Limited, Limits
from service.live_uncertainty import LiveUncertainty
from service.metrics import Measured, Metrics
from service.peaks import LivePeaks
from service.plans import PlanCache
from service.proxies import DIRECT, Proxied, Proxies
from service.store import AWAY, Store

log = logging.getLogger("stackwatt.service")

_DESCRIPTION = """
Energy intensity and CO2 flow of plants while they happen, and the readings and intervals behind them.

Instants are RFC 3339 in UTC; spans are half-open, [from, to). A value is never rounded; where there is
none, a reason says why. Every error is a problem document (RFC 9457).

A key has scopes and sites. Scope `read` opens every GET; `mes` or `operate` may send readings and tell orders; `operate` may
declare corrections and replaced meters, enter documents, approve what another key has, seal periods,
test and replay webhooks, and acknowledge, assign and silence alerts; `admin` may do everything.
A scope may be for one site (`operate@cement`).
A session cookie opens what its key's GET requests would; with the header `Stackwatt-Page` also what changes
something, but no keys. Who asks too much gets 429 and Retry-After.
"""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]

_OVER_TLS = [(b"strict-transport-security", b"max-age=31536000")]

ROUTERS = (
    routes_page.router,
    routes_health.router,
    routes_session.router,
    routes_live.router,
    routes_plant.router,
    routes_instruments.router,
    routes_tests.router,
    routes_regimes.router,
    routes_emissions.router,
    routes_evidence.router,
    routes_explain.router,
    routes_factors.router,
    routes_footprints.router,
    routes_stages.router,
    routes_periods.router,
    routes_kpis.router,
    routes_demand.router,
    routes_costs.router,
    routes_reconciliations.router,
    routes_points.router,
    routes_ledger.router,
    routes_gaps.router,
    routes_comparison.router,
    routes_inbox.router,
    routes_declarations.router,
    routes_orders.router,
    routes_mes.router,
    routes_schedules.router,
    routes_documents.router,
    routes_webhooks.router,
    routes_alerts.router,
    routes_reports.router,
    routes_keys.router,
    routes_audit.router,
)


def utc_now() -> int:
    """The system's clock, µs of UTC."""
    return time.time_ns() // 1000


def monotonic() -> int:
    """The system's monotonic clock, µs."""
    return time.monotonic_ns() // 1000


def create_app(
    dsn: str,
    admin_key: str | None,
    *,
    now: Callable[[], int] = utc_now,
    ticks: Callable[[], int] = monotonic,
    limits: Limits = USUAL,
    proxies: Proxies = DIRECT,
) -> FastAPI:
    """The application over one database; it connects when it starts.

    Args:
        dsn: of the database ingest writes to.
        admin_key: a key with every right that is not in the database; None: there is none.
        now: µs of UTC.
        ticks: µs that never go back.
        limits: what one client may ask.
        proxies: whose word about requests is taken.
    """
    store, plans, live = Store(dsn), PlanCache(), LiveUncertainty()
    service = Service(
        store=store,
        plans=plans,
        feed=Feed(store, plans, live, now),
        live_uncertainty=live,
        peaks=LivePeaks(),
        metrics=Metrics(),
        key_use=KeyUse(store),
        proxies=proxies,
        admin_digest=None if admin_key is None else known_keys.digest_of(admin_key),
        session_secret=auth.session_secret(admin_key),
        now=now,
    )
    app = Application(
        title="stackwatt",
        version="1",
        description=_DESCRIPTION,
        lifespan=_lifespan,
        # The ready-made pages load their scripts from a CDN.
        docs_url=None,
        redoc_url=None,
        # A redirect would lead to whatever host the request names.
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.limits = limits, ticks
    failures.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


class Application(FastAPI):
    """FastAPI with our own layers outermost, so that they also see the answer to a fault of ours."""

    def build_middleware_stack(self) -> ASGIApp:
        """The layers from the outside in: proxies, policy headers, HEAD, metrics, limits, then FastAPI's own."""
        service: Service = self.state.service
        limited = Limited(super().build_middleware_stack(), *self.state.limits)
        return Proxied(Secured(Headed(Measured(limited, service.metrics))), service.proxies)


class Headed:
    """Middleware that answers HEAD as GET without the body, at every address that takes GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass HEAD on as GET; from here on, in the metrics too, it is one."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def bare(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET", HEAD_ONLY: True}, receive, bare)


class Secured:
    """Middleware that puts the policy headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add headers where the answer starts."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                strict = _OVER_TLS if scope["scheme"] == "https" else []
                message["headers"] = [*message.get("headers", []), *_HEADERS, *strict]
            await send(message)

        await self._app(scope, receive, secured if scope["type"] == "http" else send)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    service: Service = app.state.service
    await service.store.open()
    running = [
        asyncio.create_task(service.feed.run(), name="live feed"),
        asyncio.create_task(service.key_use.run(), name="use of keys"),
    ]
    for task in running:
        task.add_done_callback(_log_end)
    try:
        yield
    finally:
        service.feed.stop()
        while pending := [task for task in running if not task.done()]:
            for task in pending:  # again, for a cancellation may be lost inside a library's wait_for
                task.cancel()
            await asyncio.wait(pending, timeout=1.0)
        with suppress(*AWAY):
            await service.key_use.write()
        await service.store.close()


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the %s has ended", task.get_name(), exc_info=error)
