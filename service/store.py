"""The way to the database: reads in one snapshot, and the few writes.

Three small pools. Connections of the first are read-only and see one snapshot per
block, so that an answer made of several queries is of one moment; those of the
second, alike, are for the service's own short questions, which must not queue
behind a client's long ones; those of the third write `inbox`. Instants come back
as int µs. While the database is away a block raises at once or within
ACQUIRE_TIMEOUT_S, and pools reconnect when asked again; nothing here waits for it.
While every connection of a pool is at work a block waits, up to BUSY_TIMEOUT_S.
"""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection, IsolationLevel
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format
from psycopg.sql import Composed
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ingest.errors import StackwattError

ACQUIRE_TIMEOUT_S = 2.0
AWAY_TIMEOUT_S = 0.2
"""Patience of those who ask within AWAY_S of one who waited in vain."""
AWAY_S = 2.0
BUSY_TIMEOUT_S = 6.0
"""Patience of those who find every connection at work."""
ANSWER_S = 1.0
"""Patience with the try of a connection that a pool has."""
STATEMENT_TIMEOUT_MS = 15_000
IDLE_TIMEOUT_MS = 30_000
"""A transaction that asks nothing for so long is ended by the server."""
CHUNK_ROWS = 5_000
"""Rows decoded at a time, so that a long answer does not hold the event loop."""


class BusyError(StackwattError):
    """Every connection was at work for as long as one may wait; the database itself may be well."""


AWAY = (
    psycopg.OperationalError,
    psycopg.errors.IdleInTransactionSessionTimeout,  # no OperationalError to psycopg
    psycopg.errors.UndefinedTable,
    PoolTimeout,
    BusyError,
)
"""What a query raises that may succeed later: no server, no answer in time, no schema yet, too many asking."""

_PG_EPOCH_US = 946_684_800_000_000
_CONNECT: dict[str, Any] = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

Row = tuple[Any, ...]
Connection = AsyncConnection[Row]
Query = LiteralString | Composed
Parameters = Mapping[str, Any] | Sequence[Any]


class Store:
    """Connections to one database; open it before use, close it after."""

    def __init__(
        self,
        dsn: str,
        *,
        readers: int = 8,
        writers: int = 2,
        name: str = "stackwatt service",
        options: str = "",
    ) -> None:
        """Connections called `name` in the database's own views, with settings beside ours in `options`."""
        self._dsn = dsn
        self._connect = {**_CONNECT, "application_name": name}
        self._options = options
        self._read = self._pool(readers, _prepare_reader)
        self._glance = self._pool(2, _prepare_reader)
        self._write = self._pool(writers, _prepare)
        self._at_work: Counter[str] = Counter()
        """Connections handed out, by the name of their pool."""
        self._away_until = 0.0
        self._returning: set[asyncio.Task[None]] = set()
        """Those who wait for what nobody else waits for any more."""

    def _pool(self, size: int, configure: Any) -> AsyncConnectionPool[Connection]:
        return AsyncConnectionPool(
            self._dsn,
            connection_class=AsyncConnection,
            kwargs={
                **self._connect,
                # A stopped process must not hold its locks for ever.
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
                f" -c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS} {self._options}",
            },
            min_size=1,
            max_size=size,
            timeout=ACQUIRE_TIMEOUT_S,
            # Giving up early lets the next request start a fresh attempt; the pool's own retries
            # double their distance, up to minutes.
            reconnect_timeout=ACQUIRE_TIMEOUT_S,
            configure=configure,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )

    async def open(self) -> None:
        """Start the pools without waiting for the database."""
        for pool in (self._read, self._glance, self._write):
            await pool.open(wait=False)

    async def close(self) -> None:
        """End the pools."""
        for pool in (self._read, self._glance, self._write):
            await pool.close()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A read-only transaction that sees one moment."""
        async with self._acquired(self._read) as connection:
            yield connection

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Connection]:
        """A `snapshot` for what the service itself must know, whatever clients keep it busy with."""
        async with self._acquired(self._glance) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that may write; commits at the end of the block."""
        async with self._acquired(self._write) as connection:
            yield connection

    @asynccontextmanager
    async def _acquired(self, pool: AsyncConnectionPool[Connection]) -> AsyncIterator[Connection]:
        clock = asyncio.get_running_loop().time
        given_up_at = clock() + BUSY_TIMEOUT_S
        while True:
            patience = AWAY_TIMEOUT_S if clock() < self._away_until else ACQUIRE_TIMEOUT_S
            try:
                connection = await self._connection_of(pool, patience)
                break
            except PoolTimeout:
                if self._at_work[pool.name] < pool.max_size:
                    self._away_until = clock() + AWAY_S
                    raise
                if clock() >= given_up_at:
                    raise BusyError(f"all {pool.max_size} connections are at work") from None
        self._at_work[pool.name] += 1
        try:
            async with connection:
                yield connection
        finally:
            self._at_work[pool.name] -= 1
            await pool.putconn(connection)

    async def _connection_of(self, pool: AsyncConnectionPool[Connection], patience: float) -> Connection:
        """A connection of the pool, or PoolTimeout on time.

        The pool tries a connection before it gives it, and waits without limit for a
        server that is there and does not answer; what it gives too late goes back to it.
        """
        asking = asyncio.ensure_future(pool.getconn(patience))

        async def give_back() -> None:
            with suppress(psycopg.Error):
                await pool.putconn(await asking)

        try:
            done, _ = await asyncio.wait({asking}, timeout=patience + ANSWER_S)
            if done:
                return asking.result()
        finally:
            if not asking.done():
                task = asyncio.create_task(give_back())
                self._returning.add(task)
                task.add_done_callback(self._returning.discard)
        raise PoolTimeout(f"the database has not answered for {patience + ANSWER_S:g} s")

    async def listener(self) -> Connection:
        """A connection of its own for LISTEN; the caller closes it."""
        return await AsyncConnection.connect(self._dsn, autocommit=True, **self._connect)

    def statistics(self) -> dict[str, int]:
        """What the reading pool says of itself."""
        return self._read.get_stats()


async def rows(connection: Connection, query: Query, parameters: Parameters = ()) -> list[Row]:
    """All rows of a query whose answer is bounded."""
    cursor = await connection.execute(query, parameters, binary=True)
    return await cursor.fetchall()


async def row(connection: Connection, query: Query, parameters: Parameters = ()) -> Row | None:
    """The first row of a query, None if there is none."""
    cursor = await connection.execute(query, parameters, binary=True)
    return await cursor.fetchone()


async def chunks(connection: Connection, query: Query, parameters: Parameters) -> AsyncGenerator[list[Row]]:
    """The rows of a long answer, CHUNK_ROWS at a time."""
    async with connection.cursor(name="chunks", binary=True) as cursor:
        await cursor.execute(query, parameters)
        while found := await cursor.fetchmany(CHUNK_ROWS):
            yield found


class InstantLoader(Loader):
    """timestamptz to µs since 1970."""

    format = Format.BINARY
    _unpack = struct.Struct("!q").unpack

    def load(self, data: Buffer) -> int:
        """Return µs of UTC; infinity is not stored anywhere."""
        return int(self._unpack(data)[0]) + _PG_EPOCH_US


async def _prepare(connection: Connection) -> None:
    connection.adapters.register_loader("timestamptz", InstantLoader)


async def _prepare_reader(connection: Connection) -> None:
    await _prepare(connection)
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
