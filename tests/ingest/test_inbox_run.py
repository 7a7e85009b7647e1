"""A site that is fed by its inbox alone, as under an import."""

import asyncio
import json
import time
from datetime import UTC, datetime

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection

from ingest.metrics import IngestMetrics
from ingest.plant import canonical, parse_plant, plan_from_body
from ingest.run import SiteRun
from ingest.settings import IngestSettings
from ingest.site import Clocks
from ingest.status import SiteStatus
from ingest.store.registry import apply_plan, ensure_site
from service.inbox import accept, envelope
from tests.ingest.feeding import PLANT, START, readings

PATIENCE_S = 30.0


class Fed:
    """A run of the mill's site and what it is given."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._keys = 0
        self.registry = CollectorRegistry()
        self.stop = asyncio.Event()

    async def start(self) -> None:
        digest, body = canonical(parse_plant(PLANT, "test.yaml"))
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            site_no = await ensure_site(connection, "mill")
            stored = await apply_plan(connection, site_no, digest, body, datetime(2000, 1, 1, tzinfo=UTC))
        plan = plan_from_body(stored.body, stored.version)
        clocks = Clocks(lambda: time.time_ns() // 1000, lambda: time.monotonic_ns() // 1000)
        metrics = IngestMetrics(self.registry)
        run = SiteRun(IngestSettings(self._dsn), site_no, plan, SiteStatus("mill"), metrics, clocks)
        self.task = asyncio.create_task(run.run(self.stop))

    async def put(self, topic: str, body: object) -> None:
        self._keys += 1
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            text = envelope(topic, json.dumps(body).encode())
            await accept(connection, 1, "reading", text, f"key-{self._keys}", "test")

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


async def test_history_with_times_ahead_is_refused_and_holds_nothing_up(dsn: str) -> None:
    """What is read from a file says nothing about our own clock."""
    fed = Fed(dsn)
    await fed.start()
    ahead = time.time_ns() // 1_000_000 + 3_600_000
    points = ["line/energy", "line/mass", "line/power", "line/setpoint"]
    await fed.put("plant/mill", {"points": points, "ts": [ahead], "value": [[1.0]] * 4})
    await fed.put("plant/mill/line/power", {"ts": START // 1000 - 86_400_000, "value": 1.0})
    await fed.until_empty()
    await fed.end()
    assert [row[0] for row in readings(dsn)] == ["mill/line/power"]
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT reason, total FROM rejected_count").fetchall() == [("future", 4)]


async def test_closings_keep_up_with_an_import(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading may be many intervals: what is held does not grow with the file."""
    monkeypatch.setattr("ingest.run.PAYLOAD_PER_BATCH", 1000)
    fed = Fed(dsn)
    begin = START // 1000 - 300 * 86_400_000
    points = ["line/energy", "line/mass"]
    await fed.start()
    for chunk in range(12):
        ts = [begin + (chunk * 100 + n) * 3_600_000 for n in range(100)]
        await fed.put(
            "plant/mill", {"points": points, "ts": ts, "value": [[float(n) for n in range(100)]] * 2}
        )
    await fed.until_empty()
    held = fed.registry.get_sample_value("stackwatt_tail_readings", {"site": "mill"})
    assert held is not None
    assert held < 500, held
    await fed.end()
