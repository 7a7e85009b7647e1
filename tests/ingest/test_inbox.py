"""What does not come by MQTT: HTTP's readings, imports, replayed refusals."""

import psycopg
from psycopg import AsyncConnection

from ingest.source import Delivery
from ingest.store.inbox import Inbox
from ingest.store.rejected import list_rejected, replay_rejected
from service.inbox import accept, envelope
from tests.ingest.feeding import START, message, open_site, readings


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
