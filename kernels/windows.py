"""Figures over columns of amounts: demand blocks, load factor, power factor, ratios.

A figure of a span is made of the sums over it, never of a mean of figures. NaN
amounts are unknown and take no part; NaN comes out where a figure has none
(0 / 0, no production). Which figure is asked for, and why one is missing, is not
decided here.
"""

import numpy as np

from kernels._jit import kernel
from kernels.exact import exact_sum
from kernels.rows import HOUR_US, Floats, Ints


@kernel
def power_factor(active: Floats, reactive: Floats, out: Floats) -> None:
    """out[i] = a / √(a² + r²) from active (kWh) and reactive (kvarh) energy; NaN for 0 / 0.

    Definition: reference.power_factor.
    """
    for i in range(active.size):
        apparent = np.hypot(active[i], reactive[i])
        out[i] = active[i] / apparent if apparent > 0.0 else np.nan


@kernel
def ratio(a: Floats, b: Floats, out: Floats) -> None:
    """out[i] = a[i] / b[i]; NaN where b is 0 or one is NaN. Definition: reference.ratio."""
    for i in range(a.size):
        out[i] = a[i] / b[i] if b[i] != 0.0 else np.nan


@kernel
def block_sums(
    start_at: Ints,
    amount: Floats,
    time_us: Ints,
    block_us: int,
    out_start_at: Ints,
    out_amount: Floats,
    out_time_us: Ints,
) -> int:
    """Sums of intervals over blocks [j · block_us, (j + 1) · block_us), as for 15-minute demand.

    start_at is sorted, in µs; time_us is the time an amount stands for. Amounts
    that are NaN add neither. A block without any is left out. Sums are correctly
    rounded. Returns the blocks written; the outputs have room for one per
    interval. Definition: reference.block_sums.
    """
    known = np.empty(start_at.size)
    n = 0
    i = 0
    while i < start_at.size:
        block = start_at[i] - start_at[i] % block_us
        count = 0
        time = 0
        while i < start_at.size and start_at[i] < block + block_us:
            if not np.isnan(amount[i]):
                known[count] = amount[i]
                count += 1
                time += time_us[i]
            i += 1
        if count > 0:
            out_start_at[n] = block
            out_amount[n] = exact_sum(known[:count])
            out_time_us[n] = time
            n += 1
    return n


@kernel
def rate(amount: Floats, time_us: Ints, out: Floats) -> None:
    """out[i] = amount per hour of time_us; NaN where that is 0. Definition: reference.rate."""
    for i in range(amount.size):
        out[i] = amount[i] / (time_us[i] / HOUR_US) if time_us[i] > 0 else np.nan


@kernel
def load_factor(rate_of_block: Floats) -> float:
    """Mean of the blocks' rates by the largest; NaN without a rate or where that is not above 0.

    Definition: reference.load_factor.
    """
    known = np.empty(rate_of_block.size)
    count = 0
    largest = 0.0
    for i in range(rate_of_block.size):
        if not np.isnan(rate_of_block[i]):
            known[count] = rate_of_block[i]
            count += 1
            largest = max(largest, rate_of_block[i])
    return exact_sum(known[:count]) / count / largest if largest > 0.0 else np.nan


def warm_up() -> None:
    """Compile what other modules call."""
    ints, floats = np.zeros(1, np.int64), np.zeros(1)
    power_factor(floats, floats, floats)
    ratio(floats, floats, floats)
    block_sums(ints, floats, ints, 1, ints, floats, ints)
    rate(floats, ints, floats)
    load_factor(floats)
