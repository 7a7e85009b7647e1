"""Gaps of counters filled by what was produced, or by what is usual at that hour: each case by itself.

After each everything stored is what one fold of all readings and `tests.ingest.shaped` say.
"""

import psycopg
import pytest

from ingest.model import DAY, HOUR, Cause, Fill, FlatBecause, Quality, Reason
from ingest.pipeline.pipeline import SitePipeline
from ingest.replay import Wanted, replay
from ingest.site import Clocks
from ingest.source import Delivery
from tests.ingest import test_order
from tests.ingest.crooked import PLANT as CROOKED
from tests.ingest.crooked import crooked
from tests.ingest.definition import stored
from tests.ingest.feeding import PLANT, SECOND, START, Clock, message, open_site
from tests.ingest.sealing import defined, seal
from tests.ingest.sealing import said as sealed
from tests.ingest.test_order import WAYS, Way
from tests.ingest.test_undone import MINUTE, checked, every, flows, later, said

BY_BATCH = PLANT.replace(
    "resolution: 0.001, modulus: 1e9, max_rate: 10000",
    "resolution: 0.001, fill: production, fill_by: line/batch",
)
BY_MASS = BY_BATCH.replace("fill_by: line/batch", "fill_by: line/mass")
USUAL = PLANT.replace(
    "resolution: 0.001, modulus: 1e9, max_rate: 10000",
    "resolution: 0.001, fill: same_hour, fill_at_most: 20min",
)
TONNES = (1, 0, 4, 0, 3, 2, 2, 1, 1, 1)
"""What is made in each minute."""


def counts(begin: int, end: int) -> list[Delivery]:
    """A register that gains a unit every ten seconds of [begin, end), seconds."""
    return [said("energy", second, second / 10) for second in range(begin, end, 10)]


def batches(first: int = 0, last: int = len(TONNES)) -> list[Delivery]:
    """The amounts of minutes first to last, each told at its end."""
    return [said("batch", 60 * (k + 1), TONNES[k % len(TONNES)]) for k in range(first, last)]


def in_order(*parts: list[Delivery]) -> list[Delivery]:
    return sorted((one for part in parts for one in part), key=lambda one: one.received_at)


def amounts(dsn: str, point: str = "energy") -> dict[int, tuple[int, int, int, int]]:
    """By minute the counts of a point, their revision, cause and quality."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            f"""
            SELECT ((extract(epoch FROM start_at) - {START // SECOND}) / 60)::int, amount_count, revision, cause, quality
              FROM interval JOIN point USING (point_no) WHERE id = %s AND revision > 0 ORDER BY 1
            """.encode(),
            [f"mill/line/{point}"],
        ).fetchall()
    return {minute: (counts, revision, cause, quality) for minute, counts, revision, cause, quality in found}


def told(dsn: str) -> list[tuple[int, int]]:
    """How the gaps are filled, and why flat."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "SELECT used, because FROM gap_fill WHERE superseded_batch IS NULL ORDER BY point_no, from_at"
        ).fetchall()


def use(dsn: str, minutes: range) -> list[int]:
    found = amounts(dsn)
    return [found[minute][0] for minute in minutes]


async def test_a_gap_is_used_as_was_produced_in_it(dsn: str) -> None:
    ingest = await open_site(dsn, BY_BATCH)
    # The register is silent from 1:30 to 5:15, and closed as silent up to 4:00 before it is heard again.
    await flows(ingest, [*counts(0, 91), *batches(0, 5)], in_order(counts(315, 601), batches(5)), later(13))
    found = checked(dsn, ingest, 13)
    await ingest.close()
    # 22.5 units over half of nothing, 4 t, nothing, 3 t and a quarter of 2 t: 3 kWh a tonne
    assert use(dsn, range(7)) == [6_000, 3_000 + 0, 12_000, 0, 9_000, 1_500 + 4_500, 6_000]
    assert told(dsn) == [(Fill.PRODUCTION, FlatBecause.NOT)]
    rows = {(row[1] - START) // MINUTE: row for row in found["interval"] if row[0] == "mill/line/energy"}
    assert [rows[minute][9] for minute in (1, 2, 5)] == [30 * SECOND, MINUTE, 15 * SECOND]
    assert all(
        rows[minute][10] == Quality.SUBSTITUTED and rows[minute][11] & Reason.GAP for minute in range(1, 6)
    )
    # What was closed, empty or not, and what closed flat in the same transaction, is said again where it differs.
    how = {minute: row[1:3] for minute, row in amounts(dsn).items() if minute < 7}
    filled = dict.fromkeys(range(1, 5), (2, Cause.GAP_FILLED))
    assert how == {**dict.fromkeys((0, 5, 6), (1, Cause.CLOSING)), **filled}


async def test_what_is_produced_becomes_known_after_the_gap(dsn: str) -> None:
    ingest = await open_site(dsn, BY_BATCH)
    await flows(ingest, [*counts(0, 91), *batches(0, 2), *counts(315, 601), *every("power", 1.0, 0, 700)])
    flat = [6_000, 6_000, 6_000, 6_000, 6_000, 6_000, 6_000]
    assert use(dsn, range(7)) == flat
    assert told(dsn) == [(Fill.FLAT, FlatBecause.WEIGHT_MISSING)]
    await flows(ingest, batches(2), later(13))
    checked(dsn, ingest, 13)
    assert use(dsn, range(7)) == [6_000, 3_000, 12_000, 0, 9_000, 6_000, 6_000]
    await ingest.close()


async def test_a_correction_of_what_was_produced_is_the_cause_of_the_revision(dsn: str) -> None:
    ingest = await open_site(dsn, BY_BATCH)
    await flows(ingest, [*counts(0, 91), *batches()], later(12), counts(315, 601), later(13))
    before = amounts(dsn)
    await flows(ingest, [said("batch", 240, 4, seq=1)])  # minute 3: 4 t instead of nothing
    checked(dsn, ingest, 13)
    after = amounts(dsn)
    # 22.5 units over 11.5 t, at their edges rounded to a count
    assert [after[minute][0] for minute in range(1, 6)] == [3_000, 7_826, 7_826, 5_870, 978 + 4_500]
    assert sum(row[0] for row in after.values()) == sum(row[0] for row in before.values())
    changed = {minute: after[minute][1:3] for minute in after if after[minute] != before[minute]}
    assert changed == {minute: (before[minute][1] + 1, Cause.LATE) for minute in (2, 3, 4, 5)}
    await flows(ingest, [said("batch", 240, None, quality="bad", seq=2)])
    checked(dsn, ingest, 13)
    assert use(dsn, range(7)) == 7 * [6_000]
    assert told(dsn) == [(Fill.FLAT, FlatBecause.WEIGHT_MISSING)]
    with psycopg.connect(dsn) as connection:
        history = connection.execute(
            "SELECT amount_count FROM interval_history JOIN point USING (point_no)"
            " WHERE id = 'mill/line/energy' AND start_at = to_timestamp(%s) ORDER BY batch_no",
            [(START + 3 * MINUTE) // SECOND],
        ).fetchall()
    assert history == [(0,), (7_826,)]
    await ingest.close()


async def test_nothing_produced_at_all_is_flat(dsn: str) -> None:
    ingest = await open_site(dsn, BY_BATCH)
    nothing = [said("batch", 60 * k, 0) for k in range(1, 11)]
    await flows(ingest, [*counts(0, 91), *nothing, *counts(315, 601)], later(13))
    checked(dsn, ingest, 13)
    assert use(dsn, range(7)) == 7 * [6_000]
    assert told(dsn) == [(Fill.FLAT, FlatBecause.WEIGHTS_ZERO)]
    await ingest.close()


async def test_a_weight_that_turns_into_a_gap_itself_is_none_any_more(dsn: str) -> None:
    """The two gaps are filled in one transaction: the old rows of the one may not weigh the other."""
    plant = BY_MASS.replace(
        "t, product: flour, period: 5s",
        "t, product: flour, fill: production, fill_by: line/batch, period: 5s",
    )
    ingest = await open_site(dsn, plant)
    mass = [said("mass", second, second**2 / 1000) for second in range(0, 601, 60)]
    await flows(ingest, [*counts(0, 91), *batches(), *mass, *counts(315, 601)], later(13))
    checked(dsn, ingest, 13)
    assert told(dsn) == [(Fill.PRODUCTION, FlatBecause.NOT)]
    bad = [said("mass", second, None, quality="bad", seq=1) for second in (120, 180)]
    await flows(ingest, bad, later(14))
    checked(dsn, ingest, 14)
    assert told(dsn) == [(Fill.FLAT, FlatBecause.WEIGHT_MISSING), (Fill.PRODUCTION, FlatBecause.NOT)]
    again = [said("mass", second, second**2 / 1000, seq=2) for second in (120, 180)]
    await flows(ingest, again, later(15))
    checked(dsn, ingest, 15)
    assert told(dsn) == [(Fill.PRODUCTION, FlatBecause.NOT)]
    await ingest.close()


async def test_a_gap_in_one_batch_of_a_replayed_site(dsn: str) -> None:
    plant = BY_BATCH.replace("clock: live", "clock: replay")
    ingest = await open_site(dsn, plant)
    mass = [said("mass", second, second / 1000) for second in range(0, 601, 10)]
    everything = [*counts(0, 91), *batches(), *mass, *counts(315, 601), *later(20)]
    await ingest.take(in_order(everything), caught_up=False)
    while ingest.more:
        await ingest.take([], caught_up=False)
    found = checked(dsn, ingest, 19)
    assert use(dsn, range(7)) == [6_000, 3_000, 12_000, 0, 9_000, 6_000, 6_000]
    intensity = [row[2] for row in found["kpi_value"] if row[0] == "mill/line/intensity"]
    assert intensity[:4] == [6.0, 3.0, 12.0, 0.0]
    await ingest.close()


async def test_closed_in_slices_of_a_few_rows_nothing_is_different(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        SitePipeline.process, "__kwdefaults__", {**(SitePipeline.process.__kwdefaults__ or {}), "most": 2}
    )
    ingest = await open_site(dsn, BY_BATCH)
    await ingest.take(in_order(counts(0, 91), batches(), counts(315, 601), later(20)), caught_up=False)
    slices = 1
    while ingest.more:
        await ingest.take([], caught_up=False)
        slices += 1
    assert slices > 5
    checked(dsn, ingest, 20)
    assert use(dsn, range(7)) == [6_000, 3_000, 12_000, 0, 9_000, 6_000, 6_000]
    await ingest.close()


async def test_a_kpi_that_closes_after_the_gap_was_filled_sums_what_is_stored(dsn: str) -> None:
    """Its other input is late: it closes flat from the tail, and is put right in that transaction."""
    ingest = await open_site(dsn, BY_BATCH)
    await flows(ingest, [said("mass", 0, 0.0)], in_order(counts(0, 91), batches(), counts(315, 601)))
    assert use(dsn, range(5)) == [6_000, 3_000, 12_000, 0, 9_000]
    mass = [said("mass", second, second / 1000) for second in range(100, 601, 100)]
    await flows(ingest, mass, later(20))
    found = checked(dsn, ingest, 20)
    intensity = [row[2] for row in found["kpi_value"] if row[0] == "mill/line/intensity"]
    assert intensity[:5] == [6.0, 3.0, 12.0, 0.0, 9.0]
    await ingest.close()


DAY_S = DAY // SECOND


def usual_days(at_seconds: range, days: range, pace: float = 1.0) -> list[Delivery]:
    """On earlier days a register that counts n units in the n-th minute."""
    return [
        said("energy", second - day * DAY_S, pace * (second // 60) * (second // 60 + 1) / 2)
        for day in sorted(days, reverse=True)
        for second in at_seconds
    ]


async def test_a_gap_is_used_as_is_usual_at_that_hour(dsn: str) -> None:
    ingest = await open_site(dsn, USUAL)
    today = [
        said("energy", 0, 0.0),
        said("energy", 60, 5.0),
        said("energy", 360, 65.0),
        said("energy", 420, 70.0),
    ]
    await flows(ingest, usual_days(range(0, 601, 60), range(1, 4)), today, later(20))
    checked(dsn, ingest, 20)
    # minutes 1 to 5 have 60 units to share as 2 : 3 : 4 : 5 : 6
    assert use(dsn, range(7)) == [5_000, 6_000, 9_000, 12_000, 15_000, 18_000, 5_000]
    assert told(dsn) == [(Fill.SAME_HOUR, FlatBecause.NOT)]
    # A day that becomes known later is part of what is usual; minute 1 was 32 units then.
    known = [said("energy", second - 7 * DAY_S, (0, 0, 32)[second // 60]) for second in (0, 60, 120)]
    await flows(ingest, known)
    checked(dsn, ingest, 20)
    shares = [6.0 + 32, 3 * 3, 3 * 4, 3 * 5, 3 * 6]  # the mean of minute 1 is of four days
    weights = [shares[0] / 4, *(share / 3 for share in shares[1:])]
    expected = [60_000 * weight / sum(weights) for weight in weights]
    assert use(dsn, range(1, 6)) == pytest.approx(expected, abs=1)
    assert sum(use(dsn, range(1, 6))) == 60_000
    assert {amounts(dsn)[minute][2] for minute in range(1, 6)} == {Cause.LATE}
    # The eighth day before is too long ago.
    await flows(ingest, [said("energy", second - 8 * DAY_S, second) for second in (60, 120)])
    checked(dsn, ingest, 20)
    assert use(dsn, range(1, 6)) == pytest.approx(expected, abs=1)
    await ingest.close()


async def test_the_usual_hour_is_that_of_the_clock_on_the_wall(dsn: str) -> None:
    """2026-10-25 clocks went back in Berlin: 8:00Z on the 24th showed 10:00, on the 25th 9:00."""
    sunday = 1_792_918_800 * SECOND  # 2026-10-25T09:00Z, 10:00 on the wall
    ingest = await open_site(dsn, USUAL, Clock(sunday))

    def on(begin: int, *registers: tuple[int, float]) -> list[Delivery]:
        return [message("line/energy", begin + second * SECOND, value) for second, value in registers]

    saturday_at_ten = sunday - DAY - 3600 * SECOND
    at_ten = on(saturday_at_ten, (0, 0), (60, 1), (120, 4), (180, 10))
    at_eleven = on(saturday_at_ten + 3600 * SECOND, (0, 10), (60, 30), (120, 30), (180, 30))
    gap = on(sunday, (0, 100), (180, 200), (240, 200))
    the_end = [message("line/batch", sunday + 3600 * SECOND, 0.0)]
    await flows(ingest, at_ten, at_eleven, gap, the_end)
    found = [row for row in stored(dsn)["interval"] if row[0] == "mill/line/energy" and row[1] >= sunday]
    assert [row[3] for row in found][:3] == [10_000, 30_000, 60_000]
    assert checked(dsn, ingest, (sunday + 3590 * SECOND - START) // MINUTE)
    await ingest.close()


def corrupt(dsn: str, point: str, at: int, counts: int) -> None:
    """Let an interval say something else, behind everybody's back."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE interval SET amount = %s, amount_count = %s WHERE start_at = to_timestamp(%s)"
            " AND point_no = (SELECT point_no FROM point WHERE id = %s)",
            [counts / 1000, counts, at // SECOND, f"mill/line/{point}"],
        )


async def test_a_replay_of_what_weighs_a_gap_looks_at_the_gap_too(dsn: str) -> None:
    ingest = await open_site(dsn, BY_BATCH)
    await flows(ingest, [*counts(0, 91), *batches(), *counts(315, 601)], later(20))
    good = checked(dsn, ingest, 20)
    await ingest.close()
    corrupt(dsn, "batch", START + 3 * MINUTE, 4_000)
    corrupt(dsn, "energy", START + 3 * MINUTE, 7_826)
    assert await restated(dsn, "line/batch") == ["mill/line/batch", "mill/line/energy"]
    assert stored(dsn)["interval"] == good["interval"]
    assert await restated(dsn, "*") == []


async def test_a_restatement_fills_what_rests_on_it(dsn: str) -> None:
    """What is restated is of the day before; the gap is of a day that was not replayed."""
    ingest = await open_site(dsn, USUAL)
    today = [
        said("energy", 0, 0.0),
        said("energy", 60, 5.0),
        said("energy", 360, 65.0),
        said("energy", 420, 70.0),
    ]
    await flows(ingest, usual_days(range(0, 601, 60), range(1, 4)), today, later(20))
    good, revision = checked(dsn, ingest, 20), amounts(dsn)[2][1]
    await ingest.close()
    corrupt(dsn, "energy", START - DAY + 2 * MINUTE, 99_000)
    corrupt(dsn, "energy", START + 2 * MINUTE, 40_000)
    found = await restated(dsn, "*", ("2026-11-19", "2026-11-20"))
    assert found == ["mill/line/energy"]
    assert stored(dsn)["interval"] == good["interval"]
    assert amounts(dsn)[2] == (9_000, revision + 1, Cause.RESTATEMENT, Quality.SUBSTITUTED)
    assert await restated(dsn, "*") == []


DOUBTED = BY_BATCH.replace(
    "fill: production, fill_by: line/batch",
    "fill: production, fill_by: line/batch, compare: {with: line/power, within: 2 %}",
)


@pytest.mark.parametrize("forgotten", [False, True])
async def test_what_is_filled_with_a_restatement_is_in_doubt_as_before(dsn: str, forgotten: bool) -> None:
    """In the first hour the two are apart, so the second is in doubt, and the gap in it too."""
    assert DOUBTED != BY_BATCH
    ingest = await open_site(dsn, DOUBTED)
    registers = [*counts(0, 3691), *counts(3915, 7201)]
    await flows(ingest, in_order(registers, batches(0, 119), every("power", 30.0, 0, 7230, 30)), later(125))
    good, in_gap = checked(dsn, ingest, 125), START + 62 * MINUTE
    await ingest.close()
    rows = {row[1]: row for row in good["interval"] if row[0] == "mill/line/energy"}
    assert rows[in_gap][11] == Reason.GAP | Reason.DRIFT
    corrupt(dsn, "batch", in_gap, 9_000)
    if forgotten:
        with psycopg.connect(dsn) as connection:
            connection.execute("UPDATE comparison SET verdict = 0")
    assert "mill/line/batch" in await restated(dsn, "*")
    assert stored(dsn)["interval"] == good["interval"]
    assert await restated(dsn, "*") == []


async def restated(dsn: str, points: str, span: tuple[str, str] = ("2026-11-20", "2026-11-21")) -> list[str]:
    """Points of which a replay of a day finds an interval different, and mends it."""
    clock = Clock()
    wanted = Wanted(None, points, *span)
    outcome = await replay(dsn, wanted, Clocks(clock.now, clock.monotonic), lambda *_: None, "a test")
    return [one.id for one in outcome.first if one.table == "interval"]


async def test_another_profile_holds_from_its_version_on(dsn: str) -> None:
    """What is of the old version's time is filled as it said, whatever comes later."""
    ingest = await open_site(dsn, BY_BATCH)
    await flows(ingest, [*counts(0, 91), *batches(), *counts(315, 601)], later(20))
    await ingest.close()
    flat = PLANT.replace("resolution: 0.001, modulus: 1e9, max_rate: 10000", "resolution: 0.001")
    ingest = await open_site(dsn, flat)
    more = [said("batch", 60 * minute, minute % 3) for minute in range(22, 41)]
    await flows(ingest, in_order(counts(1500, 1591), more, counts(1815, 2101)), later(50))
    assert use(dsn, range(26, 31)) == 5 * [6_000]
    await flows(ingest, [said("batch", 240, 4, seq=1), said("batch", 60 * 28, 50.0, seq=1)])
    assert use(dsn, range(1, 6)) == [3_000, 7_826, 7_826, 5_870, 978 + 4_500]
    assert use(dsn, range(26, 31)) == 5 * [6_000]
    # From minute 10 to 25 there is a gap over the change.
    assert told(dsn) == [(Fill.PRODUCTION, FlatBecause.NOT), (Fill.FLAT, FlatBecause.PLAN_CHANGED)]
    with psycopg.connect(dsn) as connection:
        versions = connection.execute(
            "SELECT DISTINCT plan_version, start_at < to_timestamp(%s) FROM interval JOIN point USING (point_no)"
            " WHERE id = 'mill/line/energy' ORDER BY 1",
            [(START + 20 * MINUTE) // SECOND],
        ).fetchall()
    assert versions == [(1, True), (2, False)]
    await ingest.close()
    assert await restated(dsn, "*") == []


@pytest.mark.parametrize("first", ["flat", "production"])
async def test_a_gap_over_a_change_of_version_keeps_its_total(dsn: str, first: str) -> None:
    """Shares by two profiles would not add up, so it is flat; what was filled before the change is flat again."""
    flat = PLANT.replace("resolution: 0.001, modulus: 1e9, max_rate: 10000", "resolution: 0.001")
    plants = [flat, BY_BATCH] if first == "flat" else [BY_BATCH, flat]
    ingest = await open_site(dsn, plants[0])
    # Its gap ends at 5:15; when the plan changes all its weights are known, but its last interval is open.
    await flows(ingest, in_order(counts(0, 91), batches(0, 5)))
    await flows(ingest, in_order(counts(315, 316), batches(5, 6), [said("power", 366, 1.0)]))
    await ingest.close()
    shaped = [6_000, 3_000, 12_000, 0, 9_000]
    assert use(dsn, range(5)) == (shaped if first == "production" else 5 * [6_000])
    ingest = await open_site(dsn, plants[1])
    await flows(ingest, in_order(counts(325, 601), batches(6)), later(20))
    await ingest.close()
    assert use(dsn, range(9)) == 9 * [6_000]
    assert told(dsn) == [(Fill.FLAT, FlatBecause.PLAN_CHANGED)]
    with psycopg.connect(dsn) as connection:
        versions = connection.execute(
            "SELECT DISTINCT plan_version FROM interval JOIN point USING (point_no)"
            " WHERE id = 'mill/line/energy' AND substituted_us > 0 ORDER BY 1"
        ).fetchall()
    assert versions == [(1,), (2,)]
    assert await restated(dsn, "*") == []


async def test_a_sealed_period_is_told_of_a_gap_filled_otherwise(dsn: str) -> None:
    """An hour whose gap was flat when it was sealed; a point never heard of tells what was made in it."""
    ingest = await open_site(dsn, BY_BATCH)
    clock = every("power", 1.0, 0, 2 * 3600, 30)
    # The gap is from minute 58 to minute 62: half of it lies in the hour that is sealed.
    registers = [
        said("energy", second, second / 10) for second in (*range(0, 3481, 60), *range(3720, 7200, 60))
    ]
    await flows(ingest, in_order(clock, registers))
    assert told(dsn) == [(Fill.FLAT, FlatBecause.WEIGHT_MISSING)]
    await seal(ingest, dsn, START, START + HOUR)
    made = [said("batch", 60 * minute, 4.0 if minute in {59, 61} else 1.0) for minute in range(59, 63)]
    await flows(ingest, made)
    checked(dsn, ingest, 119)
    assert told(dsn) == [(Fill.PRODUCTION, FlatBecause.NOT)]
    rows = sealed(dsn)[1, "point", "mill/line/energy"]
    # 24 units over 4, 1, 4 and 1 t instead of over four minutes: half of it in the hour in any case.
    assert [row[3] for row in rows] == [360_000]
    await flows(ingest, [said("batch", 60 * 59, 10.0, seq=1)])
    checked(dsn, ingest, 119)
    rows = sealed(dsn)[1, "point", "mill/line/energy"]
    assert [(row[1], row[3]) for row in rows][1:] == [(Cause.LATE, 348_000 + 24_000 * 11 // 16)]
    truth = defined(dsn)
    assert {key: said[-1][2:] for key, said in sealed(dsn).items()} == truth
    await ingest.close()


async def test_closing_late_in_a_sealed_period_books_once_what_is_filled(dsn: str) -> None:
    ingest = await open_site(dsn, BY_BATCH)
    await flows(ingest, every("power", 1.0, 0, 2 * 3600, 30))
    await seal(ingest, dsn, START, START + HOUR)
    await flows(ingest, in_order(counts(0, 91), batches(), counts(315, 601)))
    checked(dsn, ingest, 119)
    assert use(dsn, range(5)) == [6_000, 3_000, 12_000, 0, 9_000]
    truth, said_now = defined(dsn), sealed(dsn)
    assert {key: rows[-1][2:] for key, rows in said_now.items()} == truth
    assert "mill/line/energy" in {name for _, _, name in truth}
    await ingest.close()


@pytest.mark.parametrize("way", [WAYS[1], WAYS[3]], ids=lambda way: way.name)
async def test_what_is_doubted_by_comparison_is_filled_all_the_same(
    dsn: str, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intervals of a counter that is compared are folded again, flat, when a verdict on it changes."""
    by_batch = "fill_by: line/batch}"
    assert CROOKED.count(by_batch) == 1
    doubted = by_batch.replace("}", ", compare: {with: line/gas, within: 1 %, least_share: 0.01}}")
    monkeypatch.setattr(test_order, "PLANT", CROOKED.replace(by_batch, doubted))
    found = await test_order.brought(dsn, way, crooked(5, 300, 60), 300, 5)
    drifted = {row[1] for row in found["interval"] if row[0] == "mill/line/water" and row[11] & Reason.DRIFT}
    filled = [
        (row[1], row[2])
        for row in found["gap_fill"]
        if row[0] == "mill/line/water" and row[4] == Fill.PRODUCTION
    ]
    assert any(begin - begin % MINUTE <= at < end for begin, end in filled for at in drifted)
