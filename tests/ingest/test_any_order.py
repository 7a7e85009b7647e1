"""Whole small sites: any order, repetition, splitting and restarting ends in the rows that one fold defines.

Hypothesis draws what is said and how it arrives, and shrinks what fails to a few
readings. `test_order` does the same with days as a plant has them.
"""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.source import Delivery
from ingest.verify import Asked, verify
from tests.ingest.definition import Facts, defined, latest, rollups, stored
from tests.ingest.feeding import SECOND, START, open_site

pytestmark = pytest.mark.timeout(400)

PLANT = """\
site: mill
name: A small mill
time_zone: Asia/Kolkata
clock: live
interval: 1min
lateness: 5s
units:
  - {id: line, name: Line, kind: line}
carriers: [{id: electricity, name: Electricity}]
products: [{id: flour, name: Flour}]
factors:
  - {id: grid, value: 0.4, unit: t/MWh, source: test, trust: unconfirmed}
  - {id: share, value: 0.25, unit: kWh/MWh, source: test, trust: unconfirmed}
  - {id: years, unit: t/MWh, series: [{since: "2026-11-20T08:03:00Z", value: 0.5, source: test, trust: P}, {since: "2026-11-20T08:06:00Z", value: 0.7, source: test, trust: P}]}
points:
  - {id: line/energy, kind: counter, period: 10s, unit: kWh, carrier: electricity, max_gap: 2min, resolution: 1, modulus: 64, max_rate: 3600, compare: {with: line/sum, within: 10 %, least_share: 0.01}}
  - {id: line/steam, kind: counter, period: 10s, unit: t, max_gap: 30s, resolution: 1, fill: production, fill_by: line/batch}
  - {id: line/water, kind: counter, period: 10s, unit: m3, max_gap: 20s, resolution: 1, fill_at_most: 10min, fill: production, fill_by: line/sum}
  - {id: line/heat, kind: counter, period: 10s, unit: kWh, max_gap: 20s, resolution: 1, fill_at_most: 20min, fill: same_hour}
  - {id: line/power, kind: gauge, period: 10s, unit: kW, carrier: electricity, max_gap: 1min, sloped: true, compare: {with: line/setpoint, within: 5 kW, least_share: 0.04}}
  - {id: line/setpoint, kind: gauge, period: 10s, unit: kW, max_gap: 90s, sloped: false}
  - {id: line/batch, kind: delta, unit: t, product: flour, period: 50s, resolution: 0.001}
  - {id: line/hourly, kind: sample, unit: g/kWh, period: 60s, max_gap: 3min, sloped: false}
  - {id: line/sum, kind: gauge, unit: kW, max_gap: 40s, computed: {method: linear, inputs: {a: line/power, b: line/setpoint}, constants: {a: 1.0, b: 0.5}}}
sources:
  - {id: line/electricity, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [grid]}
  - {id: line/by-year, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [years]}
  - {id: line/by-hour, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factor_point: line/hourly}
  - {id: line/by-both, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/sum, factor_point: line/hourly, factors: [share]}
kpis:
  - {id: line/intensity, kind: ratio, unit: kWh/t, numerator: [{point: line/energy}], denominator: [{point: line/batch}], windows: [5min]}
  - {id: line/steaming, kind: ratio, unit: t/t, numerator: [{point: line/steam}], denominator: [{point: line/batch}], windows: [5min]}
  - {id: line/wetness, kind: ratio, unit: m3/kWh, numerator: [{point: line/water}], denominator: [{point: line/heat}], windows: [1h]}
  - {id: line/load, kind: rate, unit: kW, numerator: [{point: line/sum}], windows: [1h]}
"""  # noqa: E501

MINUTES = 8
BEGIN = START + 56 * 60 * SECOND
"""So near the end of an hour that what it says of compared points counts for the second half of what is said."""
END = BEGIN + 60 * 60 * SECOND
"""When something is said for the last time, so that all before is closed."""
FACTS = (
    "reading", "interval", "interval_hour", "interval_day", "ledger", "kpi_value", "emission", "kpi_latest",
    "point_state", "plan_in_force", "ingest_commit", "interval_history", "kpi_value_history", "emission_history",
    "frontier_history", "ledger_history", "comparison", "gap_fill", "evidence_leaf", "evidence_hour", "evidence_note",
)  # fmt: skip

VALUES: dict[str, st.SearchStrategy[float]] = {
    "line/energy": st.integers(0, 63).map(float),
    "line/steam": st.integers(0, 3000).map(float),
    "line/water": st.integers(0, 3000).map(float),
    "line/heat": st.integers(0, 3000).map(float),
    "line/power": st.sampled_from([0.0, 1.0, 100.1, 899.9]),
    "line/setpoint": st.sampled_from([0.0, 2.5, 30.3]),
    "line/hourly": st.sampled_from([0.0, 310.5, 799.0]),
    "line/batch": st.integers(0, 900).map(lambda count: count / 1000),
}


@dataclass(frozen=True)
class Said:
    """One reading."""

    point: str
    at: int
    seq: int
    value: float
    quality: str

    @property
    def body(self) -> dict[str, Any]:
        more = {"seq": self.seq} if self.seq else {}
        return {"ts": self.at / 1000, "value": self.value, "quality": self.quality, **more}


@dataclass(frozen=True)
class Arrival:
    """What comes in one batch, and whether the process ends after it."""

    said: tuple[Said, ...]
    together: bool
    """Readings of one point that follow each other come as one message."""
    restart: bool


@st.composite
def readings(draw: st.DrawFn) -> Said:
    point = draw(st.sampled_from(sorted(VALUES)))
    quality = draw(st.sampled_from(["good", "good", "good", "uncertain", "substituted", "bad"]))
    at = BEGIN + draw(st.integers(0, 6 * MINUTES)) * 10 * SECOND + draw(st.sampled_from([0, 0, 7 * SECOND]))
    return Said(point, at, draw(st.sampled_from([0, 0, 0, 1, 2])), draw(VALUES[point]), quality)


def contradicting(one: Said) -> st.SearchStrategy[Said]:
    """Readings of the same time with the same number, or none."""
    quality = st.sampled_from(["good", "good", "uncertain", "bad"])
    return st.builds(replace, st.just(one), value=VALUES[one.point], quality=quality)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """Readings, some of them twice, in any order, cut into batches."""
    said = draw(st.lists(readings(), min_size=1, max_size=24, unique=True))
    said += [draw(contradicting(one)) for one in draw(st.lists(st.sampled_from(said), max_size=5))]
    repeated = draw(st.lists(st.sampled_from(said), max_size=6))
    order = draw(st.permutations(said + repeated))
    found, begin = [], 0
    while begin < len(order):
        size = draw(st.integers(1, 8))
        found.append(Arrival(tuple(order[begin : begin + size]), draw(st.booleans()), draw(st.booleans())))
        begin += size
    return found


def messages(arrival: Arrival) -> list[Delivery]:
    """The readings of an arrival as single messages, or as series."""
    groups: list[list[Said]] = []
    for one in arrival.said:
        last = groups[-1][-1] if groups else None
        fits = last is not None and (last.point, last.seq, last.quality) == (one.point, one.seq, one.quality)
        if arrival.together and fits:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [_message(group) for group in groups]


def _message(group: list[Said]) -> Delivery:
    body = group[0].body
    if len(group) > 1:
        body |= {"ts": [one.at / 1000 for one in group], "value": [one.value for one in group]}
        body["quality"] = [one.quality for one in group]
    received_at = max(one.at for one in group) + SECOND // 10
    return Delivery(f"plant/mill/{group[0].point}", json.dumps(body).encode(), received_at)


async def bring(
    dsn: str, coming: list[Arrival], plant: str = PLANT, points: Collection[str] = VALUES
) -> Facts:
    """Hand everything over; what is not acknowledged when the process ends comes again first. What is stored then."""
    ingest = await open_site(dsn, plant)
    waiting: list[Delivery] = []
    for arrival in coming:
        waiting += messages(arrival)
        free = await ingest.take(waiting, caught_up=False)
        assert free is not None
        if arrival.restart:
            waiting = [one for one in waiting if one not in free]
            await ingest.close()
            ingest = await open_site(dsn, plant)
            continue
        waiting = []
        await ingest.flush_late()
    # Twice, since a register's fall waits for the next reading.
    last = [Said(point, at, 0, 1.0, "good") for at in (END, END + 10 * SECOND) for point in points]
    await ingest.take(waiting, caught_up=False)
    await ingest.flush_late()
    await ingest.take(messages(Arrival(tuple(last), together=False, restart=False)), caught_up=False)
    await ingest.flush_late()
    while ingest.more:
        await ingest.take([], caught_up=False)
    plan = ingest.plan
    await ingest.close()
    expected, found = defined(dsn, plan, END), stored(dsn)
    for table, rows in expected.items():
        assert found[table] == rows, table
    kept, made = rollups(dsn, str(plan.zone))
    assert kept == made
    assert latest(dsn)
    return found


def empty(dsn: str) -> None:
    """Forget everything that was said, and end what an example that failed has left open."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
            """
        )
        connection.execute("SET session_replication_role = replica")
        for table in FACTS:
            connection.execute(f"DELETE FROM {table}".encode())


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(coming=arrivals())
def test_any_order_repetition_splitting_and_restarting(dsn: str, coming: list[Arrival]) -> None:
    empty(dsn)
    asyncio.run(bring(dsn, coming))
    assert asyncio.run(verify(dsn, Asked("mill"))).tally.findings == []
    said = {one for arrival in coming for one in arrival.said}
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            """
            SELECT id, (extract(epoch FROM measured_at) * 1000000)::bigint, greatest(seq, 0), value, quality FROM reading
              JOIN point USING (point_no) WHERE measured_at < to_timestamp(0) + %s * interval '1 microsecond'
            """,
            [END],
        ).fetchall()
    quality = ["good", "uncertain", "substituted", "bad"].index
    assert sorted(found) == sorted(
        (f"mill/{one.point}", one.at, one.seq, one.value, quality(one.quality)) for one in said
    )
