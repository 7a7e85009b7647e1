"""Definitions of `ingest.uncertainty.propagation`: dictionaries, double sums, derivatives and integrals."""

import math
from collections.abc import Sequence

from ingest.uncertainty.propagation import Floats

Plain = tuple[float, float, dict[int, float]]
"""Value, variance of the random part, key → S."""

STEPS = 20_000


def stream(value: float, v: float, keys: Sequence[int], s: Sequence[float]) -> Plain:
    """Pairs of equal key add."""
    found: dict[int, float] = {}
    for key, one in zip(keys, s, strict=True):
        found[int(key)] = found.get(int(key), 0.0) + float(one)
    return value, v, found


def weighted_sum(streams: Sequence[Plain], weights: Sequence[float]) -> Plain:
    """Values and S add, variances with the squares of the weights."""
    keys = {key for _, _, pairs in streams for key in pairs}
    return (
        sum(w * value for w, (value, _, _) in zip(weights, streams, strict=True)),
        sum(w**2 * v for w, (_, v, _) in zip(weights, streams, strict=True)),
        {
            key: sum(w * pairs.get(key, 0.0) for w, (_, _, pairs) in zip(weights, streams, strict=True))
            for key in keys
        },
    )


def difference(one: Plain, other: Plain) -> Plain:
    """S_k(D) = S_k(M) - S_k(C)."""
    return weighted_sum((one, other), (1.0, -1.0))


def complement(share: Plain) -> Plain:
    """∂(1 - w)/∂w = -1."""
    value, v, pairs = share
    return 1.0 - value, v, {key: -s for key, s in pairs.items()}


def product(streams: Sequence[Plain], powers: Sequence[float]) -> Plain:
    """One factor is derived at a time, the others stand: a·x^(a-1)·Π others."""
    slopes = []
    for i, (value, _, _) in enumerate(streams):
        slope = powers[i] * value ** (powers[i] - 1.0)
        for j, (other, _, _) in enumerate(streams):
            if j != i:
                slope *= other ** powers[j]
        slopes.append(slope)
    value = math.prod(one[0] ** power for one, power in zip(streams, powers, strict=True))
    return value, *weighted_sum(streams, slopes)[1:]


def ratio(above: Plain, below: Plain) -> Plain:
    """S_k(R) = (S_k(A) - R·S_k(B))/B and v(R) = (v_A + R²·v_B)/B²."""
    found = above[0] / below[0]
    keys = {*above[2], *below[2]}
    pairs = {key: (above[2].get(key, 0.0) - found * below[2].get(key, 0.0)) / below[0] for key in keys}
    return found, (above[1] + found**2 * below[1]) / below[0] ** 2, pairs


def variance(v: float, s: Floats, u: Floats, correlation: Floats | None) -> float:
    """Of the random part v: v + ΣΣ r_kl·S_k·u_k·S_l·u_l, r_kk = 1."""
    total = v
    for k in range(s.size):
        for m in range(s.size):
            r = float(k == m) if correlation is None else float(correlation[k, m])
            total += r * float(s[k] * u[k] * s[m] * u[m])
    return total


def degrees_of_freedom(parts: Floats, observations: Floats) -> float:
    """By the fourth powers: u⁴ / Σ u_i⁴/(n_i - 1), n infinite from 10 observations on."""
    total = sum(float(part) ** 2 for part in parts)
    below = sum(
        float(part) ** 4 / max(float(n) - 1.0, 1.0)
        for part, n in zip(parts, observations, strict=True)
        if n < 10
    )
    return total**2 / below if below else math.inf


def within(t: float, freedom: int) -> float:
    """Student's density from -t to t, by Simpson's rule over the angle whose tangent is t/√freedom."""
    end = math.atan2(t, math.sqrt(freedom))
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    step = end / STEPS
    total = sum(
        (1 if i in {0, STEPS} else 4 if i % 2 else 2) * math.cos(i * step) ** (freedom - 1)
        for i in range(STEPS + 1)
    )
    return 2.0 * scale * total * step / 3.0


def ar1_mean_factor(n: int, rho: float) -> float:
    """[n + 2·Σ_{k<n} (n-k)·rho^k]/n²."""
    return (n + 2 * sum((n - k) * rho**k for k in range(1, n))) / n**2


def ar1_variance(weight: Floats, rho: float) -> float:
    """Every pair of steps."""
    n = weight.size
    return math.fsum(
        float(weight[i]) * float(weight[j]) * rho ** abs(i - j) for i in range(n) for j in range(n)
    )


def tier(expanded: float, limits: Floats) -> int:
    """Tiers in order, as far as their limits are kept."""
    found = 0
    for place, limit in enumerate(limits, start=1):
        if expanded <= limit:
            found = place
    return found
