"""Numbers as an unevaluated sum of two float64, for integrals that keep 106 bits.

A pair (high, low) with |low| at most half an ulp of high. Sums and products of
two float64 are exact as such a pair (Knuth, Dekker); operations on pairs lose a
few units of 2^-106. Products of magnitudes below 1e-290 or above 1e300 are out
of scope: nothing a plant measures in any unit comes near.
"""

from kernels._jit import kernel

_SPLITTER = 134217729.0
"""2^27 + 1: splits a float64 into two halves of 26 bits."""


@kernel
def two_sum(a: float, b: float) -> tuple[float, float]:
    """A + b, exactly."""
    high = a + b
    b_part = high - a
    return high, (a - (high - b_part)) + (b - b_part)


@kernel
def two_prod(a: float, b: float) -> tuple[float, float]:
    """A · b, exactly."""
    high = a * b
    t = _SPLITTER * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = _SPLITTER * b
    b_high = t - (t - b)
    b_low = b - b_high
    return high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low


@kernel
def plus(high: float, low: float, more: float, more_low: float) -> tuple[float, float]:
    """(high, low) + (more, more_low)."""
    total, error = two_sum(high, more)
    return two_sum(total, error + (low + more_low))


@kernel
def times(high: float, low: float, factor: float) -> tuple[float, float]:
    """(high, low) · factor."""
    product, error = two_prod(high, factor)
    return two_sum(product, error + low * factor)


@kernel
def over(high: float, low: float, divisor: float) -> tuple[float, float]:
    """(high, low) / divisor; divisor must not be 0."""
    quotient = high / divisor
    product, error = two_prod(quotient, divisor)
    rest = ((high - product) - error) + low
    return two_sum(quotient, rest / divisor)


@kernel
def weighted(a: float, a_weight: float, b: float, b_weight: float) -> tuple[float, float]:
    """A · a_weight + b · b_weight."""
    a_high, a_low = two_prod(a, a_weight)
    b_high, b_low = two_prod(b, b_weight)
    return plus(a_high, a_low, b_high, b_low)
