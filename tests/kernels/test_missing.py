"""Missing data: every kernel equals its definition, and what holds of them all."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import availability, missing, missing75
from kernels.hours import HJ75_RULE, HOUR, MEASURED, PART75_RULE, REPLACED, STOPPED
from kernels.reference import availability as plain_availability
from kernels.reference import missing as plain
from kernels.reference import missing75 as plain75
from kernels.rows import Records
from tests.kernels.regime_hours import SENTINEL, filled, going_on, histories
from tests.kernels.segments import assert_close, close


def rule75(**changed: float) -> Records:
    """The procedure with look-backs short enough for a test."""
    rule = np.zeros(1, PART75_RULE)
    usual = {
        "direction": 1, "by_bin": 0, "lookback_h": 6, "upper_pct": 80.0, "middle_pct": 60.0, "lower_pct": 40.0,
        "upper_short_h": 3, "middle_short_h": 2, "upper_percentile": 90, "middle_percentile": 95,
        "availability_h": 20, "oldest_h": 30, "at_end": 1, "potential": 99.0,
    }  # fmt: skip
    for name, value in (usual | changed).items():
        rule[name] = value
    return rule


def rule_hj75() -> Records:
    rule = np.zeros(1, HJ75_RULE)
    for name, value in zip(HJ75_RULE.names or (), (80.0, 50.0, 3, 2, 5, 8), strict=True):
        rule[name] = value
    return rule


@st.composite
def rules75(draw: st.DrawFn) -> Records:
    low = draw(st.booleans())
    return rule75(
        direction=-1 if low else 1,
        by_bin=draw(st.integers(0, 1)),
        lookback_h=draw(st.integers(1, 8)),
        upper_percentile=10 if low else 90,
        middle_percentile=5 if low else 95,
        availability_h=draw(st.integers(1, 30)),
        oldest_h=draw(st.integers(1, 40)),
        at_end=draw(st.integers(0, 1)),
    )


@given(histories(negative=True), rules75())
@settings(max_examples=300, deadline=None)
def test_part75_equals_its_definition(hours: Records, rule: Records) -> None:
    assert_close(
        filled(missing75.substitute_part75, hours, rule), filled(plain75.substitute_part75, hours, rule)
    )


@given(histories(), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_hj75_equals_its_definition(hours: Records, open_period: int) -> None:
    rule = rule_hj75()
    found = filled(missing.substitute_hj75, hours, rule, open_period)
    assert_close(found, filled(plain.substitute_hj75, hours, rule, open_period))


@given(histories(), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_mrr_equals_its_definition(hours: Records, open_period: int) -> None:
    found = filled(missing.substitute_mrr, hours, 2.0, open_period)
    assert_close(found, filled(plain.substitute_mrr, hours, 2.0, open_period), 8)


@given(histories())
@settings(max_examples=200, deadline=None)
def test_neighbours_equal_their_definition(hours: Records) -> None:
    assert_close(filled(missing.substitute_neighbours, hours), filled(plain.substitute_neighbours, hours))


@given(histories(), rules75())
@settings(max_examples=100, deadline=None)
def test_no_scheme_touches_what_was_measured_or_stopped(hours: Records, rule: Records) -> None:
    counts = (hours["valid"] == 1) & (hours["out_of_control"] == 0) & np.isfinite(hours["value"])
    ran = hours["operating"] == 1
    for found in (
        filled(missing75.substitute_part75, hours, rule),
        filled(missing.substitute_hj75, hours, rule_hj75(), 1),
        filled(missing.substitute_mrr, hours, 2.0, 1),
        filled(missing.substitute_neighbours, hours),
    ):
        assert ((found["state"] == MEASURED) == (ran & counts)).all()
        assert ((found["state"] == STOPPED) == ~ran).all()
        same = found["state"] == MEASURED
        assert (found["value"][same] == hours["value"][same]).all()
        assert (np.isfinite(found["value"]) == np.isin(found["state"], [MEASURED, REPLACED])).all()
        assert not found["provisional"][found["state"] <= STOPPED].any()


@given(histories(), rules75())
@settings(max_examples=100, deadline=None)
def test_a_closed_gap_does_not_change_with_what_comes_later(hours: Records, rule: Records) -> None:
    """Told of the first half alone, every row that is not provisional is as it is told of all."""
    half = hours[: (hours.size + 1) // 2].copy()
    early, late = (filled(missing75.substitute_part75, one, rule) for one in (half, hours))
    settled = early["provisional"] == 0
    assert_close(early[settled], late[: half.size][settled], 0)


@given(histories(negative=True), rules75(), st.integers(0, 3), st.data())
@settings(max_examples=200, deadline=None)
def test_going_on_from_a_place_tells_what_all_of_it_tells(
    hours: Records, rule: Records, open_period: int, data: st.DataObject
) -> None:
    """From where no gap reaches over on; what is before that place is not touched."""
    place = data.draw(st.integers(0, hours.size))
    begin = missing.unparted(hours, place)
    assert begin == plain.unparted(hours, place)
    if place < hours.size:
        assert missing.begin_of_period(hours, place) == plain.begin_of_period(hours, place)
    for module, theirs, name, arguments in (
        (missing75, plain75, "substitute_part75", (rule,)),
        (missing, plain, "substitute_hj75", (rule_hj75(), open_period)),
        (missing, plain, "substitute_mrr", (2.0, open_period)),
        (missing, plain, "substitute_neighbours", ()),
    ):
        ours, definition = getattr(module, name), getattr(theirs, name)
        found = going_on(ours, hours, begin, *arguments)
        assert_close(found[begin:], filled(ours, hours, *arguments)[begin:], 0)
        assert (found[:begin]["code"] == SENTINEL).all()
        assert_close(found, going_on(definition, hours, begin, *arguments), 8)


def both(name: str, *arguments: Any) -> tuple[Any, Any]:
    return getattr(availability, name)(*arguments), getattr(plain_availability, name)(*arguments)


@given(histories(), st.integers(1, 20), st.integers(1, 30))
@settings(max_examples=150, deadline=None)
def test_availability_equals_its_definition(hours: Records, operating: int, oldest: int) -> None:
    n = hours.size
    found = []
    for module in (availability, plain_availability):
        measured, gone = np.zeros(n, np.int64), np.zeros(n, np.int64)
        module.measured_hours(hours, measured, gone)
        shares, periods = np.zeros(n), np.zeros(n)
        module.monitor_availability(hours["start_at"].copy(), measured, gone, operating, oldest, shares)
        module.period_capture(hours["period"].copy(), measured, gone, periods)
        edges = [np.zeros(n, np.int64) for _ in range(3)]
        count = module.gaps(measured, gone, *edges)
        assert module.gaps_from(0, measured, gone, *(edge.copy() for edge in edges)) == count
        assert [module.is_measured(hours, i) for i in range(n)] == (measured != 0).tolist()
        found.append((measured, gone, shares, periods, *(edge[:count] for edge in edges)))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@given(st.floats(0, 100), st.floats(1, 100), st.floats(0, 1))
@settings(deadline=None)
def test_rates_equal_their_definitions(good: float, of: float, stopped: float) -> None:
    assert close(*both("percent", good, of))
    assert close(*both("capture_rate", of, stopped, good))


@given(st.lists(st.floats(-50, 50), max_size=30), st.integers(1, 100))
@settings(deadline=None)
def test_ranks_equal_their_definition(values: list[float], percentile: int) -> None:
    ascending = np.array(sorted(values))
    assert close(missing75.nearest_rank(ascending, percentile), plain75.nearest_rank(ascending, percentile))


RANKS = [
    (720, 90, 648),
    (720, 95, 684),
    (2160, 90, 1944),
    (2160, 95, 2052),
    (720, 10, 72),
    (720, 5, 36),
    (1, 5, 1),
]


@pytest.mark.parametrize(("n", "percentile", "rank"), RANKS)
def test_ranks_of_the_look_backs(n: int, percentile: int, rank: int) -> None:
    assert missing75.nearest_rank(np.arange(1.0, n + 1), percentile) == rank


@given(st.floats(0, 100), st.integers(1, 40), st.integers(0, 1))
@settings(deadline=None)
def test_codes_equal_their_definition(pct: float, gap_h: int, by_bin: int) -> None:
    rule = rule75(by_bin=by_bin)
    assert missing75.part75_code(pct, gap_h, rule) == plain75.part75_code(pct, gap_h, rule)
    assert missing.hj75_lookback(pct, gap_h, rule_hj75()) == plain.hj75_lookback(pct, gap_h, rule_hj75())


KNOWN = st.one_of(st.just(math.nan), st.floats(0, 20))


@given(st.integers(6, 12), st.lists(st.floats(0, 20), max_size=9), KNOWN, KNOWN, st.sampled_from([1, -1]))
@settings(max_examples=200, deadline=None)
def test_values_equal_their_definition(
    code: int, values: list[float], before: float, after: float, direction: int
) -> None:
    rule, ascending = rule75(direction=direction), np.array(sorted(values))
    ours = missing75.part75_value(code, ascending, before, after, rule)
    assert close(ours, plain75.part75_value(code, ascending, before, after, rule))


@given(histories(), st.integers(-1, 3), rules75(), st.data())
@settings(deadline=None)
def test_look_backs_equal_their_definition(
    hours: Records, load_bin: int, rule: Records, data: st.DataObject
) -> None:
    until = data.draw(st.integers(0, hours.size - 1))
    measured, gone = np.zeros(hours.size, np.int64), np.zeros(hours.size, np.int64)
    availability.measured_hours(hours, measured, gone)
    ours = missing75.look_back(hours, measured, until, load_bin, rule)
    np.testing.assert_array_equal(ours, plain75.look_back(hours, measured, until, load_bin, rule))
    for step in (-1, 1):
        assert missing.neighbour(measured, until, step) == plain.neighbour(measured, until, step)


@given(st.floats(-20, 20))
@settings(deadline=None)
def test_what_counts_equals_its_definition(value: float) -> None:
    assert missing75.counted(value) == plain75.counted(value)


def test_mean_and_deviations_of_one_value_is_none() -> None:
    for values in ([], [3.0]):
        assert math.isnan(missing.mean_and_deviations(np.array(values), 2.0))
        assert math.isnan(plain.mean_and_deviations(np.array(values), 2.0))


def test_availability_forgets_what_is_too_old() -> None:
    start, measured = HOUR * np.arange(6), np.array([0, 0, 1, 1, 1, 1])
    out = np.zeros(6)
    availability.monitor_availability(start, measured, 1 - measured, 100, 4, out)
    assert out.tolist() == [0.0, 0.0, 100 / 3, 50.0, 75.0, 100.0]
