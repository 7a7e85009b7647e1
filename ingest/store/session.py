"""One session on the server at a time, and nothing left of the one before.

When a connection is lost, the server may not know it yet: its side of the session
lives on, perhaps with a transaction that is still to commit and with its locks. So a
new session first ends the one before it, and only then is looked at what that one
has committed. Should we vanish together with our network, the server finds out by
its own keepalive, not after the two hours of TCP.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import AsyncConnection, DataError, IntegrityError, OperationalError
from psycopg.conninfo import make_conninfo
from psycopg.errors import IdleInTransactionSessionTimeout, RaiseException, ReadOnlySqlTransaction

END_MS = 5000
"""Longest wait for the server to end the session before."""
SILENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
"""Our side, in s (the last in ms): a server that is silent for so long is gone."""
SETTINGS = """
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2;
"""
"""The server's side of the same."""
ABANDONED_S = 30
"""After so long the server ends a transaction that asks nothing of it: who comes next waits for its locks.

Keepalives do not find out that we are gone where something between us holds the connection.
"""


@dataclass(frozen=True, slots=True)
class Backend:
    """A session as the server knows it; a pid alone is given again."""

    pid: int
    started_at: datetime


class Session:
    """A connection that is made again when it is lost."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: AsyncConnection | None = None
        self._backend: Backend | None = None

    @property
    def current(self) -> AsyncConnection | None:
        """The connection, as long as nothing says that it is lost."""
        connection = self._connection
        return None if connection is None or connection.closed or connection.broken else connection

    async def alive(self) -> bool:
        """Whether the server still answers on the connection, and so still holds its locks."""
        if self.current is None:
            return False
        try:
            await self.current.execute("SELECT 1")
        except OperationalError:
            return False
        return True

    async def renew(self, prepare: Callable[[AsyncConnection], Awaitable[None]]) -> AsyncConnection:
        """Connect, end what the server still has of the session before, and prepare the new one.

        Raises:
            psycopg.OperationalError: the server is away, or the session before does not end.
        """
        await self.drop()
        async with AsyncExitStack() as stack:
            connection = await connected(self._dsn)
            stack.push_async_callback(connection.close)
            if self._backend is not None:
                await _end(connection, self._backend)
            self._backend = await _backend(connection)
            await prepare(connection)
            self._connection = connection
            stack.pop_all()
        return connection

    async def drop(self) -> None:
        """Hang up; the next session sees to it that the server has noticed."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def connected(dsn: str) -> AsyncConnection:
    """A connection, autocommitting, on which neither side waits for ever for the other."""
    connection = await AsyncConnection.connect(make_conninfo(dsn, **SILENCE), autocommit=True)
    try:
        await connection.execute(SETTINGS)
        await connection.execute(f"SET idle_in_transaction_session_timeout = '{ABANDONED_S:d}s'".encode())
    except BaseException:
        await connection.close()
        raise
    return connection


def lost(error: psycopg.Error) -> bool:
    """Whether to try again: connection, resources, serialisation, a server that only reads, or has given us up."""
    return isinstance(error, OperationalError | ReadOnlySqlTransaction | IdleInTransactionSessionTimeout)


def about_data(error: psycopg.Error) -> bool:
    """Whether the database refuses what a transaction holds, rather than the transaction as such."""
    return isinstance(error, DataError | IntegrityError | RaiseException)


async def _backend(connection: AsyncConnection) -> Backend:
    cursor = await connection.execute(
        "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    )
    row = await cursor.fetchone()
    assert row is not None
    return Backend(*row)


async def _end(connection: AsyncConnection, former: Backend) -> None:
    cursor = await connection.execute(
        """
        SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s
        """,
        [END_MS, former.pid, former.started_at],
    )
    if await cursor.fetchone() == (False,):
        raise OperationalError(f"the session before this one (server process {former.pid}) does not end")
