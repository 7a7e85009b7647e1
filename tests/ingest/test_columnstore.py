"""Late readings into compressed history, where the server has TimescaleDB's columnstore."""

import psycopg
import pytest

from tests.ingest.feeding import a_day, feed, figures, open_site, readings


@pytest.fixture(autouse=True)
def timescaledb(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is None:
            pytest.skip("needs TimescaleDB (give its DSN by STACKWATT_TEST_DSN)")


def compress(dsn: str) -> int:
    """Move every chunk of `reading` to the columnstore; how many there were."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        chunks = connection.execute("SELECT show_chunks('reading')::text").fetchall()
        for (chunk,) in chunks:
            connection.execute(
                "CALL convert_to_columnstore(%s::regclass, if_not_columnstore => true)", [chunk]
            )
    return len(chunks)


async def test_late_readings_revise_compressed_history(dsn: str, other_dsn: str) -> None:
    messages = list(a_day(0.4))
    straight = await open_site(dsn)
    await feed(straight, messages)
    await straight.close()
    late, rest = messages[100:130], messages[:100] + messages[130:]
    crooked = await open_site(other_dsn)
    await feed(crooked, rest)
    assert compress(other_dsn) > 0
    await feed(crooked, late)
    await feed(crooked, late)
    await crooked.close()
    reopened = await open_site(other_dsn)
    await feed(reopened, messages[-5:])
    await reopened.close()
    assert readings(dsn) == readings(other_dsn)
    assert figures(dsn) == figures(other_dsn)
