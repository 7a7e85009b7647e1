"""The plant of `tests.service.schedule_plant` as a site in a database, its past ending now, asked over HTTP."""

import asyncio
import http.client
import json
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
from psycopg import AsyncConnection

from ingest.mes.statements import read_statements
from ingest.model import MINUTE
from ingest.plant import canonical, parse_plant, plan_from_body
from ingest.store.facts import Stamp
from ingest.store.migrations import migrate
from ingest.store.registry import apply_plan, ensure_numbers, ensure_site
from ingest.store.told import write_statements
from service.schedules.learning import Floats, Runs
from service.schedules.scoring import Candidates
from tests.benchmarks.bed import KEY, Bed, service
from tests.service.schedule_plant import DAY, PAST_DAYS, PRODUCTS, UNITS

SITE = "works"
PLANT = (
    f"""
site: {SITE}
name: Plant of the schedules
time_zone: UTC
units: {json.dumps([{"id": f"line{u}", "name": f"Line {u}"} for u in range(UNITS)])}
carriers: [{{id: electricity, name: Electricity}}]
products: {json.dumps([{"id": f"p{p}", "name": f"Product {p}"} for p in range(PRODUCTS)])}
factors: [{{id: grid, value: 0.5, unit: t/MWh, source: example, trust: unconfirmed}}]
points:
"""
    + "".join(
        f"  - {{id: line{u}/energy, kind: counter, unit: kWh, resolution: 0.001, period: 1min, carrier: electricity}}\n"
        for u in range(UNITS)
    )
    + """sources:
  - {id: grid, scope: 2, category: purchased, gas: co2, route: calculated, activity: line0/energy, factors: [grid]}
mes:
  units:
"""
    + "".join(f"    - {{unit: line{u}, meters: [line{u}/energy]}}\n" for u in range(UNITS))
)
TIMES = 9


def measured(bed: Bed, runs: Runs, candidates: Candidates, begin_at: int) -> tuple[float, dict[str, Any]]:
    """Median ms of one question over HTTP, and an answer; the past begins at an instant, µs."""
    dsn = bed.database()
    asyncio.run(_store(dsn, runs, begin_at))
    body = json.dumps(_body(candidates, begin_at + PAST_DAYS * DAY * MINUTE)).encode()
    took = []
    answer: dict[str, Any] = {}
    with service(bed, dsn) as api:
        api.await_ready()
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        for _ in range(TIMES):
            begun = time.perf_counter()
            connection.request("POST", "/v1/schedules/score", body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            took.append(time.perf_counter() - begun)
            assert response.status == 200, answer
        connection.close()
    bed.drop(dsn)
    return 1000 * float(np.median(took)), answer


def _body(candidates: Candidates, now: int) -> dict[str, Any]:
    product, quantity = candidates.product[0], candidates.quantity[0]
    return {
        "orders": [
            {"id": str(i), "product": f"p{p}", "quantity": q}
            for i, (p, q) in enumerate(zip(product.tolist(), quantity.tolist(), strict=True))
        ],
        "candidates": [
            {
                "name": str(row),
                "runs": [
                    {"order": str(i), "unit": f"line{u}", "start": instant(now + at)}
                    for i, (u, at) in enumerate(zip(units.tolist(), starts.tolist(), strict=True))
                ],
            }
            for row, (units, starts) in enumerate(zip(candidates.unit, candidates.start_at, strict=True))
        ],
        "weights": {"co2_kg": 1},
    }


def instant(at: int) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat().replace("+00:00", "Z")


async def _store(dsn: str, runs: Runs, begin_at: int) -> None:
    """The plan, what the MES told of the runs, and their minutes."""
    await migrate(dsn)
    file = parse_plant(PLANT, "works.yaml")
    digest, stored_body = canonical(file)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no = await ensure_site(connection, SITE)
        stored = await apply_plan(connection, site_no, digest, stored_body, datetime(2020, 1, 1, tzinfo=UTC))
        plan = plan_from_body(stored.body, stored.version)
        numbers = await ensure_numbers(connection, site_no, plan)
        told = []
        for run in range(runs.unit.size):
            told += _told(runs, run, begin_at)
        statements, refused = [], []
        for first in range(0, len(told), 5000):
            good, bad = read_statements(json.dumps(told[first : first + 5000]).encode(), plan, begin_at * 2)
            statements += good
            refused += bad
        assert refused == []
        async with connection.transaction(), connection.cursor() as cursor:
            await write_statements(
                cursor, site_no, Stamp(1, begin_at, 1), [(one, begin_at) for one in statements]
            )
    for unit in range(UNITS):
        _copy(
            dsn, int(numbers.points[plan.index[f"{SITE}/line{unit}/energy"]]), _minutes(runs, unit), begin_at
        )


def _told(runs: Runs, run: int, begin_at: int) -> list[dict[str, Any]]:
    def at(us: float) -> int:
        return round((begin_at + us) / 1000)

    unit, begin, end = f"line{runs.unit[run]}", int(runs.start_at[run]), int(runs.end_at[run])
    order = {"order": f"past{run}", "unit": unit}
    ramp_end = begin + round(runs.ramp_hours[run] * 60) * MINUTE
    made = float(runs.quantity[run])
    told: list[dict[str, Any]] = [
        {"kind": "start", "ts": at(begin), "product": f"p{runs.product[run]}", **order},
        {"kind": "stop", "ts": at(end), "good": made, "scrap": 0, "measure": "t", **order},
        {"kind": "state", "unit": unit, "ts": at(begin), "state": "ramp"},
        {"kind": "state", "unit": unit, "ts": at(ramp_end), "state": "run"},
        {"kind": "state", "unit": unit, "ts": at(end), "state": "idle"},
    ]
    change = float(runs.changeover_hours[run])
    if change > 0:
        told.append(
            {"kind": "state", "unit": unit, "ts": at(begin - change * 60 * MINUTE), "state": "changeover"}
        )
    return told


def _minutes(runs: Runs, unit: int) -> Floats:
    """kWh by minute; NaN where a run was not measured throughout."""
    kwh = np.zeros(PAST_DAYS * DAY)
    for run in np.flatnonzero(runs.unit == unit).tolist():
        begin, end = (int(one[run]) // MINUTE for one in (runs.start_at, runs.end_at))
        ramp_end = begin + round(runs.ramp_hours[run] * 60)
        for first, last, energy in (
            (begin, ramp_end, runs.ramp_kwh[run]),
            (ramp_end, end, runs.run_kwh[run]),
            (begin - round(runs.changeover_hours[run] * 60), begin, runs.changeover_kwh[run]),
        ):
            if last > first:
                kwh[first:last] = energy / (last - first)
    return kwh


def _copy(dsn: str, point_no: int, kwh: Floats, begin_at: int) -> None:
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        copy = """
            COPY interval (point_no, start_at, amount, amount_count, covered_us, valid_us, substituted_us, quality, reasons,
                           revision, cause, plan_version, known_at, batch_no) FROM STDIN
        """
        with cursor.copy(copy) as rows:
            for minute in np.flatnonzero(np.isfinite(kwh)).tolist():
                amount, start = float(kwh[minute]), datetime.fromtimestamp(begin_at / 1e6 + 60 * minute, UTC)
                rows.write_row(
                    (
                        point_no,
                        start,
                        amount,
                        round(1000 * amount),
                        MINUTE,
                        MINUTE,
                        0,
                        0,
                        0,
                        1,
                        0,
                        1,
                        start,
                        1,
                    )
                )
