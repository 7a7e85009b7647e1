"""Killed again and again while it takes in what has waited at the broker: every message once in the end."""

import asyncio

import pytest

from deploy.broker import Broker
from tests.recovery.running import Running, count, publish, rows, running
from tests.recovery.stream import LAST_ROUND, stream

pytestmark = pytest.mark.broker

MESSAGES_A_BATCH = 40


async def taken(site: Running, least: int) -> None:
    """Return as soon as so many messages were handed out in this life."""
    while site.metric("stackwatt_messages_total") < least:  # noqa: ASYNC110  a metric tells nobody
        await asyncio.sleep(0)


async def test_killed_in_the_middle_of_catching_up(
    dsn: str, mosquitto: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.run.MESSAGES_PER_BATCH", MESSAGES_A_BATCH)
    flow = stream(minutes=40)
    expected = sum(len(message.rows) for message in flow)
    async with running(dsn, mosquitto) as site:
        await site.drained()
    await publish(mosquitto, [(message.topic, message.payload) for message in flow])
    stored = []
    for _ in range(4):
        async with running(dsn, mosquitto, await_caught_up=False) as site:
            await taken(site, 5 * MESSAGES_A_BATCH)
            assert not site.status.caught_up
            await site.killed()
        stored.append(count(dsn, "reading"))
    assert 0 < stored[0] <= stored[-1] < expected
    async with running(dsn, mosquitto) as site:
        assert site.metric("stackwatt_broker_redelivered_total") > 0
        await site.until(lambda: count(dsn, "reading") >= expected, "all to be stored")
        await site.drained()
    assert count(dsn, "reading") == expected
    assert rows(dsn, "SELECT sum(readings) FROM ingest_commit") == [(expected,)]
    assert len(flow) > LAST_ROUND
