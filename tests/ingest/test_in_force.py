"""What is of an earlier version's time stays that version's, however late it comes."""

import random
from typing import Any

import pytest

from ingest.model import Cause, Quality, Reason
from tests.ingest.crooked import PLANT, crooked, the_end
from tests.ingest.feeding import PLANT as MILL
from tests.ingest.feeding import SECOND, START, a_day, feed, figures, message, open_site
from tests.ingest.test_order import kept_readings
from tests.ingest.test_replay import execute, replayed, take

MINUTE = 60 * SECOND

CHANGED = (
    PLANT.replace(
        "max_gap: 2min, sloped: true, limits: [0, 1000]", "max_gap: 5min, sloped: true, limits: [0, 400]"
    )
    .replace("max_gap: 4min, sloped: false, min_valid_share: 0.5", "max_gap: 1min, sloped: false")
    .replace(
        "max_gap: 3min, resolution: 0.001, modulus: 1000", "max_gap: 6min, resolution: 0.001, modulus: 1000"
    )
    .replace("constants: {a: 1.0, b: 0.5}", "constants: {a: 1.0, b: 0.25}")
    .replace("inputs: {a: line/heat, b: line/power}", "inputs: {a: line/power, b: line/heat}")
    .replace("{id: grid, value: 0.4,", "{id: grid, value: 0.5,")
    .replace("due_on: 2026-11-21", "due_on: 2026-11-20")
    .replace("  - {id: line/packing, ", "  - {id: line/packed, ")
    .replace("  - {id: line/clean, kind: gauge", "  - {id: line/cleaned, kind: gauge")
    .replace("{point: line/clean}", "{point: line/cleaned}")
)
"""Limits, gaps, factor, programs and a due date are others; a KPI and a computed point have gone, others come."""


OWNERS = (("interval", "point"), ("kpi_value", "kpi"), ("emission", "source"))
IN_FORCE = """
    SELECT i.id, i.start_at, i.plan_version,
           (SELECT max(version) FROM plan_in_force f WHERE f.point_no = i.point_no AND f.from_at <= i.start_at)
      FROM (SELECT id, point_no, start_at, plan_version FROM interval JOIN point USING (point_no) WHERE revision > 0) i
     ORDER BY 1, 2
"""
EDGES = "SELECT id, version, from_at::text FROM plan_in_force JOIN point USING (point_no)"


def alike(dsn: str, other_dsn: str) -> set[str]:
    """The points whose versions changed at the same edges: a reading that is missing may hold a frontier back."""
    apart = {row[0] for row in set(execute(dsn, EDGES)) ^ set(execute(other_dsn, EDGES))}
    return {row[0] for row in execute(dsn, EDGES)} - apart


def named(dsn: str, points: set[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Which version intervals of points and all KPI values and emissions name."""
    query = (
        "SELECT id, start_at, plan_version FROM {0} JOIN {1} USING ({1}_no) WHERE revision > 0 ORDER BY 1, 2"
    )
    found = {table: execute(dsn, query.format(table, owner)) for table, owner in OWNERS}
    return {**found, "interval": [row for row in found["interval"] if row[0] in points]}


@pytest.mark.parametrize("seed", range(20, 26))
async def test_late_readings_come_to_what_they_had_come_to_in_time(
    dsn: str, other_dsn: str, seed: int
) -> None:
    dice = random.Random(seed)
    sent = crooked(seed, 60, 20)
    third, half = len(sent) // 3, len(sent) // 2
    held = dice.sample(sent[:third], third // 5)
    await take(other_dsn, PLANT, sent[:half], 60)
    await take(other_dsn, CHANGED, [*sent[half:], the_end(60)], 60)
    await take(dsn, PLANT, [one for one in sent[:half] if one not in held], 60)
    late = [*sent[half:], the_end(60)]
    for one in held:
        late.insert(dice.randrange(len(late) + 1), one)
    await take(dsn, CHANGED, late, 60)
    assert kept_readings(dsn) == kept_readings(other_dsn)
    assert figures(dsn) == figures(other_dsn)
    points = alike(dsn, other_dsn)
    assert len(points) > 10
    assert named(dsn, points) == named(other_dsn, points)
    made = execute(dsn, IN_FORCE)
    assert [one for one in made if one[2] != one[3]] == []
    assert {one[2] for one in made} == {1, 2}
    late_ones = "SELECT count(*) FROM interval WHERE revision > 1 AND plan_version = 1"
    assert execute(dsn, late_ones)[0][0] > 20
    assert (await replayed(dsn)).first == []


METER = (
    "instruments:\n  - {id: meter, points: [line/power], kind: meter, accuracy_class: '1', calibrated_on: 2025-01-01,"
    " due_on: %s}\n"
)
FIRST = MILL + METER % "2026-11-20"
SECOND_VERSION = (
    MILL.replace("limits: [0, 1000]", "limits: [0, 400]")
    .replace("value: 0.4,", "value: 0.5,")
    .replace("constants: {a: 1.0, b: 0.5}", "constants: {a: 1.0, b: 0.25}")
) + METER % "2027-11-20"
EDGE = START + 30 * MINUTE
HELD = (
    message("line/power", START + 10 * MINUTE + SECOND, 600.0, received_at=START + 10 * MINUTE + 2 * SECOND),
    message("line/power", EDGE, 390.0),
    message("line/energy", START + 12 * MINUTE, 12.0, quality="bad", seq=1),
    message("line/power", EDGE + 5 * MINUTE + SECOND, 600.0),
)
"""Above the second version's limit in the first one's time; on the edge; of what an emission follows from; after it."""


EDGE_POWER = next(
    one.payload
    for one in a_day(0.6)
    if one.topic.endswith("line/power") and one.received_at == EDGE + 100_000
)


async def two_versions(dsn: str, *, in_time: bool) -> None:
    sent = [one for one in a_day(0.75) if one.payload != EDGE_POWER]
    early = [one for one in sent if one.received_at <= EDGE + 11 * SECOND]
    later = sent[len(early) :]
    if in_time:
        early = sorted([*early, *HELD[:3]], key=lambda one: one.received_at)
        later = sorted([*later, HELD[3]], key=lambda one: one.received_at)
    ingest = await open_site(dsn, FIRST)
    await feed(ingest, early, batch=30)
    await ingest.close()
    ingest = await open_site(dsn, SECOND_VERSION)
    await feed(ingest, later, batch=30)
    await feed(ingest, [] if in_time else HELD)
    await ingest.close()


def of_interval(dsn: str, point: str, start_at: int) -> tuple[Any, ...]:
    [found] = execute(
        dsn,
        f"""
        SELECT plan_version, max, quality, reasons, revision, cause FROM interval JOIN point USING (point_no)
         WHERE id = 'mill/{point}' AND start_at = to_timestamp({start_at // SECOND})
        """,
    )
    return found


async def test_a_span_over_the_edge_is_of_both_versions(dsn: str, other_dsn: str) -> None:
    await two_versions(dsn, in_time=False)
    await two_versions(other_dsn, in_time=True)
    assert figures(dsn) == figures(other_dsn)
    assert named(dsn, alike(dsn, other_dsn)) == named(other_dsn, alike(dsn, other_dsn))
    outcome = await replayed(dsn)
    assert (outcome.first, outcome.compared["interval"] > 200) == ([], True)
    overdue, bad_range = int(Reason.OVERDUE), int(Reason.RANGE)
    # A limit and a due date that came later are not those of that time.
    version, largest, quality, reasons, revision, cause = of_interval(dsn, "line/power", START + 10 * MINUTE)
    assert (version, largest, quality) == (1, 600.0, Quality.UNCERTAIN)
    assert reasons & (overdue | bad_range) == overdue
    assert (revision, cause) == (2, Cause.LATE)
    before, after = of_interval(dsn, "line/power", EDGE - MINUTE), of_interval(dsn, "line/power", EDGE)
    assert (before[0], after[0]) == (1, 2)
    assert (before[4], after[4]) == (2, 2), "the line to the late reading and the one from it"
    assert (before[3] & overdue, after[3] & overdue) == (overdue, 0)
    assert of_interval(dsn, "line/power", EDGE + 5 * MINUTE)[3] & bad_range == bad_range
    [weights] = execute(
        dsn,
        f"""
        SELECT array_agg(DISTINCT mass_kg / amount) FROM emission e JOIN source USING (source_no)
          JOIN interval i ON i.start_at = e.start_at JOIN point p ON p.point_no = i.point_no AND p.id = 'mill/line/energy'
         WHERE e.start_at < to_timestamp({EDGE // SECOND}) AND amount > 0
        """,
    )
    assert weights[0] == pytest.approx([0.4] * len(weights[0]))


async def test_what_is_of_the_newest_time_asks_for_no_other_version(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_versions(dsn, in_time=False)
    ingest = await open_site(dsn, SECOND_VERSION)

    async def never(*_: object) -> None:
        raise AssertionError("an earlier version is asked for")

    monkeypatch.setattr("ingest.store.versions.Versions.refresh", never)
    day = 4 * 24 * 60 * MINUTE  # beyond what any max_gap reaches
    for minutes in (0, 1, 2, 3, 4):
        await feed(ingest, [message("line/power", START + day + minutes * MINUTE, 100.0)])
    await feed(ingest, [message("line/power", START + day + 30 * SECOND, 101.0)])
    assert of_interval(dsn, "line/power", START + day)[4] == 2
    with pytest.raises(AssertionError, match="is asked for"):
        await feed(ingest, [message("line/power", START + 20 * MINUTE + SECOND, 100.0)])
    await ingest.close()
