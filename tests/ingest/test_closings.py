"""Intervals copied into the table, and intervals merged into it: the same rows and rollups."""

import random
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import HOUR, MINUTE
from ingest.pipeline.batch import Batch, Rows
from ingest.store.closings import write_intervals
from ingest.store.facts import Stamp
from ingest.store.tables import STAGING
from tests.ingest.feeding import START
from tests.ingest.test_rollups import NUMBERS, POINTS, ZONE, row


@pytest.fixture
async def connections(dsn: str, other_dsn: str) -> AsyncIterator[tuple[AsyncConnection, AsyncConnection]]:
    async with (
        await AsyncConnection.connect(dsn, autocommit=True) as one,
        await AsyncConnection.connect(other_dsn, autocommit=True) as other,
    ):
        for connection in (one, other):
            await connection.execute(STAGING.encode())
        yield one, other


async def write(connection: AsyncConnection, closed: Rows, provisional: Rows | None = None) -> bool:
    """Write rows as a batch does; whether something of them was staged."""
    batch = Batch(intervals=closed, provisional=closed[:0] if provisional is None else provisional)
    async with connection.transaction(), connection.cursor() as cursor:
        await write_intervals(cursor, batch, NUMBERS, Stamp(1, START, 1), ZONE)
        return await _count(cursor, "staged_interval") > 0


async def _count(cursor: AsyncCursor, table: str) -> int:
    await cursor.execute(f"SELECT count(*) FROM {table}".encode())
    found = await cursor.fetchone()
    assert found is not None
    return int(found[0])


async def tables(connection: AsyncConnection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: await (await connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode())).fetchall()
        for table in ("interval", "interval_hour", "interval_day")
    }


def stretch(dice: random.Random, begin: int, minutes: int) -> Rows:
    """Intervals of all points over a stretch, some left out, in any order."""
    rows = [
        row(dice, point, begin + minute * MINUTE)
        for point in range(POINTS)
        for minute in range(minutes)
        if dice.random() < 0.9
    ]
    dice.shuffle(rows)
    return np.concatenate(rows)


async def test_what_is_copied_is_what_is_merged(
    connections: tuple[AsyncConnection, AsyncConnection],
) -> None:
    """Three pieces of a history over two midnights, and each interval of it in a batch of its own."""
    one, other = connections
    dice = random.Random(3)
    history = [stretch(dice, START + hour * HOUR, 37) for hour in (0, 1, 30)]
    for rows in history:
        assert not await write(one, rows)
        for start_at in np.unique(rows["start_at"]).tolist():
            assert await write(other, rows[rows["start_at"] == start_at])
    found = await tables(one)
    assert len(found["interval"]) == sum(rows.size for rows in history)
    assert found == await tables(other)


@pytest.mark.parametrize("standing", [1, 36, 1000])
async def test_where_something_stands_at_or_after_them_rows_are_merged(
    connections: tuple[AsyncConnection, AsyncConnection], standing: int
) -> None:
    one, other = connections
    dice = random.Random(4)
    there = row(dice, 5, START + standing * MINUTE)
    rows = stretch(dice, START, 37)
    kept = (rows["segment"] != 5) | ~np.isin(rows["start_at"], [START, START + standing * MINUTE])
    rows = np.concatenate([rows[kept], row(dice, 5, START)])
    for connection in connections:
        await write(connection, there)
    assert await write(one, rows)
    for start_at in np.unique(rows["start_at"]).tolist():
        await write(other, rows[rows["start_at"] == start_at])
    assert await tables(one) == await tables(other)


async def test_a_provisional_row_gives_way_to_closed_ones(
    connections: tuple[AsyncConnection, AsyncConnection],
) -> None:
    one, other = connections
    dice = random.Random(8)
    rows = stretch(dice, START, 5)
    assert await write(one, rows[:0], row(dice, int(rows["segment"][0]), int(rows["start_at"][0])))
    assert await write(one, rows)
    assert not await write(other, rows)
    assert await tables(one) == await tables(other)


async def test_closed_rows_are_copied_beside_provisional_ones_of_the_same_batch(
    connections: tuple[AsyncConnection, AsyncConnection],
) -> None:
    one, _ = connections
    dice = random.Random(9)
    rows, waiting = stretch(dice, START, 5), row(dice, 1, START + 5 * MINUTE)
    assert await write(one, rows, waiting)
    found = await tables(one)
    revision = [one[12] for one in found["interval"]]
    assert (revision.count(1), revision.count(0)) == (rows.size, 1)
    assert sum(hour[12] for hour in found["interval_hour"]) == rows.size
