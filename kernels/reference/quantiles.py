"""Definitions of `kernels.quantiles`: integrals of the densities, by Simpson's rule in substitution."""

import math
from collections.abc import Callable

_STEPS = 4000


def _integral(density: Callable[[float], float], low: float, high: float) -> float:
    """Simpson's rule over [low, high]."""
    width = (high - low) / _STEPS
    inner = math.fsum((4 if i % 2 else 2) * density(low + i * width) for i in range(1, _STEPS))
    return (density(low) + inner + density(high)) * width / 3


def chi_square_below(x: float, freedom: float) -> float:
    """∫ of the density over [0, x], with u = √x: smooth at 0 from one degree of freedom on."""
    if x <= 0:
        return 0.0
    scale = 2.0 ** (1 - freedom / 2) / math.gamma(freedom / 2)
    return _integral(lambda u: scale * u ** (freedom - 1) * math.exp(-u * u / 2), 0.0, math.sqrt(x))


def student_below(t: float, freedom: float) -> float:
    """1/2 + ∫ of the density over [0, t], with t = √freedom · tan φ."""
    scale = math.gamma((freedom + 1) / 2) / (math.sqrt(math.pi) * math.gamma(freedom / 2))
    angle = math.atan(t / math.sqrt(freedom))
    return 0.5 + _integral(lambda phi: scale * math.cos(phi) ** (freedom - 1), 0.0, angle)


def beta_below(a: float, b: float, x: float) -> float:
    """∫ t^(a-1) (1-t)^(b-1) / B(a, b) over [0, x], with t = sin² φ."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    scale = 2 * math.gamma(a + b) / (math.gamma(a) * math.gamma(b))
    angle = math.asin(math.sqrt(x))
    return _integral(
        lambda phi: scale * math.sin(phi) ** (2 * a - 1) * math.cos(phi) ** (2 * b - 1), 0.0, angle
    )


def _halved(below: Callable[[float], float], probability: float, low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < probability else (low, middle)
    return (low + high) / 2


def chi_square_quantile(probability: float, freedom: float) -> float:
    """Where the integral reaches the probability."""
    if not (0 < probability < 1 and freedom > 0):
        return math.nan
    high = freedom + 20 * math.sqrt(2 * freedom) + 20
    return _halved(lambda x: chi_square_below(x, freedom), probability, 0.0, high)


def student_quantile(probability: float, freedom: float) -> float:
    """Where the integral reaches the probability."""
    if not (0 < probability < 1 and freedom > 0):
        return math.nan
    return _halved(lambda t: student_below(t, freedom), probability, -1e3, 1e3)


def variability_factor(pairs: int) -> float:
    """√(χ²(0.5; N-1) / (N-1))."""
    if pairs < 2:
        return math.nan
    return math.sqrt(chi_square_quantile(0.5, pairs - 1) / (pairs - 1))
