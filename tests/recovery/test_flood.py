"""One point at a hundred times the rate of the others: memory bounded, nobody starved, nothing refused."""

import json
from itertools import pairwise

import pytest

from deploy.broker import Broker
from deploy.postgres import PostgresServer
from ingest.mqtt.backlog import Limits
from ingest.mqtt.paho_socket import RECV_BYTES
from ingest.store.migrations import migrate
from tests.recovery.running import count, publish, rows, running
from tests.recovery.stream import BEGIN

pytestmark = pytest.mark.broker

SECOND_MS = 1000
SECONDS = 120
TIMES = 100
LIMITS = Limits(messages=500, bytes=64 << 10)
ONE_READ = RECV_BYTES // 60
"""The limits are looked at after a read; the smallest packet here has more than 60 bytes."""
OTHERS = ("temperature", "setpoint", "energy")


def flood() -> list[tuple[str, bytes]]:
    """Power a hundred times a second, the others once, each message numbered by its place."""
    messages: list[tuple[str, bytes]] = []

    def say(name: str, ts: int) -> None:
        body = {"ts": ts, "value": float(len(messages)), "seq": len(messages)}
        messages.append((f"plant/mill/line/{name}", json.dumps(body).encode()))

    begin = BEGIN // 1000
    for second in range(SECONDS):
        for n in range(TIMES):
            say("power", begin + second * SECOND_MS + n * SECOND_MS // TIMES)
            if n in (20, 50, 80):
                say(OTHERS[n // 30], begin + second * SECOND_MS + n)
    return messages


async def test_flooding_point(database_server: PostgresServer, mosquitto: Broker) -> None:
    dsn = database_server.dsn()
    await migrate(dsn)
    messages = flood()
    async with running(dsn, mosquitto, limits=LIMITS) as site:
        database_server.kill()  # so that there is a backlog to flood
        await publish(mosquitto, messages)
        await site.until(lambda: site.metric("stackwatt_broker_waiting") >= LIMITS.messages, "it to be full")
        assert site.metric("stackwatt_broker_waiting") < LIMITS.messages + ONE_READ
        database_server.start()
        await site.until(lambda: count(dsn, "reading") >= len(messages), "all to be stored")
        # What is held for open intervals is bounded by time, not by how much came: power's gap is a minute.
        assert site.metric("stackwatt_tail_readings") < 3 * 60 * (TIMES + len(OTHERS))
        await site.drained()
    assert count(dsn, "reading") == len(messages)
    assert count(dsn, "rejected") == 0
    # First come, first stored: no reading waits for one that was published after it, whoever floods.
    batches = rows(dsn, "SELECT batch_no FROM reading ORDER BY seq")
    assert all(earlier <= later for (earlier,), (later,) in pairwise(batches))
    assert len(set(batches)) > 1
