"""Counters: which readings of a register count, and what its steps book into intervals.

Between two kept readings the register is taken to run evenly; its value at an edge
is rounded to a count, and an interval's amount is the difference of the values at
its ends. So amounts telescope: Σ increments + Σ corrections of steps = last - first,
with ==. A time longer than max_gap is spread the same way but counts as substituted;
one longer than fill_at_most is not covered: its step is listed, and books nothing.

Which readings decide what. *Usable* is the winner of its time that is not bad. Of
usable readings in a row p, j, n, with p kept, j is a *glitch* if p → j is abnormal (a
fall, or a rise that is too fast), n is there within max_gap of j, and p → n is normal;
then j is skipped and n is kept. Else j is kept. With `fall_is_reset` a fall is never a
glitch. It follows:

- two glitches never stand side by side, and j depends on what is before it only by
  whether p is kept;
- a reading with a normal step from the usable one before it is kept, whatever else
  there is: if that one is a glitch, its return is this very reading. So is the first
  reading of all, and a declared replacement. Each is an *anchor*: a fold may begin
  there, and nothing before it changes what follows;
- the step to j is known once n is, or once max_gap has passed without one. Until
  then it is pending (`kernels.frontier`); the fold itself takes what it is given as
  all there will be;
- an interval depends on the anchor before it and on two usable readings at or after
  its end, no more: the one that brackets it, and the one that says it is no glitch.

A declared replacement is two readings of one time, the winner with the reason
REPLACED: the register runs to the first and goes on from the second.

Bad readings are skipped; only their reasons stay. But where several readings of one time contradict
each other and none of them is kept, all of the step over them is uncertain, unless it is longer
than max_gap: a clock stood, and what it has kept back is not known to have run evenly. An amount is an int64: it wraps
where one interval holds nine resets of a register at 1e18 counts.
"""

import numpy as np

from kernels._jit import kernel
from kernels.exact import share
from kernels.fold_row import Registers, Span, count_before, put_amount, put_span
from kernels.register import Step, step_after, step_from, step_over
from kernels.rows import (
    BAD,
    CONFLICT,
    GAP,
    GLITCH,
    GLITCH_STEP,
    GOOD,
    IMPLAUSIBLE_STEP,
    NO_COUNT,
    NORMAL_STEP,
    RATE,
    REPLACED,
    REPLACED_STEP,
    RESET,
    RESET_STEP,
    ROLLOVER,
    ROLLOVER_STEP,
    SUBSTITUTED,
    TOO_LONG_STEP,
    UNCERTAIN,
    Ints,
    Records,
)
from kernels.step import book_step, fits


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
def _skips_conflict(at: Ints, reasons: Ints, i: int, later: int) -> bool:
    """Whether a winner strictly between the times of i and later has been contradicted."""
    k = i + 1
    while k < later and at[k] < at[later]:
        if reasons[k] & CONFLICT != 0 and at[k + 1] != at[k]:
            return True
        k += 1
    return False


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
    at = readings[0]
    from_at, to_at, interval_us = span
    step = step_over(readings, from_at, param)
    start: int = from_at
    while start < to_at:
        while step[1] < at.size and at[step[1]] <= start:
            step = step_after(readings, step[1], param)
        if step[1] >= at.size or at[step[0]] >= to_at:
            break
        start = max(start, at[step[0]] - at[step[0]] % interval_us)
        start = _behind_gap(readings, step, param, start, interval_us)
        if start >= to_at:
            break
        if filled[0] == rows.size:
            return start
        end = min(start + interval_us, to_at)
        n_steps = filled[1]
        step = _counter_row(readings, step, segment, param, (start, end), rows, steps, filled)
        if filled[1] > steps.size:  # those of the row did not fit
            filled[1] = n_steps
            return start
        if rows[filled[0]]["covered_us"] > 0:
            filled[0] += 1
        start += interval_us
    return to_at


@kernel
def _behind_gap(readings: Registers, step: Step, param: np.void, start: int, interval_us: int) -> int:
    """The next interval from start on in which something is covered or listed, of those that a step spans."""
    at, count, _, _ = readings
    i, later, glitch = step
    booked = book_step(count[i], count[later], at[later] - at[i], param)[0]
    if booked != TOO_LONG_STEP or at[i] > start:
        return start
    listed = at[glitch] if glitch >= 0 and at[glitch] > start else at[later]
    found: int = max(start, listed - 1 - (listed - 1) % interval_us)
    return found


@kernel
def _counter_row(
    readings: Registers,
    first: Step,
    segment: int,
    param: np.void,
    window: tuple[int, int],
    rows: Records,
    steps: Records,
    filled: Ints,
) -> Step:
    """Book window [start, end) into row filled[0], from a step on; returns the step that reaches end."""
    at, count, quality, reasons = readings
    (start, end), (i, later, glitch) = window, first
    limit, max_gap_us, plain = param["max_step_count_per_h"], param["max_gap_us"], False
    amount, covered, substituted, lost, worst = 0, 0, 0, 0, 0
    bits = _skipped_reasons(at, reasons, -1, i, start, end) if at[i] > start else 0
    while later < at.size and at[i] < end:
        elapsed = at[later] - at[i]
        step, increment = NORMAL_STEP, count[later] - count[i]
        if not plain:
            step, increment, _ = book_step(count[i], count[later], elapsed, param)
        begin, until = max(at[i], start) - at[i], min(at[later], end) - at[i]
        if step != TOO_LONG_STEP:  # else nothing is said of the time
            amount += share(increment, begin, until, elapsed)
            trusted, why = _grade(step, max(quality[i], quality[later]), elapsed > max_gap_us)
            bits |= reasons[i] | reasons[later] | why
            covered += until - begin
            substituted += until - begin if trusted == SUBSTITUTED else 0
            lost += until - begin if trusted == BAD else 0
            worst = max(worst, trusted if trusted != BAD else GOOD)
        replaced = later + 1 < at.size and at[later + 1] == at[later]
        if step != NORMAL_STEP or later > i + 1 or replaced:
            doubt, why = _note((i, later, glitch), readings, window, segment, param, steps, filled)
            worst, bits = max(worst, doubt), bits | why
        if at[later] >= end:
            break
        i, glitch, plain = (later + 1 if replaced else later), -1, True
        later = i + 1  # from here on next_usable, written out: see fold_row.winner
        while later < at.size:
            is_winner = later + 1 == at.size or at[later + 1] != at[later]
            if is_winner and quality[later] < BAD and count[later] != NO_COUNT:
                rise, elapsed = count[later] - count[i], at[later] - at[i]
                strange = rise < 0 or elapsed > max_gap_us or not fits(rise, elapsed, limit)
                if strange or reasons[later] & REPLACED != 0:
                    (i, later, glitch), plain = step_from(readings, i, later, param), False
                break
            later += 1
    bits |= _skipped_reasons(at, reasons, i, later, start, end) if later == at.size else 0
    _put_row(rows, filled[0], segment, window, (covered, substituted, lost), (worst, bits), amount, param)
    return i, later, glitch


@kernel
def _put_row(
    rows: Records,
    n: int,
    segment: int,
    window: tuple[int, int],
    time: tuple[int, int, int],
    trusted: tuple[int, int],
    amount: int,
    param: np.void,
) -> None:
    """Write row n; time is (covered, substituted, not usable) in µs. Nothing usable, no amount."""
    covered, substituted, lost = time
    put_span(rows, n, segment, window, (covered, covered - substituted - lost, substituted), trusted)
    if lost < covered:
        put_amount(rows, n, amount * param["resolution"], amount, np.nan, np.nan, np.nan)
    else:
        put_amount(rows, n, np.nan, NO_COUNT, np.nan, np.nan, np.nan)


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
    if step == IMPLAUSIBLE_STEP:
        reasons |= RATE
        quality = BAD
    return quality, reasons


@kernel
def _note(
    step: Step,
    readings: Registers,
    window: tuple[int, int],
    segment: int,
    param: np.void,
    steps: Records,
    filled: Ints,
) -> tuple[int, int]:
    """List what of a step is not normal and lies in (start, end].

    Returns the quality and the reasons that [start, end) owes to what was skipped or replaced.
    """
    at, count, _, reasons = readings
    i, later, glitch = step
    start, end = window
    worst, bits = GOOD, _skipped_reasons(at, reasons, i, later, start, end)
    if glitch >= 0:
        if start < at[glitch] <= end:
            _put_step(steps, filled, segment, (at[glitch], at[i]), (GLITCH_STEP, 0, 0))
        if start <= at[glitch] < end:
            worst, bits = UNCERTAIN, bits | GLITCH
    ends_here = start < at[later] <= end
    booked = book_step(count[i], count[later], at[later] - at[i], param)
    if at[later] - at[i] <= param["max_gap_us"] and _skips_conflict(at, reasons, i, later):
        worst, bits = UNCERTAIN, bits | CONFLICT
    if booked[0] != NORMAL_STEP and ends_here:
        _put_step(steps, filled, segment, (at[later], at[i]), booked)
    if later + 1 < at.size and at[later + 1] == at[later]:
        bits |= REPLACED if booked[0] != TOO_LONG_STEP else 0
        if ends_here:
            correction = count[later + 1] - count[later]
            _put_step(steps, filled, segment, (at[later], at[later]), (REPLACED_STEP, 0, correction))
    return worst, bits


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
