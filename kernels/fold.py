"""Readings to intervals: everything an interval says is a function of the readings near it.

There is no running state. The caller hands over, per point, the sorted readings
from the last usable one at or before `from_at`, and gets the rows of the
intervals in [from_at, to_at); live, late, after a restart and in a replay it is
this one function, and where a fold begins or is cut changes no bit of a row.

The rules of each kind are in fold_gauge, fold_counter and fold_delta. Nothing
here knows what is late, closed or stored.
"""

import numpy as np

from kernels._jit import kernel
from kernels.fold_counter import fold_counter
from kernels.fold_delta import fold_delta
from kernels.fold_gauge import fold_sloped, fold_stepped
from kernels.fold_row import Registers, Signal, Span
from kernels.rows import (
    COUNTER,
    DELTA,
    GAUGE,
    INTERVAL_ROW,
    POINT_PARAMS,
    STATE,
    STEP_ROW,
    Floats,
    Ints,
    Records,
)


@kernel
def fold_intervals(
    offsets: Ints,
    at: Ints,
    value: Floats,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    from_at: Ints,
    to_at: Ints,
    interval_us: int,
    rows: Records,
    steps: Records,
    done_at: Ints,
) -> tuple[int, int]:
    """Fold segments of readings into rows of intervals and of counter steps.

    Segment j is readings offsets[j] to offsets[j + 1], sorted by (at, seq,
    received_at, value); of equal `at` only the last is used. It fills rows
    (INTERVAL_ROW) for the intervals [k · interval_us, (k + 1) · interval_us) of
    [from_at[j], to_at[j]) in which something is covered, and steps (STEP_ROW)
    for its counter steps that are not normal and end in (from_at[j], to_at[j]].
    Times in µs. from_at is an edge; to_at may lie inside an interval, then the
    last row reaches only to it. Readings at or after to_at may be given and are
    used where a line or a step crosses it.

    value is what gauges, samples and states read, count (of params.resolution)
    what counters and deltas read; NaN and NO_COUNT stand for none.

    done_at[j] is the edge up to which segment j is complete: to_at[j], or less
    where rows or steps became full. Call again with from_at = done_at; steps
    must have room for those of one interval. Returns (rows, steps) written.
    Definition: reference.fold_intervals.
    """
    filled = np.zeros(2, np.int64)
    for j in range(params.size):
        done_at[j] = from_at[j]
    for j in range(params.size):
        low, high = offsets[j], offsets[j + 1]
        done_at[j] = to_at[j]
        if low < high:
            signal = (at[low:high], value[low:high], quality[low:high], reasons[low:high])
            registers = (signal[0], count[low:high], signal[2], signal[3])
            span = (from_at[j], to_at[j], interval_us)
            done_at[j] = _fold_segment(signal, registers, j, params[j], span, rows, steps, filled)
        if done_at[j] < to_at[j]:
            break
    return filled[0], filled[1]


@kernel
def _fold_segment(
    signal: Signal,
    registers: Registers,
    segment: int,
    param: np.void,
    span: Span,
    rows: Records,
    steps: Records,
    filled: Ints,
) -> int:
    """One segment by the rules of its kind."""
    if param["kind"] == COUNTER:
        return fold_counter(registers, segment, param, span, rows, steps, filled)
    if param["kind"] == DELTA:
        return fold_delta(registers, segment, param, span, rows, filled)
    if param["kind"] != STATE and param["sloped"] != 0:
        return fold_sloped(signal, segment, param, span, rows, filled)
    return fold_stepped(signal, segment, param, span, rows, filled)


def warm_up() -> None:
    """Compile fold_intervals with all it calls."""
    ints, floats = np.zeros(1, np.int64), np.zeros(1)
    params = np.zeros(1, POINT_PARAMS)
    params["kind"] = GAUGE
    offsets = np.array([0, 1])
    rows, steps = np.zeros(1, INTERVAL_ROW), np.zeros(1, STEP_ROW)
    fold_intervals(offsets, ints, floats, ints, ints, ints, params, ints, ints, 1, rows, steps, ints.copy())
