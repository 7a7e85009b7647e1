"""Rows as ingest leaves them: a live cement line and a replayed steel works.

Six hours of one-minute intervals end at `CLOSED`; a little later is `NOW`. Values
follow formulas that tests repeat, so an answer can be checked to the last bit. In
the electricity per clinker five minutes are missing (GAP) and one hour has no
production (IDLE).
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ingest.methods.figures import KpiKind, combine
from ingest.model import DAY, HOUR, MINUTE, SECOND
from ingest.plant import Plan, canonical, compile_plan, load_plant
from service import alerts

PLANTS = Path(__file__).resolve().parents[2] / "simulator" / "plants"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CLOSED = int(datetime(2026, 11, 20, 8, tzinfo=UTC).timestamp()) * SECOND
"""End of the cement line's closed intervals, µs."""
NOW = CLOSED + 10 * SECOND
HORIZON = CLOSED + 7 * SECOND
SPAN = 6 * HOUR
BEGIN = CLOSED - SPAN
GAP = (CLOSED - 100 * MINUTE, CLOSED - 95 * MINUTE)
IDLE = (CLOSED - 4 * HOUR, CLOSED - 3 * HOUR)

STEEL_END = int(datetime(2018, 1, 3, tzinfo=UTC).timestamp()) * SECOND
STEEL_BEGIN = STEEL_END - 2 * DAY

POWER_KW = 11_460.0
CLINKER_T_H = 208.333


@dataclass(frozen=True, slots=True)
class Seed:
    """What was put in."""

    cement: Plan
    steel: Plan
    kpi_rows: dict[str, list[tuple[int, float, float]]]
    """Per KPI id its (start µs, a, b)."""


def at(us: int) -> datetime:
    """An instant as the driver takes it."""
    return EPOCH + timedelta(microseconds=us)


def text(us: int) -> str:
    """An instant as the API writes it."""
    return at(us).isoformat().replace("+00:00", "Z")


def seed(dsn: str) -> Seed:
    """Fill a migrated database."""
    with psycopg.connect(dsn) as connection:
        cement = _plan(connection, PLANTS / "cement.yaml")
        steel = _plan(connection, PLANTS / "steel.yaml")
        kpi_rows = _kpis(connection, cement, BEGIN, CLOSED, HORIZON)
        kpi_rows |= _kpis(connection, steel, STEEL_BEGIN, STEEL_END, STEEL_END)
        _emissions(connection, cement)
        _intervals(connection)
        _readings(connection)
        _period(connection)
        _webhook(connection)
        _alert(connection)
        _orders(connection)
        _commit(connection, "cement", 812, NOW - SECOND, HORIZON)
        _commit(connection, "steel", 40, NOW - 3 * SECOND, STEEL_END)
    return Seed(cement, steel, kpi_rows)


def plant_only(dsn: str) -> Plan:
    """Fill a migrated database with the cement line's plan and not one fact."""
    with psycopg.connect(dsn) as connection:
        return _plan(connection, PLANTS / "cement.yaml")


def wave(start_at: int, size: float) -> float:
    """An amount that no two minutes share and no float holds exactly."""
    return size * (1 + 0.05 * math.sin(start_at / MINUTE / 37))


def _plan(connection: psycopg.Connection, path: Path) -> Plan:
    file = load_plant(path)
    digest, body = canonical(file)
    plan = compile_plan(file, version=1)
    row = connection.execute("INSERT INTO site (id) VALUES (%s) RETURNING site_no", [plan.site]).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO plan_version (site_no, version, effective_at, digest, body) VALUES (%s, 1, %s, %s, %s)",
        [row[0], at(BEGIN - 3650 * DAY), digest, Jsonb(body)],
    )
    for table, ids in (
        ("point", [point.id for point in plan.points]),
        ("kpi", [kpi.id for kpi in plan.kpis]),
        ("source", [source.id for source in plan.sources]),
    ):
        connection.execute(
            psycopg.sql.SQL("INSERT INTO {} (site_no, id) SELECT %s, unnest(%s::text[])").format(
                psycopg.sql.Identifier(table)
            ),
            [row[0], ids],
        )
    return plan


def _sums(plan: Plan, kpi_id: str, kind: KpiKind, start_at: int) -> tuple[float, float] | None:
    hours = plan.interval_us / HOUR
    if plan.site == "steel":
        return wave(start_at, 100.0 * hours), wave(
            start_at, 40.0 * hours
        ) if kind == "power_factor" else hours
    name = kpi_id.removeprefix("cement/")
    clinker = 0.0 if IDLE[0] <= start_at < IDLE[1] else wave(start_at + 1, CLINKER_T_H * hours)
    a = {
        "electricity-intensity": POWER_KW,
        "coal-intensity": 27.371 * 791.6,
        "energy-intensity-calorific": 27.371 * 791.6 + POWER_KW * 0.1229,
        "energy-intensity-equal-value": 27.371 * 791.6 + POWER_KW * 0.303,
        "co2-intensity": 161_246.0 + POWER_KW * 0.34,
        "kiln/co2-intensity-measured": 161.287,
        "kiln/co2-intensity-calculated": 161.246,
        "kiln/co2-flow-measured": 161.287,
        "kiln/co2-flow-calculated": 161.246,
    }.get(name, POWER_KW)
    if name == "electricity-intensity" and GAP[0] <= start_at < GAP[1]:
        return None
    b = {KpiKind.RATIO: clinker, KpiKind.POWER_FACTOR: wave(start_at, 3800.0 * hours)}.get(kind, hours)
    return wave(start_at, a * hours), b


def _kpis(
    connection: psycopg.Connection, plan: Plan, begin: int, end: int, horizon: int
) -> dict[str, list[tuple[int, float, float]]]:
    made: dict[str, list[tuple[int, float, float]]] = {}
    numbers = _numbers(connection, "kpi")
    full = plan.interval_us
    with connection.cursor().copy(
        "COPY kpi_value (kpi_no, start_at, a, b, covered_us, valid_us, substituted_us, quality, reasons,"
        " revision, cause, plan_version, known_at, batch_no) FROM STDIN"
    ) as copy:
        for kpi in plan.kpis:
            rows = made.setdefault(kpi.id, [])
            for start_at in range(begin, end, full):
                sums = _sums(plan, kpi.id, kpi.kind, start_at)
                if sums is None:
                    continue
                rows.append((start_at, *sums))
                known_at = at(start_at + full + 5 * SECOND)
                copy.write_row(
                    (
                        numbers[kpi.id],
                        at(start_at),
                        *sums,
                        full,
                        full,
                        0,
                        0,
                        0,
                        1,
                        0,
                        1,
                        known_at,
                        start_at // full,
                    )
                )
    for kpi in plan.kpis:
        for window_us in kpi.windows_us:
            _latest(connection, kpi.kind, numbers[kpi.id], window_us, made[kpi.id], horizon, full)
    return made


def _latest(
    connection: psycopg.Connection,
    kind: KpiKind,
    kpi_no: int,
    window_us: int,
    rows: list[tuple[int, float, float]],
    horizon: int,
    interval_us: int,
) -> None:
    from_at = horizon - window_us
    from_at -= from_at % interval_us
    chosen = [row for row in rows if row[0] >= from_at]
    a, b = math.fsum(row[1] for row in chosen), math.fsum(row[2] for row in chosen)
    covered = len(chosen) * interval_us
    if kind is KpiKind.LOAD_FACTOR:
        a, b = a / b, 1.05 * a / b
    value, reason = combine(kind, a, b, covered)
    connection.execute(
        """
        INSERT INTO kpi_latest (kpi_no, window_us, from_at, to_at, a, b, value, reason, covered_us, valid_us,
                                substituted_us, quality, reasons, plan_version, known_at, batch_no)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0, 1, %s, 812)
        """,
        [
            kpi_no,
            window_us,
            at(from_at),
            at(horizon),
            a,
            b,
            value,
            reason,
            covered,
            covered,
            at(NOW - SECOND),
        ],
    )


def _emissions(connection: psycopg.Connection, plan: Plan) -> None:
    numbers = _numbers(connection, "source")
    with connection.cursor().copy(
        "COPY emission (source_no, start_at, mass_kg, covered_us, valid_us, substituted_us, quality, reasons,"
        " revision, cause, plan_version, known_at, batch_no) FROM STDIN"
    ) as copy:
        for source in plan.sources:
            for start_at in range(BEGIN, CLOSED, MINUTE):
                mass = emitted_kg(source.id, start_at)
                known_at = at(start_at + 65 * SECOND)
                copy.write_row(
                    (numbers[source.id], at(start_at), mass, MINUTE, MINUTE, 0, 0, 0, 1, 0, 1, known_at, 1)
                )


def emitted_kg(source: str, start_at: int) -> float:
    """What a source of the cement line emitted in one minute."""
    tonnes_per_h = {
        "cement/kiln/fuel": 60.11,
        "cement/kiln/process": 100.0,
        "cement/kiln/raw-meal": 1.136,
        "cement/kiln/stack": 161.287,
        "cement/electricity": 3.896,
    }
    return wave(start_at, tonnes_per_h[source] * 1000 / 60)


def _intervals(connection: psycopg.Connection) -> None:
    """The clinker counter: a minute in GAP is missing; one hour and one day are rolled up."""
    number = _numbers(connection, "point")["cement/kiln/clinker"]
    figures = [(start_at, round(wave(start_at, 3472.0))) for start_at in range(BEGIN, CLOSED, MINUTE)]
    for start_at, count in figures:
        if GAP[0] <= start_at < GAP[1]:
            continue
        connection.execute(
            """
            INSERT INTO interval VALUES (%s, %s, %s, %s, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1, 0, 1, %s, 1)
            """,
            [number, at(start_at), count * 0.001, count, at(start_at + 65 * SECOND)],
        )
    for table, start_at in (("interval_hour", CLOSED - HOUR), ("interval_day", CLOSED - 16 * HOUR)):
        connection.execute(
            psycopg.sql.SQL(
                """
                INSERT INTO {} VALUES (%s, %s, 208.00000000000003, 208000, NULL, NULL, NULL, 3600000000, 3600000000,
                                       0, 0, 0, 60, %s, 1)
                """
            ).format(psycopg.sql.Identifier(table)),
            [number, at(start_at), at(CLOSED)],
        )
    connection.execute("INSERT INTO point_state VALUES (%s, %s, 1)", [number, at(CLOSED)])


def _readings(connection: psycopg.Connection) -> None:
    """Twenty readings of kiln power, one without a value, two of one instant; ingest's own partitions."""
    number = _numbers(connection, "point")["cement/kiln/power"]
    room_for_readings(connection)
    rows: list[tuple[Any, ...]] = [
        (number, at(CLOSED + i * SECOND // 2), at(NOW), 11_460.0 + i / 7, 0, 0, -1, 5) for i in range(20)
    ]
    rows[3] = (number, at(CLOSED + 3 * SECOND // 2), at(NOW), math.nan, 3, 1, -1, 5)
    rows[5] = (number, at(CLOSED + 4 * SECOND // 2), at(NOW), 11_000.0, 0, 0, 7, 6)
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO reading VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", rows)


def _period(connection: psycopg.Connection) -> None:
    """An hour of the cement line is sealed: period 1, with the clinker in it."""
    number = _numbers(connection, "point")["cement/kiln/clinker"]
    connection.execute(
        """
        INSERT INTO period_seal (site_no, kind, from_at, to_at, sealed_by, sealed_at, inbox_no, known_at, batch_no)
        SELECT site_no, 'hour', %s, %s, 'm.weber', %s, 1, %s, 800 FROM site WHERE id = 'cement'
        """,
        [at(CLOSED - 6 * HOUR), at(CLOSED - 5 * HOUR), at(NOW - MINUTE), at(NOW - MINUTE)],
    )
    connection.execute(
        """
        INSERT INTO period_point (seal_no, point_no, amount, amount_count, covered_us, valid_us, substituted_us, quality,
                                  reasons, cause, known_at, batch_no)
        VALUES (1, %s, 208.0, 208000, 3600000000, 3600000000, 0, 0, 0, 0, %s, 800)
        """,
        [number, at(NOW - MINUTE)],
    )


def _alert(connection: psycopg.Connection) -> None:
    """The kiln's power is above its limit."""
    told = {name: value for name, value in alerts.EXAMPLE.items() if not name.startswith("acknowledged")}
    connection.execute(
        """
        INSERT INTO alert_episode (episode, site_no, rule, severity, subject_kind, subject_id, unit_path, window_us,
                                   pending_at, fired_at, told_at, data, batch_no)
        SELECT %s, site_no, 'kiln-power', 'warning', 'kpi', 'cement/kiln/power', 'cement/kiln', 0, %s, %s, %s, %s, 800
          FROM site WHERE id = 'cement'
        """,
        [told["episode"], *[at(NOW - MINUTE)] * 3, Jsonb(told)],
    )


def _orders(connection: psycopg.Connection) -> None:
    """On the kiln one that is over, and one that runs."""
    told: list[tuple[str, str, str | None, str, int, dict[str, object]]] = [
        ("event", "1", "4711", "start", CLOSED - 3 * HOUR, {"product": "clinker"}),
        ("event", "2", "4711", "stop", CLOSED - HOUR, {"good": 400.0, "scrap": 1.0, "measure": "t"}),
        ("event", "3", "4712/a", "start", CLOSED - HOUR, {}),
        ("state", "4", None, "run", CLOSED - HOUR, {}),
    ]
    for kind, name, order, event, happened_at, more in told:
        connection.execute(
            """
            INSERT INTO mes_statement (site_no, said, kind, id, seq, order_id, unit, from_at, to_at, body, received_at,
                                       known_at, batch_no)
            SELECT site_no, %(id)s, %(kind)s, %(id)s, -1, %(order)s, 'cement/kiln', %(at)s, %(at)s, %(body)s, %(at)s, %(at)s,
                   1
              FROM site WHERE id = 'cement'
            """,
            {
                "id": name,
                "kind": kind,
                "order": order,
                "at": at(happened_at),
                "body": Jsonb({kind: event, **more}),
            },
        )
    for order, begin, end in (
        ("4711", at(CLOSED - 3 * HOUR), at(CLOSED - HOUR)),
        ("4712/a", at(CLOSED - HOUR), "infinity"),
    ):
        connection.execute(
            """
            INSERT INTO order_reach (site_no, order_id, from_at, to_at, since_batch)
            SELECT site_no, %s, %s, %s, 1 FROM site WHERE id = 'cement'
            """,
            [order, begin, end],
        )


def room_for_readings(connection: psycopg.Connection) -> None:
    """Make the partition of November, as ingest does; on TimescaleDB readings are a hypertable."""
    partitioned = connection.execute(
        "SELECT relkind = 'p' FROM pg_class WHERE relname = 'reading'"
    ).fetchone()
    if partitioned == (True,):
        connection.execute(
            "CREATE TABLE IF NOT EXISTS reading_2026_11 PARTITION OF reading"
            " FOR VALUES FROM ('2026-11-01T00:00Z') TO ('2026-12-01T00:00Z')"
        )


def _commit(connection: psycopg.Connection, site: str, batch_no: int, known_at: int, watermark: int) -> None:
    connection.execute(
        """
        INSERT INTO ingest_commit (site_no, batch_no, epoch, known_at, plan_version, watermark, readings)
        SELECT site_no, %s, 1, %s, 1, %s, 100 FROM site WHERE id = %s
        """,
        [batch_no, at(known_at), at(watermark), site],
    )


def _numbers(connection: psycopg.Connection, table: str) -> dict[str, int]:
    query = psycopg.sql.SQL("SELECT id, {} FROM {}").format(
        psycopg.sql.Identifier(f"{table}_no"), psycopg.sql.Identifier(table)
    )
    return dict(connection.execute(query).fetchall())


def _webhook(connection: psycopg.Connection) -> None:
    """One that the cement line's file has no more, with a delivery that was answered."""
    row = connection.execute(
        """
        WITH made AS (
            INSERT INTO webhook (site_no, id, sequence, delivered)
            SELECT site_no, 'mes', 1, 1 FROM site WHERE id = 'cement' RETURNING webhook_no)
        INSERT INTO delivery (webhook_no, sequence, event_id, type, stream, occurred_at, data, made_at, state, attempts,
                              due_at, ended_at)
        SELECT webhook_no, 1, 'test_1', 'webhook.test', 'test_1', %(at)s, '{}', %(at)s, 'delivered', 1, %(at)s, %(at)s
          FROM made
        RETURNING delivery_no
        """,
        {"at": at(CLOSED)},
    ).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO delivery_attempt VALUES (%s, 1, %s, 12, 204, NULL, '')", [row[0], at(CLOSED)]
    )
