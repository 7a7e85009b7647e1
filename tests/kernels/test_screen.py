"""Readings that change too fast or stand still: the kernel against its definition, and what the rule means."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import reference
from kernels.rows import BAD, RATE, STUCK, SUBSTITUTED, UNCERTAIN
from kernels.screen import screen
from tests.kernels.segments import INTERVAL, ORIGIN, Segment, gauge, params, segment

Flags = tuple[list[int], list[int]]

HOUR = 3_600_000_000
FAST: dict[str, float] = {"max_rate_per_h": HOUR * 1.0, "max_gap_us": 10}
"""At most 1 a µs."""
STILL: dict[str, float] = {"stuck_after_us": 10, "stuck_band": 0.5, "max_gap_us": 5}


def screened(kernel: Any, segments: list[Segment]) -> Flags:
    columns = [one.columns() for one in segments]
    offsets = np.cumsum([0, *(len(one.readings) for one in segments)]).astype(np.int64)
    at, value, _, quality, reasons = (np.concatenate(column) for column in zip(*columns, strict=True))
    kernel(offsets, at, value, quality, reasons, np.concatenate([one.point for one in segments]))
    return quality.tolist(), reasons.tolist()


def reasons_of(one: Segment) -> list[int]:
    return screened(screen, [one])[1]


@st.composite
def ruled(draw: st.DrawFn) -> Segment:
    """Readings of a few levels, so that some stand still, of a point with any rules."""
    drawn = draw(segment(st.sampled_from([0.0, 0.0, 0.1, 0.2, 0.3, 1.0, 50.0])))
    rules = {
        "max_gap_us": draw(st.sampled_from([300, INTERVAL, 2500])),
        "max_rate_per_h": draw(st.sampled_from([0.0, 0.1 * HOUR / 500, 1.0 * HOUR / 500])),
        "stuck_after_us": draw(st.sampled_from([0, 1, 700, 2 * INTERVAL])),
        "stuck_band": draw(st.sampled_from([0.0, 0.1 + 1e-7, 0.25])),
    }
    if draw(st.booleans()):
        rules |= {"stuck_low": 0.0, "stuck_high": draw(st.sampled_from([0.0, 0.1]))}
    return Segment(params(**rules), drawn.readings)


@given(st.lists(ruled(), min_size=1, max_size=3))
@settings(max_examples=400, deadline=None)
def test_equals_its_definition(segments: list[Segment]) -> None:
    assert screened(screen, segments) == screened(reference.screen, segments)


@given(ruled(), st.integers(0, 12))
@settings(max_examples=300, deadline=None)
def test_what_lies_further_back_does_not_count(one: Segment, cut: int) -> None:
    """A flag is that of the readings from stuck_after + max_gap before it, whatever comes earlier."""
    every = reasons_of(one)
    kept = one.readings[cut:]
    if not kept:
        return
    reach = int(one.point["stuck_after_us"][0] + one.point["max_gap_us"][0])
    sure = [
        i for i, reading in enumerate(kept) if reading[0] - reach > (one.readings[cut - 1][0] if cut else 0)
    ]
    shorter = reasons_of(Segment(one.point, kept))
    assert [shorter[i] for i in sure] == [every[cut + i] for i in sure]


def test_a_rate_is_that_to_the_used_reading_before() -> None:
    one = gauge((0, 0), (5, 5), (10, 10.5), (14, 10, BAD, 8), (15, 15.5), (16, math.nan), (20, 9), **FAST)
    assert reasons_of(one) == [0, 0, RATE, 8, 0, 0, RATE]


def test_a_change_over_more_than_max_gap_says_nothing() -> None:
    assert reasons_of(gauge((0, 0), (10, 11), **FAST)) == [0, RATE]
    assert reasons_of(gauge((0, 0), (11, 99), **FAST)) == [0, 0]


def test_of_one_time_the_winner_is_compared_and_flagged() -> None:
    assert reasons_of(gauge((0, 0), (5, 90), (5, 5), (10, 99), (10, 50), **FAST)) == [0, 0, 0, 0, RATE]


def test_a_flag_makes_uncertain_and_never_better() -> None:
    one = gauge((0, 0), (1, 9), (2, 0, SUBSTITUTED, 16), **FAST)
    assert screened(screen, [one]) == ([0, UNCERTAIN, SUBSTITUTED], [0, RATE, 16 | RATE])


def test_stuck_is_flagged_once_it_has_stood_long_enough() -> None:
    still = [(4 * i, 7.0) for i in range(6)]
    assert reasons_of(gauge(*still, (24, 8.0), (28, 8.0), **STILL)) == [0, 0, 0, STUCK, STUCK, STUCK, 0, 0]


@pytest.mark.parametrize(
    ("readings", "flagged"),
    [
        (((0, 7.0), (5, 7.5), (10, 7.25)), True),
        (((0, 7.0), (5, 7.6), (10, 7.0)), False),
        (((0, 7.0), (10, 7.0)), False),
        (((0, 7.0), (4, 7.0), (10, 7.0)), False),
        (((0, 7.0), (2, 9.0, BAD), (5, 7.0), (10, 7.0)), True),
    ],
    ids=["within a step", "beyond a step", "two only", "a gap in it", "a bad one in it"],
)
def test_what_standing_still_is(readings: tuple[tuple[float, ...], ...], flagged: bool) -> None:
    assert reasons_of(gauge(*readings, **STILL))[-1] == (STUCK if flagged else 0)


def test_where_a_point_may_stand_still() -> None:
    still = [(5 * i, value) for i, value in enumerate((0.0, 0.25, 0.0, 0.0, 0.25))]
    assert reasons_of(gauge(*still, **STILL))[2:] == [STUCK, STUCK, STUCK]
    assert reasons_of(gauge(*still, **STILL, stuck_low=0, stuck_high=0))[2:] == [0, 0, STUCK]


def test_a_point_without_rules_is_left_alone() -> None:
    assert screened(screen, [gauge((ORIGIN, 0), (ORIGIN + 1, 1e9), (ORIGIN + 2, 1e9))]) == ([0] * 3, [0] * 3)
