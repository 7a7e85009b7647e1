"""A running ingest tells of alerts, and takes up what people do about them."""

import asyncio
import time
from datetime import UTC, datetime

import psycopg
from psycopg import AsyncConnection

from service.access import Access
from service.alert_acts import act
from tests.ingest.fed import Fed
from tests.ingest.feeding import PLANT

RULES = "\nalerts: [{id: high, point: line/power, above: 800}]\n"
PATIENCE_S = 60.0
OPERATOR = Access(1, "m.weber", frozenset({"operate"}), None)


async def event(dsn: str, kind: str) -> str:
    """The episode of an event of some type, once there is one."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT stream FROM event WHERE type = %s", [kind]).fetchone()
        if row is not None:
            return str(row[0])
        await asyncio.sleep(0.05)
    raise AssertionError(f"no {kind} within {PATIENCE_S} s")


async def test_a_run_tells_and_heeds(dsn: str) -> None:
    fed = Fed(dsn, PLANT + RULES)
    await fed.start()
    await fed.put("plant/mill/line/power", {"ts": datetime.now(UTC).isoformat(), "value": 900})
    episode = await event(dsn, "alert.firing")
    assert episode.startswith("mill.high.")
    async with await AsyncConnection.connect(dsn) as connection:
        said = {"kind": "acknowledge", "note": "", "assignee": None}
        await act(connection, 1, episode, said, OPERATOR, "key of an act", time.time_ns() // 1000)
    assert await event(dsn, "alert.acknowledged") == episode
    await fed.until_empty()
    await fed.end()
