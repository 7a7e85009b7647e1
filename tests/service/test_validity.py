"""Hours and days judged by the rule a plant file names, from the intervals that are stored."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from ingest.model import DAY, HOUR, MINUTE, SECOND, Reason
from ingest.plant import Plan, compile_plan, parse_plant
from service import validity
from service.as_of import Known
from service.store import Store
from service.validity import Judged
from tests.service.seeding import at

# Half an hour off the hours of UTC.
BEGIN = int(datetime(2026, 11, 19, 18, 30, tzinfo=UTC).timestamp()) * SECOND
NOW = Known(9, None, None, past=False)

PLANT = """\
site: mill
name: Mill
time_zone: Asia/Kolkata
interval: {interval}
units: [{{id: line, name: Line}}]
points:
  - {{id: line/gas, kind: sample, unit: "%", basis: dry, period: 5s, validity: {{{rule}}}}}
  - {{id: line/running, kind: state, period: 5s}}
"""


class Filled:
    """A plan's database with intervals that a test gives."""

    def __init__(self, dsn: str, store: Store) -> None:
        self._dsn, self._store = dsn, store

    def plan(self, rule: str, interval: str = "1min") -> Plan:
        made = compile_plan(parse_plant(PLANT.format(rule=rule, interval=interval), "x"), version=1)
        with psycopg.connect(self._dsn) as connection:
            connection.execute("INSERT INTO site (id) VALUES ('mill')")
            connection.execute(
                "INSERT INTO point (site_no, id) SELECT site_no, unnest(%s::text[]) FROM site",
                [[point.id for point in made.points]],
            )
        return made

    def put(self, point: str, given: Iterable[tuple[int, int, int, float | None]], batch_no: int = 1) -> None:
        """(start, valid µs, reasons, amount) of intervals."""
        rows = [
            (point, at(start), amount, valid, valid, reasons, batch_no)
            for start, valid, reasons, amount in given
        ]
        with psycopg.connect(self._dsn) as connection, connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO interval (point_no, start_at, amount, covered_us, valid_us, substituted_us, quality,
                                      reasons, revision, cause, plan_version, known_at, batch_no)
                SELECT point_no, %s, %s, %s, %s, 0, 0, %s, 1, 0, 1, now(), %s FROM point WHERE id = %s
                """,
                [(*row[1:], row[0]) for row in rows],
            )

    async def judge(
        self, plan: Plan, step: str, n: int, until: int = BEGIN + 9 * DAY, known: Known = NOW
    ) -> list[Judged]:
        step_us = {"hour": HOUR, "day": DAY}[step]
        slots = [(BEGIN + i * step_us, BEGIN + (i + 1) * step_us) for i in range(n)]
        async with self._store.snapshot() as connection:
            return await validity.judged(connection, plan, plan.points[0], step, slots, until, known)


@pytest.fixture
async def filled(dsn: str) -> AsyncIterator[Filled]:
    store = Store(dsn, readers=1)
    await store.open()
    yield Filled(dsn, store)
    await store.close()


def minutes(hour: int, n: int, valid_us: int = MINUTE, reasons: int = 0, first: int = 0) -> list[Any]:
    start = BEGIN + hour * HOUR + first * MINUTE
    return [(start + i * MINUTE, valid_us, reasons, None) for i in range(n)]


async def test_hj_minutes_hours_and_days(filled: Filled) -> None:
    plan = filled.plan("regime: hj212")
    filled.put(
        "mill/line/gas",
        minutes(0, 45) + minutes(1, 44) + minutes(2, 60, 44 * SECOND) + minutes(3, 45, 45 * SECOND),
    )
    assert await filled.judge(plan, "hour", 5) == [
        (True, "hj-hour"), (False, "hj-hour"), (False, "hj-hour"), (True, "hj-hour"), (False, "hj-hour"),
    ]  # fmt: skip
    filled.put("mill/line/gas", [row for hour in range(4, 21) for row in minutes(hour, 50)])
    filled.put("mill/line/gas", [row for hour in range(24, 44) for row in minutes(hour, 45)])
    assert await filled.judge(plan, "day", 2) == [(False, "hj-day"), (True, "hj-day")]


async def test_hj_minutes_of_long_intervals_are_those_that_fit(filled: Filled) -> None:
    plan = filled.plan("regime: hj212", "30min")
    half = 30 * MINUTE
    filled.put("mill/line/gas", [(BEGIN, half, 0, None), (BEGIN + half, 15 * MINUTE + SECOND, 0, None)])
    filled.put(
        "mill/line/gas", [(BEGIN + HOUR, half, 0, None), (BEGIN + HOUR + half, 15 * MINUTE - 1, 0, None)]
    )
    assert [valid for valid, _ in await filled.judge(plan, "hour", 2)] == [True, False]


async def test_eu_time(filled: Filled) -> None:
    plan = filled.plan("regime: mrr")
    filled.put("mill/line/gas", minutes(0, 60, 48 * SECOND) + minutes(1, 60, 48 * SECOND - 1))
    assert await filled.judge(plan, "hour", 2) == [(True, "eu-hour"), (False, "eu-hour")]
    assert await filled.judge(plan, "day", 1) == [(None, None)]


async def test_us_quarters_in_which_the_unit_ran(filled: Filled) -> None:
    plan = filled.plan("regime: part75, running: line/running")
    ran = [(BEGIN + i * MINUTE, MINUTE, 0, 1 / 60) for i in (0, 20, 35, 59, 60, 119, 180, 240)]
    filled.put("mill/line/running", [*ran, (BEGIN + 2 * HOUR, MINUTE, 0, 0.0)])
    gas = minutes(0, 1) + minutes(0, 1, first=15) + minutes(0, 1, first=44) + minutes(0, 1, first=45)
    gas += minutes(1, 1, first=14) + minutes(1, 1, first=45) + minutes(2, 60)
    calibrated = int(Reason.CALIBRATION)
    gas += minutes(3, 1) + minutes(3, 1, 0, calibrated, 1) + minutes(3, 1, first=15)
    gas += minutes(4, 1, 1, calibrated) + minutes(4, 1, first=14)
    filled.put("mill/line/gas", gas)
    verdicts = [valid for valid, _ in await filled.judge(plan, "hour", 6)]
    assert verdicts == [True, True, None, True, False, None]


async def test_nothing_is_said_of_what_is_open_or_has_no_rule(filled: Filled) -> None:
    plan = filled.plan("regime: hj212")
    filled.put("mill/line/gas", minutes(0, 60) + minutes(1, 60))
    until = BEGIN + 2 * HOUR - 1
    assert await filled.judge(plan, "hour", 2, until) == [(True, "hj-hour"), (None, "hj-hour")]


async def test_as_of_an_earlier_batch_the_intervals_that_stood_are_judged(filled: Filled) -> None:
    plan = filled.plan("regime: hj212")
    filled.put("mill/line/gas", minutes(0, 44), batch_no=1)
    filled.put("mill/line/gas", minutes(0, 1, first=44), batch_no=5)
    assert await filled.judge(plan, "hour", 1) == [(True, "hj-hour")]
    assert await filled.judge(plan, "hour", 1, known=Known(4, None, None, past=True)) == [(False, "hj-hour")]
