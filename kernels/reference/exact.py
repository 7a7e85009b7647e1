"""Definitions of `kernels.exact`: sums, shares and counts without loss."""

import math
from fractions import Fraction

import numpy as np

from kernels.rows import MAX_COUNT, NO_COUNT, Floats, Ints


def half_away(x: Fraction) -> int:
    """The nearest integer, half away from zero."""
    whole = math.floor(abs(x) + Fraction(1, 2))
    return -whole if x < 0 else whole


def exact_sum(x: Floats) -> float:
    """Sum of x, correctly rounded."""
    values: list[float] = x.tolist()
    if all(math.isfinite(value) for value in values):
        return math.fsum(values)
    return sum(values)


def exact_sums(x: Floats) -> Floats:
    """Sum of each row of x, correctly rounded."""
    return np.array([exact_sum(row) for row in x], np.float64)


def muldiv_round(a: int, num: int, den: int) -> int:
    """The value of a · num / den, half away from zero, at most 2^63 - 1 in magnitude."""
    bound = 2**63 - 1
    return max(-bound, min(bound, half_away(Fraction(a * num, den))))


def share(count: int, begin: int, end: int, whole: int) -> int:
    """What of a count that runs evenly over [0, whole) falls into [begin, end)."""
    return muldiv_round(count, end, whole) - muldiv_round(count, begin, whole)


def to_counts(value: Floats, resolution: float, out: Ints) -> None:
    """out[i] = value[i] / resolution, half away from zero; NO_COUNT where there is none."""
    per_unit = Fraction(round(1 / resolution))
    if per_unit < 1 or 1 / float(per_unit) != resolution:
        per_unit = Fraction(0)
    for i, one in enumerate(value.tolist()):
        if not math.isfinite(one) or abs(one / resolution) >= MAX_COUNT:
            out[i] = NO_COUNT
        else:
            out[i] = half_away(Fraction(one) * per_unit if per_unit else Fraction(one / resolution))
