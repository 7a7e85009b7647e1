"""A MES and meters by a real broker, ingest ended in the middle of it: orders come to what a clean run makes of them."""

import json
from typing import Any

import psycopg

from deploy.broker import Broker
from ingest.model import MINUTE
from tests.ingest.allocation.test_footprints import STATEMENTS, events, fed, readings
from tests.ingest.feeding import START
from tests.ingest.mes.telling import PLANT, said
from tests.recovery.running import ShiftedClock, publish, running

TOPICS = ("plant/mill/$mes", "erp/orders")
"""The site's own, and the one that the plant file declares."""


def told(dsn: str) -> dict[str, Any]:
    """What each order was last told to come to."""
    return {data["order"]: data["new"] for _, data in events(dsn)}


async def test_orders_by_a_broker_outlive_kills_and_come_out_the_same(
    dsn: str, other_dsn: str, mosquitto: Broker
) -> None:
    clean = await fed(other_dsn, [*readings(), *(said(one) for one in STATEMENTS)])
    await clean.close()
    expected = told(other_dsn)
    assert len(expected) == 4
    statements = [
        (TOPICS[number % 2], json.dumps(one).encode()) for number, one in enumerate(reversed(STATEMENTS))
    ]
    meters = [(one.topic, one.payload) for one in readings()]
    third = len(meters) // 3
    clock = ShiftedClock()
    clock.shift = START + 40 * MINUTE - clock.now()
    for part in (
        meters[:third],
        [*statements, *meters[third : 2 * third]],
        [*statements, *meters[2 * third :]],
    ):
        async with running(dsn, mosquitto, text=PLANT, clock=clock) as site:
            await publish(mosquitto, part)
            await site.killed()  # whatever it has not acknowledged comes again
    async with running(dsn, mosquitto, text=PLANT, clock=clock) as site:
        await site.until(lambda: told(dsn) == expected, "the orders to come to what a clean run made of them")
        await site.drained()
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT said) FROM mes_statement").fetchone()
    assert row == (len(STATEMENTS), len(STATEMENTS))
