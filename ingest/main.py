"""The ingest process: its sites side by side in one event loop, and their health.

Starting order per site: migrate → lock → rebuild → connect. It ends on SIGTERM or
SIGINT: what was received is committed and acknowledged, if the database lets that
happen within `DRAIN_S`; the rest stays with the broker. Where something does not let go
even then (a database that neither answers nor cancels), it ends after `LEAVE_S` all the
same: nothing that it could still do is missed by anybody.
"""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry
from psycopg import OperationalError

from ingest.errors import InputError, SiteBusyError, StackwattError
from ingest.metrics import IngestMetrics
from ingest.mqtt.address import BrokerAddress
from ingest.patient import answer_expected, in_words
from ingest.plant import canonical, compile_plan, load_plant, plan_from_body
from ingest.plant.plan import Plan
from ingest.run import SiteRun
from ingest.settings import IngestSettings, check_dsn
from ingest.site import Clocks
from ingest.status import SiteStatus
from ingest.store.migrations import migrate
from ingest.store.registry import apply_plan, ensure_site, newest_plan
from ingest.store.session import connected
from ingest.warming import warm

log = logging.getLogger(__name__)

CLOCKS = Clocks(now=lambda: time.time_ns() // 1000, monotonic=lambda: time.monotonic_ns() // 1000)
PlantBody = tuple[str, dict[str, object]]
"""Digest and canonical body of a plant file."""
SitePlan = tuple[int, Plan]
"""Number of a site and its plan."""
DATABASE_PAUSE_S = 1.0
DRAIN_S = 5.0
LEAVE_S = 8.0
"""Both from the signal on; a supervisor grants 10 s or more."""


async def run(settings: IngestSettings, clocks: Clocks = CLOCKS) -> int:
    """Ingest until told to stop; the exit code (2: a site is taken and `wait` is off).

    Raises:
        InputError: a plant file or an address is wrong, or there is no site to ingest.
    """
    _check_addresses(settings)
    files = _checked(settings.plants)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    leaving: list[asyncio.TimerHandle] = []
    try:
        async with asyncio.timeout(None) as patience:

            def drain() -> None:
                if not stop.is_set():
                    stop.set()
                    patience.reschedule(loop.time() + DRAIN_S)
                    leaving.append(loop.call_later(LEAVE_S, _leave))

            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, drain)
            return await _run(settings, files, clocks, stop)
    except TimeoutError:
        if not patience.expired():
            raise
        log.warning("told to stop %g s ago; what is not committed by now stays with the broker", DRAIN_S)
        return 0
    finally:
        for timer in leaving:
            timer.cancel()


def _leave() -> None:
    """End as if killed, which loses nothing."""
    log.warning("told to stop %g s ago; what is not committed by now stays with the broker", LEAVE_S)
    logging.shutdown()
    os._exit(0)


def _check_addresses(settings: IngestSettings) -> None:
    """What is no address at all is not waited for; the sentence shows no password."""
    check_dsn(settings.dsn)
    if settings.mqtt_url is not None and BrokerAddress.parse(settings.mqtt_url).tls:
        settings.mqtt_tls.context()


def _checked(plants: Sequence[Path]) -> list[PlantBody]:
    """The plant files, each of a site of its own, as they are stored."""
    bodies: dict[str, PlantBody] = {}
    for path in plants:
        file = load_plant(path)
        compile_plan(file)
        if file.site in bodies:
            raise InputError(f"{path}: site is {file.site!r}; a site was expected that no other file is of")
        bodies[file.site] = canonical(file)
    return list(bodies.values())


async def _run(settings: IngestSettings, files: list[PlantBody], clocks: Clocks, stop: asyncio.Event) -> int:
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    statuses = [SiteStatus(str(body["site"])) for _, body in files]
    for status in statuses:
        status.missing("kernels", "the kernels are being compiled or loaded from their cache")
    async with AsyncExitStack() as stack:
        if settings.http_port is not None:
            await stack.enter_async_context(_Health(settings, statuses, registry))
        warming = asyncio.create_task(warm(stop), name="warm-up")
        try:
            plans = await _prepared(settings.dsn, files, statuses, clocks, stop)
            if not await warming or plans is None:
                return 0
        finally:
            warming.cancel()
        if not files:
            statuses += [SiteStatus(plan.site) for _, plan in plans]
        runs = [
            SiteRun(settings, site_no, plan, status, metrics, clocks)
            for (site_no, plan), status in zip(plans, statuses, strict=True)
        ]
        return await _run_all(runs, metrics, stop)


async def _run_all(runs: list[SiteRun], metrics: IngestMetrics, stop: asyncio.Event) -> int:
    """Run sites until told to stop; one that cannot go on ends them all."""
    failures: list[BaseException] = []
    try:
        async with asyncio.TaskGroup() as group:
            for site_run in runs:
                site_run.status.there("kernels")
                metrics.start(site_run.status.site)
                group.create_task(site_run.run(stop), name=f"site {site_run.status.site}")
    except* StackwattError as group_of:
        failures += group_of.exceptions
    for failure in failures:
        if isinstance(failure, SiteBusyError):
            log.error("%s", failure)
            return 2
        raise failure
    return 0


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
            log_level="warning", access_log=False, lifespan="off",
        )  # fmt: skip
        self._server = _Server(config)
        self._address = (settings.http_host, settings.http_port or 0)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listening = socket.create_server(self._address, family=family)
        except OSError as error:
            raise InputError(
                f"health and metrics cannot be served on {host}:{port} ({error.strerror}): "
                "expected a free port of an address of this machine"
            ) from None
        # uvicorn, left to bind by itself, ends the process where it cannot.
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]), name="health")

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        assert self._task is not None
        await self._task


async def _prepared(
    dsn: str, files: list[PlantBody], statuses: list[SiteStatus], clocks: Clocks, stop: asyncio.Event
) -> list[SitePlan] | None:
    """Bring the schema up and apply the plant files, waiting for a database that is away.

    None: told to stop meanwhile.

    Raises:
        InputError: there is no site to ingest.
    """
    while not stop.is_set():
        try:
            with answer_expected(*statuses):
                steps = await migrate(dsn)
                if steps:
                    log.info("migrated: %s", ", ".join(steps))
                plans = await _plans(dsn, files, clocks)
        except OperationalError as error:
            for status in statuses:
                status.missing("database", in_words(error))
            await asyncio.sleep(DATABASE_PAUSE_S)
            continue
        if not plans:
            raise InputError("the database knows no site: give a plant file")
        for status in statuses:
            status.there("database")
        return plans
    return None


async def _plans(dsn: str, files: list[PlantBody], clocks: Clocks) -> list[SitePlan]:
    """Apply the given plant files; the plans to run with, a site each."""
    found = []
    async with await connected(dsn) as connection:
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
