"""Arithmetic that loses nothing: float sums, integer shares, values as counts.

Registers and amounts are int64 counts of a point's resolution. A share of a
count is rounded half away from zero and cut out of a running total, so shares
add up to the whole with ==. Nothing here knows what is counted.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.rows import MAX_COUNT, NO_COUNT, Floats, Ints
from kernels.twofold import two_prod

_LARGEST = 2**63 - 1
_FITS = 9.0e18
"""A float64 product below this is below 2^63 in integers too."""


@kernel
def exact_sum(x: Floats) -> float:
    """Sum of x, correctly rounded, whatever the order and the cancellation.

    Equals math.fsum bit for bit for finite x whose partial sums are finite; an
    infinity or NaN gives what adding one by one gives. No elements: 0.
    Shewchuk's algorithm. Definition: reference.exact_sum.
    """
    partials: Floats = np.empty(32)
    count = 0
    for i in range(x.size):
        value = float(x[i])
        if not math.isfinite(value):
            return _plain_sum(x)
        kept = 0
        for j in range(count):
            other = partials[j]
            if abs(value) < abs(other):
                value, other = other, value
            high = value + other
            low = other - (high - value)
            if low != 0.0:
                partials[kept] = low
                kept += 1
            value = high
        if not math.isfinite(value):
            return value
        count = kept
        if value != 0.0:
            if count == partials.size:
                longer = np.empty(2 * count)
                for j in range(count):
                    longer[j] = partials[j]
                partials = longer
            partials[count] = value
            count += 1
    return _rounded(partials, count)


@kernel
def exact_sums(x: Floats) -> Floats:
    """Sum of each row of x (n, m), as `exact_sum` has it. Definition: reference.exact_sums."""
    found = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        found[i] = exact_sum(x[i])
    return found


@kernel
def _plain_sum(x: Floats) -> float:
    total = 0.0
    for i in range(x.size):
        total += x[i]
    return total


@kernel
def _rounded(partials: Floats, count: int) -> float:
    """The partials (not overlapping, smallest first) as one float64, half to even across all of them."""
    if count == 0:
        return 0.0
    count -= 1
    high = float(partials[count])
    low = 0.0
    while count > 0 and low == 0.0:
        count -= 1
        value = high
        high = value + partials[count]
        low = partials[count] - (high - value)
    # A tie between two float64 is decided by the sign of what is below it.
    if count > 0 and ((low < 0.0 and partials[count - 1] < 0.0) or (low > 0.0 and partials[count - 1] > 0.0)):
        doubled = low * 2.0
        value = high + doubled
        if doubled == value - high:
            high = value
    return high


@kernel
def muldiv_round(a: int, num: int, den: int) -> int:
    """The value of a · num / den, rounded half away from zero, exact over all of int64.

    den must not be 0. A result beyond ±(2^63 - 1) is clamped to it.
    Definition: reference.muldiv_round.
    """
    negative = (a < 0) != (num < 0)
    if den < 0:
        negative = not negative
    if abs(float(a)) * abs(float(num)) < _FITS and den != NO_COUNT:
        product = abs(a) * abs(num)
        divisor = abs(den)
        result = product // divisor
        rest = product - result * divisor
        if rest >= divisor - rest:
            result += 1
    else:
        result = int(_wide_muldiv(a, num, den))
    return -result if negative else result


@kernel
def share(count: int, begin: int, end: int, whole: int) -> int:
    """What of a count that runs evenly over [0, whole) falls into [begin, end).

    Shares that meet add up with ==, as each is the difference of a rounded
    running total. Definition: reference.share.
    """
    if end - begin == whole:
        return count
    return muldiv_round(count, end, whole) - muldiv_round(count, begin, whole)


@kernel
def _magnitude(a: int) -> np.uint64:
    return np.uint64(-a) if a < 0 else np.uint64(a)


@kernel
def _wide_muldiv(a: int, num: int, den: int) -> np.int64:
    """|a| · |num| / |den| through 128 bits, rounded half up, clamped to 2^63 - 1."""
    half = np.uint64(32)
    mask = np.uint64(0xFFFFFFFF)
    one = np.uint64(1)
    x, y, divisor = _magnitude(a), _magnitude(num), _magnitude(den)
    low = (x & mask) * (y & mask)
    first = (x >> half) * (y & mask) + (low >> half)
    second = (x & mask) * (y >> half) + (first & mask)
    rest = (x >> half) * (y >> half) + (first >> half) + (second >> half)
    low = (second << half) | (low & mask)
    if rest >= divisor:
        return np.int64(_LARGEST)
    quotient = np.uint64(0)
    for i in range(64):
        # rest < divisor <= 2^63, so the shifted rest fits 64 bits
        rest = (rest << one) | ((low >> np.uint64(63 - i)) & one)
        quotient <<= one
        if rest >= divisor:
            rest -= divisor
            quotient |= one
    if quotient >= np.uint64(_LARGEST):
        return np.int64(_LARGEST)
    if rest >= divisor - rest:
        quotient += one
    return np.int64(quotient)


@kernel
def to_counts(value: Floats, resolution: float, out: Ints) -> None:
    """out[i] = value[i] / resolution as an integer, half away from zero.

    A resolution that is 1/n of its unit (0.001, 1e-6, 0.25) is taken as exactly
    that, and the quotient is rounded once, however large the value; any other
    divides in float64. NaN, infinities and counts of MAX_COUNT or more give
    NO_COUNT. Definition: reference.to_counts.
    """
    per_unit = np.rint(1.0 / resolution)
    is_fraction = per_unit >= 1.0 and 1.0 / per_unit == resolution
    for i in range(value.size):
        magnitude = abs(value[i])
        if not math.isfinite(magnitude):
            out[i] = NO_COUNT
            continue
        high = magnitude * per_unit if is_fraction else magnitude / resolution
        if high >= MAX_COUNT:
            out[i] = NO_COUNT
            continue
        low = two_prod(magnitude, per_unit)[1] if is_fraction else 0.0
        count = math.floor(high) + _carry(high - math.floor(high), low)
        out[i] = -count if value[i] < 0.0 else count


@kernel
def _carry(fraction: float, low: float) -> int:
    """Sum of both, rounded half up.

    fraction is in [0, 1); if it is not 0, |low| is below its last bit.
    """
    if fraction != 0.0:
        return 1 if fraction > 0.5 or (fraction == 0.5 and low >= 0.0) else 0
    whole = math.floor(low)
    return whole + (1 if low - whole >= 0.5 else 0)


def warm_up() -> None:
    """Compile what other modules call."""
    exact_sum(np.empty(0))
    exact_sums(np.empty((0, 1)))
    muldiv_round(1, 1, 1)
    share(1, 0, 1, 2)
    to_counts(np.empty(0), 1.0, np.empty(0, np.int64))
