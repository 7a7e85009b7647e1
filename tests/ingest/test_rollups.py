"""Hours that grow with their intervals, and hours made of them at once: the same bits."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import HOUR, MINUTE
from ingest.pipeline.batch import Rows
from ingest.store.facts import Stamp, stage_intervals
from ingest.store.registry import Numbers
from ingest.store.rollups import extend_hours, roll_up
from ingest.store.tables import INTERVAL, STAGING
from kernels.rows import BAD, GOOD, INTERVAL_ROW, NO_COUNT, SUBSTITUTED, UNCERTAIN
from tests.ingest.feeding import START

POINTS = 12
NUMBERS = Numbers(np.arange(1, POINTS + 1), np.zeros(0, np.int64), np.zeros(0, np.int64))
ZONE = "Asia/Kolkata"  # half an hour off: its hours begin at half past


@asynccontextmanager
async def batch(connection: AsyncConnection, rows: Rows) -> AsyncIterator[AsyncCursor]:
    """A transaction in which interval rows are staged."""
    async with connection.transaction(), connection.cursor() as cursor:
        await stage_intervals(cursor, rows, NUMBERS, Stamp(1, START, 1), revision=1)
        yield cursor


async def grow(connection: AsyncConnection, rows: Rows) -> bool:
    """Write interval rows as a batch does; whether their hours were extended."""
    async with batch(connection, rows) as cursor:
        extended = await extend_hours(cursor, ZONE)
        await cursor.execute(INTERVAL.merge)
        await roll_up(cursor, ZONE, hours=not extended)
        return extended


async def rollups(connection: AsyncConnection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: await (await connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")).fetchall()
        for table in ("interval_hour", "interval_day")
    }


async def made_again(connection: AsyncConnection, rows: Rows) -> dict[str, list[tuple[Any, ...]]]:
    """The hours and days of rows that are stored, all made from their intervals."""
    async with batch(connection, rows) as cursor:
        await roll_up(cursor, ZONE)
    return await rollups(connection)


def row(dice: random.Random, point: int, start_at: int, most: int = 10**9) -> Rows:
    """An interval of a gauge, a counter, a sample or one of which nothing is known."""
    found = np.zeros(1, INTERVAL_ROW)
    found["segment"], found["start_at"] = point, start_at
    for name in ("amount", "mean", "min", "max"):
        found[name] = np.nan
    found["amount_count"] = NO_COUNT
    found["covered_us"] = dice.randrange(1, MINUTE)
    found["quality"], found["reasons"] = BAD, 1 << dice.randrange(12)
    if dice.random() < 0.15:
        return found
    found["valid_us"] = dice.randrange(1, int(found["covered_us"][0]) + 1)
    found["quality"] = dice.choice((GOOD, GOOD, UNCERTAIN))
    if dice.random() < 0.2:
        found["substituted_us"], found["quality"] = dice.randrange(1, MINUTE), SUBSTITUTED
    kind = point % 3
    if kind == 0:
        found["amount_count"] = dice.randrange(-most, most)
        found["amount"] = found["amount_count"] * 0.001
        return found
    found["min"], found["mean"], found["max"] = sorted(dice.uniform(-1e6, 1e9) for _ in range(3))
    if kind == 1:
        found["amount"] = found["mean"] / 60
    return found


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute(STAGING.encode())
        yield connection


async def test_hours_grow_to_what_their_intervals_make(connection: AsyncConnection) -> None:
    dice = random.Random(5)
    stored = []
    for minute in range(150):
        points = [point for point in range(POINTS) if dice.random() < 0.9]
        rows = np.concatenate([row(dice, point, START + minute * MINUTE) for point in points])
        assert await grow(connection, rows)
        stored.append(rows)
    grown = await rollups(connection)
    assert len(grown["interval_hour"]) == 3 * POINTS
    assert grown == await made_again(connection, np.concatenate(stored))


async def test_an_interval_before_others_of_its_hour_is_not_added(connection: AsyncConnection) -> None:
    dice = random.Random(6)
    later = np.concatenate([row(dice, point, START + 7 * MINUTE) for point in range(POINTS)])
    assert await grow(connection, later)
    earlier = np.concatenate([row(dice, 1, START + 6 * MINUTE), row(dice, 2, START + 8 * MINUTE)])
    assert not await grow(connection, earlier)
    assert await rollups(connection) == await made_again(connection, np.concatenate([later, earlier]))


async def test_an_interval_that_stands_there_is_not_added_twice(connection: AsyncConnection) -> None:
    rows = row(random.Random(7), 1, START)
    assert await grow(connection, rows)
    once = await rollups(connection)
    assert not await grow(connection, rows)
    assert await rollups(connection) == once


async def test_a_count_that_leaves_bigint_and_comes_back_is_there_again(connection: AsyncConnection) -> None:
    stored = []
    for minute, count in enumerate((2**62 - 1, 2**62 - 1, 2**62 - 1, -(2**62) + 1, -(2**62) + 1)):
        rows = row(random.Random(1), 0, START + minute * MINUTE)
        rows["amount_count"], rows["amount"] = count, float(count)
        await grow(connection, rows)
        stored.append(rows)
    grown = await rollups(connection)
    (hour,) = grown["interval_hour"]
    assert hour[3] == 2**62 - 1
    assert grown == await made_again(connection, np.concatenate(stored))


async def test_the_first_interval_of_an_hour_begins_it(connection: AsyncConnection) -> None:
    dice = random.Random(9)
    first = row(dice, 1, START + HOUR - MINUTE)
    second = row(dice, 1, START + HOUR)
    assert await grow(connection, first)
    assert await grow(connection, second)
    assert await rollups(connection) == await made_again(connection, np.concatenate([first, second]))
