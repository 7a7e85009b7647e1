"""What the folds of all kinds share: winners, edges, and the row of an interval.

A segment is one point's readings as slices, sorted by time. Of readings at the
same time only the last counts, the winner.
"""

import math
from typing import TypeAlias

from kernels._jit import kernel
from kernels.rows import (
    BAD,
    GAP,
    GOOD,
    LATE,
    SUBSTITUTED,
    UNCERTAIN,
    Floats,
    Ints,
    Records,
)

Signal: TypeAlias = tuple[Ints, Floats, Ints, Ints]
"""A segment's columns at, value, quality, reasons."""

Registers: TypeAlias = tuple[Ints, Ints, Ints, Ints]
"""A segment's columns at, count, quality, reasons."""

Span: TypeAlias = tuple[int, int, int]
"""from_at, to_at and interval_us of a fold."""


@kernel
def winner(at: Ints, i: int) -> int:
    """The last reading at the time of reading i.

    Loops over readings write this out: a call counts references of its arrays in
    and out, atomically, which there costs more than the rest (measured).
    """
    while i + 1 < at.size and at[i + 1] == at[i]:
        i += 1
    return i


@kernel
def count_before(at: Ints, instant: int, low: int, high: int) -> int:
    """The first i of low to high with at[i] >= instant; high if there is none."""
    while low < high:
        middle = (low + high) // 2
        if at[middle] < instant:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def first_reading(at: Ints, from_at: int) -> int:
    """The winner at or last before from_at; without one the first winner. at must not be empty."""
    i = count_before(at, from_at + 1, 0, at.size) - 1
    return i if i >= 0 else winner(at, 0)


@kernel
def trust(quality: int, value: float) -> int:
    """The quality of a reading; without a finite value it is bad."""
    return quality if math.isfinite(value) else BAD


@kernel
def put_span(
    rows: Records,
    n: int,
    segment: int,
    span: tuple[int, int],
    time: tuple[int, int, int],
    trusted: tuple[int, int],
) -> None:
    """Write place, time and quality of row n.

    span is (start, end) in µs, time (covered, valid, substituted) in µs,
    trusted (worst quality used, reasons of all that touches it).
    """
    covered, valid, substituted = time
    worst, reasons = trusted
    if valid + substituted == 0:
        quality = BAD
    elif substituted > 0:
        quality = SUBSTITUTED
    elif worst > GOOD:
        quality = UNCERTAIN
    else:
        quality = GOOD
    if covered < span[1] - span[0]:
        reasons |= GAP
    row = rows[n]
    row["segment"] = segment
    row["start_at"] = span[0]
    row["covered_us"] = covered
    row["valid_us"] = valid
    row["substituted_us"] = substituted
    row["quality"] = quality
    row["reasons"] = reasons & ~LATE


@kernel
def put_amount(
    rows: Records, n: int, amount: float, amount_count: int, mean: float, least: float, largest: float
) -> None:
    """Write the figures of row n; NaN and NO_COUNT for none."""
    row = rows[n]
    row["amount"] = amount
    row["amount_count"] = amount_count
    row["mean"] = mean
    row["min"] = least
    row["max"] = largest
