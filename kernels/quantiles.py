"""Quantiles of the χ² and of Student's t distribution, found by halving.

For the factors of tests: kv(N) = √(χ²(0.5; N-1)/(N-1)) and t(0.95; N-1) of EN 14181.
Distribution functions by series and continued fraction, to some 1e-12; quantiles are
meant for tables of a test, not for a hot path. Degrees of freedom may be fractions, as
Welch-Satterthwaite gives them. Definitions: reference, by the densities' integrals.
"""

import math

import numpy as np

from kernels._jit import kernel

_TERMS = 2000
_TINY = 1e-300


@kernel
def chi_square_below(x: float, freedom: float) -> float:
    """P(χ² ≤ x): the lower incomplete gamma function by its series."""
    if x <= 0.0:
        return 0.0
    a, half = freedom / 2.0, x / 2.0
    term = 1.0 / a
    total = term
    for i in range(1, _TERMS):
        term *= half / (a + i)
        total += term
        if term < total * 1e-17:
            break
    return total * math.exp(-half + a * math.log(half) - math.lgamma(a))


@kernel
def _beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    found = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for part in (even, odd):
            d = 1.0 + part * d
            c = 1.0 + part / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            found *= c * d
        if abs(c * d - 1.0) < 1e-16:
            break
    return found


@kernel
def beta_below(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    scale = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(1.0 - x)
    )
    if x < (a + 1.0) / (a + b + 2.0):
        return scale * _beta_fraction(a, b, x) / a
    return 1.0 - scale * _beta_fraction(b, a, 1.0 - x) / b


@kernel
def student_below(t: float, freedom: float) -> float:
    """P(T ≤ t) of Student's distribution.

    By its middle where t² < freedom, else by its tail: the share of either is small there,
    and 1 less a number near 1 would lose it (1e-9 at t = 1e-7).
    """
    square = t * t
    if square < freedom:
        middle = beta_below(0.5, freedom / 2.0, square / (freedom + square)) / 2.0
        return 0.5 + middle if t > 0.0 else 0.5 - middle
    tail = beta_below(freedom / 2.0, 0.5, freedom / (freedom + square)) / 2.0
    return 1.0 - tail if t > 0.0 else tail


@kernel
def chi_square_quantile(probability: float, freedom: float) -> float:
    """The x with P(χ² ≤ x) = probability; NaN without a degree of freedom."""
    if not (0.0 < probability < 1.0 and freedom > 0.0):
        return np.nan
    low, high = 0.0, freedom + 1.0
    while chi_square_below(high, freedom) < probability:
        high *= 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        if chi_square_below(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


@kernel
def student_quantile(probability: float, freedom: float) -> float:
    """The t with P(T ≤ t) = probability; NaN without a degree of freedom."""
    if not (0.0 < probability < 1.0 and freedom > 0.0):
        return np.nan
    low, high = -1.0, 1.0
    while student_below(high, freedom) < probability:
        high *= 2.0
    while student_below(low, freedom) > probability:
        low *= 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        if student_below(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


@kernel
def variability_factor(pairs: int) -> float:
    """kv(N) of the variability test; EN 14181. NaN of fewer than two pairs."""
    freedom = pairs - 1.0
    return math.sqrt(chi_square_quantile(0.5, freedom) / freedom)


def warm_up() -> None:
    """Compile what other modules call."""
    chi_square_below(1.0, 1.0)
    beta_below(1.0, 1.0, 0.5)
    student_below(1.0, 1.0)
    chi_square_quantile(0.5, 1.0)
    student_quantile(0.95, 1.0)
    variability_factor(5)
