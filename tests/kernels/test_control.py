"""Out-of-control spans: each rule equals its definition, and what the rules say in examples."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import control
from kernels.control import FOREVER
from kernels.hours import HOUR
from kernels.reference import control as plain

Spans = list[tuple[int, int]]


def ints(values: Any) -> Any:
    return np.array(values, np.int64)


def spans(module: ModuleType, name: str, n: int, *arguments: Any) -> Spans:
    begin, end = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    found = getattr(module, name)(*arguments, begin, end)
    return list(zip(begin[:found].tolist(), end[:found].tolist(), strict=True))


def both(name: str, n: int, *arguments: Any) -> tuple[Spans, Spans]:
    return spans(control, name, n, *arguments), spans(plain, name, n, *arguments)


TESTS = st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=12).map(
    lambda tests: sorted(dict(tests).items())
)


@given(TESTS)
@settings(deadline=None)
def test_spans_of_failures_equal_their_definitions(tests: list[tuple[int, bool]]) -> None:
    at, passed = ints([one for one, _ in tests]), ints([good for _, good in tests])
    ours, theirs = both("spans_from_failure", at.size, at, passed)
    assert ours == theirs
    ours, theirs = both("spans_from_last_passed", at.size, at, passed, -7)
    assert ours == theirs
    assert all(a < b for a, b in ours)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 2.5, 4.0, 4.5]), max_size=20), st.integers(1, 5))
@settings(deadline=None)
def test_spans_by_drift_equal_their_definition(drift: list[float], in_a_row: int) -> None:
    at = ints(np.arange(len(drift)) * 10)
    ours, theirs = both("spans_by_drift", at.size, at, np.array(drift), 4.0, 2.0, in_a_row, -7)
    assert ours == theirs


@given(st.lists(st.booleans(), min_size=1, max_size=50), TESTS, st.integers(1, 12), st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_uncovered_hours_equal_their_definition(
    ran: list[bool], tests: list[tuple[int, bool]], cover_h: int, grace_h: int
) -> None:
    start, operating = HOUR * np.arange(len(ran)), ints(ran)
    at, passed = ints([one * HOUR // 2 for one, _ in tests]), ints([good for _, good in tests])
    ours, theirs = both("spans_uncovered", start.size, start, operating, at, passed, cover_h, grace_h)
    assert ours == theirs


@given(st.lists(st.integers(0, 400), max_size=8, unique=True))
@settings(deadline=None)
def test_lost_time_equals_its_definition(edges: list[int]) -> None:
    edges = sorted(edges)[: len(edges) // 2 * 2]
    begin, end = ints(edges[::2]) * HOUR // 20, ints(edges[1::2]) * HOUR // 20
    start, ours, theirs = HOUR * np.arange(22), np.zeros(22, np.int64), np.zeros(22, np.int64)
    control.lost_time(start, begin, end, ours)
    plain.lost_time(start, begin, end, theirs)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.sum() == (end - begin).sum()


def test_a_failure_reaches_forward_or_back_by_the_rule() -> None:
    at, passed = ints([0, 20, 23, 47]), ints([1, 0, 1, 1])
    assert spans(control, "spans_from_failure", 4, at, passed) == [(20, 23)]
    assert spans(control, "spans_from_last_passed", 4, at, passed, -9) == [(0, 23)]
    assert spans(control, "spans_from_failure", 4, at[:2], passed[:2]) == [(20, FOREVER)]
    assert spans(control, "spans_from_last_passed", 1, at[1:2], passed[1:2], -9) == [(-9, FOREVER)]


def test_drift_reaches_back_once_and_forward_from_the_fifth() -> None:
    at = ints(range(0, 100, 10))
    once = np.array([0.5, 0.5, 4.5, 3.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert spans(control, "spans_by_drift", 10, at, once, 4.0, 2.0, 5, -9) == [(10, 30)]
    row = np.array([0.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 1.0, 0.5, 0.5])
    assert spans(control, "spans_by_drift", 10, at, row, 4.0, 2.0, 5, -9) == [(50, 70)]


def hours_out(operating: list[int], tests: list[tuple[float, int]]) -> list[int]:
    """Hours that no test covers, by 26 clock hours and 8 of grace."""
    start, at = HOUR * np.arange(len(operating)), ints([one * HOUR for one, _ in tests])
    passed = ints([good for _, good in tests])
    found = spans(control, "spans_uncovered", start.size, start, ints(operating), at, passed, 26, 8)
    return [hour for hour in range(len(operating)) if any(a <= hour * HOUR < b for a, b in found)]


def test_a_passed_test_covers_26_clock_hours() -> None:
    assert hours_out([1] * 30, [(0.9, 1)]) == [26, 27, 28, 29]
    assert hours_out([1] * 30, [(0.9, 1), (25.5, 1)]) == []
    assert hours_out([1] * 30, []) == list(range(30))


@pytest.mark.parametrize(
    ("tests", "out"),
    [
        ([(0, 1)], [38, 39]),
        ([(0, 1), (10, 0)], list(range(30, 40))),
        ([(0, 1), (33, 1)], []),
    ],
)
def test_a_start_up_has_eight_hours_of_grace_after_a_passed_test(
    tests: list[tuple[float, int]], out: list[int]
) -> None:
    """The unit stops at 20 h and starts again at 30 h, when the test of 0 h no longer covers."""
    assert hours_out([1] * 20 + [0] * 10 + [1] * 10, tests) == out
