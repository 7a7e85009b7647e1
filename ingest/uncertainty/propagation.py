"""Uncertainty as sensitivities to named systematic sources, and a variance for the rest.

A quantity is a `Stream`: value, variance of its random part, and per systematic source k
the signed S_k = ∂value/∂x_k, in units of the value per unit relative (or absolute) error of
k. Keys are global integers: two streams that share a meter share its key, so what is in
numerator and denominator cancels by itself. Laws of propagation as in JCGM 100:2008, 5 and
annex G; first order only. Who the sources are is not known here.

Written like kernels, arrays in and arrays out, each with its plain definition in the tests;
NumPy alone, for the service computes with them and loads neither numba nor a kernel.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

COVERAGE = math.erf(math.sqrt(2.0))
"""The probability of ±2 standard deviations, 95.45 %: what k = 2 stands for."""
EXACT_FROM = 10
"""Observations from which on a Type A uncertainty is taken to be known well."""
_LEAST_POWER = 1e-17


class Stream(NamedTuple):
    """A value with its uncertainty; `keys` ascending, each once, `s[i]` belongs to `keys[i]`."""

    value: float
    v: float
    keys: Ints
    s: Floats


def stream(
    value: float, v: float = 0.0, keys: Sequence[int] | Ints = (), s: Sequence[float] | Floats = ()
) -> Stream:
    """A stream of unsorted (key, S) pairs; what stands twice is added."""
    unique, place = np.unique(np.array(keys, np.int64), return_inverse=True)
    summed: Floats = np.bincount(place, np.array(s, np.float64), unique.size).astype(np.float64)
    return Stream(value, v, unique, summed)


def weighted_sum(streams: Sequence[Stream], weights: Sequence[float]) -> Stream:
    """Σ weight · stream; random parts are taken as independent."""
    return stream(
        math.fsum(w * one.value for w, one in zip(weights, streams, strict=True)),
        math.fsum(w * w * one.v for w, one in zip(weights, streams, strict=True)),
        np.concatenate([np.zeros(0, np.int64), *(one.keys for one in streams)]),
        np.concatenate([np.zeros(0), *(w * one.s for w, one in zip(weights, streams, strict=True))]),
    )


def difference(one: Stream, other: Stream) -> Stream:
    """The first less the second."""
    return weighted_sum((one, other), (1.0, -1.0))


def complement(share: Stream) -> Stream:
    """1 - w, the dry share of a wet gas."""
    return Stream(1.0 - share.value, share.v, share.keys, -share.s)


def product(streams: Sequence[Stream], powers: Sequence[float]) -> Stream:
    """Π stream^power of streams that are not 0."""
    value = math.prod(one.value**power for one, power in zip(streams, powers, strict=True))
    slopes = [value * power / one.value for one, power in zip(streams, powers, strict=True)]
    return weighted_sum(streams, slopes)._replace(value=value)


def ratio(above: Stream, below: Stream) -> Stream:
    """Their quotient R: S_k = (S_k(a) - R·S_k(b))/b, v = (v_a + R²·v_b)/b²."""
    found = above.value / below.value
    parts = weighted_sum((above, below), (1.0 / below.value, -found / below.value))
    return parts._replace(value=found)


def variance(v: float, s: Floats, u: Floats, correlation: Floats | None = None) -> float:
    """Combined variance u² = v + Σ (S·u)² + 2·Σ r·S·u·S·u.

    Args:
        v: variance of the random part.
        s: sensitivities, [n].
        u: standard uncertainties of the same sources, [n].
        correlation: of the sources, [n, n] with 1 on its diagonal; None: independent.
    """
    parts = s * u
    if correlation is None:
        return v + float(parts @ parts)
    return v + float(parts @ correlation @ parts)


def degrees_of_freedom(parts: Floats, observations: Floats) -> float:
    """Effective degrees of freedom by Welch-Satterthwaite, infinite if all is known well.

    Args:
        parts: standard uncertainties of independent contributions, [n].
        observations: each of them was found from, [n]; from `EXACT_FROM` on, or infinite, known well.
    """
    few = (observations < EXACT_FROM) & (parts != 0.0)
    if not few.any():
        return math.inf
    total = float(parts @ parts)
    freedom = np.maximum(observations[few] - 1.0, 1.0)
    below = float(np.sum(parts[few] ** 4 / freedom))
    return total * total / below if below else math.inf


def within(t: float, freedom: int) -> float:
    """Probability that Student's t lies within ±t; Abramowitz and Stegun 26.7.3, 26.7.4."""
    angle = math.atan2(t, math.sqrt(freedom))
    square = math.cos(angle) ** 2
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = term if freedom > 1 else 0.0
    for i in range(2 + odd, freedom - 1, 2):
        term *= square * (i - 1) / i
        total += term
    total *= math.sin(angle)
    return (angle + total) * 2.0 / math.pi if odd else total


def coverage_factor(freedom: float) -> float:
    """The k that makes a standard uncertainty an interval of 95.45 %: 2, more with few degrees of freedom.

    Degrees of freedom are cut to a whole number, at least 1.
    """
    if freedom > 1e4:
        return 2.0
    whole = max(1, math.floor(freedom))
    low, high = 2.0, 16.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if within(middle, whole) < COVERAGE:
            low = middle
        else:
            high = middle
    return high


def ar1_mean_factor(n: int, rho: float) -> float:
    """Variance of the mean of n successive AR(1) errors by that of one: [n + 2·Σ (n-k)·rho^k]/n²."""
    return ar1_variance(np.full(n, 1.0 / n), rho)


def ar1_variance(weight: Floats, rho: float) -> float:
    """Variance of Σ weight_i·e_i of AR(1) errors of unit variance: Σ_ij w_i·w_j·rho^|i-j|, 0 <= rho < 1.

    `weight` has an entry for every step of time, 0 where there is none. Lags whose rho^k is
    below a float's last bit are left out.
    """
    total = float(weight @ weight)
    power = 1.0
    for lag in range(1, weight.size):
        power *= rho
        if power < _LEAST_POWER:
            break
        total += 2.0 * power * float(weight[:-lag] @ weight[lag:])
    return total


def tier(expanded: float, limits: Floats) -> int:
    """The highest tier whose limit an expanded uncertainty keeps; tiers count from 1, 0: none.

    Args:
        expanded: relative expanded uncertainty over the year.
        limits: of tier 1, 2, …, falling.
    """
    return int(np.count_nonzero(expanded <= limits))
