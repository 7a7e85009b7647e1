"""Statistics of analyser tests: calibration error, linearity, RATA, QAL2, AST, QAL3.

Concentrations in the analyser's unit. Limits, which tests a regime demands and what a
failed one means are data elsewhere; nothing is rounded. Definitions: the same names in
reference.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.exact import exact_sum
from kernels.rows import Floats, Ints


@kernel
def error_of_span(reference: float, measured: float, span: float) -> float:
    """Calibration error in % of the span: 100 · |R - A| / S; Part 75 appendix A, A-5."""
    return 100.0 * abs(reference - measured) / span


@kernel
def mean(value: Floats) -> float:
    """Arithmetic mean; NaN of nothing."""
    return exact_sum(value) / value.size if value.size > 0 else np.nan


@kernel
def deviation(value: Floats) -> float:
    """Standard deviation with n - 1; NaN of fewer than two."""
    if value.size < 2:
        return np.nan
    middle = mean(value)
    return math.sqrt(exact_sum((value - middle) ** 2) / (value.size - 1))


@kernel
def linearity(reference: Floats, measured: Floats) -> tuple[float, float]:
    """(error in % of the mean reference, |mean R - mean A|) of the runs of one gas; A-4."""
    expected = mean(reference)
    apart = abs(expected - mean(measured))
    return 100.0 * apart / expected, apart


@kernel
def confidence(deviation_of_runs: float, runs: int, t: float) -> float:
    """Confidence coefficient t · Sd / √n; A-9."""
    return t * deviation_of_runs / math.sqrt(runs)


@kernel
def rata(reference: Floats, cem: Floats, t: float) -> tuple[float, float, float, float]:
    """(mean difference R - CEM, confidence coefficient, relative accuracy %, bias factor).

    A-7 to A-12. t: Student's, two-sided 95 %, for runs - 1. The bias factor is
    1 + |mean difference| / mean CEM where the monitor reads low by more than the
    confidence coefficient, else 1; which quantities it applies to is the caller's.
    """
    difference = reference - cem
    apart = mean(difference)
    coefficient = confidence(deviation(difference), difference.size, t)
    accuracy = 100.0 * (abs(apart) + abs(coefficient)) / mean(reference)
    factor = 1.0 + abs(apart) / mean(cem) if apart > abs(coefficient) else 1.0
    return apart, coefficient, accuracy, factor


@kernel
def calibration_line(
    measured: Floats, reference: Floats, least_spread: float, offset: float
) -> tuple[float, float]:
    """(a, b) of reference = a + b · measured; EN 14181 QAL2.

    Least squares where the references spread by at least `least_spread`; else the line
    through the reading at zero concentration, `offset`, and the centre of the pairs.
    """
    x, y = mean(measured), mean(reference)
    if np.max(reference) - np.min(reference) >= least_spread:
        b = exact_sum((measured - x) * (reference - y)) / exact_sum((measured - x) ** 2)
        return y - b * x, b
    b = y / (x - offset)
    return -b * offset, b


@kernel
def spread_about_line(measured: Floats, reference: Floats, a: float, b: float) -> tuple[float, float]:
    """(mean, standard deviation) of reference - (a + b · measured); EN 14181 QAL2 and AST."""
    difference = reference - (a + b * measured)
    return mean(difference), deviation(difference)


@kernel
def outside(value: Floats, low: float, high: float) -> int:
    """How many values lie outside a valid calibration range; NaN is in no range and not counted."""
    found = 0
    for i in range(value.size):
        if value[i] < low or value[i] > high:
            found += 1
    return found


@kernel
def cusum(
    difference: Floats, hs: float, ks: float, hx: float, kx: float, sums: Floats, alarm: Ints, since: Ints
) -> None:
    """QAL3 by cumulative sums; EN 14181.

    difference[i] is reading - reference at check i. sums[i] gets s (precision),
    Σ+ and Σ-; alarm[i] bit 0 drift up, 1 drift down, 2 precision lost; since[i] how
    many checks each drift sum has been above 0 (for the estimate of the drift).
    The precision sum begins with the second check.
    """
    s = 0.0
    drift = np.zeros(2)
    count = np.zeros(2, np.int64)
    for i in range(difference.size):
        if i > 0:
            s = max(0.0, s + (difference[i] - difference[i - 1]) ** 2 / 2.0 - ks)
        for side in range(2):
            sign = 1.0 - 2.0 * side
            drift[side] = max(0.0, drift[side] + sign * difference[i] - kx)
            count[side] = count[side] + 1 if drift[side] > 0.0 else 0
        sums[i, 0], sums[i, 1], sums[i, 2] = s, drift[0], drift[1]
        since[i, 0], since[i, 1] = count[0], count[1]
        alarm[i] = (drift[0] > hx) + 2 * (drift[1] > hx) + 4 * (s > hs)


@kernel
def shewhart(difference: Floats, warning: float, action: float, out: Ints) -> None:
    """QAL3 by a Shewhart chart: out[i] 0 within, 1 beyond the warning limit, 2 beyond the alarm limit."""
    for i in range(difference.size):
        size = abs(difference[i])
        out[i] = 2 if size > action else 1 if size > warning else 0


def warm_up() -> None:
    """Compile what other modules call."""
    floats, ints = np.array([1.0, 2.0]), np.zeros(2, np.int64)
    error_of_span(1.0, 1.0, 1.0)
    mean(floats)
    deviation(floats)
    linearity(floats, floats)
    confidence(1.0, 9, 2.0)
    rata(floats, floats, 1.0)
    calibration_line(floats, floats, 0.0, 0.0)
    spread_about_line(floats, floats, 0.0, 1.0)
    outside(floats, 0.0, 1.0)
    cusum(floats, 1.0, 1.0, 1.0, 1.0, np.zeros((2, 3)), ints, np.zeros((2, 2), np.int64))
    shewhart(floats, 1.0, 1.0, ints)
