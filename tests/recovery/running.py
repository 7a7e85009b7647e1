"""A site's ingest in this process, on a real broker and a real database, under a clock of the test."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
from paho.mqtt import publish as paho_publish
from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection

from deploy.broker import Broker
from ingest.health import health_app
from ingest.metrics import IngestMetrics
from ingest.mqtt.backlog import Limits
from ingest.plant import canonical, parse_plant, plan_from_body
from ingest.run import SiteRun
from ingest.settings import IngestSettings
from ingest.site import Clocks
from ingest.status import SiteStatus
from ingest.store.registry import apply_plan, ensure_site
from tests.recovery.process import PATIENCE_S
from tests.recovery.stream import PLANT

SECOND = 1_000_000


@dataclass
class ShiftedClock:
    """The real clock, set wrong by so many µs."""

    shift: int = 0

    def now(self) -> int:
        return time.time_ns() // 1000 + self.shift


@dataclass
class Running:
    """A site that is being ingested."""

    status: SiteStatus
    registry: CollectorRegistry
    task: asyncio.Task[None]
    stop: asyncio.Event
    clock: ShiftedClock = field(default_factory=ShiftedClock)

    async def readyz(self) -> dict[str, Any]:
        transport = httpx.ASGITransport(app=health_app(lambda: [self.status], self.registry))
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
            answer: dict[str, Any] = (await client.get("/readyz")).json()
        return answer

    def metric(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(name, {"site": self.status.site, **labels})
        assert value is not None, name
        return value

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition, which may look into the database: it is asked in a thread of its own."""
        deadline = time.monotonic() + PATIENCE_S
        while not await asyncio.to_thread(condition):
            if self.task.done():
                self.task.result()
                raise AssertionError(f"ingest ended before {what}")
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain for {what}"
            await asyncio.sleep(0.02)

    async def drained(self) -> None:
        """Stop as SIGTERM does, and wait until it has ended."""
        self.stop.set()
        await self.task

    async def killed(self) -> None:
        """End it in the middle of whatever it does."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@asynccontextmanager
async def running(
    dsn: str,
    broker: Broker,
    *,
    text: str = PLANT,
    limits: Limits | None = None,
    clock: ShiftedClock | None = None,
    await_caught_up: bool = True,
) -> AsyncIterator[Running]:
    """Take the site, connect, and ingest until the test is done with it."""
    clock = clock or ShiftedClock()
    digest, body = canonical(parse_plant(text, "test.yaml"))
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no = await ensure_site(connection, str(body["site"]))
        stored = await apply_plan(connection, site_no, digest, body, datetime(2000, 1, 1, tzinfo=UTC))
    plan = plan_from_body(stored.body, stored.version)
    registry, status, stop = CollectorRegistry(), SiteStatus(plan.site), asyncio.Event()
    metrics = IngestMetrics(registry)
    metrics.start(plan.site)
    settings = IngestSettings(dsn, broker.url, limits=limits or Limits())
    clocks = Clocks(clock.now, lambda: time.monotonic_ns() // 1000)
    run = SiteRun(settings, site_no, plan, status, metrics, clocks)
    site = Running(status, registry, asyncio.create_task(run.run(stop)), stop, clock)
    try:
        if await_caught_up:
            await site.until(lambda: status.caught_up, "the site to be caught up")
        yield site
    finally:
        if not site.task.done():
            await site.killed()


async def publish(broker: Broker, messages: Sequence[tuple[str, bytes]], *, retain: bool = False) -> None:
    """Publish in order at QoS 1 and wait until the broker has acknowledged all."""
    batch: Any = [(topic, payload, 1, retain) for topic, payload in messages]
    await asyncio.to_thread(paho_publish.multiple, batch, broker.host, broker.port)


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def count(dsn: str, table: str) -> int:
    return int(rows(dsn, f"SELECT count(*) FROM {table}")[0][0])
