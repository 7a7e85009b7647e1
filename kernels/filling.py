"""How a register's use of a gap is spread over its intervals by weights, to the count.

The fold spreads a gap evenly; what is moved from there to where the weights say is told
here. Weights are float64, one an interval. They are brought to whole parts by one power
of two for all of them, chosen so that their sum stays below 2^61: of n intervals a weight
keeps at least 60 - log2(n) bits below the largest one. Of the first and the last interval
the parts are taken in proportion to the time that lies in the gap. The use up to an edge
is increment · parts before it / all parts, rounded half away from zero, and an interval
has the difference of two edges, so what is moved comes to 0 with ==. All of it depends on
the whole gap and nothing else: where a fold begins changes nothing.

Where weights come from, and what becomes of a gap without them, is not known here. Twins
in `reference`.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.exact import muldiv_round, share
from kernels.register import step_after, step_over
from kernels.rows import (
    GAP_ROW,
    IMPLAUSIBLE_STEP,
    POINT_PARAMS,
    SHAPED,
    TOO_LONG_STEP,
    WEIGHT_MISSING,
    WEIGHTS_ZERO,
    Floats,
    Ints,
    Records,
)
from kernels.step import book_step

_MOST_BITS = 61
"""Of the sum of all parts."""


@kernel
def gap_steps(
    offsets: Ints,
    at: Ints,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    from_at: Ints,
    to_at: Ints,
    gaps: Records,
) -> int:
    """List the filled gaps of counters that reach into [from_at[j], to_at[j]); how many there are.

    Segments are as `fold.fold_intervals` takes them. A gap is a step over more than max_gap
    that is spread: not one that is too long or implausible. gaps (GAP_ROW, out) takes as many
    as fit, in order of segment and time. Definition: reference.gap_steps.
    """
    found = 0
    for j in range(params.size):
        low, high = offsets[j], offsets[j + 1]
        readings = (at[low:high], count[low:high], quality[low:high], reasons[low:high])
        param = params[j]
        step = step_over(readings, from_at[j], param)
        while step[1] < high - low and readings[0][step[0]] < to_at[j]:
            begin, end = readings[0][step[0]], readings[0][step[1]]
            booked = book_step(readings[1][step[0]], readings[1][step[1]], end - begin, param)
            spread = booked[0] != TOO_LONG_STEP and booked[0] != IMPLAUSIBLE_STEP
            if spread and end - begin > param["max_gap_us"] and end > from_at[j]:
                if found < gaps.size:
                    row = gaps[found]
                    row["segment"] = j
                    row["from_at"] = begin
                    row["to_at"] = end
                    row["increment"] = booked[1]
                found += 1
            step = step_after(readings, step[1], param)
    return found


@kernel
def shape_gap(
    from_at: int, to_at: int, increment: int, interval_us: int, weight: Floats, parts: Ints, moved: Ints
) -> int:
    """Counts that a gap's intervals have beyond what an even spread gives them.

    weight[k] is of the k-th interval that [from_at, to_at) µs reaches into; a NaN, an
    infinity or a negative one is none. parts is room of the same size. moved (int64 out)
    adds up to 0. Returns SHAPED, or WEIGHT_MISSING or WEIGHTS_ZERO with all of moved 0.
    Definition: reference.shape_gap.
    """
    moved[:] = 0
    largest = 0.0
    for k in range(weight.size):
        if not (weight[k] >= 0.0 and math.isfinite(weight[k])):
            return WEIGHT_MISSING
        largest = max(largest, weight[k])
    if largest == 0.0:
        return WEIGHTS_ZERO
    bits = 0
    while 1 << bits < weight.size:
        bits += 1
    shift = _MOST_BITS - bits - math.frexp(largest)[1]
    begin = from_at - from_at % interval_us
    total = 0
    for k in range(weight.size):
        start = begin + k * interval_us
        inside = min(start + interval_us, to_at) - max(start, from_at)
        parts[k] = muldiv_round(int(np.rint(math.ldexp(weight[k], shift))), inside, interval_us)
        total += parts[k]
    if total == 0:
        return WEIGHTS_ZERO
    before, used = 0, 0
    for k in range(weight.size):
        start = begin + k * interval_us
        before += parts[k]
        until = muldiv_round(increment, before, total)
        flat = share(
            increment,
            max(start, from_at) - from_at,
            min(start + interval_us, to_at) - from_at,
            to_at - from_at,
        )
        moved[k] = until - used - flat
        used = until
    return SHAPED


def warm_up() -> None:
    """Compile every kernel of this module with the types the pipeline uses."""
    one, params = np.zeros(1, np.int64), np.zeros(1, POINT_PARAMS)
    gap_steps(np.array([0, 1]), one, one, one, one, params, one, one.copy(), np.zeros(1, GAP_ROW))
    shape_gap(0, 1, 1, 1, np.ones(1), one.copy(), one.copy())
