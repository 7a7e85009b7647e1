"""An import beside an ingest, without one, and after it was interrupted."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
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
from tests.ingest.fed import Fed
from tests.ingest.feeding import PLANT, START, figures, readings

ROOT = Path(__file__).resolve().parents[2]

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


async def test_it_says_how_far_it_is(dsn: str, tmp_path: Path) -> None:
    await apply(dsn)
    file, mapping = history(tmp_path, rows=12_000)
    seen: list[Progress] = []
    await import_csv(dsn, file, mapping, CLOCKS, seen.append)
    assert [one.phase for one in seen] == sorted(one.phase for one in seen)
    for phase in ("checking", "importing"):
        done = [one.bytes_done for one in seen if one.phase == phase]
        assert len(done) >= 3
        assert done == sorted(done)
    assert seen[-1].bytes_done == seen[-1].bytes_total == file.stat().st_size
    assert (seen[-1].rows, seen[-1].waiting) == (12_000, 0)


async def test_without_an_ingest_it_runs_its_own(dsn: str, tmp_path: Path) -> None:
    await apply(dsn)
    file, mapping = history(tmp_path, rows=12_000)
    done = await import_csv(dsn, file, mapping, CLOCKS, silent)
    assert (done.rows, done.queued, done.waiting) == (12_000, 24, 0)
    assert len(readings(dsn)) == 12_000
    closed = [row for row in figures(dsn)["interval"] if row[0] == "mill/line/power"]
    assert len(closed) == 2000
    again = await import_csv(dsn, file, mapping, CLOCKS, silent)
    assert (again.rows, again.queued) == (12_000, 0)
    assert len(readings(dsn)) == 12_000


async def test_a_wrong_row_is_named_and_nothing_is_half_done(dsn: str, tmp_path: Path) -> None:
    await apply(dsn)
    file, mapping = history(tmp_path, rows=12_000)
    right = file.read_text(encoding="utf-8")
    lines = right.splitlines(keepends=True)
    lines[6601] = lines[6601].partition(",")[0] + ",much\n"
    wrong = "".join(lines)
    file.write_text(wrong, encoding="utf-8")
    with pytest.raises(InputError, match="line 6602: power is 'much'; expected a number"):
        await import_csv(dsn, file, mapping, CLOCKS, silent)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM inbox").fetchone() == (0,)
    assert readings(dsn) == []
    file.write_text(right, encoding="utf-8")
    await import_csv(dsn, file, mapping, CLOCKS, silent)
    assert len(readings(dsn)) == 12_000


async def test_one_that_was_interrupted_goes_on_and_doubles_nothing(
    dsn: str, other_dsn: str, tmp_path: Path
) -> None:
    """Interrupted twice in the middle, once by the end of its process, it ends as one that never was."""
    for one in (dsn, other_dsn):
        await apply(one)
    file, mapping = history(tmp_path, rows=30_000)
    seen: list[Progress] = []
    importing = asyncio.create_task(import_csv(dsn, file, mapping, CLOCKS, seen.append))
    while not (seen and seen[-1].phase == "importing" and seen[-1].rows >= 10_000):
        await asyncio.sleep(0.01)
        assert not importing.done()
    importing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await importing
    with psycopg.connect(dsn) as connection:
        queued = connection.execute("SELECT count(*) FROM inbox").fetchone()
    assert queued is not None
    assert 0 < queued[0] < 60
    killed_in_the_middle(dsn, file, mapping, queued[0])
    done = await import_csv(dsn, file, mapping, CLOCKS, silent)
    assert done.rows == 30_000
    await import_csv(other_dsn, file, mapping, CLOCKS, silent)
    assert len(readings(dsn)) == 30_000
    assert readings(dsn) == readings(other_dsn)
    assert figures(dsn) == figures(other_dsn)


def killed_in_the_middle(dsn: str, file: Path, mapping: Path, queued: int) -> None:
    """The command, killed after it has consumed a chunk more than `queued`, or as soon as it has ended."""
    arguments = [sys.executable, "-P", "-m", "deploy", "import", str(file), "--mapping", str(mapping)]
    process = subprocess.Popen(
        arguments, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "STACKWATT_DSN": dsn}
    )
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            consumed = "SELECT count(*) FROM inbox WHERE batch_no IS NOT NULL"
            while process.poll() is None:
                row = connection.execute(consumed).fetchone()
                if row is not None and row[0] > queued:
                    break
                time.sleep(0.005)
    finally:
        process.kill()
        process.wait()


async def test_beside_a_live_ingest_it_queues_and_live_readings_go_first(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.aside.INBOX_ROWS", 1)
    fed = Fed(dsn)
    await fed.start()
    file, mapping = history(tmp_path, rows=30_000)
    waited: list[int] = []
    live: list[asyncio.Task[None]] = []

    def report(now: Progress) -> None:
        if now.phase == "importing" and len(waited) < 20:
            at = START // 1000 - 30_000 + 1000 * len(waited)
            waited.append(now.waiting)
            live.append(
                asyncio.create_task(fed.put("plant/mill/line/mass", {"ts": at, "value": len(waited)}))
            )

    done = await import_csv(dsn, file, mapping, CLOCKS, report)
    await asyncio.gather(*live)
    await fed.until_empty()
    with psycopg.connect(dsn) as connection:
        holder = connection.execute("SELECT holder FROM site").fetchone()
        epochs = connection.execute("SELECT count(DISTINCT epoch) FROM ingest_commit").fetchone()
        ahead = connection.execute(
            """
            SELECT count(*) FROM inbox live JOIN inbox history ON history.priority = 1 AND live.priority = 0
             WHERE live.inbox_no > history.inbox_no AND live.batch_no < history.batch_no
            """
        ).fetchone()
    await fed.end()
    assert done.rows == 30_000
    assert holder != ("an import",)
    assert epochs == (1,)
    assert ahead is not None
    assert ahead[0] > 0, "no live reading overtook the history that was queued before it"
    assert len([one for one in readings(dsn) if one[0] == "mill/line/power"]) == 30_000
    assert len([one for one in readings(dsn) if one[0] == "mill/line/mass"]) == len(live)


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
