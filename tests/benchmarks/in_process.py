"""The parts of a site's ingest in this process, on a real database."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection

from ingest.metrics import IngestMetrics
from ingest.plant import Plan, canonical, plan_from_body
from ingest.plant.parse import from_body
from ingest.site import Clocks, SiteIngest
from ingest.status import SiteStatus
from ingest.store.migrations import migrate
from ingest.store.registry import apply_plan, ensure_site
from ingest.store.writer import Writer

CLOCKS = Clocks(now=lambda: time.time_ns() // 1000, monotonic=lambda: time.monotonic_ns() // 1000)


@dataclass(frozen=True, slots=True)
class Site:
    """A site that is in the database, and what a writer of it needs."""

    plan: Plan
    writer: Writer
    metrics: IngestMetrics

    async def ingest(self) -> SiteIngest:
        """Its ingest, with state rebuilt."""
        ingest = SiteIngest(
            self.writer, self.plan, "benchmark", SiteStatus(self.plan.site), self.metrics, CLOCKS
        )
        await ingest.rebuild()
        return ingest


async def open_site(dsn: str, plant: Mapping[str, Any]) -> Site:
    """Migrate, apply the plant, compile its plan."""
    await migrate(dsn)
    digest, body = canonical(from_body(dict(plant), "benchmark"))
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no = await ensure_site(connection, str(body["site"]))
        stored = await apply_plan(connection, site_no, digest, body, datetime.fromtimestamp(0, UTC))
    plan = plan_from_body(stored.body, stored.version)
    metrics = IngestMetrics(CollectorRegistry())
    metrics.start(plan.site)
    return Site(plan, Writer(dsn, site_no, str(plan.zone), CLOCKS.now), metrics)
