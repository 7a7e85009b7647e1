"""SIGTERM: what was received is committed and acknowledged, and nothing comes a second time."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from deploy.broker import Broker
from deploy.postgres import PostgresServer
from tests.recovery.process import IngestProcess
from tests.recovery.running import count, publish
from tests.recovery.stream import stream

pytestmark = pytest.mark.broker


@contextmanager
def busy(dsn: str) -> Iterator[psycopg.Connection]:
    """A database in which nothing can be committed for a while."""
    with psycopg.connect(dsn) as connection:
        connection.execute("LOCK TABLE ingest_commit IN EXCLUSIVE MODE")
        yield connection


def messages(minutes: int) -> list[tuple[str, bytes]]:
    return [(message.topic, message.payload) for message in stream(minutes)]


def held(minutes: int) -> int:
    return sum(len(message.rows) for message in stream(minutes))


async def test_nothing_comes_again_after_a_clean_stop(
    ingest: IngestProcess, database_server: PostgresServer, mosquitto: Broker
) -> None:
    def received() -> float:
        return ingest.metric("stackwatt_broker_received_total")

    def waiting() -> float:
        return ingest.metric("stackwatt_broker_waiting")

    dsn = database_server.dsn()
    ingest.start()
    ingest.until_caught_up()
    with busy(dsn) as connection:
        first, *others = messages(10)
        await publish(mosquitto, [first])
        ingest.until(lambda: received() == 1 and waiting() == 0, "the first to be taken, and held up")
        await publish(mosquitto, others)
        ingest.until(lambda: received() == 1 + len(others), "all to be received")
        assert waiting() > 0
        ingest.terminate()
        await asyncio.sleep(0.5)  # it has heard, and waits
        connection.rollback()
    assert ingest.ended(15) == 0
    assert count(dsn, "reading") == held(10)
    ingest.start()
    ingest.until_caught_up()
    assert ingest.metric("stackwatt_broker_redelivered_total") == 0
    assert ingest.metric("stackwatt_broker_received_total") == 0
    await publish(mosquitto, messages(10)[:1])
    ingest.until(lambda: ingest.metric("stackwatt_messages_total") == 1, "the next message")
    assert ingest.metric("stackwatt_duplicates_total") + ingest.metric("stackwatt_late_total") <= 1
    ingest.terminate()
    assert ingest.ended(15) == 0
    assert "Traceback" not in ingest.said


async def test_database_that_does_not_answer_holds_the_stop_up_for_seconds_only(
    ingest: IngestProcess, database_server: PostgresServer, mosquitto: Broker
) -> None:
    dsn = database_server.dsn()
    ingest.start()
    ingest.until_caught_up()
    with busy(dsn) as connection:
        await publish(mosquitto, messages(1))
        ingest.until(lambda: ingest.metric("stackwatt_broker_received_total") > 0, "messages to be received")
        ingest.terminate()
        assert ingest.ended(15) == 0
        connection.rollback()
    assert "stays with the broker" in ingest.said
    assert "Traceback" not in ingest.said
    ingest.start()
    ingest.until(lambda: count(dsn, "reading") == held(1), "all to be stored after all")
    assert count(dsn, "(SELECT DISTINCT point_no, measured_at FROM reading) r") == held(1)


async def test_database_that_holds_its_answer_back_is_said_to_be_away(
    ingest: IngestProcess, database_server: PostgresServer, mosquitto: Broker
) -> None:
    dsn = database_server.dsn()
    ingest.start()
    ingest.until_caught_up()
    with busy(dsn) as connection:
        await publish(mosquitto, messages(1))
        assert "not answered" in ingest.until_missing("database")["database"]
        assert ingest.metric("stackwatt_messages_total") == 0
        connection.rollback()
    ingest.until_ready()
    ingest.until(lambda: count(dsn, "reading") == held(1), "all to be stored")
    assert ingest.metric("stackwatt_commit_retries_total") == 0


async def test_told_to_stop_under_load_it_commits_what_it_has_and_ends(
    ingest: IngestProcess, database_server: PostgresServer, mosquitto: Broker
) -> None:
    """Ten seconds are what a supervisor grants; messages keep coming while it stops."""
    dsn = database_server.dsn()
    ingest.start()
    ingest.until_caught_up()
    flood = asyncio.create_task(publish(mosquitto, messages(150)))
    await asyncio.sleep(0.1)  # its thread has begun
    ingest.until(lambda: ingest.metric("stackwatt_messages_total") > 0, "the first messages")
    ingest.terminate()
    assert ingest.ended(10) == 0
    taken = count(dsn, "reading")
    assert 0 < taken < held(150)
    await flood
    ingest.start()
    ingest.until(lambda: count(dsn, "reading") >= held(150), "the rest to be stored")
    ingest.until_caught_up()
    ingest.terminate()
    assert ingest.ended(10) == 0
    assert count(dsn, "reading") == held(150)
    assert "stays with the broker" not in ingest.said
    assert "Traceback" not in ingest.said
