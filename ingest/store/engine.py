"""Which engine the database runs on, and what only that engine needs.

TimescaleDB is the engine for production; the same schema works on plain
PostgreSQL, where `reading` is partitioned by month and the writer makes the
months. What is there is detected, never assumed: the Apache edition of
TimescaleDB has hypertables but no columnstore.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from psycopg import AsyncConnection, sql

PARTITION_LOCK = 0x5741_5454_0001
"""Advisory lock under which months are made: two sites may meet the same month at once."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What the server is."""

    postgresql: str
    """Version, e.g. `18.0`."""
    timescaledb: str | None
    """Version of the extension in this database, None on plain PostgreSQL."""

    @property
    def name(self) -> str:
        """`timescaledb` or `plain`; migrations of one engine carry it in their file name."""
        return "plain" if self.timescaledb is None else "timescaledb"


async def detect(connection: AsyncConnection) -> Engine:
    """What the server behind the connection is."""
    cursor = await connection.execute(
        """
        SELECT current_setting('server_version'),
               (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb')
        """
    )
    row = await cursor.fetchone()
    assert row is not None
    return Engine(postgresql=row[0], timescaledb=row[1])


async def install_extension(connection: AsyncConnection) -> None:
    """Create the TimescaleDB extension in this database if the server offers it."""
    cursor = await connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'")
    if await cursor.fetchone() is not None:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")


class Months:
    """Makes the monthly partitions of `reading` on plain PostgreSQL; remembers those it has seen."""

    def __init__(self, engine: Engine) -> None:
        self._needed = engine.timescaledb is None
        self._known: set[int] = set()

    async def ensure(self, connection: AsyncConnection, measured_at: npt.NDArray[np.int64]) -> None:
        """Make the partitions that readings at these instants (µs) fall into; commits on its own."""
        if not self._needed or measured_at.size == 0:
            return
        first, last = _months(np.array([measured_at.min(), measured_at.max()])).tolist()
        if first == last and first in self._known:
            return
        missing = set(np.unique(_months(measured_at)).tolist()) - self._known
        for month in sorted(missing):
            await _make_month(connection, month)
        self._known |= missing


async def _make_month(connection: AsyncConnection, month: int) -> None:
    """Make a partition of `reading` unless it is there.

    It is made apart and then attached: made in place, it would wait for whoever reads
    `reading` at length, and everybody else would wait behind it.
    """
    start, end = _month_start(month), _month_start(month + 1)
    name = f"reading_{start:%Y_%m}"
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
        cursor = await connection.execute("SELECT to_regclass(%s)", [name])
        if await cursor.fetchone() != (None,):
            return
        names = {"month": sql.Identifier(name), "start": sql.Literal(start.isoformat())}
        await connection.execute(sql.SQL("CREATE TABLE {month} (LIKE reading INCLUDING ALL)").format(**names))
        await connection.execute(
            sql.SQL(
                "ALTER TABLE reading ATTACH PARTITION {month} FOR VALUES FROM ({start}) TO ({end})"
            ).format(**names, end=sql.Literal(end.isoformat()))
        )


def _months(at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Months since 1970 of instants in µs."""
    return at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def _month_start(months_since_1970: int) -> datetime:
    return datetime(1970 + months_since_1970 // 12, months_since_1970 % 12 + 1, 1, tzinfo=UTC)
