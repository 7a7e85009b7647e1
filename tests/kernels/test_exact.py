"""Sums, shares and counts lose nothing."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernels import exact, reference
from kernels.rows import NO_COUNT, Floats
from tests.kernels.segments import ints

INT64 = st.integers(-(2**63), 2**63 - 1)
WILD = st.one_of(
    st.floats(-1e300, 1e300),
    st.floats(-1.0, 1.0),
    st.sampled_from(
        [1e16, -1e16, 1.0, -1.0, 2.0**-53, -(2.0**-53), 2.0**53, 1e308, -1e308, 5e-324, 0.0, -0.0]
    ),
)


@given(st.lists(WILD, max_size=60), st.booleans())
@example([1.0, 2.0**-53, 2.0**-106], False)
@example([1.0, 2.0**-53, -(2.0**-106)], False)
@settings(max_examples=300, deadline=None)
def test_exact_sum_is_fsum(values: list[float], mirrored: bool) -> None:
    """Bit for bit, also where nearly everything cancels."""
    if mirrored:
        values = values + [-value for value in values[::-1]] + [1e-300]
    try:
        expected = math.fsum(values)
    except OverflowError:
        return
    assert exact.exact_sum(np.array(values, np.float64)).hex() == expected.hex()


def test_exact_sum_of_more_partials_than_it_has_room_for() -> None:
    """One bit every 60 binary places: no two partials merge."""
    values = [2.0**power for power in range(-1020, 1020, 60)] * 2 + [2.0**-1021]
    assert exact.exact_sum(np.array(values)).hex() == math.fsum(values).hex()


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], "0.0"), ([math.inf, 1.0], "inf"), ([1.0, -math.inf], "-inf"), ([math.nan, 1.0], "nan")],
)
def test_exact_sum_of_nothing_and_of_what_is_not_finite(values: list[float], expected: str) -> None:
    x = np.array(values, np.float64)
    assert str(float(exact.exact_sum(x))) == expected == str(float(reference.exact_sum(x)))


@given(st.lists(st.lists(st.floats(-1e300, 1e300), min_size=7, max_size=7), max_size=9))
@settings(max_examples=100, deadline=None)
def test_exact_sums_are_those_of_the_rows(values: list[list[float]]) -> None:
    x = np.array(values, np.float64).reshape(-1, 7)
    found = exact.exact_sums(x)
    assert found.tolist() == reference.exact_sums(x).tolist() == [math.fsum(row) for row in values]


@given(INT64, INT64, INT64.filter(bool))
@example(-(2**63), 1, -(2**63))
@example(2**63 - 1, 2**63 - 1, 2**63 - 1)
@example(-(2**63), 2**63 - 1, 1)
@example(3, 1, 2)
@example(-3, 1, 2)
@settings(max_examples=400, deadline=None)
def test_muldiv_round_over_all_of_int64(a: int, num: int, den: int) -> None:
    assert exact.muldiv_round(a, num, den) == reference.muldiv_round(a, num, den)


@given(st.integers(-(2**62), 2**62), st.integers(1, 10**12), st.lists(st.floats(0, 1), max_size=4))
@settings(max_examples=200, deadline=None)
def test_shares_of_a_count_add_up(count: int, whole: int, cuts: list[float]) -> None:
    edges = sorted({0, whole, *(round(cut * whole) for cut in cuts)})
    shares = [exact.share(count, begin, end, whole) for begin, end in pairwise(edges)]
    assert shares == [reference.share(count, begin, end, whole) for begin, end in pairwise(edges)]
    assert sum(shares) == count
    assert [-share for share in shares] == [exact.share(-count, *cut, whole) for cut in pairwise(edges)]


RESOLUTIONS = st.sampled_from([1e-6, 1e-3, 0.01, 0.1, 0.125, 0.25, 1.0, 10.0, 1000.0, 0.3, 2.5])
VALUES = st.one_of(
    st.floats(-1e13, 1e13),
    st.floats(-10, 10),
    st.integers(-(10**9), 10**9).map(lambda n: n / 8),
    st.sampled_from(
        [math.nan, math.inf, -math.inf, 1e300, 0.5, 1.5, -0.5, 1e12 + 0.1, 2.0**52 + 0.5, 4.5e15 + 0.5]
    ),
)


@given(st.lists(VALUES, max_size=20), RESOLUTIONS)
@settings(max_examples=200, deadline=None)
def test_to_counts(values: list[float], resolution: float) -> None:
    x: Floats = np.array(values, np.float64)
    actual, expected = np.zeros(x.size, np.int64), np.zeros(x.size, np.int64)
    exact.to_counts(x, resolution, actual)
    reference.to_counts(x, resolution, expected)
    assert actual.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("value", "resolution", "count"),
    [
        (1e12, 1e-6, 10**18),
        (0.1, 0.001, 100),
        (123.457, 0.001, 123457),
        (2.5, 1.0, 3),
        (-2.5, 1.0, -3),
        (0.49999999999999994, 1.0, 0),
        (1e13, 1e-6, NO_COUNT),
        (math.nan, 1.0, NO_COUNT),
    ],
)
def test_counts_worked_out(value: float, resolution: float, count: int) -> None:
    out = ints(0)
    exact.to_counts(np.array([value]), resolution, out)
    assert out.tolist() == [count]


def test_the_source_is_the_compiled_function() -> None:
    """What is compiled says what its Python source says, also where integers would wrap."""
    summed: Any = exact.exact_sum
    share: Any = exact.muldiv_round
    x = np.array([1e16, 1.0, -1e16, 2.0**-60])
    assert summed.py_func(x) == summed(x)
    assert share.py_func(2**62 + 1, 2**40 + 7, 2**41) == share(2**62 + 1, 2**40 + 7, 2**41)
