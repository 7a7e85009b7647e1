"""Our clock steps while messages flow, an hour back and a day ahead: nothing lost, refused or different."""

import random
import time
from typing import Any

import pytest

from deploy.broker import Broker
from ingest.model import DAY, HOUR, MINUTE
from ingest.plant import canonical, parse_plant, plan_from_body
from tests.ingest.definition import defined, stored
from tests.recovery.running import SECOND, Running, ShiftedClock, count, publish, rows, running
from tests.recovery.stream import PLANT, Message, Stream

pytestmark = pytest.mark.broker

MINUTES = 20
"""Of event time before and after each step."""


def flow(make: Stream, begin: int, dice: random.Random) -> list[tuple[str, bytes]]:
    messages: list[Message] = []
    for second in range(0, MINUTES * 60, 2):
        at = begin + second * SECOND
        messages.append(make.unit(at, {"power": dice.uniform(0, 900), "setpoint": 5.0, "running": 1.0}))
        if second % 10 == 0:
            messages.append(make.single("line/temperature", at, dice.uniform(10, 30)))
    return [(message.topic, message.payload) for message in messages]


def figures_by_definition(dsn: str, until: int) -> tuple[Any, Any]:
    _, body = canonical(parse_plant(PLANT, "mill.yaml"))
    return stored(dsn, until), defined(dsn, plan_from_body(body, 1), until)


async def all_taken(site: Running, dsn: str, expected: int) -> None:
    await site.until(lambda: count(dsn, "reading") >= expected, "all to be stored")
    await site.until(lambda: site.status.ready, "the site to be ready")


async def test_clock_steps_both_ways_while_messages_flow(dsn: str, mosquitto: Broker) -> None:
    dice, make, clock = random.Random(4), Stream(), ShiftedClock()
    # Each stretch follows the one before; the last ends now, so that a clock an hour back is behind it.
    end = time.time_ns() // 1000 // MINUTE * MINUTE
    begins = [end - n * MINUTES * MINUTE for n in (5, 4, 3, 2, 1)]
    parts = [flow(make, begin, dice) for begin in begins]
    readings = [sum(3 if topic.endswith("/line") else 1 for topic, _ in part) for part in parts]
    async with running(dsn, mosquitto, clock=clock) as site:
        await publish(mosquitto, parts[0])
        await all_taken(site, dsn, readings[0])
        clock.shift = DAY
        await publish(mosquitto, parts[1])
        await all_taken(site, dsn, sum(readings[:2]))
        clock.shift = 0
        await publish(mosquitto, parts[2])
        await all_taken(site, dsn, sum(readings[:3]))
        clock.shift = -3 * HOUR
        await publish(mosquitto, parts[3])
        await site.until(lambda: "clock" in site.status.trouble, "the clock to be the suspect")
        assert count(dsn, "reading") == sum(readings[:3])
        clock.shift = 0
        await all_taken(site, dsn, sum(readings[:4]))
        await site.drained()
    clock.shift = -HOUR + 20 * SECOND  # stepped while nobody ran; then readings are ahead of it
    async with running(dsn, mosquitto, clock=clock) as site:
        await publish(mosquitto, parts[4])
        await site.until(lambda: "clock" in site.status.trouble, "the clock to be the suspect again")
        clock.shift = 0
        await all_taken(site, dsn, sum(readings))
        await site.drained()
    assert count(dsn, "reading") == sum(readings)
    assert count(dsn, "rejected") == 0
    assert rows(dsn, "SELECT DISTINCT quality, reasons FROM reading") == [(0, 0)]
    known_at = rows(dsn, "SELECT known_at FROM ingest_commit ORDER BY batch_no")
    assert known_at == sorted(set(known_at)), "the order of transactions is that of what was known"
    found, expected = figures_by_definition(dsn, end - 10 * MINUTE)
    for table, rows_of in expected.items():
        assert found[table] == rows_of, table
    assert len(found["interval"]) > 4 * 5 * (MINUTES - 3)
