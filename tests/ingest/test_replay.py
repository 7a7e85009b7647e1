"""Replay says what live said; what was corrupted it names, and mends as a restatement."""

import asyncio
import random
from collections.abc import Sequence
from importlib import resources
from typing import Any

import psycopg
import pytest
from psycopg import AsyncCursor

from ingest.errors import InputError, SiteBusyError
from ingest.model import Cause, Reason
from ingest.replay import Outcome, Wanted, replay
from ingest.site import Clocks
from ingest.source import Delivery
from ingest.store.facts import Stamp
from ingest.store.writer import Writer
from tests.ingest.crooked import PLANT, crooked, the_end
from tests.ingest.feeding import Clock, figures, open_site
from tests.ingest.test_order import WAYS, Way, bring

ALL_DAYS = ("2026-11-20", "2026-11-22")
"""In the site's zone: everything the crooked stretch touches."""


async def replayed(
    dsn: str, *, apply: bool = False, points: str = "*", span: Sequence[str] = ALL_DAYS
) -> Outcome:
    clock = Clock()
    wanted = Wanted(None, points, *span)
    return await replay(
        dsn, wanted, Clocks(clock.now, clock.monotonic), lambda *_: None, "a test" if apply else None
    )


async def run(dsn: str, seed: int, minutes: int = 40, way: Way | None = None) -> None:
    """A crooked stretch with late, repeated and corrected readings and restarts, everything closed."""
    way = way or next(one for one in WAYS if one.crashes)
    await bring(dsn, way, crooked(seed, minutes, 20), random.Random(seed))
    await bring(dsn, WAYS[0], [the_end(minutes)], random.Random(seed))


def execute(dsn: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements behind everybody's back; the rows of the last one."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        cursor = [connection.execute(statement.encode()) for statement in statements][-1]
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize("seed", range(4))
async def test_a_replay_finds_what_live_has_stored(dsn: str, seed: int) -> None:
    await run(dsn, seed, way=WAYS[(3 * seed + 1) % len(WAYS)])
    before = figures(dsn)
    outcome = await replayed(dsn)
    assert outcome.first == []
    assert outcome.equal
    assert outcome.readings > 500
    tables = {"interval", "ledger", "comparison", "interval_hour", "interval_day", "emission", "kpi_value"}
    assert {table for table, rows in outcome.compared.items() if rows > 5} >= tables - {
        "ledger",
        "comparison",
    }
    assert set(outcome.compared) == tables
    assert figures(dsn) == before


@pytest.mark.parametrize("way", [WAYS[1], WAYS[6]], ids=lambda way: way.name)
async def test_hours_that_drifted_count_in_a_replay_as_they_did_live(dsn: str, way: Way) -> None:
    """Twelve hours over the site's midnight, at half past an hour of UTC."""
    await run(dsn, 8, minutes=12 * 60, way=way)
    flagged = execute(dsn, f"SELECT count(*) FROM interval WHERE reasons & {int(Reason.DRIFT)} > 0")[0][0]
    assert flagged > 100
    good, outcome = figures(dsn), await replayed(dsn)
    assert outcome.first == []
    assert outcome.compared["comparison"] > 30
    stored = "SELECT point_no, start_at, own, other, common_us, verdict, plan_version FROM comparison ORDER BY 1, 2"
    verdicts = execute(dsn, stored)
    part = await replayed(dsn, points="line/energy", span=("2026-11-20T10:07:00Z", "2026-11-20T20:13:00Z"))
    assert part.first == []
    assert 4 < part.compared["comparison"] < len(verdicts)
    # Figures of hours that drifted, verdicts taken away and made up, and what they say of the hours after.
    execute(
        dsn,
        "UPDATE comparison SET verdict = 0 WHERE verdict = 1 AND start_at < '2026-11-20T12:00Z'",
        "DELETE FROM comparison WHERE verdict = 1 AND start_at < '2026-11-20T15:00Z'",
        "INSERT INTO comparison SELECT point_no, start_at - interval '13 h', 1, 2, 3, 1, 1, 1 FROM comparison"
        " ON CONFLICT DO NOTHING",
        f"UPDATE interval SET reasons = reasons & ~{int(Reason.DRIFT)} WHERE start_at < '2026-11-20T16:00Z'",
        "UPDATE interval SET quality = 0 WHERE quality = 1 AND reasons = 0",
    )
    assert (await replayed(dsn, apply=True)).restated
    assert (await replayed(dsn)).equal
    assert figures(dsn) == good
    assert execute(dsn, stored) == verdicts


THE_INTERVAL = """
    (point_no, start_at) = (SELECT point_no, start_at FROM interval JOIN point USING (point_no)
                             WHERE id = 'mill/line/{}' AND revision > 0 AND amount > 0 ORDER BY start_at OFFSET 9 LIMIT 1)
"""
CORRUPTIONS: dict[str, tuple[str, list[tuple[str, str, str, list[str]]]]] = {
    "the last bit of an amount": (
        f"UPDATE interval SET amount = amount * (1 + 2.220446049250313e-16) WHERE {THE_INTERVAL.format('power')}",
        [("interval", "mill/line/power", "differs", ["amount"])],
    ),
    "an interval too few": (
        f"DELETE FROM interval WHERE {THE_INTERVAL.format('setpoint')}",
        [("interval", "mill/line/setpoint", "missing", [])],
    ),
    "an interval too many": (
        """
        INSERT INTO interval
        SELECT point_no, min(start_at) - interval '10 minutes', 1, 1000, NULL, NULL, NULL, 60000000, 60000000, 0, 0, 0, 1,
               0, 1, now(), 1
          FROM interval JOIN point USING (point_no) WHERE id = 'mill/line/batch' GROUP BY point_no
        """,
        [("interval", "mill/line/batch", "extra", [])],
    ),
    "a provisional row that was never closed": (
        f"UPDATE interval SET revision = 0 WHERE {THE_INTERVAL.format('heat')}",
        [("interval", "mill/line/heat", "missing", [])],
    ),
    "a quality and a reason": (
        f"UPDATE interval SET quality = 3, reasons = 1 << 30 WHERE {THE_INTERVAL.format('sum')}",
        [("interval", "mill/line/sum", "differs", ["quality", "reasons"])],
    ),
    "a step in the ledger": (
        """
        UPDATE ledger SET correction = correction + 1
         WHERE (point_no, at, class) = (SELECT point_no, at, class FROM ledger JOIN point USING (point_no)
                                         WHERE id = 'mill/line/gas' ORDER BY at, class LIMIT 1)
        """,
        [("ledger", "mill/line/gas", "differs", ["correction"])],
    ),
    "a step that was none": (
        """
        INSERT INTO ledger (point_no, at, previous_at, class, increment, correction, batch_no)
        SELECT point_no, min(start_at) + interval '90 s', min(start_at), 1, 2, 3, 1
          FROM interval JOIN point USING (point_no) WHERE id = 'mill/line/mass' GROUP BY point_no
        """,
        [("ledger", "mill/line/mass", "extra", [])],
    ),
    "an hour": (
        """
        UPDATE interval_hour SET covered_us = covered_us - 1
         WHERE (point_no, start_at) = (SELECT point_no, start_at FROM interval_hour ORDER BY 1, 2 LIMIT 1)
        """,
        [("interval_hour", "mill/line/energy", "differs", ["covered_us"])],
    ),
    "a day": (
        "DELETE FROM interval_day WHERE point_no = (SELECT point_no FROM point WHERE id = 'mill/line/temperature')",
        [("interval_day", "mill/line/temperature", "missing", [])],
    ),
    "a KPI value": (
        """
        UPDATE kpi_value SET b = b + 1
         WHERE (kpi_no, start_at) = (SELECT kpi_no, min(start_at) FROM kpi_value JOIN kpi USING (kpi_no)
                                      WHERE id = 'mill/line/co2' GROUP BY kpi_no)
        """,
        [("kpi_value", "mill/line/co2", "differs", ["b"])],
    ),
    "an emission": (
        "DELETE FROM emission WHERE start_at = (SELECT start_at FROM emission ORDER BY start_at OFFSET 3 LIMIT 1)",
        [("emission", "mill/line/electricity", "missing", [])],
    ),
}


async def test_what_is_corrupted_is_named_and_mended(dsn: str) -> None:
    await run(dsn, seed=3)
    good, before = figures(dsn), every_row(dsn)
    [stamp] = execute(dsn, "SELECT max(batch_no), max(plan_version), max(known_at) FROM ingest_commit")
    execute(dsn, *(statement for statement, _ in CORRUPTIONS.values()))
    found = await replayed(dsn)
    expected = [one for _, named in CORRUPTIONS.values() for one in named]
    named = [(one.table, one.id, one.what, list(one.columns)) for one in found.first]
    assert sorted(named) == sorted(expected)
    assert sum(found.different.values()) == len(CORRUPTIONS)
    restated = await replayed(dsn, apply=True)
    assert (restated.first, restated.restated) == (found.first, True)
    assert figures(dsn) == good
    again = await replayed(dsn, apply=True)
    assert (again.equal, again.restated) == (True, False)
    assert (await replayed(dsn)).equal
    after = every_row(dsn)
    changed = {key: row for key, row in after.items() if row != before[key]}
    tables = ["emission"] + 4 * ["interval"] + ["kpi_value"]
    assert sorted(table for table, *_ in changed) == tables
    for key, (revision, cause, version, batch_no, known_at) in changed.items():
        was = before[key]
        assert (cause, version, batch_no) == (Cause.RESTATEMENT, stamp[1], stamp[0] + 1)
        assert known_at > stamp[2]
        assert revision in {was[0] + 1, 2}, "a row that was deleted or provisional begins again"


def every_row(dsn: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Revision, cause, version, batch and known_at of every figure."""
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for table, key in (("interval", "point_no"), ("kpi_value", "kpi_no"), ("emission", "source_no")):
        for number, at, *row in execute(
            dsn, f"SELECT {key}, start_at, revision, cause, plan_version, batch_no, known_at FROM {table}"
        ):
            found[table, number, at] = tuple(row)
    return found


NEWER = (
    PLANT.replace("max_gap: 2min, sloped: true, limits", "max_gap: 5min, sloped: true, limits")
    .replace("max_gap: 4min, sloped: false, min_valid_share: 0.5", "max_gap: 1min, sloped: false")
    .replace("constants: {a: 1.0, b: 0.5}", "constants: {a: 1.0, b: 0.25}")
    .replace("{id: grid, value: 0.4,", "{id: grid, value: 0.5,")
    .replace("line/batch", "line/grain")
    .replace("{id: line/grain, ", "{id: line/grain, formerly: [line/batch], ")
    .replace(
        "sources:\n",
        """\
  - {id: line/extra, kind: gauge, unit: kW, computed: {method: linear, inputs: {a: line/heat}, constants: {a: 2.0}}}
sources:
  - {id: line/more, scope: 2, category: purchased, gas: co2, route: calculated, activity: line/energy, factors: [grid]}
""",
    )
    .replace(
        "kpis:\n",
        "kpis:\n  - {id: line/new, kind: rate, unit: kW, numerator: [{point: line/extra}], windows: [1h]}\n",
    )
)


async def take(dsn: str, plant: str, messages: Sequence[Delivery], size: int) -> None:
    """Hand messages over to an ingest under a plant file."""
    ingest = await open_site(dsn, plant)
    for begin in range(0, len(messages), size):
        await ingest.take(messages[begin : begin + size], caught_up=False)
        await ingest.flush_late()
    while ingest.more:
        await ingest.take([], caught_up=False)
    await ingest.close()


def versions_of_intervals(dsn: str) -> dict[str, list[int]]:
    """By point, the plan versions that its intervals name."""
    found = execute(
        dsn,
        """
        SELECT id, array_agg(DISTINCT plan_version ORDER BY plan_version) FROM interval JOIN point USING (point_no)
         GROUP BY id
        """,
    )
    return dict(found)


@pytest.mark.parametrize("seed", [5, 6])
async def test_each_interval_is_replayed_under_the_version_that_made_it(dsn: str, seed: int) -> None:
    sent = crooked(seed, 60, 20)
    half = len(sent) // 2
    renamed = [
        Delivery(
            one.topic.replace("batch", "grain"), one.payload.replace(b"batch", b"grain"), one.received_at
        )
        for one in [*sent[half:], the_end(60)]
    ]
    await take(dsn, PLANT, sent[:half], 60)
    await take(dsn, NEWER, renamed, 60)
    made = versions_of_intervals(dsn)
    versions = dict(made)
    assert versions.pop("mill/line/extra") == [2]
    assert {tuple(found) for found in versions.values()} == {(1, 2)}
    assert "mill/line/grain" in versions
    outcome = await replayed(dsn)
    assert outcome.first == []
    # A database of before that was written down is told by its closed rows.
    step = resources.files("ingest.store.migrations") / "0009_in_force.sql"
    execute(dsn, "DROP TABLE plan_in_force", step.read_text(encoding="utf-8"))
    assert (await replayed(dsn)).first == []
    good = figures(dsn)
    # One of each version, and one that the newer version would not have made.
    execute(
        dsn,
        """
        UPDATE interval SET mean = mean + 1e-6 WHERE (point_no, start_at) IN (
            SELECT point_no, max(start_at) FROM interval JOIN point USING (point_no)
             WHERE id = 'mill/line/power' AND mean IS NOT NULL GROUP BY point_no, plan_version)
        """,
        """
        DELETE FROM interval
         WHERE (point_no, start_at) = (SELECT point_no, min(start_at) FROM interval JOIN point USING (point_no)
                                        WHERE id = 'mill/line/setpoint' GROUP BY point_no)
        """,
    )
    assert (await replayed(dsn)).different["interval"] >= 3
    assert (await replayed(dsn, apply=True)).restated
    assert (await replayed(dsn)).equal
    assert figures(dsn) == good
    assert versions_of_intervals(dsn) == made


async def test_a_check_beside_a_running_ingest_sees_whole_transactions(dsn: str) -> None:
    messages = [*crooked(7, 40, 20), the_end(40)]
    ingest = await open_site(dsn, PLANT)
    await ingest.take(messages[:50], caught_up=False)
    running = True

    async def feed_on() -> None:
        nonlocal running
        for begin in range(50, len(messages), 10):
            await ingest.take(messages[begin : begin + 10], caught_up=False)
            await ingest.flush_late()
            await asyncio.sleep(0.1)
        running = False

    task, outcomes = asyncio.create_task(feed_on()), []
    while running:
        outcomes.append(await replayed(dsn))
        assert outcomes[-1].first == []
    await task
    with pytest.raises(SiteBusyError, match="being written by test"):
        await replayed(dsn, apply=True)
    await ingest.close()
    seen = [outcome.compared["interval"] for outcome in outcomes]
    assert len(set(seen)) > 1, "nothing was closed meanwhile"


async def test_a_span_and_a_pattern_choose_what_is_compared(dsn: str) -> None:
    await run(dsn, seed=3)
    everything = await replayed(dsn)
    execute(dsn, "UPDATE interval SET covered_us = covered_us - 1 WHERE revision > 0")
    one = await replayed(dsn, points="line/power")
    assert {different.id for different in one.first} == {"mill/line/power"}
    assert one.different["interval"] == one.compared["interval"] < everything.compared["interval"]
    assert 0 < one.compared["kpi_value"] < everything.compared["kpi_value"]
    counted = await replayed(dsn, points="mill/line/energy")
    assert counted.compared["emission"] == everything.compared["emission"]
    assert "emission" not in one.compared
    hour = await replayed(dsn, span=("2026-11-20T08:00:00Z", "2026-11-20T08:20:00Z"), apply=True)
    assert 20 < sum(hour.different.values()) < sum(everything.compared.values())
    assert len(hour.first) == 20
    assert "interval_day" not in hour.compared
    rest = await replayed(dsn)
    assert {different.at >= hour.to_at for different in rest.first} == {True}
    assert (await replayed(dsn, span=("2026-11-20T08:00:00Z", "2026-11-20T08:20:00Z"))).equal


WRONG = """
    UPDATE {} SET covered_us = covered_us - 1
     WHERE {}_no = (SELECT {}_no FROM {} WHERE id = 'mill/line/{}') AND revision > 0
"""


async def test_some_points_are_restated_with_what_reads_them(dsn: str) -> None:
    await run(dsn, seed=3)
    good = figures(dsn)
    for table, owner, name in (
        ("interval", "point", "setpoint"), ("interval", "point", "sum"), ("kpi_value", "kpi", "load"),
        ("interval", "point", "heat"), ("kpi_value", "kpi", "heating"), ("emission", "source", "electricity"),
    ):  # fmt: skip
        execute(dsn, WRONG.format(table, owner, owner, owner, name))
    others = ("mill/line/heat", "mill/line/heating", "mill/line/electricity")
    wrong = [row for table in good for row in figures(dsn)[table] if row[0] in others]
    found = await replayed(dsn, points="line/setpoint,line/wat*r")
    assert set(found.compared) == {"interval", "ledger", "interval_hour", "interval_day", "kpi_value"}
    assert set(found.different) == {"interval", "kpi_value"}
    assert (await replayed(dsn, points="line/setpoint,line/wat*r", apply=True)).restated
    assert (await replayed(dsn, points="line/setpoint,line/wat*r")).equal
    after = figures(dsn)
    assert [row for table in good for row in after[table] if row[0] in others] == wrong
    for table, rows in good.items():
        kept = [row for row in rows if row[0] not in others]
        assert [row for row in after[table] if row[0] not in others] == kept, table
    rest = await replayed(dsn, apply=True)
    assert {"kpi_value", "emission", "interval"} <= set(rest.different)
    assert figures(dsn) == good


async def test_a_restatement_that_is_broken_off_is_finished_by_the_next(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(dsn, seed=3)
    good = figures(dsn)
    execute(
        dsn,
        "UPDATE interval SET covered_us = covered_us - 1 WHERE revision > 0",
        "UPDATE kpi_value SET a = a + 1",
    )
    wrong = sum((await replayed(dsn)).different.values())
    monkeypatch.setattr("ingest.store.restate.ROWS_PER_TRANSACTION", 40)
    announced, announce = [0], Writer.announce

    async def fail(self: Writer, cursor: AsyncCursor, stamp: Stamp) -> None:
        announced[0] += 1
        if announced[0] == 4:
            raise psycopg.OperationalError("the server is gone")
        await announce(self, cursor, stamp)

    monkeypatch.setattr(Writer, "announce", fail)
    with pytest.raises(psycopg.OperationalError):
        await replayed(dsn, apply=True)
    left = sum((await replayed(dsn)).different.values())
    assert 0 < wrong - left < 4 * 60, "three transactions of some forty rows were to stay"
    assert (await replayed(dsn, apply=True)).restated
    assert (await replayed(dsn)).equal
    assert figures(dsn) == good
    assert announced[0] > wrong // 60


@pytest.mark.parametrize(
    ("points", "span", "said"),
    [
        ("line/none*", ALL_DAYS, "--points is 'line/none*'"),
        ("line/power,line/none*", ALL_DAYS, "--points is 'line/none*'"),
        ("*", ("2026-11-20T08:00", "2026-11-22"), "--from is '2026-11-20T08:00'"),
        ("*", ("2026-11-20", "soon"), "--to is 'soon'"),
        ("*", ("2026-11-20", "2026-11-20T08:00:30Z"), "expected the edge of an interval of 60 s"),
        ("*", ("2026-11-22", "2026-11-20"), "expected an instant after"),
    ],
)
async def test_what_cannot_be_replayed_is_one_sentence(
    dsn: str, points: str, span: tuple[str, str], said: str
) -> None:
    await take(dsn, PLANT, [], 1)
    with pytest.raises(InputError) as refused:
        await replayed(dsn, points=points, span=span)
    assert said in str(refused.value)
