"""What the database refuses: bisected down to the message, which is kept; everything else is stored once."""

import json

import psycopg
import pytest

from deploy.broker import Broker
from ingest.errors import RefusedFiguresError
from ingest.model import MINUTE
from ingest.source import Delivery
from tests.ingest.feeding import SECOND, START, a_day, feed, figures, message, open_site, readings
from tests.recovery.running import count, publish, rows, running
from tests.recovery.stream import BEGIN, stream

POISON = 666.25


def constrain(dsn: str, table: str, check: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT no_poison CHECK ({check}) NOT VALID".encode())


def free(dsn: str, table: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT no_poison".encode())


def poisoned(at: int, value: float = POISON) -> Delivery:
    return message("line/power", at, value)


async def test_poison_among_many_is_kept_as_unstorable_and_the_rest_stored(dsn: str, other_dsn: str) -> None:
    wholesome = list(a_day(0.2))
    straight = await open_site(dsn)
    await feed(straight, wholesome)
    await straight.close()
    constrain(other_dsn, "reading", f"value <> {POISON}")
    messages = [*wholesome]
    for place in (0, 77, 78, 300, len(wholesome)):
        messages.insert(place, poisoned(START + place * SECOND))
    ingest = await open_site(other_dsn)
    assert await feed(ingest, messages, batch=64) == len(messages)
    await ingest.close()
    assert readings(dsn) == readings(other_dsn)
    left, right = figures(dsn), figures(other_dsn)
    for table, found in left.items():
        assert found == right[table], table
    kept = rows(
        other_dsn, "SELECT topic, payload, element, reason, detail FROM rejected ORDER BY rejected_no"
    )
    assert len(kept) == 5
    for topic, payload, element, reason, detail in kept:
        assert (topic, element, reason) == ("plant/mill/line/power", None, "unstorable")
        assert json.loads(payload)["value"] == POISON
        assert "no_poison" in detail
        assert "\n" not in detail
    assert rows(other_dsn, "SELECT reason, total FROM rejected_count") == [("unstorable", 5)]


async def test_poison_that_comes_late(dsn: str, other_dsn: str) -> None:
    wholesome = list(a_day(0.2))
    late = [message("line/power", START + n * SECOND, float(n)) for n in (61, 62, 63, 121, 122)]
    straight = await open_site(dsn)
    await feed(straight, [*wholesome, *late])
    await straight.close()
    constrain(other_dsn, "reading", f"value <> {POISON}")
    ingest = await open_site(other_dsn)
    assert await feed(ingest, wholesome) == len(wholesome)
    mixed = [*late[:2], poisoned(START + 61 * SECOND), *late[2:], poisoned(START + 200 * SECOND)]
    assert await feed(ingest, mixed) == len(mixed)
    await ingest.close()
    assert readings(dsn) == readings(other_dsn)
    assert figures(dsn) == figures(other_dsn)
    kept = rows(other_dsn, "SELECT reason, payload FROM rejected")
    assert [reason for reason, _ in kept] == ["unstorable"] * 2
    assert {json.loads(payload)["value"] for _, payload in kept} == {POISON}


async def test_figures_that_are_refused_are_blamed_on_no_message(dsn: str) -> None:
    messages = list(a_day(0.2))
    constrain(dsn, "interval", "amount IS NULL")
    ingest = await open_site(dsn)
    with pytest.raises(RefusedFiguresError, match="no message is to blame"):
        await feed(ingest, messages)
    await ingest.close()
    assert count(dsn, "rejected") == 0
    free(dsn, "interval")
    again = await open_site(dsn)
    assert await feed(again, messages) == len(messages)
    await again.close()
    assert len(readings(dsn)) == len(messages)


async def test_amounts_too_large_for_any_sum_are_kept_and_in_no_sum(dsn: str) -> None:
    ingest = await open_site(dsn)
    huge = [message("line/batch", START + n * MINUTE, 4e15) for n in range(1, 11)]
    later = [message("line/batch", START + n * MINUTE, 0.125) for n in range(11, 14)]
    assert await feed(ingest, [*huge, *later]) == 13
    await ingest.close()
    kept = rows(dsn, "SELECT value, quality, reasons FROM reading ORDER BY measured_at LIMIT 10")
    assert kept == [(4e15, 3, 1)] * 10
    assert rows(dsn, "SELECT amount, amount_count FROM interval_hour JOIN point USING (point_no)") == [
        (0.25, 250)
    ]


@pytest.mark.broker
async def test_poison_by_mqtt_is_acknowledged_and_does_not_come_again(dsn: str, mosquitto: Broker) -> None:
    constrain(dsn, "reading", f"value <> {POISON}")
    bad = json.dumps({"ts": BEGIN // 1000 + 7, "value": POISON}).encode()
    messages = [(one.topic, one.payload) for one in stream(minutes=1)]
    messages[20:20] = [("plant/mill/line/power", bad)]
    expected = sum(len(one.rows) for one in stream(minutes=1))
    async with running(dsn, mosquitto) as site:
        await publish(mosquitto, messages)
        await site.until(lambda: count(dsn, "reading") == expected, "all but the poison to be stored")
        await site.until(lambda: count(dsn, "rejected") == 1, "the poison to be kept")
        await site.drained()
    async with running(dsn, mosquitto) as site:
        assert site.metric("stackwatt_broker_received_total") == 0
    assert count(dsn, "reading") == expected
