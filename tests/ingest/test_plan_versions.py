"""A plant file changes: what is in force, what keeps its history, what goes."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import psycopg

from tests.ingest.fed import PATIENCE_S, Fed
from tests.ingest.feeding import PLANT, START, a_day, feed, figures, open_site, readings

DAY_MS = 86_400_000


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


async def test_a_replay_takes_a_new_version_though_its_time_is_long_past(dsn: str) -> None:
    replay = PLANT.replace("clock: live", "clock: replay")
    fed = Fed(dsn, replay)
    await fed.start()
    at = START // 1000 - 3000 * DAY_MS
    await fed.put("plant/mill/line/power", {"ts": [at, at + 200_000], "value": [1.0, 2.0]})
    await fed.until_empty()
    await fed.apply(replay.replace("line/setpoint", "line/wish"), datetime.now(UTC))
    deadline = time.monotonic() + PATIENCE_S
    while "mill/line/wish" not in [row[0] for row in readings(dsn)]:
        assert time.monotonic() < deadline, "the new version is not taken"
        await fed.put("plant/mill/line/wish", {"ts": at + 210_000, "value": 1.0})
        await fed.until_empty()
        await asyncio.sleep(0.1)
    await fed.end()


async def test_what_is_renamed_keeps_its_history(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.2)))
    await ingest.close()
    before = figures(dsn)
    renamed = (
        PLANT.replace("{id: line/co2, ", "{id: line/carbon, formerly: [line/co2], ")
        .replace("{id: line/electricity, scope", "{id: line/grid, formerly: [line/electricity], scope")
        .replace("{source: line/electricity}", "{source: line/grid}")
        .replace("{id: line/batch, ", "{id: line/sacks, formerly: [line/batch], ")
    )
    ingest = await open_site(dsn, renamed)
    await ingest.close()
    after = figures(dsn)
    for table, old, new in (
        ("kpi_value", "mill/line/co2", "mill/line/carbon"),
        ("emission", "mill/line/electricity", "mill/line/grid"),
        ("interval", "mill/line/batch", "mill/line/sacks"),
    ):
        mine = [row[1:] for row in before[table] if row[0] == old]
        assert mine
        assert [row[1:] for row in after[table] if row[0] == new] == mine, table


async def test_live_figures_that_nobody_asks_for_any_more_go(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, list(a_day(0.2)))
    await ingest.close()
    query = "SELECT id, window_us / 60000000 FROM kpi_latest JOIN kpi USING (kpi_no) ORDER BY id, window_us"
    assert rows(dsn, query) == [
        ("mill/line/co2", 5),
        ("mill/line/intensity", 5),
        ("mill/line/intensity", 60),
        ("mill/line/load", 5),
    ]
    changed = PLANT.replace("windows: [5min, 1h]", "windows: [1h]").replace(
        "{id: line/load, ", "{id: line/pull, "
    )
    ingest = await open_site(dsn, changed)
    await ingest.close()
    assert rows(dsn, query) == [("mill/line/co2", 5), ("mill/line/intensity", 60)]


async def test_starting_again_uses_up_no_numbers(dsn: str) -> None:
    for text in (PLANT, PLANT, PLANT, PLANT.replace("line/doubled", "line/other")):
        ingest = await open_site(dsn, text)
        await ingest.close()
    assert rows(dsn, "SELECT max(point_no), max(kpi_no), max(source_no) FROM point, kpi, source") == [
        (7, 3, 1)
    ]
