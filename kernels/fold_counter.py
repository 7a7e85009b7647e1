"""Counters: what a register's steps book into intervals.

Between two usable readings the register is taken to run evenly; its value at an
edge is rounded to a count, and an interval's amount is the difference of the
values at its ends. So amounts telescope: Σ amounts + Σ corrections of steps =
last - first, with ==. A time longer than max_gap is spread the same way but
counts as substituted. Bad readings are skipped; only their reasons stay.

A step is normal, a rollover, or a reset. Pending falls, declared replacements
and glitches are not known here. An amount is an int64: it wraps where one
interval holds nine resets of a register at 1e18 counts.
"""

import numpy as np

from kernels._jit import kernel
from kernels.exact import share
from kernels.fold_row import Registers, Span, count_before, put_amount, put_span
from kernels.rows import (
    BAD,
    GAP,
    HOUR_US,
    NO_COUNT,
    NORMAL_STEP,
    RESET,
    RESET_STEP,
    ROLLOVER,
    ROLLOVER_STEP,
    SUBSTITUTED,
    UNCERTAIN,
    Ints,
    Records,
)


@kernel
def classify_step(
    earlier: int, later: int, elapsed_us: int, modulus_count: int, max_step_count_per_h: float
) -> tuple[int, int, int]:
    """(class, increment, correction) of a register that went from earlier to later, in counts.

    increment + correction == later - earlier. A fall is a rollover if that is
    possible in the elapsed time: not faster than max_step_count_per_h, or, where
    that is inf, not more than half of the modulus. Else it is a reset to 0.
    Definition: reference.classify_step.
    """
    if later >= earlier:
        return NORMAL_STEP, later - earlier, 0
    if later >= 0 and earlier <= modulus_count:
        through = modulus_count - earlier + later
        if np.isinf(max_step_count_per_h):
            possible = through <= modulus_count - through
        else:
            possible = float(through) <= max_step_count_per_h * (elapsed_us / HOUR_US)
        if possible:
            return ROLLOVER_STEP, through, -modulus_count
    return RESET_STEP, later, -earlier


@kernel
def _next_usable(at: Ints, count: Ints, quality: Ints, i: int) -> int:
    """The first winner after i that is a register value; at.size if there is none."""
    i += 1
    while i < at.size:
        is_winner = i + 1 == at.size or at[i + 1] != at[i]
        if is_winner and quality[i] < BAD and count[i] != NO_COUNT:
            break
        i += 1
    return i


@kernel
def _last_usable(at: Ints, count: Ints, quality: Ints, from_at: int) -> int:
    """The last register value at or before from_at; without one the first after; at.size without any."""
    i = count_before(at, from_at + 1, 0, at.size) - 1
    while i >= 0:
        is_winner = i + 1 == at.size or at[i + 1] != at[i]
        if is_winner and quality[i] < BAD and count[i] != NO_COUNT:
            return i
        i -= 1
    return _next_usable(at, count, quality, i)


@kernel
def _skipped_reasons(at: Ints, reasons: Ints, i: int, later: int, start: int, end: int) -> int:
    """Reasons of the winners strictly between i and later that lie in [start, end)."""
    bits = 0
    k = count_before(at, start, i + 1, later)
    while k < later and at[k] < end:
        if k + 1 == at.size or at[k + 1] != at[k]:
            bits |= reasons[k]
        k += 1
    return bits


@kernel
def fold_counter(
    readings: Registers,
    segment: int,
    param: np.void,
    span: Span,
    rows: Records,
    steps: Records,
    filled: Ints,
) -> int:
    """Rows and steps of a counter from filled on; returns the edge up to which it is complete."""
    at, count, quality, _ = readings
    from_at, to_at, interval_us = span
    i = _last_usable(at, count, quality, from_at)
    later = _next_usable(at, count, quality, i)
    start: int = from_at
    while start < to_at:
        while later < at.size and at[later] <= start:
            i, later = later, _next_usable(at, count, quality, later)
        if later >= at.size or at[i] >= to_at:
            break
        start = max(start, at[i] - at[i] % interval_us)
        if filled[0] == rows.size:
            return start
        end = min(start + interval_us, to_at)
        n_steps = filled[1]
        i, later = _counter_row(readings, i, later, segment, param, (start, end), rows, steps, filled)
        if filled[1] > steps.size:
            filled[1] = n_steps
            return start
        filled[0] += 1
        start += interval_us
    return to_at


@kernel
def _counter_row(
    readings: Registers,
    i: int,
    later: int,
    segment: int,
    param: np.void,
    window: tuple[int, int],
    rows: Records,
    steps: Records,
    filled: Ints,
) -> tuple[int, int]:
    """Book window [start, end) into row filled[0], from the step i to later.

    Returns the step that reaches end; leaves filled[1] above steps.size if the steps did not fit.
    """
    at, count, quality, reasons = readings
    start, end = window
    max_gap_us, modulus, fastest = param["max_gap_us"], param["modulus_count"], param["max_step_count_per_h"]
    amount, covered, substituted, worst = 0, 0, 0, 0
    bits = _skipped_reasons(at, reasons, -1, i, start, end) if at[i] > start else 0
    while later < at.size and at[i] < end:
        elapsed = at[later] - at[i]
        step, increment, correction = classify_step(count[i], count[later], elapsed, modulus, fastest)
        begin, until = max(at[i], start), min(at[later], end)
        amount += share(increment, begin - at[i], until - at[i], elapsed)
        covered += until - begin
        trusted, why = _grade(step, max(quality[i], quality[later]), elapsed > max_gap_us)
        bits |= reasons[i] | reasons[later] | why
        if later > i + 1:
            bits |= _skipped_reasons(at, reasons, i, later, start, end)
        if trusted == SUBSTITUTED:
            substituted += until - begin
        worst = max(worst, trusted)
        if step != NORMAL_STEP and start < at[later] <= end:
            _put_step(steps, filled, segment, (at[later], at[i]), (step, increment, correction))
        if at[later] >= end:
            break
        i = later  # from here on _next_usable, written out: see fold_row.winner
        later += 1
        while later < at.size:
            is_winner = later + 1 == at.size or at[later + 1] != at[later]
            if is_winner and quality[later] < BAD and count[later] != NO_COUNT:
                break
            later += 1
    if later == at.size:
        bits |= _skipped_reasons(at, reasons, i, later, start, end)
    n = filled[0]
    put_span(rows, n, segment, window, (covered, covered - substituted, substituted), (worst, bits))
    put_amount(rows, n, amount * param["resolution"], amount, np.nan, np.nan, np.nan)
    return i, later


@kernel
def _grade(step: int, quality: int, is_gap: bool) -> tuple[int, int]:
    """Quality and reasons of the time that a step takes, from the worse quality of its readings."""
    reasons = 0
    if step == ROLLOVER_STEP:
        reasons = ROLLOVER
    if step == RESET_STEP:
        reasons = RESET
        quality = max(quality, UNCERTAIN)
    if is_gap:
        reasons |= GAP
        quality = SUBSTITUTED
    return quality, reasons


@kernel
def _put_step(
    steps: Records, filled: Ints, segment: int, times: tuple[int, int], booked: tuple[int, int, int]
) -> None:
    """Write a step at times (at, previous_at) if there is room, and count it."""
    if filled[1] < steps.size:
        row = steps[filled[1]]
        row["segment"] = segment
        row["at"] = times[0]
        row["previous_at"] = times[1]
        row["step_class"] = booked[0]
        row["increment"] = booked[1]
        row["correction"] = booked[2]
    filled[1] += 1
