"""Factors that change with time: each interval takes its own, and what has none has no mass."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
import pytest

from ingest.methods.mass import masses
from ingest.model import Cause
from ingest.plant import Plan, compile_plan, parse_plant
from ingest.replay import Wanted, replay
from ingest.site import Clocks
from ingest.source import Delivery
from tests.ingest.definition import defined, stored
from tests.ingest.feeding import SECOND, START, Clock, feed, message, open_site

MINUTE = 60 * SECOND
HEAD = """\
site: mill
name: A mill
time_zone: UTC
interval: 1min
lateness: 5s
units: [{id: line, name: Line, kind: line}]
kpis: [{id: line/load, kind: rate, unit: kW, numerator: [{point: line/energy}], windows: [5min]}]
"""
POINTS = """\
points:
  - {id: line/energy, kind: delta, unit: kWh, period: 1min, resolution: 0.001}
  - {id: line/grid, kind: sample, unit: g/kWh, period: 5min, max_gap: 6min, sloped: false}
sources:
"""
SOURCE = (
    "  - {{id: {}, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, {}}}\n"
)
HOURLY = HEAD + POINTS + SOURCE.format("line/power", "factor_point: line/grid")
ENERGY = [10.0, 20.0, 80.0, 40.0, 5.0, 100.0, 60.0, 30.0, 12.5, 7.0]
"""kWh of ten minutes; five of them under each factor."""
FACTORS = (250.0, 800.0)


def energy(minutes: int = 10) -> list[Delivery]:
    return [message("line/energy", START + (i + 1) * MINUTE, ENERGY[i % 10]) for i in range(minutes)]


def factor(number: int, value: float, **more: object) -> Delivery:
    return message("line/grid", START + number * 5 * MINUTE, value, **more)


def the_end(minutes: int = 60) -> list[Delivery]:
    return [message(point, START + minutes * MINUTE, 1.0) for point in ("line/energy", "line/grid")]


def emitted(dsn: str) -> dict[int, tuple[float, int, int]]:
    """Minute → (kg, revision, cause)."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT (extract(epoch FROM start_at) * 1000000)::bigint, mass_kg, revision, cause FROM emission ORDER BY 1"
        ).fetchall()
    return {(at - START) // MINUTE: (mass, revision, cause) for at, mass, revision, cause in found}


def masses_of(dsn: str) -> list[float]:
    return [mass for mass, _, _ in emitted(dsn).values()]


EXPECTED = [kwh * FACTORS[i // 5] * 0.001 for i, kwh in enumerate(ENERGY)]


async def test_every_interval_has_its_own_factor(dsn: str) -> None:
    """Σ energy·factor; the mean factor times the sum would be 9 % off here."""
    ingest = await open_site(dsn, HOURLY)
    await feed(
        ingest, [factor(0, FACTORS[0]), *energy(5), factor(1, FACTORS[1]), *energy()[5:], *the_end()], batch=3
    )
    await ingest.close()
    found = emitted(dsn)
    assert [found[i][0] for i in range(10)] == pytest.approx(EXPECTED, rel=1e-12)
    assert {found[i][1:] for i in range(10)} == {(1, int(Cause.CLOSING))}
    naive = sum(ENERGY) * sum(FACTORS) / 2 * 0.001
    assert abs(naive / sum(EXPECTED) - 1) > 0.05
    assert (
        defined(dsn, ingest.plan, START + 59 * MINUTE)["emission"]
        == stored(dsn, START + 59 * MINUTE)["emission"]
    )


COUNTER = "kind: counter, unit: kWh, period: 1min, max_gap: 10min, resolution: 0.001"
DELTA = "kind: delta, unit: kWh, period: 1min, resolution: 0.001"


async def test_whichever_closes_last_gives_the_mass(dsn: str) -> None:
    """A register waits for its next reading, its factor does not; the process ends between."""
    plant = HOURLY.replace(DELTA, COUNTER)
    ingest = await open_site(dsn, plant)
    first = [
        message("line/energy", START + i * MINUTE, register) for i, register in enumerate((0.0, 10.0, 30.0))
    ]
    await feed(ingest, [factor(0, FACTORS[0]), *first, factor(1, FACTORS[1])])
    assert sorted(emitted(dsn)) == [0, 1]
    await ingest.close()
    ingest = await open_site(dsn, plant)
    after = [message("line/energy", START + i * MINUTE, 30.0 + 20.0 * (i - 2)) for i in (3, 4, 7, 10, 11)]
    await feed(ingest, [*after, *the_end()])
    await ingest.close()
    found = emitted(dsn)
    assert [found[i][0] for i in range(11)] == pytest.approx([2.5, 5.0, *[5.0] * 3, *[16.0] * 6])
    assert {found[i][1:] for i in range(11)} == {(1, int(Cause.CLOSING))}
    assert (
        defined(dsn, ingest.plan, START + 59 * MINUTE)["emission"]
        == stored(dsn, START + 59 * MINUTE)["emission"]
    )


async def test_without_a_factor_there_is_no_mass(dsn: str) -> None:
    ingest = await open_site(dsn, HOURLY)
    await feed(ingest, [*energy(), *the_end()])
    await ingest.close()
    assert [i for i in emitted(dsn) if i < 59] == []


async def test_a_bad_factor_is_none(dsn: str) -> None:
    ingest = await open_site(dsn, HOURLY)
    told = [factor(0, FACTORS[0], quality="bad"), factor(1, FACTORS[1])]
    await feed(ingest, [told[0], *energy(5), told[1], *energy()[5:], *the_end()])
    await ingest.close()
    assert [i for i in emitted(dsn) if i < 10] == [5, 6, 7, 8, 9]


async def test_a_late_factor_is_a_revision_that_replays(dsn: str) -> None:
    ingest = await open_site(dsn, HOURLY)
    await feed(ingest, [factor(0, FACTORS[0]), *energy(), *the_end()])
    assert sorted(i for i in emitted(dsn) if i < 10) == [0, 1, 2, 3, 4, 5]
    await feed(ingest, [factor(1, FACTORS[1], received_at=START + 61 * MINUTE)])
    found = emitted(dsn)
    assert [found[i][0] for i in range(10)] == pytest.approx(EXPECTED, rel=1e-12)
    assert [found[i][1] for i in range(10)] == [1] * 5 + [2] * 5
    assert {found[i][2] for i in range(5, 10)} == {int(Cause.LATE)}
    await feed(ingest, [factor(1, 0.0, seq=7, quality="bad", received_at=START + 62 * MINUTE)])
    assert sorted(i for i in emitted(dsn) if i < 10) == [0, 1, 2, 3, 4]
    await ingest.close()
    clock = Clock()
    for points in ("*", "line/energy", "line/grid"):
        outcome = await replay(
            dsn,
            Wanted(None, points, "2026-11-20", "2026-11-21"),
            Clocks(clock.now, clock.monotonic),
            lambda *_: None,
            None,
        )
        assert outcome.equal, outcome.first
        assert outcome.compared["emission"] >= 5


YEARS = (
    HEAD
    + """\
factors:
  - id: grid
    unit: t/MWh
    series:
      - {since: "2026-11-20T08:03:00Z", value: 0.5, source: test, trust: P}
      - {since: "2026-11-20T08:05:00Z", value: 0.8, source: test, trust: P}
      - {since: "2026-11-20T08:09:00Z", source: not published, trust: unconfirmed}
"""
    + POINTS
    + SOURCE.format("line/power", "factors: [grid]")
)


async def test_a_series_gives_each_interval_its_value(dsn: str) -> None:
    ingest = await open_site(dsn, YEARS)
    await feed(ingest, [*energy(), *the_end()], batch=4)
    await ingest.close()
    found = {i: mass for i, (mass, _, _) in emitted(dsn).items() if i < 59}
    assert sorted(found) == [3, 4, 5, 6, 7, 8]
    assert [found[i] for i in (3, 4)] == [pytest.approx(ENERGY[i] * 0.5) for i in (3, 4)]
    assert [found[i] for i in (5, 6, 7, 8)] == [pytest.approx(ENERGY[i] * 0.8) for i in (5, 6, 7, 8)]
    assert (
        defined(dsn, ingest.plan, START + 59 * MINUTE)["emission"]
        == stored(dsn, START + 59 * MINUTE)["emission"]
    )


WITH_KPI = YEARS.replace(
    "kpis: [",
    "kpis: [{id: line/carbon, kind: ratio, unit: kg/MWh, numerator: [{source: line/power}],"
    " denominator: [{point: line/energy}], windows: [5min]},"
    " {id: line/net, kind: total, unit: g, numerator: [{source: line/power, weight: 2}, {point: line/mass, factors: [own]}],"
    " windows: [5min]}, ",
).replace(
    "factors:\n", "factors:\n  - {id: own, value: 3.0, unit: g/t, source: test, trust: P}\n"
).replace("points:\n", "points:\n  - {id: line/mass, kind: delta, unit: t, period: 1min, resolution: 0.001}\n")  # fmt: skip


def sums(dsn: str, kpi: str) -> dict[int, tuple[float, float]]:
    """Minute → a and b."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT (extract(epoch FROM start_at) * 1000000)::bigint, a, b FROM kpi_value JOIN kpi USING (kpi_no)"
            " WHERE id = %s ORDER BY 1",
            [f"mill/line/{kpi}"],
        ).fetchall()
    return {(at - START) // MINUTE: (a, b) for at, a, b in found}


async def test_a_figure_of_a_series_weighs_each_interval_by_its_value(dsn: str) -> None:
    """And is of those in which a value is known: above and below the line."""
    mass = [message("line/mass", START + (i + 1) * MINUTE, 7.0) for i in range(10)]
    ingest = await open_site(dsn, WITH_KPI)
    everything = sorted([*energy(), *mass], key=lambda one: one.received_at)
    await feed(ingest, [*everything, message("line/mass", START + 60 * MINUTE, 1.0), *the_end()], batch=4)
    value = [0.5] * 5 + [0.8] * 4
    expected: dict[int, Any] = {
        i: (pytest.approx(ENERGY[i] * value[i]), pytest.approx(ENERGY[i] / 1000)) for i in range(3, 9)
    }
    assert {i: found for i, found in sums(dsn, "carbon").items() if i < 59} == expected
    net = {i: pytest.approx(2000 * ENERGY[i] * value[i] + 3.0 * 7.0) for i in range(3, 9)}
    assert {i: a for i, (a, _) in sums(dsn, "net").items() if i < 59} == net
    # A late reading says it anew, and a replay agrees.
    await feed(ingest, [message("line/energy", START + 5 * MINUTE, 90.0, seq=5)])
    await ingest.close()
    assert list(sums(dsn, "carbon")[4]) == pytest.approx([45.0, 0.09])
    now = Clock()
    wanted = Wanted(None, "*", "2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")
    outcome = await replay(dsn, wanted, Clocks(now.now, now.monotonic), lambda *_: None, None)
    assert outcome.equal, outcome.first
    assert defined(dsn, ingest.plan, START + 59 * MINUTE) == stored(dsn, START + 59 * MINUTE)


async def test_what_another_version_said_stays(dsn: str) -> None:
    """A version with a factor point makes no new figure of what was closed under the one before."""
    fixed = HEAD + "factors: [{id: grid, value: 0.5, unit: t/MWh, source: x, trust: P}]\n" + POINTS
    fixed += SOURCE.format("line/power", "factors: [grid]")
    ingest = await open_site(dsn, fixed)
    await feed(ingest, [*energy(5), message("line/energy", START + 6 * MINUTE + 30 * SECOND, 1.0)])
    await ingest.close()
    before = {i: said for i, said in emitted(dsn).items() if i < 5}
    assert len(before) == 5
    ingest = await open_site(dsn, HOURLY)
    await feed(ingest, [factor(0, 100.0), factor(1, 100.0), *the_end()])
    await ingest.close()
    assert {i: said for i, said in emitted(dsn).items() if i < 5} == before


def plan_with(steps: Iterator[str]) -> Plan:
    listed = "\n".join(steps)
    text = f"{HEAD}factors:\n  - id: grid\n    unit: t/MWh\n    series:\n{listed}\n{POINTS}"
    return compile_plan(parse_plant(text + SOURCE.format("line/power", "factors: [grid]"), "test.yaml"))


def test_a_year_of_hours_as_a_table() -> None:
    """8760 values compile, and each hour takes its own."""
    begin = round(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    hours = np.arange(8760)
    values = np.round(0.5 + 0.3 * np.sin(hours / 24 * 2 * np.pi), 6)
    instants = [datetime.fromtimestamp(begin + 3600 * h, UTC).isoformat() for h in hours.tolist()]
    steps = (
        f'      - {{since: "{at}", value: {value}, source: x, trust: P}}'
        for at, value in zip(instants, values.tolist(), strict=True)
    )
    (source,) = plan_with(steps).sources
    load = 1000 + 800 * np.sin(hours / 24 * 2 * np.pi)
    found = masses(source, (begin + 3600 * hours) * SECOND, load)
    assert found.tolist() == pytest.approx((load * values).tolist(), rel=1e-12)
    naive = load.mean() * values.mean() * 8760
    assert found.sum() / naive > 1.2  # what a mean factor would lose
