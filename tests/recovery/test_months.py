"""The first reading of a month makes its partition, whoever may be reading."""

import asyncio

import psycopg

from tests.ingest.feeding import a_day, feed, open_site, readings
from tests.recovery.running import rows


async def test_long_reader_does_not_hold_up_the_first_reading_of_a_month(dsn: str) -> None:
    messages = list(a_day(0.1))
    with psycopg.connect(dsn) as reader:
        reader.execute("SELECT count(*) FROM reading")  # and its transaction stays open
        ingest = await open_site(dsn)
        async with asyncio.timeout(30):
            assert await feed(ingest, messages) == len(messages)
        await ingest.close()
    assert len(readings(dsn)) == len(messages)
    assert unattached(dsn) == []


def unattached(dsn: str) -> list[str]:
    """Indexes of months that are not part of an index of `reading` (on TimescaleDB its own affair)."""
    found = rows(
        dsn,
        """
        SELECT indexrelid::regclass::text
          FROM pg_class table_ JOIN pg_inherits month ON month.inhparent = table_.oid
          JOIN pg_index ON indrelid = month.inhrelid
         WHERE table_.relname = 'reading' AND table_.relkind = 'p'
           AND NOT EXISTS (SELECT FROM pg_inherits part WHERE part.inhrelid = indexrelid)
        """,
    )
    return [name for (name,) in found]
