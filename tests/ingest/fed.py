"""A site's run that is fed by its inbox alone, as under an import."""

import asyncio
import json
import time
from datetime import UTC, datetime

import psycopg
from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection

from ingest.metrics import IngestMetrics
from ingest.plant import canonical, parse_plant, plan_from_body
from ingest.run import SiteRun
from ingest.settings import IngestSettings
from ingest.site import Clocks
from ingest.status import SiteStatus
from ingest.store.registry import StoredPlan, apply_plan, ensure_site
from service.inbox import accept, envelope
from tests.ingest.feeding import PLANT

PATIENCE_S = 30.0


class Fed:
    """A run of the mill's site and what it is given."""

    def __init__(self, dsn: str, plant: str = PLANT) -> None:
        self._dsn = dsn
        self._plant = plant
        self._keys = 0
        self.registry = CollectorRegistry()
        self.status = SiteStatus("mill")
        self.stop = asyncio.Event()

    async def start(self) -> None:
        stored = await self.apply(self._plant, datetime(2000, 1, 1, tzinfo=UTC))
        plan = plan_from_body(stored.body, stored.version)
        clocks = Clocks(lambda: time.time_ns() // 1000, lambda: time.monotonic_ns() // 1000)
        metrics = IngestMetrics(self.registry)
        metrics.start("mill")
        run = SiteRun(IngestSettings(self._dsn), 1, plan, self.status, metrics, clocks)
        self.task = asyncio.create_task(run.run(self.stop))

    async def apply(self, plant: str, effective_at: datetime) -> StoredPlan:
        digest, body = canonical(parse_plant(plant, "test.yaml"))
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            assert await ensure_site(connection, "mill") == 1
            return await apply_plan(connection, 1, digest, body, effective_at)

    async def put(self, topic: str, body: object) -> None:
        self._keys += 1
        key = f"key-{self._keys}"
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            text = envelope(topic, json.dumps(body).encode())
            await accept(connection, 1, "reading", text, key, "test")

    def waiting(self) -> int:
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute("SELECT count(*) FROM inbox WHERE batch_no IS NULL").fetchone()
        assert row is not None
        return int(row[0])

    async def until_empty(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.waiting():
            assert not self.task.done()
            assert time.monotonic() < deadline, f"{self.waiting()} rows are left"
            await asyncio.sleep(0.02)

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, PATIENCE_S)
