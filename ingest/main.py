"""The ingest process: its sites side by side in one event loop, and their health.

Starting order per site: migrate → lock → rebuild → connect. It ends on SIGTERM or
SIGINT: what was handed out is committed and acknowledged, the rest stays with
the broker.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime

import uvicorn
from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection, OperationalError

from ingest.errors import InputError, SiteBusyError
from ingest.metrics import IngestMetrics
from ingest.plant import canonical, compile_plan, load_plant, plan_from_body
from ingest.plant.plan import Plan
from ingest.run import SiteRun
from ingest.settings import IngestSettings
from ingest.site import Clocks
from ingest.status import SiteStatus
from ingest.store.migrations import migrate
from ingest.store.registry import apply_plan, ensure_site, newest_plan
from kernels._jit import warm_up

log = logging.getLogger(__name__)

CLOCKS = Clocks(now=lambda: time.time_ns() // 1000, monotonic=lambda: time.monotonic_ns() // 1000)
DATABASE_PAUSE_S = 1.0


async def run(settings: IngestSettings, clocks: Clocks = CLOCKS) -> int:
    """Ingest until told to stop; the exit code (2: a site is taken and `wait` is off).

    Raises:
        InputError: a plant file is wrong, or there is no site to ingest.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    files = [load_plant(path) for path in settings.plants]
    for file in files:
        compile_plan(file)
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    statuses = [SiteStatus(file.site) for file in files]
    for status in statuses:
        status.missing("kernels", "the kernels are being compiled or loaded from their cache")
    async with AsyncExitStack() as stack:
        if settings.http_port is not None:
            await stack.enter_async_context(_Health(settings, statuses, registry))
        warm = asyncio.create_task(asyncio.to_thread(warm_up), name="warm-up")
        if not await _migrated(settings.dsn, statuses, stop):
            return 0
        plans = await _plans(settings.dsn, [canonical(file) for file in files], clocks)
        if not plans:
            raise InputError("the database knows no site: give a plant file")
        if not files:
            statuses += [SiteStatus(plan.site) for _, plan in plans]
        await warm
        runs = [
            SiteRun(settings, site_no, plan, status, metrics, clocks)
            for (site_no, plan), status in zip(plans, statuses, strict=True)
        ]
        return await _run_all(runs, metrics, stop)


async def _run_all(runs: list[SiteRun], metrics: IngestMetrics, stop: asyncio.Event) -> int:
    busy = False
    try:
        async with asyncio.TaskGroup() as group:
            for site_run in runs:
                site_run.status.there("kernels")
                metrics.start(site_run.status.site)
                group.create_task(site_run.run(stop), name=f"site {site_run.status.site}")
    except* SiteBusyError as taken:
        log.error("%s", taken.exceptions[0])  # noqa: TRY400  one sentence is the message
        busy = True
    return 2 if busy else 0


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: this process has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class _Health:
    """The HTTP side, started and stopped with the process."""

    def __init__(
        self, settings: IngestSettings, statuses: list[SiteStatus], registry: CollectorRegistry
    ) -> None:
        from ingest.health import health_app  # noqa: PLC0415  starlette is not needed by an import

        config = uvicorn.Config(
            health_app(lambda: statuses, registry),
            host=settings.http_host, port=settings.http_port or 0,
            log_level="warning", access_log=False, lifespan="off",
        )  # fmt: skip
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._server.serve(), name="health")
        while not self._server.started and not self._task.done():  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        if self._task.done():
            raise InputError(
                f"port {self._server.config.port} for health and metrics is taken: give a free one"
            )

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._task is not None
        await self._task


async def _migrated(dsn: str, statuses: list[SiteStatus], stop: asyncio.Event) -> bool:
    """Bring the schema up, waiting for a database that is away; False if told to stop meanwhile."""
    while not stop.is_set():
        try:
            steps = await migrate(dsn)
        except OperationalError as error:
            for status in statuses:
                status.missing("database", " ".join(str(error).split()))
            await asyncio.sleep(DATABASE_PAUSE_S)
            continue
        if steps:
            log.info("migrated: %s", ", ".join(steps))
        for status in statuses:
            status.there("database")
        return True
    return False


async def _plans(
    dsn: str, files: list[tuple[str, dict[str, object]]], clocks: Clocks
) -> list[tuple[int, Plan]]:
    """Apply the given plant files; the plans to run with, a site each."""
    found = []
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        for digest, body in files:
            site_no = await ensure_site(connection, str(body["site"]))
            effective_at = datetime.fromtimestamp(clocks.now() / 1e6, UTC)
            stored = await apply_plan(connection, site_no, digest, body, effective_at)
            found.append((site_no, plan_from_body(stored.body, stored.version)))
        if not files:
            cursor = await connection.execute("SELECT site_no FROM site ORDER BY site_no")
            for (site_no,) in await cursor.fetchall():
                stored_plan = await newest_plan(connection, site_no)
                if stored_plan is not None:
                    found.append((site_no, plan_from_body(stored_plan.body, stored_plan.version)))
    return found
