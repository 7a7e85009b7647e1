"""Changing a past grid factor restates exactly the touched figures, and says before what it would do."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest

from ingest.errors import InputError, SiteBusyError
from ingest.methods.changes import Changes
from ingest.model import Cause
from ingest.plant import canonical, parse_plant
from ingest.replay import Wanted as Replayed
from ingest.replay import replay
from ingest.restate import Restated, Wanted, restate
from ingest.site import Clocks
from ingest.source import Delivery
from ingest.store.registry import apply_plan
from tests.ingest.feeding import SECOND, Clock, feed, message, open_site

MINUTE = 60 * SECOND
MONTH_ENDS = int(datetime(2026, 11, 30, 23, tzinfo=UTC).timestamp()) * SECOND
"""The midnight in Berlin with which December begins."""
BEGIN = MONTH_ENDS - 6 * MINUTE
PLANT = """\
site: mill
name: A mill
time_zone: Europe/Berlin
interval: 1min
lateness: 5s
units: [{id: line, name: Line, kind: line}]
factors:
  - {id: grid, value: 0.4, unit: t/MWh, source: test, trust: unconfirmed}
  - {id: gas, value: 2.0, unit: kg/Nm3, source: test, trust: unconfirmed}
points:
  - {id: line/energy, kind: delta, unit: kWh, period: 1min, resolution: 0.001}
  - {id: line/gas, kind: delta, unit: Nm3, period: 1min, resolution: 0.001}
  - {id: line/mass, kind: delta, unit: t, period: 1min, resolution: 0.001}
sources:
  - {id: line/electricity, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [grid]}
  - {id: line/fuel, scope: 1, category: combustion, gas: co2, route: calculated, activity: line/gas, factors: [gas]}
kpis:
  - {id: line/carbon, kind: ratio, unit: kg/t, numerator: [{source: line/electricity}], denominator: [{point: line/mass}], windows: [5min]}
  - {id: line/intensity, kind: ratio, unit: kWh/t, numerator: [{point: line/energy}], denominator: [{point: line/mass}], windows: [5min]}
"""  # noqa: E501
CHANGED = PLANT.replace("value: 0.4", "value: 0.5306")
SPAN = ("2026-11-30T22:56:00Z", "2026-11-30T23:04:00Z")
"""Eight of the twelve minutes."""


def clock() -> Clock:
    return Clock(at=MONTH_ENDS + 3600 * SECOND)


def energy(i: int) -> float:
    return 10.125 * (i + 1)


def coming(minutes: range = range(12)) -> list[Delivery]:
    return [
        message(f"line/{point}", BEGIN + (i + 1) * MINUTE, value)
        for i in minutes
        for point, value in (("energy", energy(i)), ("gas", 3.5 + i), ("mass", 2.0))
    ]


async def restated(
    dsn: str, *, apply: bool = False, version: int | None = None, span: Sequence[str] = SPAN
) -> Restated:
    now = clock()
    wanted = Wanted(None, version, span[0], span[1])
    return await restate(dsn, wanted, Clocks(now.now, now.monotonic), "a test" if apply else None)


async def two_versions(dsn: str, changed: str = CHANGED) -> None:
    """Twelve minutes closed under version 1, and version 2 in force from then on."""
    now = clock()
    ingest = await open_site(dsn, PLANT, now)
    await feed(ingest, [*coming(), *coming(range(20, 21))])
    await ingest.close()
    await (await open_site(dsn, changed, now)).close()


def rows(dsn: str, table: str, key: str) -> dict[tuple[str, int], dict[str, Any]]:
    with psycopg.connect(dsn) as connection:
        cursor = connection.execute(
            f"""
            SELECT o.id, (extract(epoch FROM start_at) * 1000000)::bigint AS at, to_jsonb(f) AS row
              FROM {table} f JOIN {key} o USING ({key}_no)
            """.encode()
        )
        return {(name, (at - BEGIN) // MINUTE): row for name, at, row in cursor.fetchall()}


TABLES = (("interval", "point"), ("emission", "source"), ("kpi_value", "kpi"))


def everything(dsn: str) -> dict[str, dict[tuple[str, int], dict[str, Any]]]:
    return {table: rows(dsn, table, key) for table, key in TABLES}


TOUCHED = range(2, 10)


async def test_exactly_the_touched_figures_change(dsn: str) -> None:
    await two_versions(dsn)
    before = everything(dsn)
    preview = await restated(dsn)
    assert everything(dsn) == before
    outcome = await restated(dsn, apply=True)
    assert (outcome.changes, outcome.different) == (preview.changes, preview.different)
    assert (preview.written, outcome.written, outcome.version) == (False, True, 2)
    assert dict(outcome.different) == {"emission": 8, "kpi_value": 8}
    after = everything(dsn)
    assert after["interval"] == before["interval"]
    wanted = {("emission", ("mill/line/electricity", i)) for i in TOUCHED} | {
        ("kpi_value", ("mill/line/carbon", i)) for i in TOUCHED
    }
    changed = {
        (table, key) for table, _ in TABLES for key in after[table] if after[table][key] != before[table][key]
    }
    assert changed == wanted
    for i in TOUCHED:
        row = after["emission"]["mill/line/electricity", i]
        assert row["mass_kg"] == pytest.approx(energy(i) * 0.5306, rel=1e-12)
        assert (row["revision"], row["cause"], row["plan_version"]) == (2, int(Cause.RESTATEMENT), 2)
    history = rows(dsn, "emission_history", "source")
    assert {key: row["mass_kg"] for key, row in history.items()} == {
        ("mill/line/electricity", i): pytest.approx(energy(i) * 0.4) for i in TOUCHED
    }


async def test_the_difference_adds_up_by_source_and_month(dsn: str) -> None:
    await two_versions(dsn)
    found = {(one.source, one.month): one for one in (await restated(dsn)).changes}
    assert list(found) == [
        (source, month)
        for source in ("mill/line/electricity", "mill/line/fuel")
        for month in ("2026-11", "2026-12", None)
    ]
    months = [found["mill/line/electricity", month] for month in ("2026-11", "2026-12")]
    whole = found["mill/line/electricity", None]
    for one, minutes in zip([*months, whole], (range(2, 6), range(6, 10), TOUCHED), strict=True):
        kwh = math.fsum(energy(i) for i in minutes)
        assert [one.before_kg, one.after_kg] == pytest.approx([kwh * 0.4, kwh * 0.5306])
        assert one.difference_kg == pytest.approx(one.after_kg - one.before_kg, rel=1e-12)
        assert one.intervals == len(minutes)
    assert whole.difference_kg == pytest.approx(math.fsum(one.difference_kg for one in months), rel=1e-15)
    fuel = found["mill/line/fuel", None]
    assert (fuel.intervals, fuel.difference_kg) == (0, 0.0)
    assert fuel.before_kg == fuel.after_kg > 0


async def test_once_restated_nothing_is_left_and_a_replay_agrees(dsn: str) -> None:
    await two_versions(dsn)
    await restated(dsn, apply=True)
    again = await restated(dsn, apply=True)
    assert (dict(again.different), again.written) == ({}, False)
    now = clock()
    wanted = Replayed(None, "*", "2026-11-30", "2026-12-02")
    outcome = await replay(dsn, wanted, Clocks(now.now, now.monotonic), lambda *_: None, None)
    assert outcome.equal, outcome.first


async def test_a_late_reading_leaves_what_is_restated_restated(dsn: str) -> None:
    """Its factor is that of the restatement; beside the span that of the version in force then."""
    await two_versions(dsn)
    await restated(dsn, apply=True)
    ingest = await open_site(dsn, CHANGED, clock())
    for i in (0, 4):
        await feed(ingest, [message("line/energy", BEGIN + (i + 1) * MINUTE, 500.0, seq=9)])
    await ingest.close()
    found = everything(dsn)
    for i, factor, version in ((0, 0.4, 1), (4, 0.5306, 2)):
        row = found["emission"]["mill/line/electricity", i]
        assert (row["mass_kg"], row["plan_version"]) == (pytest.approx(500.0 * factor), version)
        row = found["kpi_value"]["mill/line/carbon", i]
        assert (row["a"], row["plan_version"]) == (pytest.approx(500.0 * factor), version)
    assert dict((await restated(dsn)).different) == {}
    now = clock()
    wanted = Replayed(None, "*", "2026-11-30", "2026-12-02")
    outcome = await replay(dsn, wanted, Clocks(now.now, now.monotonic), lambda *_: None, None)
    assert outcome.equal, outcome.first


AGAIN = CHANGED.replace("0.5306", "0.7").replace("name: A mill", "name: The mill")


FAR = 20 * 24 * 60
"""Minutes: further than a late reading may reach."""


async def far_versions(dsn: str, first: str, changed: str, more: Sequence[Delivery] = ()) -> Clock:
    """Twelve minutes closed under version 1, and version 2 in force and restated from long after them."""
    now = Clock(at=MONTH_ENDS + FAR * MINUTE + 3600 * SECOND)
    ingest = await open_site(dsn, first, now)
    await feed(ingest, [*coming(), *more, *coming(range(FAR, FAR + 1))])
    await ingest.close()
    await (await open_site(dsn, changed, now)).close()
    wanted = Wanted(None, None, *SPAN)
    assert (await restate(dsn, wanted, Clocks(now.now, now.monotonic), "a test")).written
    return now


async def replay_agrees(dsn: str) -> None:
    now = clock()
    wanted = Replayed(None, "*", "2026-11-30", "2026-12-02")
    outcome = await replay(dsn, wanted, Clocks(now.now, now.monotonic), lambda *_: None, None)
    assert outcome.equal, outcome.first


async def test_a_later_version_leaves_what_is_restated_restated(dsn: str) -> None:
    """Also where the version restated under is in force nowhere near: the stored figure names it."""
    now = await far_versions(dsn, PLANT, CHANGED)
    ingest = await open_site(dsn, AGAIN, now)
    for i in (0, 4):
        await feed(ingest, [message("line/energy", BEGIN + (i + 1) * MINUTE, 500.0, seq=9)])
    await feed(ingest, [message("line/mass", BEGIN + 6 * MINUTE, 9.0, seq=9)])
    await ingest.close()
    found = everything(dsn)
    for i, kwh, factor, version in ((0, 500.0, 0.4, 1), (4, 500.0, 0.5306, 2), (5, energy(5), 0.5306, 2)):
        row = found["emission"]["mill/line/electricity", i]
        assert (row["mass_kg"], row["plan_version"]) == (pytest.approx(kwh * factor), version)
        row = found["kpi_value"]["mill/line/carbon", i]
        assert (row["a"], row["plan_version"]) == (pytest.approx(kwh * factor), version)
    assert found["kpi_value"]["mill/line/carbon", 5]["b"] == 9.0
    await replay_agrees(dsn)


async def test_a_restated_figure_that_was_corrected_away_comes_back_restated(dsn: str) -> None:
    """What stood last says under which version: its history knows."""
    now = await far_versions(dsn, PLANT, CHANGED)
    ingest = await open_site(dsn, AGAIN, now)
    at, (i, j) = BEGIN + MINUTE, (4, 0)
    for number, (value, quality) in enumerate(((None, "bad"), (500.0, "good"))):
        for minute in (i, j):
            told = message("line/energy", at + minute * MINUTE, value, seq=9 + number, quality=quality)
            await feed(ingest, [told])
        found = everything(dsn)
        there = {minute: ("mill/line/electricity", minute) in found["emission"] for minute in (i, j)}
        assert there == dict.fromkeys((i, j), number == 1)
    await ingest.close()
    for minute, factor, version in ((i, 0.5306, 2), (j, 0.4, 1)):
        row = found["emission"]["mill/line/electricity", minute]
        assert (row["mass_kg"], row["plan_version"]) == (pytest.approx(500.0 * factor), version)
        row = found["kpi_value"]["mill/line/carbon", minute]
        assert (row["a"], row["plan_version"]) == (pytest.approx(500.0 * factor), version)
    await replay_agrees(dsn)


SPARE = PLANT.replace(
    "points:\n", "points:\n  - {id: line/spare, kind: delta, unit: kWh, period: 1min, resolution: 0.001}\n"
)
OTHER_METER = SPARE.replace("activity: line/energy", "activity: line/spare")


async def test_a_restated_mass_follows_the_meter_of_its_version(dsn: str) -> None:
    """Which neither the version in force then nor the newest has it read."""
    spare = [message("line/spare", BEGIN + (i + 1) * MINUTE, 100.0 + i) for i in (*range(12), FAR)]
    now = await far_versions(dsn, SPARE, OTHER_METER, spare)
    ingest = await open_site(dsn, SPARE.replace("0.4", "0.7"), now)
    await feed(ingest, [message("line/spare", BEGIN + 5 * MINUTE, 500.0, seq=9)])
    await feed(ingest, [message("line/energy", BEGIN + 6 * MINUTE, 900.0, seq=9)])
    await ingest.close()
    found = everything(dsn)
    for i, kwh in ((4, 500.0), (5, 105.0)):
        row = found["emission"]["mill/line/electricity", i]
        assert (row["mass_kg"], row["plan_version"]) == (pytest.approx(kwh * 0.4), 2)
        row = found["kpi_value"]["mill/line/carbon", i]
        assert (row["a"], row["plan_version"]) == (pytest.approx(kwh * 0.4), 2)
    await replay_agrees(dsn)


async def test_time_of_the_newest_version_restated_to_an_older_one_stays_so(dsn: str) -> None:
    """Days after the edge only the newest version is asked for; figures there may name another."""
    later = BEGIN + 30 * 24 * 60 * MINUTE
    now = Clock(at=later + 3600 * SECOND)
    ingest = await open_site(dsn, PLANT, now)
    await feed(ingest, coming())
    await ingest.close()
    ingest = await open_site(dsn, CHANGED, now)
    told = [
        message(f"line/{point}", later + (i + 1) * MINUTE, value)
        for i in range(12)
        for point, value in (("energy", energy(i)), ("gas", 3.5 + i), ("mass", 2.0))
    ]
    await feed(ingest, told)
    await ingest.close()
    span = ("2026-12-30T22:56:00Z", "2026-12-30T23:02:00Z")
    wanted = Wanted(None, 1, *span)
    assert (await restate(dsn, wanted, Clocks(now.now, now.monotonic), "a test")).written
    ingest = await open_site(dsn, CHANGED, now)
    for i in (1, 4):
        await feed(ingest, [message("line/energy", later + (i + 1) * MINUTE, 500.0, seq=9)])
    await ingest.close()
    found = everything(dsn)
    for i, factor, version in ((1, 0.5306, 2), (4, 0.4, 1)):
        minute = i + 30 * 24 * 60
        row = found["emission"]["mill/line/electricity", minute]
        assert (row["mass_kg"], row["plan_version"]) == (pytest.approx(500.0 * factor), version)
        row = found["kpi_value"]["mill/line/carbon", minute]
        assert (row["a"], row["plan_version"]) == (pytest.approx(500.0 * factor), version)
    outcome = await replay(
        dsn,
        Replayed(None, "*", "2026-12-30", "2027-01-01"),
        Clocks(now.now, now.monotonic),
        lambda *_: None,
        None,
    )
    assert outcome.equal, outcome.first


async def test_back_to_the_version_before(dsn: str) -> None:
    """A restatement is a revision like any other: the version before can be had again."""
    await two_versions(dsn)
    before = everything(dsn)["emission"]
    await restated(dsn, apply=True)
    await restated(dsn, apply=True, version=1)
    after = everything(dsn)["emission"]
    assert {key: row["mass_kg"] for key, row in after.items()} == {
        key: row["mass_kg"] for key, row in before.items()
    }
    assert {after["mill/line/electricity", i]["revision"] for i in TOUCHED} == {3}


SERIES = CHANGED.replace(
    "{id: grid, value: 0.5306, unit: t/MWh, source: test, trust: unconfirmed}",
    "{id: grid, unit: t/MWh, series: [{since: 2026-12-01, value: 0.6, source: test, trust: P}]}",
).replace(
    "  - {id: line/carbon, kind: ratio, unit: kg/t, numerator: [{source: line/electricity}], denominator:"
    " [{point: line/mass}], windows: [5min]}\n",
    "",
)


async def test_what_a_version_has_no_factor_for_is_left(dsn: str) -> None:
    await two_versions(dsn, SERIES)
    before = everything(dsn)["emission"]
    outcome = await restated(dsn, apply=True)
    assert (dict(outcome.different), outcome.left) == ({"emission": 4}, 4)
    after = everything(dsn)["emission"]
    for i in range(2, 6):
        assert after["mill/line/electricity", i] == before["mill/line/electricity", i]
    for i in range(6, 10):
        assert after["mill/line/electricity", i]["mass_kg"] == pytest.approx(energy(i) * 0.6)


async def test_what_cannot_be_restated_is_refused(dsn: str) -> None:
    await two_versions(dsn)
    for span, version, said in (
        ((SPAN[1], SPAN[0]), None, "an instant after --from"),
        (("2026-11-30T22:56:30Z", SPAN[1]), None, "the edge of an interval"),
        (SPAN, 7, "a version of mill that has taken effect: 2, 1"),
    ):
        with pytest.raises(InputError, match=said):
            await restated(dsn, version=version, span=span)
    digest, body = canonical(parse_plant(CHANGED.replace("0.5306", "0.7"), "test.yaml"))
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await apply_plan(connection, 1, digest, body, datetime(2027, 6, 1, tzinfo=UTC))
    assert (await restated(dsn)).version == 2
    with pytest.raises(InputError, match="has taken effect"):
        await restated(dsn, version=3)
    ingest = await open_site(dsn, CHANGED, clock())
    with pytest.raises(SiteBusyError):
        await restated(dsn, apply=True)
    await ingest.close()


def test_masses_that_came_or_went_are_counted() -> None:
    changes = Changes(ZoneInfo("Europe/Berlin"))
    at = BEGIN + MINUTE * np.arange(4)
    changes.add("a", at, np.array([1.0, np.nan, 3.0, np.nan]), np.array([1.0, 2.0, np.nan, np.nan]))
    month, whole = changes.lines()
    assert (month.month, month.before_kg, month.after_kg, month.difference_kg) == ("2026-11", 4.0, 3.0, -1.0)
    assert month.intervals == 2
    assert whole.month is None
