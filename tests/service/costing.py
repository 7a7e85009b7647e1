"""A works with tariffs over the end of summer time, its stored intervals, and what they cost by definition.

The definition goes interval by interval in fractions, with the clock of the wall and the prices written out here:
nothing of `ingest.plant.pricing` or `service.cost_*` is used.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from ingest.model import HOUR, MINUTE, SECOND
from ingest.plant import canonical, compile_plan, parse_plant
from ingest.plant.plan import Plan
from tests.service.seeding import at as instant

ZONE = ZoneInfo("Europe/Berlin")
QUARTER = 15 * MINUTE
PLANT = """\
site: works
name: Works
time_zone: Europe/Berlin
interval: 15min
currency: EUR
calendar: {holidays: [2026-10-30]}
carbon_price: {value: 71.3, unit: EUR/t, source: test, trust: P}
carriers: [{id: electricity, name: Electricity}, {id: gas, name: Gas}]
units:
  - {id: line, name: Line, units: [{id: press, name: Press}, {id: oven, name: Oven}]}
  - {id: hall, name: Hall, units: [{id: light, name: Light}]}
factors:
  - {id: grid, value: 0.4, unit: t/MWh, source: test, trust: P}
points:
  - {id: main, kind: counter, unit: kWh, carrier: electricity, period: 5s, resolution: 0.001}
  - {id: sold, kind: counter, unit: MWh, carrier: electricity, period: 5s, resolution: 0.000001}
  - {id: line/energy, kind: counter, unit: kWh, carrier: electricity, period: 5s, resolution: 0.001}
  - {id: line/press/energy, kind: delta, unit: kWh, carrier: electricity, period: 15min, resolution: 0.01}
  - {id: hall/light/energy, kind: counter, unit: kWh, carrier: electricity, period: 5s, resolution: 0.001}
  - {id: gas, kind: counter, unit: Nm3, carrier: gas, period: 5s, resolution: 0.01}
sources:
  - {id: electricity, scope: 2, category: purchased, gas: co2, route: calculated, activity: main, factors: [grid]}
kpis:
  - {id: demand, kind: demand, unit: kW, numerator: [{point: main}], block: 15min}
contracted_demand: {value: 700, unit: kW, kpi: demand}
tariffs:
  - id: power-old
    carrier: electricity
    unit: EUR/kWh
    valid_from: 2026-01-01
    meters: [main]
    submeters: [line/energy, line/press/energy, hall/light/energy]
    source: test
    periods:
      - {name: day, value: 0.3117, hours: ["06:00-22:00"], days: workdays}
      - {name: night, value: 0.2, hours: ["00:00-06:00", "22:00-24:00"], days: workdays}
      - {name: rest, value: 0.1, hours: ["00:00-02:00", "03:00-24:00"], days: weekends}
      - {name: deep, value: 0.01, hours: ["02:00-03:00"], days: weekends}
  - id: power-new
    carrier: electricity
    unit: EUR/MWh
    valid_from: 2026-11-01
    meters: [main]
    submeters: [line/energy, line/press/energy, hall/light/energy]
    periods: [{name: flat, value: 250, hours: ["00:00-24:00"]}]
  - {id: feed-in, carrier: electricity, unit: EUR/kWh, direction: export, valid_from: 2026-01-01, meters: [sold],
     trust: P, periods: [{name: fed, value: 0.08, hours: ["00:00-24:00"]}]}
  - {id: gas, carrier: gas, unit: EUR/Nm3, valid_from: 2026-01-01, meters: [gas], trust: P,
     periods: [{name: gas, value: 0.5, hours: ["00:00-24:00"]}]}
demand_charges:
  - {id: maximum, kpi: demand, value: 12.5, unit: EUR/kW, ratchet: {share: 0.8, months: 2}, valid_from: 2026-01-01,
     source: test, trust: P}
"""
BEGIN = int(datetime(2026, 10, 24, tzinfo=ZONE).timestamp()) * SECOND
END = int(datetime(2026, 11, 3, tzinfo=ZONE).timestamp()) * SECOND
GAP = BEGIN + 30 * HOUR, BEGIN + 31 * HOUR
"""Of everything."""
METERS = ("main", "sold", "line/energy", "line/press/energy", "hall/light/energy", "gas")


@dataclass
class Works:
    """What is stored."""

    plan: Plan
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    """(point, start) → counts."""


def seed(dsn: str, seed_no: int = 1) -> Works:
    """Fill a migrated database."""
    dice = random.Random(seed_no)
    file = parse_plant(PLANT, "works.yaml")
    works = Works(compile_plan(file, version=1))
    for start in range(BEGIN, END, QUARTER):
        if GAP[0] <= start < GAP[1]:
            continue
        for point in METERS:
            works.counts[point, start] = dice.randrange(0, 180_000)
    with psycopg.connect(dsn) as connection:
        _plan(connection, works.plan, file)
        _intervals(connection, works)
        connection.execute(
            """
            INSERT INTO ingest_commit (site_no, batch_no, epoch, known_at, plan_version, watermark, readings)
            SELECT site_no, 5, 1, %s, 1, %s, 1 FROM site
            """,
            [instant(END + SECOND), instant(END + SECOND)],
        )
    return works


def _plan(connection: psycopg.Connection, plan: Plan, file: object) -> None:
    digest, body = canonical(file)  # type: ignore[arg-type]
    connection.execute("INSERT INTO site (id) VALUES ('works')")
    connection.execute(
        "INSERT INTO plan_version (site_no, version, effective_at, digest, body) SELECT site_no, 1, %s, %s, %s FROM site",
        [instant(BEGIN - HOUR), digest, Jsonb(body)],
    )
    for table, ids in (
        ("point", [point.id for point in plan.points]),
        ("kpi", [kpi.id for kpi in plan.kpis]),
        ("source", [source.id for source in plan.sources]),
    ):
        connection.execute(
            f"INSERT INTO {table} (site_no, id) SELECT site_no, unnest(%s::text[]) FROM site",
            [ids],
        )


def _intervals(connection: psycopg.Connection, works: Works) -> None:
    resolution = {point.id: point.resolution for point in works.plan.points}
    rows = [
        (
            instant(start),
            count * resolution[f"works/{point}"],
            count,
            instant(start + QUARTER),
            f"works/{point}",
        )
        for (point, start), count in works.counts.items()
    ]
    main = [(at, count / 1000, known) for at, _, count, known, point in rows if point == "works/main"]
    whole = "900000000, 900000000, 0, 0, 0, 1, 0, 1, %s, 5"
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO interval SELECT point_no, %s, %s, %s, NULL, NULL, NULL, {whole} FROM point WHERE id = %s",
            rows,
        )
        cursor.executemany(f"INSERT INTO kpi_value SELECT kpi_no, %s, %s, 0.25, {whole} FROM kpi", main)
        cursor.executemany(
            f"INSERT INTO emission SELECT source_no, %s, %s, {whole} FROM source",
            [(at, kwh * 0.4, known) for at, kwh, known in main],
        )
    connection.execute("INSERT INTO point_state SELECT point_no, %s, 5 FROM point", [instant(END)])


def clock(at: int) -> datetime:
    """What the clock on the wall shows."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(ZONE)


def price(at: int) -> Fraction:
    """Of a kWh of electricity, as the plant file above has it."""
    shown = clock(at)
    if (shown.month, shown.day) >= (11, 1):
        return Fraction("0.25")
    is_rest = shown.weekday() >= 5 or (shown.month, shown.day) == (10, 30)
    if is_rest:
        return Fraction("0.01") if shown.hour == 2 else Fraction("0.1")
    return Fraction("0.3117") if 6 <= shown.hour < 22 else Fraction("0.2")


SIZES = {"sold": "0.001", "line/press/energy": "0.01", "gas": "0.01"}
"""kWh (Nm3 of gas) of a count, where it is not a Wh."""


def cost(works: Works, point: str, begin: int, end: int) -> Fraction:
    """What the counts of a point in [begin, end) cost; of what is sold the credit."""
    size = Fraction(SIZES.get(point, "0.001"))
    total = Fraction(0)
    for (name, start), count in works.counts.items():
        if name == point and begin <= start < end:
            each = {"sold": Fraction("-0.08"), "gas": Fraction("0.5")}.get(point) or price(start)
            total += count * size * each
    return total
