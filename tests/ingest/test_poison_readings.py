"""Messages that are well formed and yet could stop an ingest for good."""

import json

import numpy as np
import psycopg

from ingest.model import MINUTE
from ingest.pipeline.kpis import Terms, weigh
from ingest.plant import compile_plan, parse_plant
from ingest.source import Delivery
from kernels.rows import INTERVAL_ROW
from tests.ingest.feeding import PLANT, SECOND, START, feed, figures, message, open_site, readings

ALONE = """\
site: mill
name: A mill
time_zone: Europe/Berlin
units:
  - {id: line, name: Line, kind: line}
points:
  - {id: line/setpoint, kind: gauge, unit: kW, period: 5s, max_gap: 1min, sloped: false}
kpis:
  - {id: line/load, kind: rate, unit: kW, numerator: [{point: line/setpoint}], windows: [5min]}
"""


def series(point: str, at: list[int], value: list[float]) -> Delivery:
    """Readings of one point in one message, received after the last of them."""
    body = {"ts": [t / 1000 for t in at], "value": value}
    return Delivery(f"plant/mill/{point}", json.dumps(body).encode(), at[-1] + 100_000)


async def test_a_register_that_flaps_within_one_interval(dsn: str) -> None:
    flapper = "line/mass, kind: counter, "
    ingest = await open_site(dsn, PLANT.replace(flapper, f"{flapper}on_fall: reset, "))
    at = [START + n * 10_000 for n in range(3000)]
    flapping = series("line/mass", at, [float(n % 2) for n in range(3000)])
    later = [message("line/mass", START + n * MINUTE, 1.0) for n in (1, 2, 3)]
    assert await feed(ingest, [flapping, *later]) == 4
    await ingest.close()
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*), sum(increment), sum(correction) FROM ledger").fetchone()
    assert row == (1499, 0, -1499_000)
    (first, *_) = figures(dsn)["interval"]
    assert first[3] == 1500_000


async def test_a_device_whose_clock_begins_in_2000(dsn: str) -> None:
    ingest = await open_site(dsn, ALONE)
    first = message("line/setpoint", 946_684_800 * SECOND, 7.0, received_at=START)
    now = [message("line/setpoint", START + n * 5 * SECOND, float(n)) for n in range(60)]
    assert await feed(ingest, [first, *now]) == 61
    await ingest.close()
    assert len(readings(dsn)) == 61
    assert [row[1].year for row in figures(dsn)["kpi_value"]] == [2000, 2026, 2026, 2026, 2026]


def test_time_between_readings_years_apart_takes_no_slots() -> None:
    plan = compile_plan(parse_plant(ALONE, "test.yaml"))
    rows = np.zeros(2, INTERVAL_ROW)
    rows["start_at"] = 946_684_800 * SECOND, START
    rows["amount"] = 1.0, 2.0
    rows["covered_us"] = rows["valid_us"] = MINUTE
    first_at, end_at = rows["start_at"][:1].copy(), rows["start_at"][1:] + MINUTE
    slots, offsets = weigh(Terms(plan), rows, first_at, end_at, MINUTE)
    assert offsets.tolist() == [0, 2]
    assert slots[["start_at", "a", "b", "inputs"]].tolist() == [
        (946_684_800 * SECOND, 1.0, 1 / 60, 1),
        (START, 2.0, 1 / 60, 1),
    ]
