"""The database goes and comes back; the process is told to stop."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingest.errors import InputError
from service.app import create_app
from service.main import run
from service.store import Store
from tests.service.conftest import ADMIN_KEY, Clock, SeededDatabase
from tests.service.serving import serving
from tests.service.test_live import BEARER, figures_until, stream
from tests.service.test_routes import problem_of

FIGURES = "/v1/kpis/latest"


class Proxy:
    """A TCP way to the database that can be cut."""

    def __init__(self, dsn: str) -> None:
        self._target = conninfo_to_dict(dsn)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def dsn(self) -> str:
        return make_conninfo("", **{**self._target, "host": "127.0.0.1", "port": str(self.port)})

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = str(self._target["host"]), self._target["port"]
        if host.startswith("/"):
            far_reader, far_writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far_reader, far_writer = await asyncio.open_connection(host, int(str(port)))
        self._open |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._open -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def proxy(shared: SeededDatabase) -> AsyncIterator[Proxy]:
    """The way to the shared database."""
    made = Proxy(shared.dsn)
    await made.up()
    yield made
    await made.down()


@pytest.fixture
async def server(proxy: Proxy, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A service that reaches its database through the proxy."""
    async with (
        serving(create_app(proxy.dsn, ADMIN_KEY, now=clock)) as address,
        httpx.AsyncClient(base_url=address, timeout=30, headers=BEARER) as client,
    ):
        yield client


async def test_while_the_database_is_away_it_is_said_and_afterwards_forgotten(
    server: httpx.AsyncClient, proxy: Proxy
) -> None:
    for _ in range(2):
        before = (await server.get(FIGURES)).json()
        await proxy.down()
        for path in (FIGURES, "/v1/points/cement/kiln/power/readings", "/readyz"):
            response = await server.get(path)
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) > 0
            assert problem_of(response).type.endswith("database-away")
        assert (await server.get("/healthz")).status_code == 200
        assert "stackwatt_service_database_up 0.0" in (await server.get("/metrics")).text
        await proxy.up()
        await answered(server)
        assert (await server.get(FIGURES)).json() == before


async def test_a_stream_outlives_the_database(server: httpx.AsyncClient, proxy: Proxy, clock: Clock) -> None:
    async with asyncio.timeout(60), stream(server, BEARER) as found:
        await figures_until(found, ("cement/power", "1h"))
        await proxy.down()
        async for name, data in found:
            if name == "status" and not data["database"]:
                assert set(data["sites"]) == {"cement", "steel"}
                break
        clock.now += 400_000_000
        assert (await figures_until(found, ("cement/power", "1h")))["reason"] == "stale"
        clock.now -= 400_000_000
        await proxy.up()
        async for name, data in found:
            if name == "status" and data["database"]:
                return


async def test_a_service_may_start_before_its_database(shared: SeededDatabase, clock: Clock) -> None:
    proxy = Proxy(shared.dsn)
    await proxy.up()
    await proxy.down()
    async with (
        serving(create_app(proxy.dsn, ADMIN_KEY, now=clock)) as address,
        httpx.AsyncClient(base_url=address, timeout=30, headers=BEARER) as client,
    ):
        assert (await client.get("/readyz")).status_code == 503
        await proxy.up()
        await answered(client)
        await proxy.down()


async def answered(client: httpx.AsyncClient) -> None:
    """Ask, as Retry-After says, until there is an answer."""
    async with asyncio.timeout(30):
        while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110  as a client does
            await asyncio.sleep(0.2)


SERVE = """
import asyncio, os
from service.main import run
raise SystemExit(asyncio.run(run(os.environ["DSN"], "127.0.0.1", int(os.environ["PORT"]), "k")))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_ends_its_streams_and_returns_0(
    shared: SeededDatabase, free_port: int, number: signal.Signals
) -> None:
    environment = {**os.environ, "DSN": shared.dsn, "PORT": str(free_port)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, env=environment)
    address = f"http://127.0.0.1:{free_port}"
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        await reachable(client)
        async with stream(client, {"Authorization": "Bearer k"}) as found:
            await anext(found)
            process.send_signal(number)
            names = [name async for name, _ in found]
            assert names[-1] == "bye"
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def reachable(client: httpx.AsyncClient) -> None:
    """Wait for the process to listen."""
    async with asyncio.timeout(30):
        while True:
            with suppress(httpx.TransportError):
                if (await client.get("/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def test_an_address_that_is_taken_is_one_sentence(shared: SeededDatabase) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(
            InputError, match=r"cannot listen on 127\.0\.0\.1 port \d+: .*; expected a free port\."
        ):
            await run(shared.dsn, "127.0.0.1", taken.getsockname()[1], None)


async def test_the_readers_connections_cannot_write(shared: SeededDatabase) -> None:
    store = Store(shared.dsn)
    await store.open()
    try:
        async with store.snapshot() as connection:
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                await connection.execute("DELETE FROM reading")
    finally:
        await store.close()
