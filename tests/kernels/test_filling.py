"""Gaps of registers spread by weights: equal to the definition, and nothing is lost."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import filling, reference
from kernels.rows import COUNTER, GAP, GAP_ROW, SHAPED, WEIGHT_MISSING, WEIGHTS_ZERO, Floats, Ints, Records
from tests.kernels.segments import INTERVAL, ORIGIN, Segment, counter, fold, positive, same, segment

Listing = Callable[..., int]


def listed(
    kernel: Listing, drawn: list[Segment], begin: list[int], end: list[int], room: int = 40
) -> Records:
    """The gaps that a kernel lists."""
    columns = [one.columns() for one in drawn]
    at, _, count, quality, bits = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    offsets = np.cumsum([0, *(len(one.readings) for one in drawn)])
    gaps = np.zeros(room, GAP_ROW)
    params = np.concatenate([one.point for one in drawn])
    n = kernel(offsets, at, count, quality, bits, params, np.array(begin), np.array(end), gaps)
    assert n <= room
    return gaps[:n]


@given(
    drawn=st.lists(segment(positive(), COUNTER), min_size=1, max_size=3),
    spans=st.lists(st.tuples(st.integers(0, 8), st.integers(1, 8)), min_size=3, max_size=3),
)
@settings(max_examples=300, deadline=None)
def test_listing_equals_its_definition(drawn: list[Segment], spans: list[tuple[int, int]]) -> None:
    begin = [ORIGIN + k * INTERVAL for k, _ in spans[: len(drawn)]]
    end = [ORIGIN + (k + n) * INTERVAL for k, n in spans[: len(drawn)]]
    found = listed(filling.gap_steps, drawn, begin, end)
    assert same(found, listed(reference.gap_steps, drawn, begin, end))
    assert filling_says_how_many(drawn, begin, end) == found.size


def filling_says_how_many(drawn: list[Segment], begin: list[int], end: list[int]) -> int:
    """What the kernel says without any room."""
    columns = [one.columns() for one in drawn]
    at, _, count, quality, bits = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    offsets = np.cumsum([0, *(len(one.readings) for one in drawn)])
    params = np.concatenate([one.point for one in drawn])
    return filling.gap_steps(
        offsets, at, count, quality, bits, params, np.array(begin), np.array(end), np.zeros(0, GAP_ROW)
    )


@given(drawn=segment(positive(), COUNTER))
@settings(max_examples=200, deadline=None)
def test_the_gaps_are_what_the_fold_calls_so(drawn: Segment) -> None:
    """Time of good readings that is substituted is time of a gap, and only that."""
    drawn.readings = [(at, value, count, 0, reasons) for at, value, count, _, reasons in drawn.readings]
    begin, end = ORIGIN, ORIGIN + 9 * INTERVAL
    gaps = listed(filling.gap_steps, [drawn], [begin], [end])
    rows = fold(reference.fold_intervals, [drawn], [begin], [end]).rows
    assert int(rows["substituted_us"].sum()) == int((gaps["to_at"] - gaps["from_at"]).sum())
    assert all(row["reasons"] & GAP for row in rows if row["substituted_us"])


def spread(
    shape: Callable[..., int], begin: int, end: int, increment: int, weight: Floats
) -> tuple[int, list[int]]:
    parts: Ints = np.full(weight.size, 77, np.int64)
    moved: Ints = np.full(weight.size, 77, np.int64)
    return shape(begin, end, increment, INTERVAL, weight, parts, moved), moved.tolist()


weights = st.one_of(
    st.sampled_from([0.0, 1.0, 1.0, 0.1, 5e-324, 1e300]),
    st.floats(0, 1e12),
    st.integers(0, 2**62).map(float),
)
spoilt = st.one_of(weights, weights, weights, st.sampled_from([math.nan, -1.0, math.inf]))


@given(
    first=st.integers(0, INTERVAL - 1),
    last=st.integers(1, INTERVAL),
    weight=st.one_of(st.lists(weights, min_size=1, max_size=20), st.lists(spoilt, min_size=1, max_size=5)),
    increment=st.one_of(st.integers(0, 100), st.integers(-(2**61), 2**62 - 1)),
)
@settings(max_examples=400, deadline=None)
def test_shaping_equals_its_definition_and_moves_without_loss(
    first: int, last: int, weight: list[float], increment: int
) -> None:
    begin, end = ORIGIN + first, ORIGIN + (len(weight) - 1) * INTERVAL + last
    if end <= begin:
        end = begin + 1
    found = spread(filling.shape_gap, begin, end, increment, np.array(weight))
    assert found == spread(reference.shape_gap, begin, end, increment, np.array(weight))
    code, moved = found
    assert sum(moved) == 0
    if not all(math.isfinite(w) and w >= 0 for w in weight):
        assert code == WEIGHT_MISSING
    elif not any(weight):
        assert code == WEIGHTS_ZERO


def test_equal_weights_move_nothing_and_none_get_nothing() -> None:
    gap = counter((ORIGIN + 250, 0), (ORIGIN + 3750, 700), max_gap_us=INTERVAL)
    rows = fold(reference.fold_intervals, [gap], [ORIGIN], [ORIGIN + 4 * INTERVAL]).rows
    assert rows["amount_count"].tolist() == [150, 200, 200, 150]
    even = spread(filling.shape_gap, ORIGIN + 250, ORIGIN + 3750, 700, np.full(4, 0.3))
    assert even == (SHAPED, [0, 0, 0, 0])
    code, moved = spread(filling.shape_gap, ORIGIN + 250, ORIGIN + 3750, 700, np.array([0.0, 8.0, 0.0, 2.0]))
    # 8 t and three quarters of 2 t
    assert code == SHAPED
    assert (rows["amount_count"] + moved).tolist() == [0, 589, 0, 111]


@pytest.mark.parametrize("n", [1, 2, 3, 100_000])
def test_parts_of_any_number_of_intervals_fit(n: int) -> None:
    weight = np.full(n, 1e18)
    code, moved = spread(filling.shape_gap, ORIGIN, ORIGIN + n * INTERVAL, 2**62 - 1, weight)
    assert code == SHAPED
    edges = [0, *np.cumsum(moved).tolist()]
    assert all(abs(b - a) <= 1 for a, b in pairwise(edges))
