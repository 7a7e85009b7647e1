"""Definitions of `kernels.quality`: statistics of analyser tests."""

import math
import statistics
from fractions import Fraction
from itertools import pairwise

from kernels.rows import Floats, Ints


def error_of_span(reference: float, measured: float, span: float) -> float:
    """100 · |R - A| / S."""
    return float(100 * abs(Fraction(reference) - Fraction(measured)) / Fraction(span))


def mean(value: Floats) -> float:
    """Σ / n."""
    return float(statistics.mean(map(Fraction, value))) if value.size else math.nan


def deviation(value: Floats) -> float:
    """√(Σ(x - x̄)² / (n - 1))."""
    return math.sqrt(statistics.variance(list(map(Fraction, value)))) if value.size > 1 else math.nan


def linearity(reference: Floats, measured: Floats) -> tuple[float, float]:
    """100 · |R̄ - Ā| / R̄ and |R̄ - Ā|."""
    expected = statistics.mean(map(Fraction, reference))
    apart = abs(expected - statistics.mean(map(Fraction, measured)))
    return float(100 * apart / expected), float(apart)


def confidence(deviation_of_runs: float, runs: int, t: float) -> float:
    """T · Sd / √n."""
    return t * deviation_of_runs / math.sqrt(runs)


def rata(reference: Floats, cem: Floats, t: float) -> tuple[float, float, float, float]:
    """D = R - CEM; CC = t·Sd/√n; RA = 100·(|d̄| + |CC|)/R̄; BAF = 1 + |d̄|/CEM̄ if d̄ > |CC|, else 1."""
    differences = [Fraction(r) - Fraction(c) for r, c in zip(reference, cem, strict=True)]
    apart = statistics.mean(differences)
    coefficient = t * math.sqrt(statistics.variance(differences)) / math.sqrt(len(differences))
    accuracy = 100 * (abs(float(apart)) + abs(coefficient)) / mean(reference)
    factor = 1 + abs(float(apart)) / mean(cem) if apart > abs(coefficient) else 1.0
    return float(apart), coefficient, accuracy, factor


def calibration_line(
    measured: Floats, reference: Floats, least_spread: float, offset: float
) -> tuple[float, float]:
    """Least squares, or through (offset, 0) and the centre."""
    x, y = list(map(Fraction, measured)), list(map(Fraction, reference))
    middle_x, middle_y = statistics.mean(x), statistics.mean(y)
    if max(y) - min(y) >= least_spread:
        pairs = list(zip(x, y, strict=True))
        slope = sum((a - middle_x) * (b - middle_y) for a, b in pairs) / sum((a - middle_x) ** 2 for a in x)
        return float(middle_y - slope * middle_x), float(slope)
    slope = middle_y / (middle_x - Fraction(offset))
    return float(-slope * Fraction(offset)), float(slope)


def spread_about_line(measured: Floats, reference: Floats, a: float, b: float) -> tuple[float, float]:
    """D = y - (a + b·x); D̄ and sD."""
    pairs = zip(map(Fraction, measured), map(Fraction, reference), strict=True)
    differences = [y - (Fraction(a) + Fraction(b) * x) for x, y in pairs]
    if len(differences) < 2:
        return float(differences[0]), math.nan
    return float(statistics.mean(differences)), math.sqrt(statistics.variance(differences))


def outside(value: Floats, low: float, high: float) -> int:
    """Values that are in no range."""
    return sum(not math.isnan(one) and not low <= one <= high for one in value.tolist())


def cusum(
    difference: Floats, hs: float, ks: float, hx: float, kx: float, sums: Floats, alarm: Ints, since: Ints
) -> None:
    """The three recursions, each for itself."""

    def recursion(steps: list[float]) -> list[float]:
        found, total = [], 0.0
        for step in steps:
            total = max(0.0, total + step)
            found.append(total)
        return found

    d = difference.tolist()
    precision = recursion([0.0, *((b - a) ** 2 / 2 - ks for a, b in pairwise(d))][: len(d)])
    up, down = recursion([one - kx for one in d]), recursion([-one - kx for one in d])
    for i in range(len(d)):
        sums[i] = precision[i], up[i], down[i]
        for side, total in enumerate((up, down)):
            zeros = [-1, *(k for k in range(i + 1) if total[k] == 0)]
            since[i, side] = i - zeros[-1]
        alarm[i] = (up[i] > hx) | (down[i] > hx) << 1 | (precision[i] > hs) << 2


def shewhart(difference: Floats, warning: float, action: float, out: Ints) -> None:
    """How many of the two limits each difference is beyond."""
    for i, one in enumerate(difference.tolist()):
        out[i] = 2 if abs(one) > action else int(abs(one) > warning)
