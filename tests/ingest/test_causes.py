"""Why an interval got a new revision."""

from typing import Any

import psycopg

from ingest.model import MINUTE, Cause
from tests.ingest.feeding import SECOND, START, feed, message, open_site


def causes(dsn: str, point: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            SELECT (extract(epoch FROM start_at) * 1000000)::bigint, revision, cause FROM interval
              JOIN point USING (point_no) WHERE id = %s AND revision > 0 ORDER BY start_at
            """,
            [point],
        ).fetchall()


async def test_a_register_read_again_after_a_gap_fills_it(dsn: str) -> None:
    ingest = await open_site(dsn)
    for n in range(13):
        await feed(ingest, [message("line/energy", START + n * 5 * SECOND, n * 0.5)])
    for n in range(12, 120):
        await feed(ingest, [message("line/setpoint", START + n * 5 * SECOND, 1.0)])
    assert len(causes(dsn, "mill/line/energy")) == 1
    for n in (121, 122):
        await feed(ingest, [message("line/energy", START + n * 5 * SECOND, n * 0.5)])
    await ingest.close()
    first, *gap = causes(dsn, "mill/line/energy")
    assert first == (START, 1, Cause.CLOSING)
    assert gap == [(START + n * MINUTE, 2, Cause.GAP_FILLED) for n in range(1, 9)] + [
        (START + 9 * MINUTE, 1, 0)
    ]


async def test_a_reading_that_comes_late_is_that(dsn: str) -> None:
    ingest = await open_site(dsn)
    for n in range(60):
        await feed(ingest, [message("line/setpoint", START + n * 5 * SECOND, 1.0)])
    await feed(ingest, [message("line/setpoint", START + 62 * SECOND, 6.0)])
    await ingest.close()
    assert causes(dsn, "mill/line/setpoint")[1] == (START + MINUTE, 2, Cause.LATE)
