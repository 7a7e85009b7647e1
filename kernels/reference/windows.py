"""Definitions of `kernels.windows`: figures over columns of amounts."""

import math

import numpy as np

from kernels.rows import HOUR_US, Floats, Ints


def power_factor(active: Floats, reactive: Floats, out: Floats) -> None:
    """out[i] = a / √(a² + r²); NaN for 0 / 0."""
    for i in range(active.size):
        apparent = math.hypot(active[i], reactive[i])
        out[i] = active[i] / apparent if apparent > 0 else math.nan


def ratio(a: Floats, b: Floats, out: Floats) -> None:
    """out[i] = a[i] / b[i]; NaN where b is 0 or one is NaN."""
    for i in range(a.size):
        out[i] = math.nan if b[i] == 0 else a[i] / b[i]


def block_sums(
    start_at: Ints,
    amount: Floats,
    time_us: Ints,
    block_us: int,
    out_start_at: Ints,
    out_amount: Floats,
    out_time_us: Ints,
) -> int:
    """Sums of the known amounts of every aligned block that has one."""
    known = ~np.isnan(amount)
    blocks = np.unique((start_at - start_at % block_us)[known])
    for n, block in enumerate(blocks):
        within = known & (start_at >= block) & (start_at < block + block_us)
        out_start_at[n] = block
        out_amount[n] = math.fsum(amount[within])
        out_time_us[n] = time_us[within].sum()
    return len(blocks)


def rate(amount: Floats, time_us: Ints, out: Floats) -> None:
    """out[i] = amount per hour; NaN where there is no time."""
    for i in range(amount.size):
        out[i] = amount[i] / (time_us[i] / HOUR_US) if time_us[i] > 0 else math.nan


def load_factor(rate_of_block: Floats) -> float:
    """Mean of the blocks' rates by the largest; NaN without a rate above 0."""
    known: list[float] = rate_of_block[~np.isnan(rate_of_block)].tolist()
    if not known or max(known) <= 0:
        return math.nan
    return math.fsum(known) / len(known) / max(known)
