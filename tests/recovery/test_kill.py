"""`kill -9` of ingest and of the database while messages flow: nothing lost, nothing doubled, the same figures."""

import random
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion

from deploy.broker import Broker
from deploy.postgres import PostgresServer
from tests.ingest.feeding import SECOND, feed, figures, open_site, readings
from tests.recovery.process import IngestProcess, ingesting, until
from tests.recovery.running import count, rows
from tests.recovery.stream import END, PLANT, Message, Row, delayed, stream

INGEST_KILLS = 20
DATABASE_KILLS = 5
FLOW_S = 40.0
"""How long the messages take to be published."""


class Publisher:
    """Publishes at an even pace, QoS 1, in a thread of its own."""

    def __init__(self, broker: Broker, messages: Sequence[Message], seconds: float) -> None:
        self._messages = messages
        self._per_second = len(messages) / seconds
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="plant")
        self._client.connect(broker.host, broker.port)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def done(self) -> bool:
        """Whether the broker has acknowledged all."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        begun = time.monotonic()
        out: list[MQTTMessageInfo] = []
        for number, message in enumerate(self._messages):
            time.sleep(max(0.0, begun + number / self._per_second - time.monotonic()))
            out.append(self._client.publish(message.topic, message.payload, qos=1))
        for info in out:
            info.wait_for_publish(60)


def stored(dsn: str) -> list[Row]:
    query = """
        SELECT id, (extract(epoch FROM measured_at) * 1000000)::bigint, value, seq
          FROM reading JOIN point USING (point_no) ORDER BY id, measured_at, value, seq
    """
    return [(point, at, value, seq) for point, at, value, seq in rows(dsn, query)]


def compared(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """All figures of what lies before END."""
    end = datetime.fromtimestamp(END / SECOND, UTC)
    return {table: [row for row in rows if row[1] < end] for table, rows in figures(dsn).items()}


def torment(ingest: IngestProcess, database: PostgresServer, dice: random.Random) -> None:
    """Kill ingest and database at random moments, some before ingest is ready, some together."""
    with_database = set(dice.sample(range(INGEST_KILLS), DATABASE_KILLS))
    for life in range(INGEST_KILLS):
        if dice.random() < 0.7:
            ingest.until_ready()
        time.sleep(dice.uniform(0.0, 1.0))
        if life in with_database:
            database.kill()
            time.sleep(dice.uniform(0.0, 0.5))
        assert ingest.alive, ingest.said[-3000:]
        ingest.kill()
        ingest.start()
        if life in with_database:
            time.sleep(dice.uniform(0.0, 1.0))
            database.start()


@pytest.mark.broker
@pytest.mark.timeout(240)
async def test_kill_9_loses_and_doubles_nothing(
    dsn: str, database_server: PostgresServer, mosquitto: Broker, http_port: int, tmp_path: Path
) -> None:
    dice = random.Random(22)
    messages = delayed(stream(minutes=40), dice)
    plant = tmp_path / "mill.yaml"
    plant.write_text(PLANT, encoding="utf-8")
    other = database_server.dsn()
    with ingesting(
        dsn=other, mqtt_url=mosquitto.url, plant=plant, port=http_port, log=tmp_path / "ingest.log"
    ) as ingest:
        ingest.start()
        ingest.until_caught_up()
        with Publisher(mosquitto, messages, FLOW_S) as publisher:
            torment(ingest, database_server, dice)
            until(lambda: publisher.done, "the last acknowledgement of the broker", FLOW_S + 60)
        sent = sorted(row for message in messages for row in message.rows)
        ingest.until(lambda: count(other, "reading") >= len(sent), "the last reading to be stored")
        ingest.until_ready()
        ingest.terminate()
        assert ingest.ended(15) == 0
    # Most lives have committed something, and late readings were among it.
    assert rows(other, "SELECT count(DISTINCT epoch) FROM ingest_commit")[0][0] > INGEST_KILLS / 2
    assert count(other, "interval WHERE revision > 1") > 0
    assert stored(other) == sent
    straight = await open_site(dsn, PLANT)
    await feed(straight, [message.delivery() for message in messages], batch=500)
    await straight.close()
    assert readings(dsn) == readings(other)
    left, right = compared(dsn), compared(other)
    assert all(left.values())
    for table, figures_of in left.items():
        assert figures_of == right[table], table
