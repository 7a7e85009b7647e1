"""A point beside the one it is compared with: what is said of the hour after one in which they were apart."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
import pytest
from psycopg import AsyncCursor

from ingest.model import HOUR, MINUTE, Cause, Quality, Reason
from ingest.site import SiteIngest
from ingest.source import Delivery
from ingest.store.facts import Stamp
from ingest.store.writer import Writer
from tests.ingest import sealing
from tests.ingest.declaring import approve, take_declared
from tests.ingest.definition import defined, stored
from tests.ingest.feeding import START, feed, message, open_site
from tests.ingest.test_replay import replayed

PLANT = """\
site: mill
name: A mill with two meters
time_zone: Europe/Berlin
clock: live
interval: 5min
lateness: 5s
units: [{id: line, name: Line}]
carriers: [{id: electricity, name: Electricity}]
factors: [{id: grid, value: 0.4, unit: t/MWh, source: test, trust: unconfirmed}]
points:
  - {id: line/energy, kind: counter, unit: MWh, period: 1min, max_gap: 5min, resolution: 0.000001}
  - {id: line/power, kind: gauge, unit: kW, carrier: electricity, period: 1min, max_gap: 5min, sloped: false, compare: {with: line/energy, within: 2 %}}
  - {id: line/feed, kind: gauge, unit: kW, period: 1min, max_gap: 5min, sloped: false}
  - {id: line/heat, kind: sample, unit: °C, period: 1min, max_gap: 5min, compare: {with: line/copy, within: 2 K}}
  - {id: line/copy, kind: sample, unit: K, period: 1min, max_gap: 5min}
  - {id: line/sum, kind: gauge, unit: kW, computed: {method: linear, inputs: {a: line/power, b: line/feed}, constants: {a: 1.0, b: 1.0}}}
sources:
  - {id: line/electricity, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/power, factors: [grid]}
kpis:
  - {id: line/load, kind: rate, unit: kW, numerator: [{point: line/power}], windows: [5min]}
  - {id: line/other, kind: rate, unit: kW, numerator: [{point: line/feed}], windows: [5min]}
"""  # noqa: E501

HOURS = 3
Signal = Callable[[int], float]


def said(point: str, value: Signal, begin: int = 0, end: int = HOURS * 60 + 20) -> list[Delivery]:
    """A reading a minute of a point, from one minute of the stretch to another."""
    return [message(f"line/{point}", START + m * MINUTE, value(m)) for m in range(begin, end)]


def energy(minute: int) -> float:
    """The register of 100 kW, in MWh."""
    return round(minute / 600, 6)


def five_percent_up(minute: int) -> float:
    """100 kW, and five percent more in the last two thirds of the first hour: 3.3 % over all of it."""
    return 105.0 if 20 <= minute < 60 else 100.0


def steady(minute: int) -> float:
    return 50.0


def in_order(*said: Iterable[Delivery]) -> list[Delivery]:
    return sorted((one for part in said for one in part), key=lambda one: one.received_at)


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def flagged(dsn: str, table: str = "interval") -> dict[tuple[str, int], tuple[int, int, int]]:
    """(id, hour of the stretch) → (how many rows are in doubt, greatest revision, greatest cause among them)."""
    owner = {"interval": "point", "kpi_value": "kpi", "emission": "source"}[table]
    found = rows(
        dsn,
        f"""
        SELECT o.id, floor((extract(epoch FROM start_at) - {START // 1_000_000}) / 3600)::int, count(*), max(revision),
               max(cause), min(quality)
          FROM {table} JOIN {owner} o USING ({owner}_no) WHERE reasons & {int(Reason.DRIFT)} > 0 AND revision > 0
         GROUP BY 1, 2
        """,
    )
    assert all(quality >= Quality.UNCERTAIN for *_, quality in found)
    return {
        (name.removeprefix("mill/line/"), hour): (n, rev, cause) for name, hour, n, rev, cause, _ in found
    }


def verdicts(dsn: str, point: str = "power") -> list[tuple[int, int, int]]:
    """(hour of the stretch, minutes in common, verdict)."""
    return rows(
        dsn,
        f"""
        SELECT ((extract(epoch FROM start_at) - {START // 1_000_000}) / 3600)::int, common_us / 60000000, verdict::int
          FROM comparison JOIN point USING (point_no) WHERE id = 'mill/line/{point}' ORDER BY 1
        """,
    )


async def finish(ingest: SiteIngest, dsn: str) -> None:
    """Nothing is to differ from what the definition says."""
    while ingest.more:
        await ingest.take([], caught_up=False)
    plan = ingest.plan
    await ingest.close()
    until = START + HOURS * HOUR
    expected, found = defined(dsn, plan, until), stored(dsn, until)
    for table, facts in expected.items():
        assert found[table] == facts, table


EVERY = {("power", 1): 12, ("sum", 1): 12}


async def test_the_hour_after_is_in_doubt_from_the_first_row_on(dsn: str) -> None:
    ingest = await open_site(dsn, PLANT)
    await feed(
        ingest, in_order(said("energy", energy), said("power", five_percent_up), said("feed", steady)), 3
    )
    await finish(ingest, dsn)
    assert verdicts(dsn) == [(0, 60, 1), (1, 60, 0), (2, 60, 0)]
    assert flagged(dsn) == {place: (n, 1, 0) for place, n in EVERY.items()}
    assert flagged(dsn, "kpi_value") == {("load", 1): (12, 1, 0)}
    assert flagged(dsn, "emission") == {("electricity", 1): (12, 1, 0)}
    [(own, other)] = rows(dsn, "SELECT own, other FROM comparison WHERE verdict = 1")
    assert (own, other) == (pytest.approx(100 + 10 / 3), pytest.approx(100))
    [(hour, day)] = rows(
        dsn,
        f"""
        SELECT (SELECT count(*) FROM interval_hour WHERE reasons & {int(Reason.DRIFT)} > 0),
               (SELECT count(*) FROM interval_day WHERE reasons & {int(Reason.DRIFT)} > 0)
        """,
    )
    assert (hour, day) == (2, 2)


@pytest.mark.parametrize("restart", [False, True])
async def test_what_is_compared_with_may_come_later(dsn: str, restart: bool) -> None:
    """Until then nobody knows; then the hour is said anew, with what follows."""
    ingest = await open_site(dsn, PLANT)
    await feed(ingest, in_order(said("power", five_percent_up), said("feed", steady)))
    assert verdicts(dsn) == []
    await sealing.seal(ingest, dsn, START + HOUR, START + 2 * HOUR)
    frozen = sealing.said(dsn)
    if restart:
        await ingest.close()
        ingest = await open_site(dsn, PLANT)
    await feed(ingest, said("energy", energy))
    await finish(ingest, dsn)
    assert verdicts(dsn) == [(0, 60, 1), (1, 60, 0), (2, 60, 0)]
    assert flagged(dsn) == {place: (n, 2, Cause.LATE) for place, n in EVERY.items()}
    assert flagged(dsn, "kpi_value") == {("load", 1): (12, 2, Cause.LATE)}
    assert flagged(dsn, "emission") == {("electricity", 1): (12, 2, Cause.LATE)}
    before = rows(
        dsn,
        f"""
        SELECT id, count(*), max(reasons & {int(Reason.DRIFT)}) FROM interval_history JOIN point USING (point_no)
         WHERE id <> 'mill/line/energy' GROUP BY id ORDER BY id
        """,
    )
    assert before == [("mill/line/power", 12, 0), ("mill/line/sum", 12, 0)]
    now = sealing.said(dsn)
    for subject, name in (("point", "power"), ("kpi", "load"), ("source", "electricity")):
        key = (1, subject, f"mill/line/{name}")
        assert len(now[key]) == len(frozen[key]) + 1
        assert now[key][-1][2:] == sealing.defined(dsn)[key]
    assert now[1, "point", "mill/line/feed"] == frozen[1, "point", "mill/line/feed"]


async def test_a_correction_that_explains_it_clears_the_hour_after(dsn: str) -> None:
    def wrong_once(minute: int) -> float:
        return 1000.0 if minute == 30 else 100.0

    ingest = await open_site(dsn, PLANT)
    await feed(ingest, in_order(said("energy", energy), said("power", wrong_once), said("feed", steady)))
    assert {place: n for place, (n, _, _) in flagged(dsn).items()} == EVERY
    approve(dsn, "line/power", START + 30 * MINUTE, "correction", value=100.0, quality="good")
    assert await take_declared(ingest, dsn) == 1
    await finish(ingest, dsn)
    assert (flagged(dsn), flagged(dsn, "kpi_value"), flagged(dsn, "emission")) == ({}, {}, {})
    assert verdicts(dsn)[0] == (0, 60, 0)
    causes = "SELECT DISTINCT cause, quality FROM {} WHERE revision > 1 AND start_at >= '2026-11-20T09:00Z'"
    for table in ("interval", "kpi_value", "emission"):
        assert rows(dsn, causes.format(table)) == [(Cause.CORRECTION, Quality.GOOD)], table


async def test_a_late_reading_of_the_other_counts_too(dsn: str) -> None:
    """The register had stood still for half the hour by what was heard of it: too little of it is valid to say."""
    ingest = await open_site(dsn, PLANT)
    short = [one for m, one in enumerate(said("energy", energy)) if not 10 <= m < 50]
    await feed(ingest, in_order(short, said("power", five_percent_up), said("feed", steady)))
    assert verdicts(dsn)[0] == (0, 15, 2)
    assert flagged(dsn) == {}
    await feed(ingest, said("energy", energy, 10, 50))
    await finish(ingest, dsn)
    assert verdicts(dsn)[0] == (0, 60, 1)
    assert flagged(dsn) == {place: (n, 2, Cause.LATE) for place, n in EVERY.items()}


async def test_an_hour_with_nothing_in_common_has_no_row(dsn: str) -> None:
    ingest = await open_site(dsn, PLANT)
    early, late = said("energy", energy, 0, 45), said("energy", energy, 2 * 60 + 10)
    await feed(ingest, in_order(early, late, said("power", five_percent_up), said("feed", steady)))
    await finish(ingest, dsn)
    assert verdicts(dsn) == [(0, 40, 1), (2, 50, 0)]
    assert {place: n for place, (n, _, _) in flagged(dsn).items()} == EVERY


async def test_samples_are_compared_by_their_means_in_one_unit(dsn: str) -> None:
    def copy(minute: int) -> float:
        return 293.15 + (3.0 if 60 <= minute < 120 else 1.0)

    ingest = await open_site(dsn, PLANT)
    await feed(ingest, in_order(said("heat", lambda _: 20.0), said("copy", copy)))
    await finish(ingest, dsn)
    assert verdicts(dsn, "heat") == [(0, 60, 0), (1, 60, 1), (2, 60, 0)]
    found = rows(dsn, "SELECT own, other FROM comparison ORDER BY start_at")
    assert [own for own, _ in found] == [20.0] * 3
    assert [other for _, other in found] == pytest.approx([21.0, 23.0, 21.0])
    assert flagged(dsn) == {("heat", 2): (12, 1, 0)}


async def test_a_site_that_compares_nothing_asks_nothing(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> None:
        raise AssertionError

    for name in ("drifted_hours", "_made", "_write", "Comparer._revise"):
        monkeypatch.setattr(f"ingest.store.comparison.{name}", never)
    text = PLANT.replace(", compare: {with: line/energy, within: 2 %}", "").replace(
        ", compare: {with: line/copy, within: 2 K}", ""
    )
    ingest = await open_site(dsn, text)
    await feed(ingest, in_order(said("energy", energy), said("power", five_percent_up)))
    await feed(ingest, [message("line/power", START + 30 * MINUTE, 7.0, seq=1)])
    await finish(ingest, dsn)
    assert rows(dsn, "SELECT count(*) FROM comparison") == [(0,)]


WITHOUT = PLANT.replace(", compare: {with: line/energy, within: 2 %}", "")
WITH_FEED = PLANT.replace(
    "compare: {with: line/energy, within: 2 %}", "compare: {with: line/feed, within: 60 kW}"
)


REMOVED, CHANGED = (PLANT, WITHOUT, PLANT), (WITH_FEED, PLANT, WITHOUT)
ADDED, TWICE = (WITHOUT, PLANT, WITH_FEED), (PLANT, WITH_FEED, PLANT)


@pytest.mark.parametrize(
    ("versions", "lags"),
    [(versions, lags) for versions in (REMOVED, CHANGED, ADDED, TWICE) for lags in (0, 4, 95)],
)
async def test_a_replay_compares_as_the_versions_in_hand_did(
    dsn: str, versions: tuple[str, str, str], lags: int
) -> None:
    """Versions change in the middle of hours; the other points may lag, so that hours wait for them meanwhile."""

    def wanders(minute: int) -> float:
        return 100.0 + minute % 180 / 10

    hours = 6
    power = said("power", wanders, 0, hours * 60)
    others = [*said("energy", energy, 0, hours * 60), *said("feed", steady, 0, hours * 60)]
    messages = sorted(
        [(one.received_at, one) for one in power]
        + [(one.received_at + lags * MINUTE, one) for one in others],
        key=lambda pair: pair[0],
    )
    cuts = [0, 130 * 3, 250 * 3, len(messages)]
    for text, begin, end in zip(versions, cuts[:-1], cuts[1:], strict=True):
        ingest = await open_site(dsn, text)
        await feed(ingest, [one for _, one in messages[begin:end]], 40)
        await ingest.close()
    assert len(verdicts(dsn)) >= 2
    outcome = await replayed(dsn)
    assert outcome.first == []
    assert outcome.compared["comparison"] >= 2


async def test_a_check_beside_a_running_ingest_knows_which_verdicts_are_new(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is compared with lags by four minutes, so verdicts change what was closed before."""
    monkeypatch.setattr("ingest.store.replay.SETTLE_S", 0.3)
    power, register = said("power", five_percent_up), said("energy", energy)
    messages = sorted(
        [(one.received_at, one) for one in power] + [(one.received_at + 4 * MINUTE, one) for one in register],
        key=lambda pair: pair[0],
    )
    ingest = await open_site(dsn, PLANT)
    seen: list[int] = []

    async def feed_on() -> None:
        for begin in range(0, len(messages), 3):
            await feed(ingest, [one for _, one in messages[begin : begin + 3]])
            await asyncio.sleep(0.03)

    task = asyncio.create_task(feed_on())
    while not task.done():
        outcome = await replayed(dsn)
        assert outcome.first == []
        seen.append(outcome.compared["comparison"])
    await task
    await ingest.close()
    assert len(set(seen)) > 1
    assert flagged(dsn)


async def test_a_transaction_that_is_lost_says_the_same_when_it_is_tried_again(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had learned of verdicts stays known, and the second attempt makes them from what is stored."""
    attempts, announce = [0], Writer.announce

    async def lost_first(self: Writer, cursor: AsyncCursor, stamp: Stamp) -> None:
        attempts[0] += 1
        if attempts[0] % 2:
            raise psycopg.OperationalError("the server is gone")
        await announce(self, cursor, stamp)

    monkeypatch.setattr(Writer, "announce", lost_first)
    monkeypatch.setattr("ingest.patient.FIRST_PAUSE_S", 0.001)
    ingest = await open_site(dsn, PLANT)
    register = said("energy", energy)
    await feed(ingest, in_order(said("power", five_percent_up), said("feed", steady), register[:100]))
    await feed(ingest, register[100:])
    await feed(ingest, [message("line/power", START + 40 * MINUTE, 9000.0, seq=1)])
    await feed(ingest, [message("line/power", START + 40 * MINUTE, 100.0, seq=2)])
    await finish(ingest, dsn)
    assert attempts[0] > 20
    assert {place: n for place, (n, _, _) in flagged(dsn).items()} == EVERY
    assert verdicts(dsn) == [(0, 60, 1), (1, 60, 0), (2, 60, 0)]
