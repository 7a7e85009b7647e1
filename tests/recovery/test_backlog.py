"""While the database is away what is held in memory is bounded; the broker keeps the rest, and all of it arrives."""

import asyncio

import pytest

from deploy.broker import Broker
from deploy.postgres import PostgresServer
from ingest.mqtt.backlog import Limits
from ingest.mqtt.paho_socket import RECV_BYTES
from ingest.store.migrations import migrate
from tests.recovery.running import count, publish, running
from tests.recovery.stream import stream

LIMITS = Limits(messages=300, bytes=64 << 10)
ONE_READ = RECV_BYTES // 60
"""The limits are looked at after a read; the smallest packet here has more than 60 bytes."""


@pytest.mark.broker
async def test_backlog_is_bounded_while_the_database_is_away(
    database_server: PostgresServer, mosquitto: Broker
) -> None:
    dsn = database_server.dsn()
    await migrate(dsn)
    flow = stream(minutes=60)
    async with running(dsn, mosquitto, limits=LIMITS) as site:
        database_server.kill()
        await publish(mosquitto, [(message.topic, message.payload) for message in flow])
        await site.until(lambda: "database" in site.status.trouble, "the database to be missed")
        await site.until(
            lambda: site.metric("stackwatt_broker_waiting") >= LIMITS.messages, "the backlog to be full"
        )
        received = site.metric("stackwatt_broker_received_total")
        await asyncio.sleep(0.5)  # reading has stopped, and stays so
        assert site.metric("stackwatt_broker_received_total") == received < len(flow) / 2
        assert site.metric("stackwatt_broker_waiting") < LIMITS.messages + ONE_READ
        assert not (await site.readyz())["ready"]
        database_server.start()
        expected = sum(len(message.rows) for message in flow)
        await site.until(lambda: count(dsn, "reading") >= expected, "all to arrive")
        await site.until(lambda: site.status.ready, "the site to be ready")
        assert site.metric("stackwatt_broker_redelivered_total") == 0
        assert site.metric("stackwatt_broker_reconnects_total") == 0
        await site.drained()
    assert count(dsn, "reading") == expected
