"""Data after a recertification under Part 75: conditional, then good, or lost back to the event."""

from dataclasses import replace

import numpy as np
import pytest

from ingest.methods.hour_states import HourReason
from ingest.methods.limits import CONDITIONAL, TEST_CONSTANTS
from ingest.model import HOUR, Cause
from ingest.regimes.calibrated import Tests
from ingest.regimes.control import Calibrations
from ingest.regimes.recertification import REQUIRES
from ingest.regimes.source_hours import SourceHours, hours_of
from tests.ingest.feeding import feed, open_site
from tests.ingest.regimes.plants import examine, hours, plant, stretch, tell_test
from tests.ingest.regimes.test_hour_mass import US, facts

N = 900
EVENT, PROBATION = 50, 53


def told_tests(*told: tuple[str, int, bool]) -> Tests:
    """Of the concentration: (kind, hour, passed)."""
    found = {}
    for kind in {kind for kind, _, _ in told}:
        mine = sorted((hour, passed) for of, hour, passed in told if of == kind)
        at, passed = (np.array(column, np.int64) for column in zip(*mine, strict=True))
        found[kind] = Calibrations(at * HOUR, passed, np.zeros(0))
    return {"concentration": found}


def spans(rule: str, *told: tuple[str, int, bool]) -> tuple[list[int], list[int]]:
    """(hours out of control, conditional hours) with a passed calibration every day."""
    daily = [("daily_calibration", hour, True) for hour in range(PROBATION, N, 24)]
    regime = replace(US, rule=rule, equation="40cfr75.f-11" if rule == "part75" else "40cfr98.c-6")
    rows = hours_of(
        regime, {"concentration": facts(10.0, N), "flow": facts(1e7, N)},
        told_tests(("daily_calibration", EVENT - 1, True), *daily, *told), 0, N * HOUR,
    ).hours  # fmt: skip
    return tuple(
        np.flatnonzero(rows["reasons"] & reason).tolist()
        for reason in (HourReason.OUT_OF_CONTROL, HourReason.CONDITIONAL)
    )  # type: ignore[return-value]


LINEARITY = (REQUIRES + "linearity", EVENT, True)
RATA = (REQUIRES + "rata", EVENT, True)
BEFORE = list(range(EVENT - 1))
"""Hours before the first calibration that anybody has told of are judged by none."""


def test_what_is_conditional_becomes_good_when_every_test_is_passed() -> None:
    out, conditional = spans("part75", LINEARITY, RATA, ("linearity", 100, True))
    assert out == [*range(EVENT, PROBATION), *range(PROBATION + 720, N)], "the RATA is not done in 720 hours"
    assert conditional == list(range(PROBATION, PROBATION + 720))
    out, conditional = spans("part75", LINEARITY, RATA, ("linearity", 100, True), ("rata", 200, True))
    assert out == list(range(EVENT, PROBATION))
    assert conditional == []


def test_a_failed_test_takes_all_back_to_the_event() -> None:
    out, conditional = spans(
        "part75", LINEARITY, RATA, ("linearity", 100, True), ("rata", 200, False), ("rata", 230, True)
    )
    assert out == list(range(EVENT, 230))
    assert conditional == []


def test_a_test_that_is_not_done_in_time_takes_what_comes_after() -> None:
    out, conditional = spans("part75", LINEARITY, ("linearity", PROBATION + 200, True))
    assert out == [*range(EVENT, PROBATION), *range(PROBATION + 168, PROBATION + 200)]
    assert conditional == []


def test_the_next_event_begins_anew() -> None:
    again = (REQUIRES + "linearity", 120, True)
    out, conditional = spans("part75", LINEARITY, again, ("linearity", 160, True))
    begins = next(hour for hour in range(PROBATION, N, 24) if hour >= 120)
    assert out == [*range(EVENT, PROBATION), *range(120, begins)]
    assert conditional == list(range(PROBATION, 120)), "what was never tested stays under reserve"


def test_hour_by_hour_is_all_at_once() -> None:
    """An event that waits for its test is looked back to for as long as that takes."""
    tests = told_tests(*(("daily_calibration", hour, True) for hour in range(EVENT, N, 24)), RATA)
    given = {"concentration": facts(10.0, N), "flow": facts(1e7, N)}
    hours = SourceHours(US, 0)
    for hour in range(0, N, 20):
        some = {name: rows[hour : hour + 20] for name, rows in given.items()}
        hours.advance(some, tests, (hour + 20) * HOUR)
    whole = hours_of(US, given, tests, 0, N * HOUR)
    assert hours.rows().hours.tobytes() == whole.hours.tobytes()


def test_only_part75_has_conditional_data_and_says_what_nobody_confirmed() -> None:
    assert spans("part98", LINEARITY)[1] == []
    assert [TEST_CONSTANTS[CONDITIONAL[kind]].trust for kind in ("linearity", "rata", "seven_day")] == [
        "R", "R", "unconfirmed",
    ]  # fmt: skip


@pytest.mark.parametrize("passed", [True, False])
async def test_a_recertification_is_told_like_a_test(dsn: str, passed: bool) -> None:
    """Through the inbox: conditional first, and what the test comes to is a revision, cause test."""
    ingest = await open_site(dsn, plant("part75"))
    await feed(ingest, stretch(0, 40))
    tell_test(dsn, 12, passed=True, kind="recertification")
    tell_test(dsn, 14, passed=True)
    await examine(ingest, dsn)
    before = hours(dsn)
    tell_test(dsn, 30, passed=passed, kind="linearity")
    await examine(ingest, dsn)
    await feed(ingest, stretch(40, 42))
    await ingest.close()
    after = hours(dsn)
    assert [hour for hour, row in before.items() if row["reasons"] & HourReason.OUT_OF_CONTROL] == [12, 13]
    assert next(hour for hour, row in before.items() if row["reasons"] & HourReason.CONDITIONAL) == 14
    assert before[20]["components"]["concentration"]["conditional"]
    assert after[20]["cause"] == Cause.TEST
    assert after[20]["revision"] == before[20]["revision"] + 1
    if passed:
        assert not any(after[hour]["reasons"] for hour in range(14, 40))
    else:
        assert all(after[hour]["reasons"] & HourReason.OUT_OF_CONTROL for hour in range(12, 41))
