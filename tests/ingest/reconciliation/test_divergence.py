"""Bias and change of two accounts: the limits that are stated, and what is and is not seen."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reconciliation.divergence import DAY_H, RandomPart, aligned, bias_test, change_test, drifts
from ingest.uncertainty.propagation import Floats

MEASURED, CALCULATED = 161.246, 161.246
HOURS = 31 * DAY_H


def parts(hours: int = HOURS) -> list[RandomPart]:
    """The cement line's: 1.745 % of the measured mass with rho 0.8, 1.2 % a day of the fuel's 60.11 t/h."""
    ones = np.ones(hours)
    return [RandomPart(0.01745 * MEASURED * ones, 0.8), RandomPart(0.012 * 60.11 * ones, 0.0, DAY_H)]


def noise(random: np.random.Generator, hours: int) -> Floats:
    found = np.zeros(hours)
    found[0] = random.normal()
    for i in range(1, hours):
        found[i] = 0.8 * found[i - 1] + 0.6 * random.normal()
    daily = np.repeat(random.normal(size=hours // DAY_H + 1), DAY_H)[:hours]
    made: Floats = 0.01745 * MEASURED * found + 0.012 * 60.11 * daily
    return made


def test_limits_of_the_cement_line() -> None:
    hours = np.ones(DAY_H)
    valid = np.ones(DAY_H, np.bool_)
    for measured_u, limit, share in ((4.874, 10.05, 6.2), (math.hypot(3.030, 0), 6.5, 4.1)):
        u = math.hypot(measured_u, 1.223)
        found = bias_test(MEASURED * hours, CALCULATED * hours, valid, DAY_H * u)
        assert found.limit / DAY_H == pytest.approx(limit, abs=0.05)
        assert 100 * found.limit_share == pytest.approx(share, abs=0.05)
        assert found.is_beyond is False


def test_a_bias_is_seen_beyond_its_limit_and_not_below() -> None:
    hours, valid = np.ones(DAY_H), np.ones(DAY_H, np.bool_)
    for share, seen in ((1.04, False), (1.07, True), (0.93, True)):
        found = bias_test(share * CALCULATED * hours, CALCULATED * hours, valid, DAY_H * 5.03)
        assert found.is_beyond is seen
    valid[0] = False
    assert bias_test(2 * hours, hours, valid, 0.1).is_beyond is None


def test_only_valid_hours_count() -> None:
    measured, calculated = np.full(30, 2.0), np.ones(30)
    measured[:3] = np.nan
    valid = ~np.isnan(measured)
    found = bias_test(measured, calculated, valid, 1.0)
    assert (found.hours, found.difference, found.limit_share) == (27, 27.0, 2 / 27)


def test_limit_of_change_of_the_cement_line() -> None:
    found = change_test(np.zeros(HOURS), np.ones(HOURS, np.bool_), HOURS, parts())
    assert found is not None
    # Worked out as independent of the thirty days before: 1.08 %, ±2.2 % (3.5 t/h).
    assert 100 * found.u / MEASURED == pytest.approx(1.08, abs=0.02)
    assert found.limit == pytest.approx(3.5, abs=0.06)


def test_change_needs_a_week_before_it_and_half_a_day() -> None:
    valid = np.ones(HOURS, np.bool_)
    assert change_test(np.zeros(HOURS), valid, 8 * DAY_H, parts()) is not None
    assert change_test(np.zeros(HOURS), valid, 8 * DAY_H - 1, parts()) is None
    assert change_test(np.zeros(HOURS), valid, 10, parts()) is None
    valid[HOURS - 13 :] = False
    assert change_test(np.zeros(HOURS), valid, HOURS, parts()) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.9), st.sampled_from([1, 24]))
def test_variance_of_a_change_is_the_double_sum(seed: int, rho: float, step_h: int) -> None:
    random = np.random.default_rng(seed)
    hours = 9 * DAY_H
    valid = random.random(hours) > 0.1
    valid[:DAY_H] = True
    part = RandomPart(random.uniform(0.5, 2.0, hours), rho, step_h)
    found = change_test(np.zeros(hours), valid, hours, [part])
    if found is None:
        return
    begin = hours - DAY_H
    weight = np.where(valid, part.size, 0.0)
    weight[:begin] /= -valid[:begin].sum()
    weight[begin:] /= valid[begin:].sum()
    step = np.arange(hours) // step_h
    expected = weight @ (rho ** np.abs(step[:, None] - step[None, :])) @ weight
    assert found.u == pytest.approx(math.sqrt(expected), rel=1e-9)


def test_errors_of_a_day_stay_the_same_from_midnight_and_not_from_the_first_hour() -> None:
    """As the uncertainty of a figure has it: the day tested lies in two steps where it does not begin with one."""
    hours, size = 9 * DAY_H, np.ones(9 * DAY_H)
    valid = np.ones(hours, np.bool_)
    for begin_h, expected in (
        (0, 1 + 8 / 64),
        (24 * 300, 1 + 8 / 64),
        # 6 h of the day are of the last step, 18 h of the one before, which has 6 of the hours before the day.
        (24 * 300 + 6, (6 / 24) ** 2 + (18 / 24 - 6 / 192) ** 2 + 7 / 64 + (18 / 192) ** 2),
    ):
        found = change_test(np.zeros(hours), valid, hours, [RandomPart(size, 0.0, DAY_H, begin_h)])
        assert found is not None
        assert found.u**2 == pytest.approx(expected, rel=1e-9), begin_h


def test_a_drift_that_the_bias_test_cannot_see_is_found() -> None:
    random, valid = np.random.default_rng(5), np.ones(HOURS + 2 * DAY_H, np.bool_)
    hours = valid.size
    drift = np.where(np.arange(hours) >= hours - 3 * DAY_H, 0.04 * MEASURED, 0.0)
    found = false = 0
    for _ in range(40):
        quiet = noise(random, hours)
        found += drifts(quiet + drift, valid, parts(hours))[1]
        false += drifts(quiet, valid, parts(hours))[1]
    assert found >= 37
    assert false <= 2
    measured = CALCULATED + quiet + drift
    last = slice(hours - DAY_H, hours)
    seen = bias_test(measured[last], np.full(DAY_H, CALCULATED), valid[last], DAY_H * 5.03)
    assert seen.is_beyond is False


def test_one_odd_day_does_not_persist() -> None:
    hours = HOURS + 2 * DAY_H
    odd = np.zeros(hours)
    odd[hours - DAY_H :] = 20.0
    found, persists = drifts(odd, np.ones(hours, np.bool_), parts(hours))
    assert [one is not None and one.is_beyond for one in found] == [False, False, True]
    assert not persists


@pytest.mark.parametrize("lag_h", [0.0, 0.5, 1.0, 1.25, -0.5, -1.0])
def test_a_lagging_source_is_moved_back(lag_h: float) -> None:
    """Registered steadily growing masses, `lag_h` late, are what they were without it."""
    hour = np.arange(10, dtype=np.float64)
    late = hour - lag_h
    found = aligned(late, lag_h)
    inside = ~np.isnan(found)
    assert found[inside] == pytest.approx(hour[inside])
    assert 8 <= inside.sum() <= 10
