"""A year of a real steel works, by import and by MQTT: nothing lost, nothing doubled, both alike."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.broker import Broker
from tests.e2e.processes import ROOT, count, running, wait_until
from tests.ingest.feeding import figures, readings

YEAR = ROOT.parent / "shared" / "data" / "steel" / "Steel_industry_data.csv"
ROWS = 35_040
PLANT = str(ROOT / "simulator" / "plants" / "steel.yaml")

pytestmark = [
    pytest.mark.skipif(not YEAR.exists(), reason="needs the steel year (UCI 851) in ../shared/data/steel"),
    pytest.mark.timeout(180),
]


def one(dsn: str, query: str) -> Any:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def by_mqtt(dsn: str, broker: Broker, tmp_path: Path, *more: str) -> None:
    """Publish the year to a real broker while ingest runs, and wait until all of it is stored."""
    ingest = ("ingest", "--dsn", dsn, "--mqtt-url", broker.url, "--plant", PLANT, "--http-port", "0")
    simulate = ("simulate", "steel", "--mqtt-url", broker.url, "--csv", str(YEAR), "--at-once", "400", *more)
    with running(*ingest, log=tmp_path / "ingest.log") as process:
        # What is published before the first subscription nobody keeps.
        wait_until(
            lambda: count(dsn, "site WHERE subscribed <> '{}'") == 1, "the ingest to subscribe", 90, process
        )
        with running(*simulate, log=tmp_path / "simulate.log"):
            wait_until(lambda: count(dsn, "reading") >= 3 * ROWS, "the whole year to be stored", 120, process)
        # Told to stop, it has not the time for what closings a whole year at once may leave.
        closed = "interval WHERE revision > 0"
        wait_until(lambda: count(dsn, closed) >= 3 * ROWS, "the whole year to be closed", 60, process)
    assert count(dsn, "reading") == 3 * ROWS


def by_import(dsn: str, tmp_path: Path) -> None:
    with running("plant", "apply", PLANT, "--dsn", dsn, log=tmp_path / "apply.log") as process:
        assert process.wait(60) == 0
    mapping = str(ROOT / "simulator" / "data" / "steel.mapping.yaml")
    with running(
        "import", str(YEAR), "--mapping", mapping, "--dsn", dsn, log=tmp_path / "import.log"
    ) as process:
        assert process.wait(120) == 0, (tmp_path / "import.log").read_text()


def check_year(dsn: str) -> None:
    """The figures of the year that the data set itself gives."""
    energy = "FROM interval JOIN point USING (point_no) WHERE id = 'steel/plant/energy' AND revision > 0"
    with YEAR.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    total = sum(Decimal(row["Usage_kWh"]) for row in rows)
    assert total == Decimal("959636.71")
    assert one(dsn, f"SELECT sum(amount_count) {energy}") == 95_963_671
    assert one(dsn, f"SELECT count(*) {energy}") == ROWS
    largest_kw = one(dsn, f"SELECT max(amount) / 0.25 {energy}")
    assert largest_kw == pytest.approx(628.72, abs=1e-9)
    assert float(total) / (ROWS * 0.25) / largest_kw == pytest.approx(0.17424, abs=5e-6)
    factors = one(
        dsn,
        """
        SELECT array_agg(CASE WHEN a = 0 AND b = 0 THEN NULL ELSE 100 * a / sqrt(a * a + b * b) END ORDER BY start_at)
          FROM kpi_value JOIN kpi USING (kpi_no) WHERE id = 'steel/power-factor'
        """,
    )
    theirs = [float(row["Lagging_Current_Power_Factor"]) for row in rows]
    assert len(factors) == ROWS
    missing = [i for i, factor in enumerate(factors) if factor is None]
    assert [rows[i]["date"] for i in missing] == ["07/11/18 0:00"]
    near = sum(
        1
        for ours, given in zip(factors, theirs, strict=True)
        if ours is not None and abs(ours - given) <= 0.005 + 1e-9
    )
    assert near == ROWS - 1


@pytest.mark.broker
def test_the_year_by_mqtt_and_by_import_is_the_same(
    dsn: str, other_dsn: str, mosquitto: Broker, tmp_path: Path
) -> None:
    by_mqtt(dsn, mosquitto, tmp_path)
    by_import(other_dsn, tmp_path)
    check_year(dsn)
    check_year(other_dsn)
    assert readings(dsn) == readings(other_dsn)
    assert figures(dsn) == figures(other_dsn)
    assert one(dsn, "SELECT count(*) FROM reading WHERE reasons & 256 <> 0") == 0


@pytest.mark.broker
def test_replayed_as_it_is_365_readings_are_late_and_the_sum_holds(
    dsn: str, mosquitto: Broker, tmp_path: Path
) -> None:
    by_mqtt(dsn, mosquitto, tmp_path, "--midnight", "as-is")
    late = one(
        dsn,
        "SELECT count(*) FROM reading JOIN point USING (point_no) WHERE id = 'steel/plant/energy' AND reasons & 256 <> 0",
    )
    assert late == 365
    energy = "FROM interval JOIN point USING (point_no) WHERE id = 'steel/plant/energy' AND revision > 0"
    assert one(dsn, f"SELECT sum(amount_count) {energy}") == 95_963_671
