"""A database that is there and does nothing: both parts say so, and neither waits for it when told to stop."""

import asyncio

import httpx
import pytest

from deploy.broker import Broker
from deploy.postgres import PostgresServer
from ingest.store.migrations import migrate
from service.app import create_app
from tests.recovery.pausing import paused
from tests.recovery.process import IngestProcess
from tests.recovery.running import count, publish
from tests.recovery.stream import stream


@pytest.mark.broker
async def test_ingest_says_so_and_ends_when_told_to(
    ingest: IngestProcess, database_server: PostgresServer, mosquitto: Broker
) -> None:
    assert database_server.process is not None
    flow = stream(minutes=2)
    ingest.start()
    ingest.until_caught_up()
    with paused(database_server.process.pid):
        await publish(mosquitto, [(message.topic, message.payload) for message in flow])
        ingest.until_missing("database")
        ingest.terminate()
        assert ingest.ended(10) == 0
    assert "Traceback" not in ingest.said
    expected = sum(len(message.rows) for message in flow)
    ingest.start()
    ingest.until(lambda: count(database_server.dsn(), "reading") >= expected, "all to be stored")
    ingest.until_caught_up()
    assert count(database_server.dsn(), "reading") == expected


async def test_service_says_so_and_answers_again_afterwards(database_server: PostgresServer) -> None:
    dsn = database_server.dsn()
    await migrate(dsn)
    app = create_app(dsn, "key of the tests")
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", timeout=20) as client,
    ):
        assert (await client.get("/readyz")).status_code == 200
        assert database_server.process is not None
        with paused(database_server.process.pid):
            answers = await asyncio.gather(*(client.get("/readyz") for _ in range(5)))
            assert [answer.status_code for answer in answers] == [503] * 5
            assert "stackwatt_service_database_up 0.0" in (await client.get("/metrics")).text
        async with asyncio.timeout(20):
            while (await client.get("/readyz")).status_code != 200:
                pass
