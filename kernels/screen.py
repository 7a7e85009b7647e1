"""Flags that a reading gets from the readings before it: too fast a change, a value that stands still.

A used reading (usable, the winner of its time) is *too fast* if it differs from the
used one before it, not further away than max_gap, by more than the point can change
in that time. It is *stuck* if the used readings from it back to one at least
stuck_after earlier, none further from the next than max_gap, stay within one step of
the instrument, and are three or more. Both make it uncertain.

A flag depends on earlier readings only, and on none further back than
stuck_after + max_gap: `lookback_us` of the point adds the max_gap for which a reading
speaks. So flags are decided here, whenever readings are folded, and never stored.
"""

import numpy as np

from kernels._jit import kernel
from kernels.fold_row import trust, winner
from kernels.rows import BAD, HOUR_US, POINT_PARAMS, RATE, STUCK, UNCERTAIN, Floats, Ints, Records

LEAST_STUCK = 3
"""Readings that stand still; two equal ones are nothing strange."""


@kernel
def screen(offsets: Ints, at: Ints, value: Floats, quality: Ints, reasons: Ints, params: Records) -> None:
    """Flag the readings of segments whose points have rules; quality and reasons are changed in place.

    Segment j is readings offsets[j] to offsets[j + 1], sorted as for
    fold.fold_intervals, of the point params[j] (POINT_PARAMS). Times in µs, values in
    the point's unit. To be sure of the flags from an instant on, give the readings
    from stuck_after + max_gap before it. Definition: reference.screen.
    """
    for j in range(params.size):
        low, high, param = offsets[j], offsets[j + 1], params[j]
        if param["max_rate_per_h"] > 0.0:
            _flag_fast(at[low:high], value[low:high], quality[low:high], reasons[low:high], param)
        if param["stuck_after_us"] > 0:
            _flag_stuck(at[low:high], value[low:high], quality[low:high], reasons[low:high], param)


@kernel
def _flag(quality: Ints, reasons: Ints, i: int, reason: int) -> None:
    quality[i] = max(quality[i], UNCERTAIN)
    reasons[i] |= reason


@kernel
def _flag_fast(at: Ints, value: Floats, quality: Ints, reasons: Ints, param: np.void) -> None:
    """Flag what changed faster than max_rate_per_h since the used reading before it."""
    previous, i = -1, 0
    while i < at.size:
        i = winner(at, i)
        if trust(quality[i], value[i]) < BAD:
            if previous >= 0:
                elapsed_us = at[i] - at[previous]
                change = abs(value[i] - value[previous])
                if (
                    elapsed_us <= param["max_gap_us"]
                    and change * HOUR_US > param["max_rate_per_h"] * elapsed_us
                ):
                    _flag(quality, reasons, i, RATE)
            previous = i
        i += 1


@kernel
def _flag_stuck(at: Ints, value: Floats, quality: Ints, reasons: Ints, param: np.void) -> None:
    """Flag what has stood within stuck_band for stuck_after_us."""
    used, shown = np.empty(at.size, np.int64), np.empty(at.size)
    # Of the used readings: how many, where the longest still stretch up to the newest begins,
    # and the last of it that is old enough.
    n, begin, old = 0, 0, 0
    # Those that are least, or largest, of all from them on: the first is that of the stretch.
    least, largest = np.empty(at.size, np.int64), np.empty(at.size, np.int64)
    ends = np.zeros(4, np.int64)  # first and end of least, of largest
    i = 0
    while i < at.size:
        i = winner(at, i)
        if trust(quality[i], value[i]) < BAD:
            used[n], shown[n] = i, value[i]
            if n > 0 and at[i] - at[used[n - 1]] > param["max_gap_us"]:
                begin = n
                ends[:] = 0
            begin = _still_from(shown, n, begin, param["stuck_band"], least, largest, ends)
            n += 1
            old = max(old, begin)
            while old + 1 < n and at[used[old + 1]] <= at[i] - param["stuck_after_us"]:
                old += 1
            is_old = at[used[old]] <= at[i] - param["stuck_after_us"]
            allowed = param["stuck_low"] <= value[i] <= param["stuck_high"]
            if is_old and n - old >= LEAST_STUCK and not allowed:
                _flag(quality, reasons, i, STUCK)
        i += 1


@kernel
def _still_from(
    shown: Floats, newest: int, begin: int, band: float, least: Ints, largest: Ints, ends: Ints
) -> int:
    """Where the longest stretch within the band begins that ends with `newest`, not before `begin`."""
    while ends[1] > ends[0] and shown[least[ends[1] - 1]] >= shown[newest]:
        ends[1] -= 1
    least[ends[1]] = newest
    ends[1] += 1
    while ends[3] > ends[2] and shown[largest[ends[3] - 1]] <= shown[newest]:
        ends[3] -= 1
    largest[ends[3]] = newest
    ends[3] += 1
    while shown[largest[ends[2]]] - shown[least[ends[0]]] > band:
        begin += 1
        ends[0] += 1 if least[ends[0]] < begin else 0
        ends[2] += 1 if largest[ends[2]] < begin else 0
    return begin


def warm_up() -> None:
    """Compile screen with all it calls."""
    ints = np.zeros(1, np.int64)
    params = np.zeros(1, POINT_PARAMS)
    screen(np.array([0, 1]), ints, np.zeros(1), ints.copy(), ints.copy(), params)
