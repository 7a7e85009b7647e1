"""A TCP proxy in front of PostgreSQL that loses the connection around COMMIT.

It reads both directions as frames of the v3 protocol, so "before COMMIT" and "after
COMMIT" are exact. Every COMMIT that passes takes the next item of `script`; when
the script is at its end, everything passes. It can also cut all connections at once.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum

from psycopg.conninfo import conninfo_to_dict, make_conninfo

HELD_S = 0.15


class Cut(StrEnum):
    """What happens at a COMMIT."""

    PASS = "pass"
    BEFORE = "before"
    """The server never hears of it: both sides are hung up."""
    AFTER = "after"
    """The server has committed, the client never hears of it."""
    HELD = "held"
    """The client is hung up at once; the server hears COMMIT a moment later."""
    DEAF = "deaf"
    """The client is hung up, and the server is told nothing: its transaction stays open."""


COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"


async def _frame(reader: asyncio.StreamReader, *, typed: bool) -> bytes:
    """One whole message; the first of a client has no type."""
    head = await reader.readexactly(5 if typed else 4)
    length = int.from_bytes(head[-4:], "big") - 4
    return head + await reader.readexactly(length)


class PostgresProxy:
    """Listens on loopback and passes on to one server; see `proxied`."""

    def __init__(self, dsn: str) -> None:
        self._to = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
        self._dsn = dsn
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.script: deque[Cut] = deque()
        self.cuts: Counter[Cut] = Counter()
        self.cut_made = asyncio.Event()
        self.held_s = HELD_S
        self.port = 0

    @property
    def dsn(self) -> str:
        """The same database by way of the proxy."""
        return make_conninfo(
            self._dsn, host="127.0.0.1", port=self.port, sslmode="disable", gssencmode="disable"
        )

    def plan(self, script: Iterable[Cut]) -> None:
        """What to do at the next COMMITs."""
        self.script.extend(script)

    def cut_all(self) -> None:
        """Lose every connection now."""
        for writer in self._writers:
            writer.transport.abort()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client in a task of its own."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def close(self) -> None:
        """End what is left, deaf connections too."""
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._to["host"], self._to.get("port", "5432")
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, int(port))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on until either side ends."""
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                far_reader, far_writer = await self._connect()
                link = _Link(self, writer, far_writer)
                back = asyncio.create_task(link.backward(far_reader))
                try:
                    await link.forward(reader)
                finally:
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    far_writer.transport.abort()
        finally:
            writer.transport.abort()
            self._writers.discard(writer)


class _Link:
    """One client's connection and the one to the server behind it."""

    def __init__(self, proxy: PostgresProxy, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._near = near
        self._far = far
        self._cut_at_answer = False

    async def forward(self, reader: asyncio.StreamReader) -> None:
        """Client to server."""
        frame = await _frame(reader, typed=False)
        while True:
            if frame == COMMIT and await self._cut():
                return
            self._far.write(frame)
            await self._far.drain()
            frame = await _frame(reader, typed=True)

    async def backward(self, reader: asyncio.StreamReader) -> None:
        """Server to client."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(reader, typed=True)
                if frame == COMMITTED and self._cut_at_answer:
                    break
                self._near.write(frame)
                await self._near.drain()
        self._near.transport.abort()

    async def _cut(self) -> bool:
        """Whether the connection ends at this COMMIT."""
        script = self._proxy.script
        cut = script.popleft() if script else Cut.PASS
        self._proxy.cuts[cut] += 1
        if cut is not Cut.PASS:
            self._proxy.cut_made.set()
        match cut:
            case Cut.PASS:
                return False
            case Cut.AFTER:
                self._cut_at_answer = True
                return False
            case Cut.HELD:
                self._near.transport.abort()
                await asyncio.sleep(self._proxy.held_s)
                self._far.write(COMMIT)
                await self._far.drain()
                await asyncio.sleep(self._proxy.held_s)
            case Cut.DEAF:
                self._near.transport.abort()
                await asyncio.Event().wait()
            case Cut.BEFORE:
                pass
        return True


@asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[PostgresProxy]:
    """A proxy in front of the database of `dsn`, on a port of its own."""
    proxy = PostgresProxy(dsn)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = int(server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
