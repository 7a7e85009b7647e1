"""An import beside an ingest, without one, and after it was interrupted."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import AsyncConnection

from ingest.errors import InputError
from ingest.importer import Progress, import_csv
from ingest.main import CLOCKS
from ingest.plant import canonical, parse_plant
from ingest.store.registry import apply_plan, ensure_site
from ingest.store.writer import Writer
from tests.ingest.feeding import PLANT, figures, readings

MAPPING = """\
site: mill
time: {column: time, format: "%Y-%m-%d %H:%M:%S", zone: UTC}
columns:
  power: {point: line/power, unit: kW}
"""


def history(folder: Path, *, rows: int, last: str = "") -> tuple[Path, Path]:
    """A file of one reading every ten seconds, and its mapping."""
    stamps = [datetime.fromtimestamp(1_700_000_000 + 10 * n, UTC) for n in range(rows)]
    lines = ["time,power", *(f"{stamp:%Y-%m-%d %H:%M:%S},{n % 100}" for n, stamp in enumerate(stamps))]
    csv, mapping = folder / "history.csv", folder / "mapping.yaml"
    csv.write_text("\n".join([*lines, *([last] if last else [])]) + "\n", encoding="utf-8")
    mapping.write_text(MAPPING, encoding="utf-8")
    return csv, mapping


async def apply(dsn: str) -> int:
    digest, body = canonical(parse_plant(PLANT, "test.yaml"))
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no = await ensure_site(connection, "mill")
        await apply_plan(connection, site_no, digest, body, datetime(2000, 1, 1, tzinfo=UTC))
    return site_no


def silent(_: Progress) -> None:
    return


async def test_without_an_ingest_it_runs_its_own(dsn: str, tmp_path: Path) -> None:
    await apply(dsn)
    file, mapping = history(tmp_path, rows=12_000)
    done = await import_csv(dsn, file, mapping, CLOCKS, silent)
    assert (done.rows, done.queued, done.waiting) == (12_000, 3, 0)
    assert len(readings(dsn)) == 12_000
    closed = [row for row in figures(dsn)["interval"] if row[0] == "mill/line/power"]
    assert len(closed) == 2000
    again = await import_csv(dsn, file, mapping, CLOCKS, silent)
    assert (again.rows, again.queued) == (12_000, 0)
    assert len(readings(dsn)) == 12_000


async def test_what_stands_before_a_wrong_row_is_not_lost(dsn: str, tmp_path: Path) -> None:
    await apply(dsn)
    file, mapping = history(tmp_path, rows=6000, last="2023-11-20 00:00:00,much")
    with pytest.raises(InputError, match="line 6002: power is 'much'"):
        await import_csv(dsn, file, mapping, CLOCKS, silent)
    file, mapping = history(tmp_path, rows=7000)
    await import_csv(dsn, file, mapping, CLOCKS, silent)
    assert len(readings(dsn)) == 7000


async def test_it_takes_over_from_an_ingest_that_has_gone(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.importer.STALLED_S", 0.2)
    site_no = await apply(dsn)
    other = Writer(dsn, site_no, "UTC", CLOCKS.now)
    await other.take_site("an ingest")
    file, mapping = history(tmp_path, rows=6000)
    importing = asyncio.create_task(import_csv(dsn, file, mapping, CLOCKS, silent))
    await asyncio.sleep(1.0)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT holder FROM site").fetchone() == ("an ingest",)
    await other.close()
    await asyncio.wait_for(importing, 60)
    assert len(readings(dsn)) == 6000
