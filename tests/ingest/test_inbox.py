"""What does not come by MQTT: HTTP's readings, imports, replayed refusals."""

import json

import psycopg
from psycopg import AsyncConnection

from ingest.source import Delivery
from ingest.store.inbox import Inbox, opened
from ingest.store.rejected import list_rejected, replay_rejected
from service.inbox import accept, envelope
from tests.ingest.feeding import SECOND, START, feed, figures, message, open_site, readings


async def test_a_reading_by_http_is_taken_once(dsn: str) -> None:
    ingest = await open_site(dsn)
    inbox = Inbox(1, lambda: START)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        body = envelope("plant/mill/line/power", b'{"ts": 1795161600000, "value": 12.50}')
        for _ in range(2):
            await accept(connection, 1, "reading", body, "key-1", "test")
        rows = await inbox.collect(connection, 10)
        assert [row.payload for row in rows] == [b'{"ts": 1795161600000, "value": 12.50}']
        assert await inbox.collect(connection, 10) == []
        await ingest.take(rows, caught_up=False, inbox=True)
        inbox.rewind()
        assert await inbox.collect(connection, 10) == []
    await ingest.close()
    assert [(row[0], row[2]) for row in readings(dsn)] == [("mill/line/power", 12.5)]


async def test_a_refused_message_can_be_replayed_once_its_cause_is_mended(dsn: str) -> None:
    ingest = await open_site(dsn)
    wrong = Delivery(topic="plant/mill/line/power", payload=b"{not json \xff", received_at=START)
    unknown = message("line/unheard-of", START, 1.0)
    await ingest.take([wrong, unknown], caught_up=False)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        kept = await list_rejected(connection)
        assert {row.reason for row in kept} == {"malformed", "unknown_point"}
        assert await replay_rejected(connection, [row.rejected_no for row in kept]) == 2
        inbox = Inbox(1, lambda: START)
        rows = await inbox.collect(connection, 10)
        assert unknown.payload in {row.payload for row in rows}
        await ingest.take(rows, caught_up=False, inbox=True)
        assert len(await list_rejected(connection)) == 4
    await ingest.close()


async def test_late_readings_of_an_inbox_row_are_stored_with_it(dsn: str) -> None:
    ingest = await open_site(dsn)
    for i in range(60):
        await ingest.take([message("line/setpoint", START + i * 10_000_000, 5.0)], caught_up=False)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        body = envelope("plant/mill/line/setpoint", b'{"ts": 1795161605000, "value": 7}')
        await accept(connection, 1, "reading", body, "late", "test")
        rows = await Inbox(1, lambda: START + 700_000_000).collect(connection, 10)
        await ingest.take(rows, caught_up=False, inbox=True)
    await ingest.close()
    with psycopg.connect(dsn) as plain:
        row = plain.execute(
            """
            SELECT revision, cause, max FROM interval JOIN point USING (point_no)
             WHERE id = 'mill/line/setpoint' ORDER BY start_at LIMIT 1
            """
        ).fetchone()
    assert row == (2, 1, 7.0)


async def test_a_row_with_late_and_fresh_readings_equals_the_same_by_mqtt(dsn: str, other_dsn: str) -> None:
    """Late readings are folded among what is stored: the fresh ones of their row have to be there first."""
    before = [message("line/setpoint", START + n * 10 * SECOND, 5.0) for n in range(26)]
    before.append(message("line/energy", START + 310 * SECOND, 1.0))
    at = [START + second * SECOND for second in (290, 320, 330, 400, 700, 900)]
    body = {"ts": [t // 1000 for t in at], "value": [7.0, 8.0, 9.0, 1.0, 2.0, 3.0]}
    payload = json.dumps(body).encode()
    by_mqtt = await open_site(other_dsn)
    await feed(by_mqtt, before)
    await feed(by_mqtt, [Delivery("plant/mill/line/setpoint", payload, at[-1])])
    await by_mqtt.close()
    ingest = await open_site(dsn)
    await feed(ingest, before)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await accept(connection, 1, "reading", envelope("plant/mill/line/setpoint", payload), "key", "test")
        rows = await Inbox(1, lambda: at[-1]).collect(connection, 10)
        await ingest.take(rows, caught_up=False, inbox=True)
        cursor = await connection.execute("SELECT count(*) FROM inbox WHERE batch_no IS NULL")
        assert await cursor.fetchone() == (0,)
    await ingest.close()
    assert readings(dsn) == readings(other_dsn)
    assert figures(dsn) == figures(other_dsn)


async def test_a_row_arrives_once(dsn: str) -> None:
    ingest = await open_site(dsn)
    inbox = Inbox(1, lambda: 2**61)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await accept(connection, 1, "reading", envelope("plant/mill/line/power", b"12.5"), "key", "test")
        (first,) = await inbox.collect(connection, 10)
        inbox.rewind()
        assert await inbox.collect(connection, 10) == [first]
    await ingest.close()


async def test_rows_of_another_kind_wait_for_who_knows_them(dsn: str) -> None:
    ingest = await open_site(dsn)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await accept(connection, 1, "order", "{}", "key", "test")
        assert await Inbox(1, lambda: START).collect(connection, 10) == []
    await ingest.close()


def test_a_body_that_is_no_envelope_becomes_a_message_to_refuse() -> None:
    deep = '{"topic": "t", "payload": ' + "[" * 5000 + "]" * 5000 + "}"
    for body in ("", "{", '{"payload": 1}', '{"topic": 1}', '{"topic": "t", "base64": "?"}', deep):
        envelope = opened(7, body)
        assert (envelope.topic, envelope.content) == ("inbox/7", body.encode())


def test_a_topic_without_a_column_that_holds_it_is_made_one_that_is_refused() -> None:
    envelope = opened(7, '{"topic": "plant/mill\\u0000", "payload": 1}')
    assert (envelope.topic, envelope.content) == ("plant/mill\N{REPLACEMENT CHARACTER}", b"1")
