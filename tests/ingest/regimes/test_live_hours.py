"""Hours of regimes by the real ingest: a dead analyser, a calibration that fails, late readings, any order."""

import random
from typing import Any

import psycopg
import pytest

from ingest.methods.hour_states import HourReason
from ingest.model import Cause, Quality
from tests.ingest.feeding import feed, open_site
from tests.ingest.regimes.plants import (
    column,
    concentration,
    examine,
    hours,
    plant,
    said,
    steady,
    stretch,
    tell_test,
)
from tests.recovery.proxy import Cut, proxied

HISTORY, DEAD = 800, 30
GAP = range(HISTORY, HISTORY + DEAD)


async def test_part75_recodes_all_of_a_gap_at_its_25th_hour_and_settles_at_its_end(dsn: str) -> None:
    ingest = await open_site(dsn, plant("part75"))
    await feed(ingest, stretch(0, HISTORY))
    await feed(ingest, stretch(HISTORY, HISTORY + 24, dead=GAP))
    await feed(ingest, said("line/flow", steady, (HISTORY + 24) * 4, (HISTORY + 24) * 4 + 2))
    found = hours(dsn)
    gap = [hour for hour in found if hour in GAP]
    assert len(gap) >= 23
    assert set(column(found, gap, "concentration", "code")) == {6}
    assert set(column(found, gap, "concentration", "value")) == {10.9}
    assert all(found[hour]["provisional"] for hour in gap)
    await feed(ingest, stretch(HISTORY + 24, HISTORY + 27, dead=GAP))
    found = hours(dsn)
    gap = [hour for hour in found if hour in GAP]
    assert len(gap) > 24
    assert set(column(found, gap, "concentration", "code")) == {8}
    revised = found[HISTORY]
    assert revised["revision"] > 1
    assert revised["cause"] == Cause.CLOSING
    assert hours(dsn, "regime_hour_history")[HISTORY]["components"]["concentration"]["code"] == 6
    await feed(ingest, stretch(HISTORY + 27, HISTORY + DEAD + 3, dead=GAP))
    await ingest.close()
    found = hours(dsn)
    assert set(column(found, GAP, "concentration", "value")) == {10.8}, "90th percentile of 720 hours"
    assert set(column(found, GAP, "concentration", "gap_h")) == {DEAD}
    assert not any(row["provisional"] for row in found.values())
    assert found[HISTORY]["quality"] == Quality.SUBSTITUTED
    assert found[HISTORY]["mass_kg"] == pytest.approx(5.7e-7 * 10.8 * 1e7 * 907.18474)
    assert found[HISTORY - 1]["mass_kg"] == pytest.approx(5.7e-7 * 10.9 * 1e7 * 907.18474)
    assert found[HISTORY - 1]["components"]["concentration"]["code"] == 1
    assert found[HISTORY - 1]["revision"] == 1


async def test_hj75_puts_the_largest_mass_of_720_hours(dsn: str) -> None:
    ingest = await open_site(dsn, plant("hj75"))
    await feed(ingest, stretch(0, HISTORY + DEAD + 3, dead=GAP))
    await ingest.close()
    found = hours(dsn)
    largest = 44 / 22.4 * 1e-5 * 10.9 * 1e7 * 1000
    for hour in GAP:
        assert found[hour]["mass_kg"] == pytest.approx(largest)
        assert found[hour]["provisional"], "its quarter is open"
        assert found[hour]["components"]["mass"]["state"] == "replaced"
        assert found[hour]["components"]["mass"]["rests_on"] == 720
        assert found[hour]["components"]["concentration"]["value"] is None, (
            "concentrations are never replaced"
        )


async def test_mrr_restates_its_substitutes_as_the_year_goes_on_and_settles_after_it(dsn: str) -> None:
    ingest = await open_site(dsn, plant("mrr"))
    first = range(100, 130)
    await feed(ingest, stretch(0, 200, dead=first))
    before = hours(dsn)
    known = [concentration(hour * 4) for hour in before if hour not in first]
    mean = sum(known) / len(known)
    expected = mean + 2 * (sum((one - mean) ** 2 for one in known) / (len(known) - 1)) ** 0.5
    assert before[100]["components"]["concentration"]["value"] == pytest.approx(expected)
    assert before[100]["provisional"]
    await feed(ingest, stretch(200, 1010))
    await ingest.close()
    after = hours(dsn)
    assert (
        after[100]["components"]["concentration"]["value"]
        != before[100]["components"]["concentration"]["value"]
    )
    assert after[100]["revision"] > before[100]["revision"]
    assert not after[100]["provisional"], "31 December 23:00 UTC has passed"
    assert after[100]["cause"] == Cause.CLOSING
    assert after[100]["revision"] == 2, "closing restates it; while the year was open it went on in place"
    said_before = hours(dsn, "regime_hour_history")
    assert said_before.keys() == set(first), "each restated once, and what it said last is kept"
    assert said_before[100]["provisional"]


async def test_part98_puts_the_mean_of_the_hours_beside_once_the_gap_ends(dsn: str) -> None:
    ingest = await open_site(dsn, plant("part98"))
    dead = range(35, 35 + DEAD)
    await feed(ingest, stretch(0, 60, dead=dead))
    before = hours(dsn)
    gap = [hour for hour in before if hour in dead]
    assert set(column(before, gap, "concentration", "value")) == {concentration(34 * 4)}, (
        "the hour before alone"
    )
    assert all(before[hour]["provisional"] for hour in gap)
    await feed(ingest, stretch(60, 68, dead=dead))
    await ingest.close()
    after = hours(dsn)
    beside = (concentration(34 * 4) + concentration(65 * 4)) / 2
    assert column(after, dead, "concentration", "value") == pytest.approx([beside] * DEAD)
    assert not any(after[hour]["provisional"] for hour in dead)
    assert {(after[hour]["revision"], after[hour]["cause"]) for hour in gap} == {(2, Cause.CLOSING)}


@pytest.mark.parametrize(
    ("rule", "kind", "lost"),
    [
        ("part75", "daily_calibration", range(120, 123)),
        ("part98", "daily_calibration", range(120, 123)),
        ("hj75", "drift", range(100, 123)),
        ("mrr", "drift", range(0)),
    ],
)
async def test_a_calibration_that_fails_20_hours_after_a_good_one(
    dsn: str, rule: str, kind: str, lost: range
) -> None:
    ingest = await open_site(dsn, plant(rule))
    await feed(ingest, stretch(0, 130))
    for hour, passed in ((100, True), (120, False), (123, True)):
        tell_test(dsn, hour, passed=passed, kind=kind)
    await examine(ingest, dsn)
    await ingest.close()
    found = hours(dsn)
    out = [hour for hour, row in found.items() if row["reasons"] & HourReason.OUT_OF_CONTROL]
    assert out == [hour for hour in lost if hour in found]
    for hour in lost:
        assert found[hour]["cause"] == Cause.TEST
        assert found[hour]["revision"] >= 2
        assert found[hour]["quality"] == Quality.SUBSTITUTED
    with psycopg.connect(dsn) as connection:
        told = connection.execute("SELECT passed, author FROM analyser_test ORDER BY performed_at").fetchall()
    assert told == [(True, "tester"), (False, "tester"), (True, "tester")]


async def test_a_late_reading_says_its_hour_and_what_rests_on_it_anew(dsn: str) -> None:
    ingest = await open_site(dsn, plant("part75"))
    missing = range(50, 52)
    await feed(ingest, stretch(0, 60, dead=missing))
    before = hours(dsn)
    assert set(column(before, missing, "concentration", "code")) == {7}, (
        "before 720 hours the initial procedure"
    )
    await feed(ingest, said("line/co2", concentration, 200, 208))
    await ingest.close()
    after = hours(dsn)
    assert set(column(after, missing, "concentration", "code")) == {1}
    assert after[50]["cause"] == Cause.LATE
    assert after[50]["revision"] == before[50]["revision"] + 1
    assert after[49]["revision"] == before[49]["revision"]


async def test_impossible_values_are_kept_raw_and_in_no_mean(dsn: str) -> None:
    ingest = await open_site(dsn, plant("part75"))
    wild = {80: 95.0, 81: 10.0, 82: -40.0, 83: 10.0}
    told = said("line/co2", lambda q: wild.get(q, 10.0), 0, 160)
    others = [one for one in stretch(0, 40) if not one.topic.endswith("co2")]
    await feed(ingest, sorted(told + others, key=lambda one: one.received_at))
    await ingest.close()
    found = hours(dsn)[20]["components"]["concentration"]
    assert not found["valid"], "a quarter without a valid value"
    assert found["value"] == 10.0
    with psycopg.connect(dsn) as connection:
        raw = connection.execute("SELECT value FROM reading WHERE quality = 3 ORDER BY value").fetchall()
        mean = connection.execute(
            "SELECT value FROM hour_record WHERE component = 'concentration' ORDER BY start_at OFFSET 20 LIMIT 1"
        ).fetchone()
    assert raw == [(-40.0,), (95.0,)]
    assert mean == (10.0,), "neither clipped to 40 nor counted"


COMPARED = ("mass_kg", "components", "provisional", "reasons", "quality", "rate")


def figures_of(found: dict[int, dict[str, Any]]) -> dict[int, list[Any]]:
    return {hour: [row[name] for name in COMPARED] for hour, row in found.items()}


@pytest.mark.parametrize("rule", ["part75", "hj75", "mrr", "part98"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_order_makes_no_difference(dsn: str, other_dsn: str, rule: str, seed: int) -> None:
    """Readings shuffled in blocks, tests before or after them, a restart between."""
    told = stretch(0, 60, dead=range(30, 33))
    tests = [(10, True), (34, False), (40, True)]
    straight, shuffled = dsn, other_dsn
    ingest = await open_site(straight, plant(rule))
    await feed(ingest, told)
    for hour, passed in tests:
        tell_test(straight, hour, passed=passed)
    await examine(ingest, straight)
    await ingest.close()

    chance = random.Random(seed)
    pieces = [one for low in range(0, 60, 6) for one in stretch(low, low + 6, dead=range(30, 33))]
    chance.shuffle(pieces)
    chance.shuffle(tests)
    ingest = await open_site(shuffled, plant(rule))
    for hour, passed in tests[:1]:
        tell_test(shuffled, hour, passed=passed)
    await examine(ingest, shuffled)
    await feed(ingest, pieces[: len(pieces) // 2], batch=3)
    await ingest.close()
    ingest = await open_site(shuffled, plant(rule))
    for hour, passed in tests[1:]:
        tell_test(shuffled, hour, passed=passed)
    await examine(ingest, shuffled)
    await feed(ingest, pieces[len(pieces) // 2 :], batch=3)
    await ingest.close()
    assert figures_of(hours(shuffled)) == figures_of(hours(straight))


@pytest.mark.parametrize("rule", ["part75", "mrr"])
async def test_lost_transactions_leave_no_trace(
    dsn: str, other_dsn: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections cut before and in COMMIT while hours close, a gap is open, one comes late and a test is told."""
    monkeypatch.setattr("ingest.patient.LONGEST_PAUSE_S", 0.05)
    script = [cut for cut in Cut for _ in range(3)]
    random.Random(7).shuffle(script)
    found = []
    for at, cuts in ((dsn, []), (other_dsn, script)):
        ingest = await open_site(at, plant(rule))
        await feed(ingest, stretch(0, 20, dead=range(16, 26)))
        await ingest.close()
        async with proxied(at) as proxy:
            ingest = await open_site(proxy.dsn, plant(rule))
            proxy.plan(cuts)
            for hour in range(20, 32, 2):
                await feed(ingest, stretch(hour, hour + 2, dead=range(16, 26)))
            await feed(ingest, said("line/co2", concentration, 72, 76))
            tell_test(at, 28, passed=False)
            await examine(ingest, at)
            for hour in range(32, 36):
                await feed(ingest, stretch(hour, hour + 1))
            await ingest.close()
            assert all(proxy.cuts[cut] == 3 for cut in set(cuts) if cut is not Cut.PASS)
        names = (*COMPARED, "revision", "cause")
        found.append(
            [
                {hour: [row[name] for name in names] for hour, row in hours(at, table).items()}
                for table in ("regime_hour", "regime_hour_history")
            ]
        )
    assert found[0] == found[1]


async def test_a_plan_that_says_something_else_restates_the_hours(dsn: str) -> None:
    ingest = await open_site(dsn, plant("part75"))
    await feed(ingest, stretch(0, 30, dead=range(10, 12)))
    await ingest.close()
    before = hours(dsn)
    ingest = await open_site(dsn, plant("part98"))
    await feed(ingest, stretch(30, 32))
    await ingest.close()
    after = hours(dsn)
    assert after[5]["mass_kg"] == pytest.approx(5.18e-7 * concentration(20) * 1e7 * 1000)
    assert {after[hour]["cause"] for hour in before} == {Cause.RESTATEMENT}
    assert {after[hour]["revision"] - before[hour]["revision"] for hour in before} == {1}
    assert hours(dsn, "regime_hour_history")[5]["mass_kg"] == before[5]["mass_kg"]
    assert after[11]["components"]["concentration"]["code"] == 0
