"""Databases of earlier versions, brought to now: the schema is that of one made from nothing, and ingest goes on."""

from pathlib import Path

import psycopg
import pytest

from ingest.store.engine import detect
from ingest.store.migrations import migrate, steps
from ingest.verify import Asked, verify
from tests.ingest.evidence.world import signer
from tests.ingest.feeding import PLANT, Clock, a_day, feed, figures, open_site, readings
from tests.schema import schema

FOLDER = Path(__file__).parent
DUMPS = sorted(FOLDER.glob("*.sql"))


def filled(dsn: str, dump: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(dump.read_bytes())


def done_of(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as connection:
        return {step for (step,) in connection.execute("SELECT step FROM schema_migration").fetchall()}


async def is_plain(dsn: str) -> bool:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        return (await detect(connection)).timescaledb is None


@pytest.mark.parametrize("dump", DUMPS, ids=[dump.stem for dump in DUMPS])
async def test_an_earlier_database_becomes_one_of_now(dsn: str, empty_dsn: str, dump: Path) -> None:
    if not await is_plain(dsn):
        pytest.skip("the dumps are of plain PostgreSQL, and so is what they become")
    filled(empty_dsn, dump)
    told, stored = readings(empty_dsn), figures(empty_dsn)
    done = done_of(empty_dsn)
    assert await migrate(empty_dsn) == [name for name, _ in steps("plain") if name not in done]
    assert (readings(empty_dsn), figures(empty_dsn)) == (told, stored)

    for one in (empty_dsn, dsn):
        ingest = await open_site(one, PLANT, Clock(), signer())
        await feed(ingest, list(a_day(0.2, 30)))
        await ingest.close()
    assert schema(empty_dsn) == schema(dsn), "compared now that both have made the month of the readings"
    assert readings(empty_dsn) == readings(dsn)
    assert figures(empty_dsn) == figures(dsn)
    assert (await verify(empty_dsn, Asked("mill"))).tally.findings == []


async def test_what_was_made_without_timescaledb_stays_so(empty_dsn: str) -> None:
    filled(empty_dsn, DUMPS[-1])
    await migrate(empty_dsn)
    assert await is_plain(empty_dsn)
    ingest = await open_site(empty_dsn, PLANT, Clock())
    assert await feed(ingest, list(a_day(0.01, 30))) > 0
    await ingest.close()


@pytest.mark.parametrize("dump", DUMPS, ids=[dump.stem for dump in DUMPS])
def test_a_dump_is_small_and_tells_nothing_of_who_made_it(dump: Path) -> None:
    text = dump.read_text(encoding="utf-8")
    assert len(text) < 150_000
    assert " OWNER TO " not in text
    assert "password" not in text
    for line in text.splitlines():
        assert not any(f"{place}/" in line for place in ("/home", "/root", "/tmp", "/work", "/Users")), line
