"""Gauges, samples and states: the signal through the readings, integrated.

Stepped: a value holds to the next reading, at most max_gap. Sloped: straight
lines between readings not further apart than max_gap, split exactly at the
edges. Each interval starts from zero at its own start and reads only what
touches it, so nothing depends on where a fold began.

Integrals are kept as twice ∫v dt (v · µs) in two float64, which makes the
trapezoid exact: `twofold`. What a reading with bad quality or without a value
touches is covered, but not used.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.fold_row import Signal, Span, first_reading, put_amount, put_span, trust, winner
from kernels.rows import BAD, GAUGE, HOUR_US, NO_COUNT, STATE, SUBSTITUTED, Floats, Ints, Records
from kernels.twofold import over, plus, times, two_prod, two_sum, weighted


@kernel
def fold_sloped(
    readings: Signal,
    segment: int,
    param: np.void,
    span: Span,
    rows: Records,
    filled: Ints,
) -> int:
    """Rows of a sloped segment from row filled[0] on; returns the edge up to which it is complete."""
    at = readings[0]
    from_at, to_at, interval_us = span
    max_gap_us = param["max_gap_us"]
    place = (segment, param["kind"], max_gap_us)
    i = first_reading(at, from_at)
    start: int = from_at
    while start < to_at:
        later = winner(at, i + 1) if i + 1 < at.size else at.size
        while later < at.size and (at[later] <= start or at[later] - at[i] > max_gap_us):
            i = later
            later = winner(at, i + 1) if i + 1 < at.size else at.size
        if later == at.size or at[i] >= to_at:
            break
        start = max(start, at[i] - at[i] % interval_us)
        if filled[0] == rows.size:
            return start
        end = min(start + interval_us, to_at)
        i = _sloped_row(readings, i, place, start, end, rows, filled[0])
        filled[0] += 1
        start += interval_us
    return to_at


@kernel
def _sloped_row(
    readings: Signal,
    i: int,
    place: tuple[int, int, int],
    start: int,
    end: int,
    rows: Records,
    n: int,
) -> int:
    """Fold [start, end) into row n, from the line that begins at i; returns the last reading before end."""
    at, value, quality, reasons = readings
    segment, kind, max_gap_us = place
    high, low, least, largest = 0.0, 0.0, math.inf, -math.inf
    covered, substituted, used, worst, bits = 0, 0, 0, 0, 0
    trusted = trust(quality[i], value[i])
    while i + 1 < at.size and at[i] < end:
        later = i + 1
        while later + 1 < at.size and at[later + 1] == at[later]:
            later += 1
        later_trusted = trust(quality[later], value[later])
        if at[later] - at[i] <= max_gap_us and at[later] > start:
            span = min(at[later], end) - max(at[i], start)
            covered += span
            bits |= reasons[i] | reasons[later]
            both = max(trusted, later_trusted)
            if both < BAD:
                used += span
                worst = max(worst, both)
                if both == SUBSTITUTED:
                    substituted += span
                if at[i] >= start and at[later] <= end:
                    first, last = value[i], value[later]
                    total, error = two_sum(first, last)
                    area, area_low = two_prod(total, float(span))
                    area_low += error * span
                else:
                    first, last, area, area_low = _cut(at, value, i, later, (start, end))
                high, error = two_sum(high, area)
                low += error + area_low
                least = min(least, first, last)
                largest = max(largest, first, last)
        if at[later] >= end:
            break
        i = later
        trusted = later_trusted
    put_span(rows, n, segment, (start, end), (covered, used - substituted, substituted), (worst, bits))
    _put_integral(rows, n, kind, high, low, used, least, largest)
    return i


@kernel
def _cut(
    at: Ints, value: Floats, i: int, later: int, window: tuple[int, int]
) -> tuple[float, float, float, float]:
    """The part of a line in a window of time: its values at both ends and twice its area."""
    origin, target = at[i], at[later]
    start, end = max(origin, window[0]), min(target, window[1])
    length = float(target - origin)
    first = over(*weighted(value[i], float(target - start), value[later], float(start - origin)), length)[0]
    last = over(*weighted(value[i], float(target - end), value[later], float(end - origin)), length)[0]
    high, low = weighted(
        value[i], float(2 * target - start - end), value[later], float(start + end - 2 * origin)
    )
    high, low = times(high, low, float(end - start))
    high, low = over(high, low, length)
    return first, last, high, low


@kernel
def fold_stepped(
    readings: Signal,
    segment: int,
    param: np.void,
    span: Span,
    rows: Records,
    filled: Ints,
) -> int:
    """Rows of a stepped segment from row filled[0] on; returns the edge up to which it is complete."""
    at = readings[0]
    from_at, to_at, interval_us = span
    max_gap_us = param["max_gap_us"]
    place = (segment, param["kind"], max_gap_us)
    i = first_reading(at, from_at)
    start: int = from_at
    while start < to_at:
        later = winner(at, i + 1) if i + 1 < at.size else at.size
        while later < at.size and (at[later] <= start or at[i] + max_gap_us <= start):
            i = later
            later = winner(at, i + 1) if i + 1 < at.size else at.size
        if at[i] >= to_at or at[i] + max_gap_us <= start:
            break
        start = max(start, at[i] - at[i] % interval_us)
        if filled[0] == rows.size:
            return start
        end = min(start + interval_us, to_at)
        i = _stepped_row(readings, i, place, start, end, rows, filled[0])
        filled[0] += 1
        start += interval_us
    return to_at


@kernel
def _stepped_row(
    readings: Signal,
    i: int,
    place: tuple[int, int, int],
    start: int,
    end: int,
    rows: Records,
    n: int,
) -> int:
    """Fold [start, end) into row n, beginning with reading i; returns the last reading before end."""
    at, value, quality, reasons = readings
    segment, kind, max_gap_us = place
    high, low, least, largest = 0.0, 0.0, math.inf, -math.inf
    covered, substituted, used, on, worst, bits = 0, 0, 0, 0, 0, 0
    while at[i] < end:
        later = i + 1
        while later + 1 < at.size and at[later + 1] == at[later]:
            later += 1
        until = min(at[i] + max_gap_us, end)
        if later < at.size:
            until = min(until, at[later])
        span = until - max(at[i], start)
        if span > 0:
            covered += span
            bits |= reasons[i]
            trusted = trust(quality[i], value[i])
            if trusted < BAD:
                used += span
                worst = max(worst, trusted)
                if trusted == SUBSTITUTED:
                    substituted += span
                if value[i] != 0.0:
                    on += span
                area, area_low = two_prod(2.0 * value[i], float(span))
                high, error = two_sum(high, area)
                low += error + area_low
                least = min(least, value[i])
                largest = max(largest, value[i])
        if later == at.size or at[later] >= end:
            break
        i = later
    put_span(rows, n, segment, (start, end), (covered, used - substituted, substituted), (worst, bits))
    if kind == STATE:
        hours = on / HOUR_US if used > 0 else np.nan
        put_amount(rows, n, hours, NO_COUNT, np.nan, np.nan, np.nan)
    else:
        _put_integral(rows, n, kind, high, low, used, least, largest)
    return i


@kernel
def _put_integral(
    rows: Records, n: int, kind: int, high: float, low: float, used: int, least: float, largest: float
) -> None:
    """Amount and mean from twice the integral over the used time."""
    if used == 0:
        put_amount(rows, n, np.nan, NO_COUNT, np.nan, np.nan, np.nan)
        return
    high, low = plus(high, low, 0.0, 0.0)
    amount = over(high, low, 2.0 * HOUR_US)[0] if kind == GAUGE else np.nan
    put_amount(rows, n, amount, NO_COUNT, over(high, low, 2.0 * used)[0], least, largest)
