"""Feeding a site's ingest in tests: wire messages in, rows out, no broker."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection

from ingest.evidence.signing import Signer
from ingest.metrics import IngestMetrics
from ingest.plant import canonical, compile_plan, parse_plant, plan_from_body
from ingest.site import Clocks, SiteIngest
from ingest.source import Delivery
from ingest.status import SiteStatus
from ingest.store.registry import apply_plan, ensure_site
from ingest.store.writer import Writer

PLANT = """\
site: mill
name: A mill
time_zone: Europe/Berlin
clock: live
interval: 1min
lateness: 5s
units:
  - {id: line, name: Line, kind: line}
carriers: [{id: electricity, name: Electricity}]
products: [{id: flour, name: Flour}]
factors:
  - {id: grid, value: 0.4, unit: t/MWh, source: test, trust: unconfirmed}
points:
  - {id: line/energy, kind: counter, unit: kWh, carrier: electricity, period: 5s, max_gap: 2min, resolution: 0.001, modulus: 1e9, max_rate: 10000}
  - {id: line/mass, kind: counter, unit: t, product: flour, period: 5s, max_gap: 2min, resolution: 0.001}
  - {id: line/power, kind: gauge, unit: kW, carrier: electricity, period: 5s, max_gap: 1min, sloped: true, limits: [0, 1000]}
  - {id: line/setpoint, kind: gauge, unit: kW, period: 5s, max_gap: 1min, sloped: false}
  - {id: line/batch, kind: delta, unit: t, period: 1min, resolution: 0.001}
  - {id: line/doubled, kind: gauge, unit: kW, max_gap: 1min, computed: {method: linear, inputs: {a: line/power, b: line/setpoint}, constants: {a: 1.0, b: 0.5}}}
sources:
  - {id: line/electricity, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [grid]}
kpis:
  - {id: line/intensity, kind: ratio, unit: kWh/t, numerator: [{point: line/energy}], denominator: [{point: line/mass}], windows: [5min, 1h]}
  - {id: line/co2, kind: rate, unit: t/h, numerator: [{source: line/electricity}], windows: [5min]}
  - {id: line/load, kind: rate, unit: kW, numerator: [{point: line/doubled}], windows: [5min]}
"""  # noqa: E501

SECOND = 1_000_000
START = 1_795_161_600 * SECOND
"""2026-11-20T08:00:00Z, an edge of every interval used here."""


@dataclass
class Clock:
    """A clock that is set by hand."""

    at: int = START
    elapsed: int = 0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> int:
        # Every look costs a little, so that what is due every 100 ms becomes due.
        self.elapsed += 150_000
        return self.elapsed


def message(point: str, at: int, value: Any, **more: Any) -> Delivery:
    """One reading on the topic of its point; received 100 ms later unless `received_at` is given."""
    received_at = more.pop("received_at", at + 100_000)
    body = {"ts": at / 1000, "value": value, **more}
    return Delivery(topic=f"plant/mill/{point}", payload=json.dumps(body).encode(), received_at=received_at)


async def open_site(
    dsn: str, text: str = PLANT, clock: Clock | None = None, signer: Signer | None = None
) -> SiteIngest:
    """A site's ingest that has taken the site and rebuilt its state."""
    clock = clock or Clock()
    file = parse_plant(text, "test.yaml")
    compile_plan(file)
    digest, body = canonical(file)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no = await ensure_site(connection, file.site)
        stored = await apply_plan(
            connection, site_no, digest, body, datetime.fromtimestamp(clock.at / 1e6, UTC)
        )
    plan = plan_from_body(stored.body, stored.version)
    registry = CollectorRegistry()
    writer = Writer(dsn, site_no, str(plan.zone), clock.now, signer)
    ingest = SiteIngest(
        writer,
        plan,
        "test",
        SiteStatus(file.site),
        IngestMetrics(registry),
        Clocks(clock.now, clock.monotonic),
    )
    await ingest.rebuild()
    return ingest


async def feed(ingest: SiteIngest, deliveries: Sequence[Delivery], batch: int = 50) -> int:
    """Hand deliveries over in batches, late ones too; how many were acknowledged."""
    acknowledged = 0
    for begin in range(0, len(deliveries), batch):
        free = await ingest.take(deliveries[begin : begin + batch], caught_up=False)
        assert free is not None
        acknowledged += len(free)
        if ingest.late_due():
            acknowledged += len(await ingest.flush_late())
        while ingest.more:
            await ingest.take([], caught_up=False)
    acknowledged += len(await ingest.flush_late())
    return acknowledged


FIGURES = {
    "interval": (
        "point",
        "amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us, quality, reasons",
    ),
    "kpi_value": ("kpi", "a, b, covered_us, valid_us, substituted_us, quality, reasons"),
    "emission": ("source", "mass_kg, covered_us, valid_us, substituted_us, quality, reasons"),
}


def figures(dsn: str, *, provisional: bool = False) -> dict[str, list[tuple[Any, ...]]]:
    """All figures of a database without known_at, revision, cause and batch_no, in one order."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    least = 0 if provisional else 1
    with psycopg.connect(dsn) as connection:
        for table, (owner, columns) in FIGURES.items():
            found[table] = connection.execute(
                f"""
                SELECT o.id, f.start_at, {columns} FROM {table} f JOIN {owner} o USING ({owner}_no)
                 WHERE f.revision >= {least} ORDER BY o.id, f.start_at
                """
            ).fetchall()
        for table in ("interval_hour", "interval_day"):
            found[table] = connection.execute(
                f"""
                SELECT p.id, f.start_at, amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us,
                       quality, reasons, intervals
                  FROM {table} f JOIN point p USING (point_no) ORDER BY p.id, f.start_at
                """
            ).fetchall()
    return found


def readings(dsn: str) -> list[tuple[Any, ...]]:
    """All stored readings without received_at and batch_no."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            SELECT p.id, measured_at, value, quality, seq FROM reading r JOIN point p USING (point_no)
             ORDER BY p.id, measured_at, seq, value
            """
        ).fetchall()


def a_day(hours: float = 1.0, step_s: int = 5) -> Iterable[Delivery]:
    """Messages of all points of the mill over a stretch, in order of time."""
    energy = mass = 0.0
    for i in range(int(hours * 3600 / step_s)):
        at = START + i * step_s * SECOND
        power = 100 + 50 * ((i * 7919) % 101) / 101
        energy += power * step_s / 3600
        mass += 0.001 * ((i * 104729) % 13)
        yield message("line/energy", at, round(energy, 3))
        yield message("line/mass", at, round(mass, 3))
        yield message("line/power", at, power)
        if i % 3 == 0:
            yield message("line/setpoint", at + 1_300_000, 10.0 + i % 7)
        if i % 12 == 0:
            yield message("line/batch", at, 0.125)
