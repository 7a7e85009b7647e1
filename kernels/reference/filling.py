"""Definition of which gaps of a register are filled, and of spreading one by weights: `kernels.filling`."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from kernels.reference.exact import half_away, share
from kernels.reference.pieces import Reading
from kernels.reference.register import book_step, kept, registers
from kernels.rows import (
    IMPLAUSIBLE_STEP,
    SHAPED,
    TOO_LONG_STEP,
    WEIGHT_MISSING,
    WEIGHTS_ZERO,
    Floats,
    Ints,
    Records,
)


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
    """The steps between kept registers that are longer than max_gap and spread."""
    found: list[tuple[int, int, int, int]] = []
    for j, param in enumerate(params):
        rows = range(int(offsets[j]), int(offsets[j + 1]))
        readings = [
            Reading(int(at[i]), math.nan, int(count[i]), int(quality[i]), int(reasons[i])) for i in rows
        ]
        for before, now in pairwise(kept(registers(readings), param)):
            a, b = before.register.new, now.register.old
            step_class, increment, _ = book_step(a.count, b.count, b.at - a.at, param)
            is_gap = b.at - a.at > param["max_gap_us"] and step_class not in {TOO_LONG_STEP, IMPLAUSIBLE_STEP}
            if is_gap and a.at < to_at[j] and b.at > from_at[j]:
                found.append((j, a.at, b.at, increment))
    for place, gap in enumerate(found[: gaps.size]):
        gaps[place] = gap
    return len(found)


def shape_gap(
    from_at: int, to_at: int, increment: int, interval_us: int, weight: Floats, parts: Ints, moved: Ints
) -> int:
    """The difference between a spread by weights and an even one, in each interval."""
    moved[:] = 0
    if not all(math.isfinite(w) and w >= 0 for w in weight.tolist()):
        return WEIGHT_MISSING
    if not weight.any():
        return WEIGHTS_ZERO
    begin = from_at - from_at % interval_us
    edges = [min(max(begin + k * interval_us, from_at), to_at) - from_at for k in range(weight.size + 1)]
    parts[:] = _whole_parts(weight.tolist(), [b - a for a, b in pairwise(edges)], interval_us)
    total = int(parts.sum())
    if total == 0:
        return WEIGHTS_ZERO
    until = [half_away(Fraction(increment * before, total)) for before in (0, *np.cumsum(parts).tolist())]
    for k, (a, b) in enumerate(pairwise(until)):
        moved[k] = b - a - share(increment, edges[k], edges[k + 1], to_at - from_at)
    return SHAPED


def _whole_parts(weight: Sequence[float], inside: Sequence[int], interval_us: int) -> list[int]:
    """Weights in units of a power of two of which their sum has fewer than 2^61, as far as they lie in the gap."""
    unit = Fraction(2) ** (math.frexp(max(weight))[1] + (len(weight) - 1).bit_length() - 61)
    whole = [round(Fraction(w) / unit) for w in weight]
    return [half_away(Fraction(w * us, interval_us)) for w, us in zip(whole, inside, strict=True)]
