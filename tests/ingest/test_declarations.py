"""What people declare becomes readings that win: late, in time, once, and undone by declaring again."""

import random
from typing import Any

import psycopg
import pytest

from ingest.model import MINUTE, Cause, Quality, Reason, StepClass
from ingest.site import SiteIngest
from ingest.source import Delivery
from tests.ingest import crooked
from tests.ingest.declaring import MICROSECONDS, approve, booked, declared_rows, take_declared
from tests.ingest.definition import defined, stored
from tests.ingest.fed import Fed
from tests.ingest.feeding import PLANT, SECOND, START, feed, figures, message, open_site, readings
from tests.recovery.proxy import Cut, proxied

MANUAL = int(Reason.MANUAL)
SETPOINT = "line/setpoint"


async def held_at_five(dsn: str) -> SiteIngest:
    """A stepped gauge at 5 kW for ten minutes."""
    ingest = await open_site(dsn)
    await feed(ingest, [message(SETPOINT, START + n * 10 * SECOND, 5.0) for n in range(61)])
    return ingest


def intervals(dsn: str, point: str) -> list[tuple[Any, ...]]:
    """mean, quality, reasons, revision, cause of a point's closed intervals."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            SELECT mean, quality, reasons, revision, cause FROM interval JOIN point USING (point_no)
             WHERE id = %s AND revision > 0 ORDER BY start_at
            """,
            [f"mill/{point}"],
        ).fetchall()


def newest_batch(dsn: str) -> tuple[int, Any]:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT batch_no, watermark FROM ingest_commit ORDER BY batch_no DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    return row


async def test_a_correction_is_one_more_reading_and_revises_what_was_closed(dsn: str) -> None:
    ingest = await held_at_five(dsn)
    assert intervals(dsn, SETPOINT)[2] == (5.0, 0, 0, 1, Cause.CLOSING)
    at = START + 130 * SECOND
    number = approve(dsn, SETPOINT, at, "correction", value=11.0, quality="uncertain")
    assert await take_declared(ingest, dsn) == 1
    await ingest.close()
    batch_no, _ = newest_batch(dsn)
    assert declared_rows(dsn) == [("mill/line/setpoint", at, 11.0, 1, MANUAL, 2 * number, batch_no)]
    assert booked(dsn) == [(number, batch_no, batch_no, None)]
    assert [row[2] for row in readings(dsn) if row[1].timestamp() * SECOND == at] == [5.0, 11.0]
    assert intervals(dsn, SETPOINT)[2] == (6.0, Quality.UNCERTAIN, MANUAL, 2, Cause.CORRECTION)


async def test_a_value_may_be_taken_away(dsn: str) -> None:
    ingest = await held_at_five(dsn)
    approve(dsn, SETPOINT, START + 130 * SECOND, "correction", value=None, quality="bad")
    await take_declared(ingest, dsn)
    await ingest.close()
    assert [row[2:4] for row in declared_rows(dsn)] == [(None, Quality.BAD)]
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT covered_us, valid_us FROM interval JOIN point USING (point_no)"
            " WHERE id = 'mill/line/setpoint' ORDER BY start_at OFFSET 2 LIMIT 1"
        ).fetchone()
    assert row == (60 * SECOND, 50 * SECOND)


async def test_of_open_time_it_counts_when_its_interval_closes(dsn: str, other_dsn: str) -> None:
    """By hand and by the device: the same intervals, but for the reason manual."""
    by_device = await held_at_five(other_dsn)
    at = START + 597 * SECOND
    correction = message(SETPOINT, at, 11.0, reason="manual", received_at=START + 601 * SECOND)
    rest = [message(SETPOINT, START + n * 10 * SECOND, 5.0) for n in range(61, 90)]
    await feed(by_device, [correction, *rest])
    await by_device.close()
    ingest = await held_at_five(dsn)
    approve(dsn, SETPOINT, at, "correction", value=11.0, quality="good")
    await take_declared(ingest, dsn)
    await feed(ingest, rest)
    await ingest.close()
    assert figures(dsn) == figures(other_dsn)
    assert intervals(dsn, SETPOINT)[9] == (5.3, 0, MANUAL, 1, Cause.CLOSING)


async def test_a_missing_reading_may_be_supplied_even_the_first(dsn: str) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, [message("line/power", START + n * 10 * SECOND, 5.0) for n in range(10)])
    approve(dsn, SETPOINT, START + 10 * SECOND, "correction", value=7.0, quality="good")
    await take_declared(ingest, dsn)
    await feed(ingest, [message("line/power", START + n * 10 * SECOND, 5.0) for n in range(10, 30)])
    await ingest.close()
    assert [(row[0], row[2] & MANUAL, row[3]) for row in intervals(dsn, SETPOINT)] == [(7.0, MANUAL, 1)] * 2


async def test_it_moves_no_watermark_and_is_not_late(dsn: str) -> None:
    ingest = await held_at_five(dsn)
    _, watermark = newest_batch(dsn)
    for at in (START, START + 3600 * SECOND):
        approve(dsn, SETPOINT, at, "correction", value=6.0, quality="good")
    await take_declared(ingest, dsn)
    assert newest_batch(dsn)[1] == watermark
    assert {row[4] for row in declared_rows(dsn)} == {MANUAL}
    await ingest.close()


async def test_a_withdrawal_says_again_what_counted_before(dsn: str) -> None:
    """Device 5, then 7, then 9 by hand; 9 withdrawn: 7 counts; 7 withdrawn: the device counts again."""
    ingest = await held_at_five(dsn)
    untouched = intervals(dsn, SETPOINT)[2]
    at = START + 130 * SECOND
    await feed(ingest, [message(SETPOINT, at, 5.0, seq=3, reason="calibration")])
    first = approve(dsn, SETPOINT, at, "correction", value=7.0, quality="good")
    second = approve(dsn, SETPOINT, at, "correction", value=9.0, quality="good")
    await take_declared(ingest, dsn)
    assert intervals(dsn, SETPOINT)[2][0] == pytest.approx(5 + 4 / 6)
    approve(dsn, SETPOINT, at, "withdrawal", withdraws=second)
    await take_declared(ingest, dsn)
    assert intervals(dsn, SETPOINT)[2][0] == pytest.approx(5 + 2 / 6)
    approve(dsn, SETPOINT, at, "withdrawal", withdraws=first)
    await take_declared(ingest, dsn)
    await ingest.close()
    assert [row[2:5] for row in declared_rows(dsn)] == [
        (7.0, 0, MANUAL),
        (9.0, 0, MANUAL),
        (7.0, 0, MANUAL),
        (5.0, 0, MANUAL | Reason.CALIBRATION),
    ]
    assert intervals(dsn, SETPOINT)[2][:2] == untouched[:2]


async def test_what_was_supplied_and_is_withdrawn_leaves_no_value(dsn: str) -> None:
    ingest = await held_at_five(dsn)
    at = START + 135 * SECOND
    supplied = approve(dsn, SETPOINT, at, "correction", value=7.0, quality="good")
    approve(dsn, SETPOINT, at, "withdrawal", withdraws=supplied)
    await take_declared(ingest, dsn)
    await ingest.close()
    assert [row[2:4] for row in declared_rows(dsn)] == [(7.0, 0), (None, Quality.BAD)]


REPLACED_AT = START + 302_500_000
"""Between two readings of the register below."""


def two_meters() -> list[Delivery]:
    """A register of 0.125 kWh every 5 s; after REPLACED_AT that of a new meter, which began at 0.5 kWh."""
    old = [message("line/energy", START + n * 5 * SECOND, n / 8) for n in range(61)]
    return old + [message("line/energy", START + n * 5 * SECOND, (n - 60) / 8 + 0.5) for n in range(61, 120)]


def steps(dsn: str) -> list[tuple[Any, ...]]:
    """at, previous_at (µs since START), class, increment and correction of the ledger."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            f"""
            SELECT {MICROSECONDS.format("at")} - %s, {MICROSECONDS.format("previous_at")} - %s, class, increment, correction
              FROM ledger ORDER BY at, previous_at
            """.encode(),
            [START, START],
        ).fetchall()


def energy(dsn: str) -> list[tuple[Any, ...]]:
    """amount_count, quality, reasons, cause of the register's closed intervals."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            SELECT amount_count, quality, reasons, cause FROM interval JOIN point USING (point_no)
             WHERE id = 'mill/line/energy' AND revision > 0 ORDER BY start_at
            """
        ).fetchall()


PAIR = (302_500_000, 302_500_000, StepClass.REPLACED, 0, 500 - 7550)


@pytest.mark.parametrize("taken", [61, 62, 120], ids=["before the next reading", "after it", "long after"])
async def test_a_replaced_meter_runs_to_its_last_register_and_on_from_the_new_ones_first(
    dsn: str, taken: int
) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, two_meters()[:taken])
    approve(dsn, "line/energy", REPLACED_AT, "replacement", old_final=7.55, new_initial=0.5)
    await take_declared(ingest, dsn)
    await feed(ingest, two_meters()[taken:])
    await ingest.close()
    assert steps(dsn) == [PAIR]
    intervals = energy(dsn)
    assert len(intervals) == 9
    # 2.5 s of the old meter, then 2.5 s of the new one: 50 counts and 125.
    assert [row[0] for row in intervals] == [1500] * 5 + [1550] + [1500] * 3
    assert {row[1] for row in intervals} == {Quality.GOOD}
    assert [bool(row[2] & Reason.REPLACED) for row in intervals] == [n == 5 for n in range(9)]
    if taken == 120:
        assert intervals[5][3] == Cause.DECLARATION


async def test_a_withdrawn_replacement_is_as_if_it_had_not_been(dsn: str, other_dsn: str) -> None:
    plain = await open_site(other_dsn)
    await feed(plain, two_meters())
    await plain.close()
    ingest = await open_site(dsn)
    await feed(ingest, two_meters())
    number = approve(dsn, "line/energy", REPLACED_AT, "replacement", old_final=7.55, new_initial=0.5)
    await take_declared(ingest, dsn)
    assert [row[2:5] for row in declared_rows(dsn)] == [(7.55, 0, MANUAL), (0.5, 0, MANUAL | Reason.REPLACED)]
    approve(dsn, "line/energy", REPLACED_AT, "withdrawal", withdraws=number)
    await take_declared(ingest, dsn)
    await ingest.close()
    without_reasons = [[row[:-1] for row in figures(at)["interval"]] for at in (dsn, other_dsn)]
    assert without_reasons[0] == without_reasons[1]
    assert steps(dsn) == steps(other_dsn)
    assert [step[2] for step in steps(dsn)] == [StepClass.RESET]


async def test_of_two_replacements_of_one_instant_the_withdrawal_of_the_later_leaves_the_earlier(
    dsn: str,
) -> None:
    ingest = await open_site(dsn)
    await feed(ingest, two_meters())
    approve(dsn, "line/energy", REPLACED_AT, "replacement", old_final=7.55, new_initial=0.5)
    second = approve(dsn, "line/energy", REPLACED_AT, "replacement", old_final=7.6, new_initial=0.25)
    await take_declared(ingest, dsn)
    assert steps(dsn) == [(*PAIR[:4], 250 - 7600)]
    approve(dsn, "line/energy", REPLACED_AT, "withdrawal", withdraws=second)
    await take_declared(ingest, dsn)
    await ingest.close()
    assert steps(dsn) == [PAIR]


async def test_what_the_plan_does_not_know_fails_and_holds_nothing_up(dsn: str) -> None:
    ingest = await held_at_five(dsn)
    unknown = approve(dsn, "line/doubled", START, "correction", value=7.0, quality="good")
    known = approve(dsn, SETPOINT, START, "correction", value=7.0, quality="good")
    assert await take_declared(ingest, dsn) == 2
    assert await take_declared(ingest, dsn) == 0
    await ingest.close()
    (number, batch_no, consumed, failure), (_, effective, *_) = booked(dsn)
    assert (number, batch_no, failure) == (unknown, None, "the plan of site mill has no such measured point.")
    assert consumed is not None
    assert effective is not None
    assert [row[5] for row in declared_rows(dsn)] == [2 * known]


async def test_what_the_database_refuses_fails_and_holds_nothing_up(dsn: str) -> None:
    ingest = await held_at_five(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute("ALTER TABLE reading ADD CONSTRAINT poison CHECK (value <> 666)")
    approve(dsn, SETPOINT, START, "correction", value=666.0, quality="good")
    approve(dsn, SETPOINT, START, "correction", value=7.0, quality="good")
    await take_declared(ingest, dsn)
    await feed(ingest, [message(SETPOINT, START + 620 * SECOND, 5.0)])
    await ingest.close()
    (_, _, consumed, failure), (_, effective, *_) = booked(dsn)
    assert failure is not None
    assert "poison" in failure
    assert None not in (consumed, effective)
    assert [row[2] for row in declared_rows(dsn)] == [7.0]


async def test_the_connection_cut_around_commit_stores_it_once(
    dsn: str, other_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.patient.LONGEST_PAUSE_S", 0.05)

    async def declared_one_by_one(ingest: SiteIngest, at: str, script: list[Cut]) -> None:
        async with proxied(at) as proxy:
            for n in range(12):
                approve(at, SETPOINT, START + n * 51 * SECOND, "correction", value=float(n), quality="good")
            proxied_ingest = await open_site(proxy.dsn)
            proxy.plan(script)
            assert await take_declared(proxied_ingest, at) == 12
            await proxied_ingest.close()
            assert all(proxy.cuts[cut] == 3 for cut in script if cut is not Cut.PASS)

    script = [cut for cut in Cut for _ in range(3)]
    random.Random(3).shuffle(script)
    for at, cuts in ((dsn, []), (other_dsn, script)):
        ingest = await held_at_five(at)
        await ingest.close()
        await declared_one_by_one(ingest, at, cuts)
    assert len(declared_rows(other_dsn)) == 12
    assert [row[:6] for row in declared_rows(other_dsn)] == [row[:6] for row in declared_rows(dsn)]
    assert figures(dsn) == figures(other_dsn)
    for number, batch_no, consumed, failure in booked(other_dsn):
        [stored_in] = [row[6] for row in declared_rows(other_dsn) if row[5] == 2 * number]
        assert (batch_no, consumed, failure) == (stored_in, stored_in, None)


async def test_a_running_site_takes_what_was_approved(dsn: str) -> None:
    fed = Fed(dsn, PLANT)
    await fed.start()
    await fed.put("plant/mill/line/setpoint", {"ts": START // 1000 - 86_400_000, "value": 5.0})
    await fed.until_empty()
    number = approve(dsn, SETPOINT, START - 86_400 * SECOND, "correction", value=6.0, quality="good")
    await fed.until_empty()
    await fed.end()
    assert [row[2:6] for row in declared_rows(dsn)] == [(6.0, 0, MANUAL, 2 * number)]


@pytest.mark.parametrize("seed", range(6))
async def test_declared_anywhere_in_any_order_the_figures_are_one_fold_of_what_is_stored(
    dsn: str, seed: int
) -> None:
    """Corrections, replaced meters, withdrawals and restarts between the messages of a crooked half hour."""
    dice = random.Random(seed)
    messages = [*crooked.crooked(seed, 30, 20), crooked.the_end(30)]
    points = [*crooked.COUNTERS, *crooked.COUNTERS, *crooked.GAUGES, *crooked.DELTAS]
    ingest = await open_site(dsn, crooked.PLANT)
    while messages:
        size = dice.choice((5, 20, 40))
        batch, messages = messages[:size], messages[size:]
        await feed(ingest, batch)
        if messages:
            point = dice.choice(points)
            correct_something(dsn, point, batch, dice)
            await take_declared(ingest, dsn)
        if dice.random() < 0.2:
            await ingest.close()
            ingest = await open_site(dsn, crooked.PLANT)
    await feed(ingest, [])
    plan = ingest.plan
    await ingest.close()
    assert len(declared_rows(dsn)) > 3
    found, expected = stored(dsn), defined(dsn, plan, crooked.end_of(30))
    for table, rows in expected.items():
        assert found[table] == rows, table


def correct_something(dsn: str, point: str, batch: list[Delivery], dice: random.Random) -> None:
    """Correct a stored reading of a point or supply one that is missing, replace a meter, or undo one of these."""
    with psycopg.connect(dsn) as connection:
        known = connection.execute(
            """
            SELECT (extract(epoch FROM measured_at) * 1000000)::bigint, value FROM reading
              JOIN point USING (point_no) WHERE id = %s AND value <> 'NaN' ORDER BY 1, 2
            """,
            [f"mill/{point}"],
        ).fetchall()
        counting = connection.execute(
            """
            SELECT max(declaration_no), id, (extract(epoch FROM at) * 1000000)::bigint
              FROM declaration d JOIN point USING (point_no)
             WHERE kind <> 'withdrawal' AND NOT EXISTS (SELECT FROM declaration w WHERE w.withdraws = d.declaration_no)
             GROUP BY 2, 3 ORDER BY 1
            """
        ).fetchall()
    at, value = dice.choice(known) if known else (batch[0].received_at, 1.0)
    if dice.random() < 0.3:
        at += dice.randrange(MINUTE)
    fate = dice.random()
    if counting and fate < 0.2:
        number, its_point, its_at = dice.choice(counting)
        approve(dsn, its_point.removeprefix("mill/"), its_at, "withdrawal", withdraws=number)
    elif point in crooked.COUNTERS and fate < 0.6:
        after = dice.choice((0.0, value, round(value / 2, 3)))
        approve(dsn, point, at, "replacement", old_final=round(value + 0.002, 3), new_initial=after)
    else:
        value = None if fate < 0.7 else round(value + (0.001 if fate < 0.9 else -0.25), 3)
        quality = "bad" if value is None else dice.choice(("good", "uncertain", "substituted", "bad"))
        approve(dsn, point, at, "correction", value=value, quality=quality)
