"""Deltas: amounts that come with a span of time, cut at interval edges.

A reading at t carries what was used in [t - period, t), or in [t, t + period)
with stamp_start. It is taken to run evenly in between; the share of an interval
is the difference of the rounded running total at its ends, so shares add up to
the reading with ==. Where spans overlap every amount counts, the time once.
"""

import numpy as np

from kernels._jit import kernel
from kernels.exact import share
from kernels.fold_row import Registers, Span, count_before, put_amount, put_span, winner
from kernels.rows import BAD, NO_COUNT, SUBSTITUTED, Ints, Records


@kernel
def fold_delta(
    readings: Registers,
    segment: int,
    param: np.void,
    span: Span,
    rows: Records,
    filled: Ints,
) -> int:
    """Rows of a delta segment from row filled[0] on; returns the edge up to which it is complete."""
    at = readings[0]
    from_at, to_at, interval_us = span
    period_us = param["period_us"]
    ahead = period_us if param["stamp_start"] != 0 else 0  # from the stamp to the end of its span
    i = count_before(at, from_at - ahead + 1, 0, at.size)
    start: int = from_at
    while start < to_at:
        while i < at.size and at[i] + ahead <= start:
            i += 1
        if i == at.size or at[i] + ahead - period_us >= to_at:
            break
        i = winner(at, i)
        begin = at[i] + ahead - period_us
        start = max(start, begin - begin % interval_us)
        if filled[0] == rows.size:
            return start
        end = min(start + interval_us, to_at)
        _delta_row(readings, i, segment, param, (start, end), rows, filled[0])
        filled[0] += 1
        start += interval_us
    return to_at


@kernel
def _delta_row(
    readings: Registers,
    i: int,
    segment: int,
    param: np.void,
    window: tuple[int, int],
    rows: Records,
    n: int,
) -> None:
    """Book the shares of window [start, end) into row n; i is the first reading that reaches into it."""
    at, count, quality, reasons = readings
    start, end = window
    period_us = param["period_us"]
    ahead = period_us if param["stamp_start"] != 0 else 0
    amount, covered, valid, substituted, worst, bits = 0, 0, 0, 0, 0, 0
    covered_until, used_until = start, start
    while i < at.size and at[i] + ahead - period_us < end:
        while i + 1 < at.size and at[i + 1] == at[i]:
            i += 1
        origin = at[i] + ahead - period_us
        begin, until = max(origin, start), min(origin + period_us, end)
        covered += max(0, until - max(begin, covered_until))
        covered_until = max(covered_until, until)
        bits |= reasons[i]
        if quality[i] < BAD and count[i] != NO_COUNT:
            amount += share(count[i], begin - origin, until - origin, period_us)
            fresh = max(0, until - max(begin, used_until))
            used_until = max(used_until, until)
            worst = max(worst, quality[i])
            if quality[i] == SUBSTITUTED:
                substituted += fresh
            else:
                valid += fresh
        i += 1
    put_span(rows, n, segment, window, (covered, valid, substituted), (worst, bits))
    if valid + substituted > 0:
        put_amount(rows, n, amount * param["resolution"], amount, np.nan, np.nan, np.nan)
    else:
        put_amount(rows, n, np.nan, NO_COUNT, np.nan, np.nan, np.nan)
