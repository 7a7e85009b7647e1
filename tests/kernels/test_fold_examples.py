"""The fold on examples small enough to check by hand."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels.fold import fold_intervals
from kernels.rows import (
    BAD,
    CONFLICT,
    DELTA,
    GAP,
    GLITCH,
    GLITCH_STEP,
    GOOD,
    HOUR_US,
    IMPLAUSIBLE_STEP,
    LATE,
    NO_COUNT,
    NORMAL_STEP,
    RATE,
    REPLACED,
    REPLACED_STEP,
    RESET,
    RESET_STEP,
    ROLLOVER,
    ROLLOVER_STEP,
    SAMPLE,
    STATE,
    SUBSTITUTED,
    TOO_LONG_STEP,
    UNCERTAIN,
    Records,
)
from kernels.step import classify_step
from tests.kernels.segments import Folded, Segment, counter, fold, gauge, params

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "vectors.json"
HOUR = HOUR_US
MINUTE = 60_000_000
MANUAL = 1 << 14


def cases(operation: str) -> list[dict[str, Any]]:
    if not VECTORS.exists():
        pytest.skip(f"{operation}: the worked examples are not beside this checkout ({VECTORS.name})")
    found: list[dict[str, Any]] = [
        case for case in json.loads(VECTORS.read_text()) if case["op"] == operation
    ]
    assert found
    return found


def run(segment: Segment, to_at: int, interval_us: int = HOUR, from_at: int = 0) -> Folded:
    return fold(fold_intervals, [segment], [from_at], [to_at], interval_us)


def columns(rows: Records, *names: str) -> list[tuple[float, ...]]:
    return list(zip(*(rows[name].tolist() for name in names), strict=True))


def test_counter_deltas_with_resets() -> None:
    """ST-04 to ST-09: readings a minute apart, the register starts again at 0."""
    for case in cases("counter.delta"):
        values = case["inputs"]["values"]
        assert case["inputs"]["on_fall"] == "reset"
        readings = ((MINUTE * i, int(v)) for i, v in enumerate(values))
        folded = run(counter(*readings, max_gap_us=HOUR, fall_is_reset=1), HOUR)
        assert folded.rows["amount"].tolist() == [case["expected"]["delta"]]
        assert folded.steps["step_class"].tolist() == [RESET_STEP] * int(case["expected"]["resets"])


def test_time_weighted_means() -> None:
    """ST-01, ST-02: straight lines, and last value carried forward."""
    for case in cases("time.weighted_mean"):
        readings = [
            (round(minute * MINUTE), value)
            for minute, value in zip(case["inputs"]["minutes"], case["inputs"]["values"], strict=True)
        ]
        for name, sloped in (("linear", 1), ("locf", 0)):
            if name in case["expected"]:
                rows = run(gauge(*readings, sloped=sloped, max_gap_us=HOUR), int(readings[-1][0])).rows
                assert rows["mean"].tolist() == pytest.approx([case["expected"][name]], abs=1e-9)


def test_integrals_of_days_of_values_carried_forward() -> None:
    """ST-03: a mean is over the covered time."""
    for case in cases("time.bucket_mean_locf"):
        pairs = zip(case["inputs"]["hours"], case["inputs"]["values"], strict=True)
        readings = [(int(hour) * HOUR, value) for hour, value in pairs]
        rows = run(gauge(*readings, sloped=0, max_gap_us=24 * HOUR), 72 * HOUR, 24 * HOUR).rows
        expected = case["expected"]
        until = int(readings[-1][0])
        closed = run(gauge(*readings, sloped=0, max_gap_us=24 * HOUR), until, 24 * HOUR).rows
        assert rows["amount"][:2].tolist() == pytest.approx(expected["integral_h"][:2])
        assert closed["mean"][:2].tolist() == pytest.approx(expected["mean_over_covered_time"][:2])


def test_a_line_is_split_exactly_at_edges() -> None:
    rows = run(gauge((HOUR // 2, 0), (5 * HOUR // 2, 2), max_gap_us=3 * HOUR), 3 * HOUR).rows
    assert columns(rows, "amount", "mean", "min", "max") == [
        (0.125, 0.25, 0.0, 0.5),
        (1.0, 1.0, 0.5, 1.5),
        (0.875, 1.75, 1.5, 2.0),
    ]
    assert rows["reasons"].tolist() == [GAP, 0, GAP]


def test_a_pair_further_apart_than_max_gap_is_a_gap() -> None:
    rows = run(gauge((0, 1), (HOUR, 1), (3 * HOUR, 1), (4 * HOUR, 1), max_gap_us=HOUR), 4 * HOUR).rows
    assert rows["start_at"].tolist() == [0, 3 * HOUR]


def test_a_held_value_holds_for_max_gap_and_then_is_gone() -> None:
    segment = gauge((0, 6), (9 * HOUR // 4, 8), sloped=0, max_gap_us=3 * HOUR // 2)
    assert columns(run(segment, 5 * HOUR).rows, "amount", "covered_us", "reasons") == [
        (6.0, HOUR, 0),
        (3.0, HOUR // 2, GAP),
        (6.0, 3 * HOUR // 4, GAP),
        (6.0, 3 * HOUR // 4, GAP),
    ]


def test_the_open_interval_reaches_to_now() -> None:
    stepped = run(gauge((0, 6), sloped=0, max_gap_us=HOUR), HOUR // 2).rows
    assert columns(stepped, "amount", "covered_us", "quality", "reasons") == [(3.0, HOUR // 2, GOOD, 0)]
    sloped = run(gauge((0, 6), (HOUR // 4, 6)), HOUR // 2).rows
    assert sloped.size == 0 or sloped["reasons"].tolist() == [GAP]


@pytest.mark.parametrize(
    ("sloped", "quality", "expected"),
    [
        (1, BAD, (math.nan, 2 * MINUTE, 0, 0, BAD, 9)),
        (0, BAD, (1 / 60, 2 * MINUTE, MINUTE, 0, GOOD, 9)),
        (1, SUBSTITUTED, (2 / 60, 2 * MINUTE, 0, 2 * MINUTE, SUBSTITUTED, 9)),
        (0, SUBSTITUTED, (2 / 60, 2 * MINUTE, MINUTE, MINUTE, SUBSTITUTED, 9)),
        (1, UNCERTAIN, (2 / 60, 2 * MINUTE, 2 * MINUTE, 0, UNCERTAIN, 9)),
        (0, UNCERTAIN, (2 / 60, 2 * MINUTE, 2 * MINUTE, 0, UNCERTAIN, 9)),
    ],
)
def test_quality_of_one_reading_in_the_middle(sloped: int, quality: int, expected: tuple[float, ...]) -> None:
    """A line takes the worse of its ends, a held value its own; LATE never reaches an interval."""
    middle = (MINUTE, 1, quality, 8 | LATE)
    segment = gauge((0, 1, GOOD, 1), middle, (2 * MINUTE, 1), sloped=sloped, max_gap_us=HOUR)
    names = ("amount", "covered_us", "valid_us", "substituted_us", "quality", "reasons")
    row = columns(run(segment, 2 * MINUTE).rows, *names)
    assert row[0][1:] == expected[1:]
    assert row[0][0] == pytest.approx(expected[0], nan_ok=True)


def test_a_value_of_nothing_is_bad_whatever_its_quality() -> None:
    rows = run(gauge((0, math.nan, UNCERTAIN), sloped=0, max_gap_us=HOUR), HOUR).rows
    assert columns(rows, "quality", "valid_us", "covered_us") == [(BAD, 0, HOUR)]


def test_samples_have_means_and_states_have_hours() -> None:
    sample = run(gauge((0, 10), (HOUR, 20), kind=SAMPLE, max_gap_us=HOUR), HOUR).rows
    assert math.isnan(sample["amount"][0])
    assert sample["mean"].tolist() == [15.0]
    state = run(gauge((0, 2), (HOUR // 4, 0), (HOUR // 2, 1), kind=STATE, max_gap_us=HOUR), HOUR).rows
    assert state["amount"].tolist() == [0.75]
    assert np.isnan([state["mean"], state["min"], state["max"]]).all()


def test_a_counter_is_spread_and_rounded_once() -> None:
    rows = run(
        counter((HOUR // 2, 100), (7 * HOUR // 2, 110), max_gap_us=9 * HOUR, resolution=0.5), 4 * HOUR
    ).rows
    assert columns(rows, "amount_count", "amount") == [(2, 1.0), (3, 1.5), (3, 1.5), (2, 1.0)]
    assert rows["covered_us"].tolist() == [HOUR // 2, HOUR, HOUR, HOUR // 2]


def test_a_counter_known_again_after_a_gap_is_substituted() -> None:
    rows = run(counter((0, 0), (2 * HOUR, 20), (3 * HOUR, 30), max_gap_us=HOUR), 3 * HOUR).rows
    assert columns(rows, "amount_count", "valid_us", "substituted_us", "quality", "reasons") == [
        (10, 0, HOUR, SUBSTITUTED, GAP),
        (10, 0, HOUR, SUBSTITUTED, GAP),
        (10, HOUR, 0, GOOD, 0),
    ]


def test_a_gap_too_long_to_be_filled_is_listed_and_left_out() -> None:
    """Known after 5 hours are 50 counts; with fill_at_most of 3 hours no interval gets any of them."""
    readings = ((0, 100), (HOUR, 110), (6 * HOUR, 160), (7 * HOUR, 170))
    folded = run(counter(*readings, max_gap_us=2 * HOUR, fill_at_most_us=3 * HOUR), 7 * HOUR)
    assert columns(folded.rows, "start_at", "amount_count") == [(0, 10), (6 * HOUR, 10)]
    assert folded.rows["reasons"].tolist() == [0, 0]
    assert folded.steps.tolist() == [(0, 6 * HOUR, HOUR, TOO_LONG_STEP, 0, 50)]
    filled = run(counter(*readings, max_gap_us=2 * HOUR, fill_at_most_us=5 * HOUR), 7 * HOUR)
    assert filled.rows["amount_count"].tolist() == [10] * 7
    assert filled.steps.size == 0


def test_a_step_is_not_too_long_within_max_gap() -> None:
    readings = ((0, 100), (2 * HOUR, 110))
    assert run(counter(*readings, max_gap_us=2 * HOUR, fill_at_most_us=HOUR), 2 * HOUR).steps.size == 0


def test_what_is_cut_by_a_gap_too_long_is_covered_in_part() -> None:
    half = HOUR // 2
    readings = ((0, 0), (half, 10), (10 * HOUR + half, 90), (11 * HOUR, 100))
    folded = run(counter(*readings, max_gap_us=HOUR, fill_at_most_us=HOUR), 11 * HOUR)
    assert columns(folded.rows, "start_at", "amount_count", "covered_us", "valid_us", "substituted_us") == [
        (0, 10, half, half, 0),
        (10 * HOUR, 10, half, half, 0),
    ]
    assert folded.rows["reasons"].tolist() == [GAP, GAP]
    assert folded.rows["quality"].tolist() == [GOOD, GOOD]


def test_bad_registers_are_skipped_and_leave_their_reasons_where_they_were_read() -> None:
    readings = (0, 0), (HOUR // 2, 999, BAD, 1), (3 * HOUR // 2, NO_COUNT, UNCERTAIN, 2), (2 * HOUR, 20)
    rows = run(counter(*readings, max_gap_us=9 * HOUR), 2 * HOUR).rows
    assert columns(rows, "amount_count", "quality", "reasons") == [(10, GOOD, 1), (10, GOOD, 2)]
    first = run(counter((1, 5, BAD, 4), (2, 0), (HOUR - 1, 8), (HOUR - 1, 7, BAD, 8)), HOUR, from_at=0).rows
    assert first.size == 0
    first = run(counter((1, 5, BAD, 4), (2, 0), (5, 8), (9, 7, BAD, 8), max_gap_us=HOUR), HOUR).rows
    assert columns(first, "amount_count", "covered_us", "reasons") == [(8, 3, 4 | 8 | GAP)]


def test_a_reset_and_a_rollover_mark_what_they_touch() -> None:
    reset = run(counter((0, 90), (HOUR, 100), (2 * HOUR, 30), max_gap_us=HOUR), 2 * HOUR)
    assert columns(reset.rows, "amount_count", "quality", "reasons") == [
        (10, GOOD, 0),
        (30, UNCERTAIN, RESET),
    ]
    assert reset.steps.tolist() == [(0, 2 * HOUR, HOUR, RESET_STEP, 30, -100)]
    rollover = run(counter((0, 90), (HOUR, 5), max_gap_us=HOUR, modulus_count=100), HOUR)
    assert columns(rollover.rows, "amount_count", "quality", "reasons") == [(15, GOOD, ROLLOVER)]
    assert rollover.steps.tolist() == [(0, HOUR, 0, ROLLOVER_STEP, 15, -100)]


@pytest.mark.parametrize(
    ("earlier", "later", "modulus", "fastest", "expected"),
    [
        (10, 10, 100, math.inf, (NORMAL_STEP, 0, 0)),
        (10, 61, 0, 50.0, (NORMAL_STEP, 51, 0)),
        (10, 61, 0, 49.9, (IMPLAUSIBLE_STEP, 0, 51)),
        (90, 40, 100, math.inf, (ROLLOVER_STEP, 50, -100)),
        (90, 41, 100, math.inf, (RESET_STEP, 41, -90)),
        (90, 41, 100, 50.0, (ROLLOVER_STEP, 51, -100)),
        (90, 41, 100, 49.9, (RESET_STEP, 41, -90)),
        (90, 41, 100, 39.9, (IMPLAUSIBLE_STEP, 0, -49)),
        (90, 5, 0, math.inf, (RESET_STEP, 5, -90)),
        (101, 5, 100, math.inf, (RESET_STEP, 5, -101)),
        (5, -3, 100, math.inf, (RESET_STEP, -3, -5)),
    ],
)
def test_classes_of_steps(
    earlier: int, later: int, modulus: int, fastest: float, expected: tuple[int, int, int]
) -> None:
    """A step is what the time allows, a count more or less; without a fastest rate a rollover is at most half."""
    assert classify_step(earlier, later, HOUR, modulus, fastest) == expected
    assert expected[1] + expected[2] == later - earlier


def test_a_fall_that_is_back_with_the_next_reading_is_a_glitch() -> None:
    readings = (0, 90), (HOUR, 95), (HOUR + HOUR // 2, 3, GOOD, 4), (2 * HOUR, 100), (3 * HOUR, 110)
    folded = run(counter(*readings, max_gap_us=HOUR), 3 * HOUR)
    assert columns(folded.rows, "amount_count", "valid_us", "quality", "reasons") == [
        (5, HOUR, GOOD, 0),
        (5, HOUR, UNCERTAIN, GLITCH | 4),
        (10, HOUR, GOOD, 0),
    ]
    assert folded.steps.tolist() == [(0, HOUR + HOUR // 2, HOUR, GLITCH_STEP, 0, 0)]
    back_too_late = run(counter(*readings, max_gap_us=HOUR // 2 - 1), 3 * HOUR)
    assert back_too_late.steps["step_class"].tolist() == [RESET_STEP]
    as_declared = run(counter(*readings, max_gap_us=HOUR, fall_is_reset=1), 3 * HOUR)
    assert as_declared.steps.tolist() == [(0, HOUR + HOUR // 2, HOUR, RESET_STEP, 3, -95)]
    assert as_declared.rows["amount_count"].tolist() == [5, 3 + 97, 10]


def test_a_glitch_of_a_clock_that_stood_leaves_its_whole_step_in_doubt() -> None:
    """What a clock that stands keeps back is taken to run evenly, but nobody saw it."""
    readings = (0, 0), (MINUTE, 6), (MINUTE + 1, 90, UNCERTAIN, CONFLICT), (4 * MINUTE, 24), (5 * MINUTE, 30)
    folded = run(counter(*readings, max_gap_us=5 * MINUTE, max_step_count_per_h=600.0), 5 * MINUTE, MINUTE)
    assert columns(folded.rows, "amount_count", "valid_us", "quality", "reasons") == [
        (6, MINUTE, GOOD, 0),
        (6, MINUTE, UNCERTAIN, CONFLICT | GLITCH),
        (6, MINUTE, UNCERTAIN, CONFLICT),
        (6, MINUTE, UNCERTAIN, CONFLICT),
        (6, MINUTE, GOOD, 0),
    ]


def test_bad_readings_that_contradict_each_other_leave_the_step_over_them_in_doubt() -> None:
    """Unless it is a gap anyway; a bad reading alone says nothing of the step."""
    bad, alone = (MINUTE + 1, 90, BAD, CONFLICT), (4 * MINUTE + 1, 0, BAD, 4)
    readings = (0, 0), bad, (4 * MINUTE, 24), alone, (5 * MINUTE, 30)
    folded = run(counter(*readings, max_gap_us=5 * MINUTE), 5 * MINUTE, MINUTE)
    assert folded.rows["reasons"].tolist() == [CONFLICT] * 4 + [4]
    assert folded.rows["quality"].tolist() == [UNCERTAIN] * 4 + [GOOD]
    gap = run(counter(*readings, max_gap_us=3 * MINUTE), 5 * MINUTE, MINUTE)
    assert gap.rows["reasons"].tolist() == [GAP, GAP | CONFLICT, GAP, GAP, 4]


def test_of_alternating_registers_every_other_is_a_glitch() -> None:
    """Two devices on one topic: whichever came first is believed."""
    readings = [(MINUTE * i, 100 + i if i % 2 == 0 else 9000 + i) for i in range(9)]
    folded = run(counter(*readings, max_gap_us=HOUR, max_step_count_per_h=600.0), 8 * MINUTE)
    assert folded.rows["amount_count"].tolist() == [8]
    assert folded.steps["at"].tolist() == [MINUTE * i for i in (1, 3, 5, 7)]
    assert set(folded.steps["step_class"].tolist()) == {GLITCH_STEP}


def test_a_jump_that_stays_is_implausible_and_counts_nothing() -> None:
    readings = (0, 10), (HOUR, 20), (2 * HOUR, 900), (3 * HOUR, 910), (3 * HOUR + HOUR // 2, 911)
    folded = run(counter(*readings, max_gap_us=HOUR, max_step_count_per_h=50.0), 4 * HOUR, 2 * HOUR)
    assert columns(folded.rows, "amount_count", "covered_us", "valid_us", "quality", "reasons") == [
        (10, 2 * HOUR, HOUR, GOOD, RATE),
        (11, 3 * HOUR // 2, 3 * HOUR // 2, GOOD, GAP),
    ]
    assert folded.steps.tolist() == [(0, 2 * HOUR, HOUR, IMPLAUSIBLE_STEP, 0, 880)]
    alone = run(counter(*readings[1:], max_gap_us=HOUR, max_step_count_per_h=50.0), 3 * HOUR, HOUR)
    assert alone.rows["amount_count"].tolist() == [NO_COUNT, 10]
    assert math.isnan(alone.rows["amount"][0])
    assert alone.rows["quality"].tolist() == [BAD, GOOD]


def test_a_declared_replacement_counts_to_the_old_register_and_from_the_new() -> None:
    exchanged = (HOUR, 0, GOOD, REPLACED | MANUAL)
    readings = (0, 90), (HOUR, 7), (HOUR, 100, GOOD, MANUAL), exchanged, (2 * HOUR, 30)
    folded = run(counter(*readings, max_gap_us=HOUR), 2 * HOUR)
    assert columns(folded.rows, "amount_count", "quality", "reasons") == [
        (10, GOOD, REPLACED | MANUAL),
        (30, GOOD, REPLACED | MANUAL),
    ]
    assert folded.steps.tolist() == [(0, HOUR, HOUR, REPLACED_STEP, 0, -100)]
    backwards = run(counter((0, 101), *readings[1:], max_gap_us=HOUR), 2 * HOUR)
    assert backwards.steps.tolist() == [
        (0, HOUR, 0, RESET_STEP, 100, -101),
        (0, HOUR, HOUR, REPLACED_STEP, 0, -100),
    ]
    first = run(counter(*readings[1:], max_gap_us=HOUR), 2 * HOUR)
    assert (first.rows["amount_count"].tolist(), first.steps.size) == ([30], 0)


@pytest.mark.parametrize(("stamp_start", "amounts"), [(0, [45, 60, 15]), (1, [0, 30, 60, 30])])
def test_a_delta_speaks_of_the_time_it_is_stamped_for(stamp_start: int, amounts: list[int]) -> None:
    readings = [(HOUR // 4 + HOUR * i, 60) for i in range(1, 3)] if stamp_start == 0 else []
    if stamp_start:
        readings = [(HOUR + HOUR // 2, 60), (2 * HOUR + HOUR // 2, 60)]
        amounts = amounts[1:]
    rows = run(counter(*readings, kind=DELTA, period_us=HOUR, stamp_start=stamp_start), 4 * HOUR).rows
    assert rows["amount_count"].tolist() == amounts


def test_where_deltas_overlap_every_amount_counts_and_time_counts_once() -> None:
    readings = (HOUR, 10), (HOUR + HOUR // 2, 10), (2 * HOUR, 10, BAD)
    rows = run(counter(*readings, kind=DELTA, period_us=HOUR), 2 * HOUR).rows
    assert columns(rows, "amount_count", "covered_us", "valid_us") == [(15, HOUR, HOUR), (5, HOUR, HOUR // 2)]


def test_of_readings_at_one_time_the_last_is_used() -> None:
    segment = gauge((0, 1), (0, 5), (HOUR, 7), (HOUR, 5), max_gap_us=HOUR)
    assert run(segment, HOUR).rows["amount"].tolist() == [5.0]
    register = counter((0, 0), (HOUR, 10), (HOUR, 20, BAD), (2 * HOUR, 40), max_gap_us=2 * HOUR)
    assert run(register, 2 * HOUR).rows["amount_count"].tolist() == [20, 20]


def test_steps_without_room_are_written_with_the_row_they_belong_to() -> None:
    register = counter((0, 9), (HOUR, 5), (2 * HOUR, 3), max_gap_us=HOUR)
    begin, end = [0], [2 * HOUR]
    first = fold(fold_intervals, [register], begin, end, HOUR, room=(9, 1))
    assert (first.rows.size, first.steps["at"].tolist(), first.done_at.tolist()) == (1, [HOUR], [HOUR])
    second = fold(fold_intervals, [register], first.done_at.tolist(), end, HOUR, room=(9, 1))
    assert (second.rows.size, second.steps["at"].tolist(), second.done_at.tolist()) == (1, [2 * HOUR], end)


def test_an_untouched_segment_stays_where_it_was() -> None:
    segments = [
        gauge((0, 1), (HOUR, 1), max_gap_us=HOUR),
        Segment(params()),
        gauge((0, 1), (HOUR, 1), max_gap_us=HOUR),
    ]
    folded = fold(fold_intervals, segments, [0, 0, 0], [HOUR, HOUR, HOUR], HOUR, room=(1, 1))
    assert (folded.rows["segment"].tolist(), folded.done_at.tolist()) == ([0], [HOUR, HOUR, 0])
