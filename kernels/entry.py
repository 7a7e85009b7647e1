"""The readings of a tail as entries, and what makes one count.

An entry is a reading in the list of its point. Of entries of equal time only the
last counts, the winner. Nothing here changes a list; that is `tail`.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.rows import BAD, COUNTER, DELTA, NEVER, NO_COUNT

ENTRY = np.dtype(
    [
        ("at", "i8"),
        ("value", "f8"),
        ("count", "i8"),
        ("received_at", "i8"),
        ("seq", "i8"),
        ("quality", "i8"),
        ("reasons", "i8"),
        ("later", "i8"),
        ("earlier", "i8"),
    ]
)
"""One reading; `later` and `earlier` are indices of its neighbours, -1 for none."""

TAIL_POINT = np.dtype(
    [
        ("first", "i8"),
        ("last", "i8"),
        ("size", "i8"),
        ("closed_until", "i8"),
        ("settled_until", "i8"),
        ("retain_from", "i8"),
    ]
)
"""A point's list and frontiers.

`closed_until`: intervals before it are closed. `settled_until`: a computed point
that reads this one has used readings up to here. `retain_from`: the least of the
frontiers of everything that reads the point.
"""


@kernel
def matters(entries: np.ndarray, param: np.void, e: int) -> bool:
    """Whether what is folded may begin or end at the time of entry `e`.

    A counter skips a time whose winner is no register value; for other kinds it is known to be bad.
    """
    if param["kind"] != COUNTER:
        return True
    later = entries[e]["later"]
    is_winner = later < 0 or entries[later]["at"] != entries[e]["at"]
    return bool(is_winner and entries[e]["quality"] != BAD and entries[e]["count"] != NO_COUNT)


@kernel
def reach_after(param: np.void) -> int:
    """How far beyond its time a delta reading speaks, µs; 0 of other kinds."""
    return int(param["period_us"]) if param["kind"] == DELTA and param["stamp_start"] != 0 else 0


@kernel
def touches_closed(param: np.void, closed_until: int, at: int) -> bool:
    """Whether a reading at `at` belongs to closed time: class (c) of the commit rules."""
    if closed_until == NEVER:
        return False
    if param["kind"] == DELTA:
        start = at if param["stamp_start"] != 0 else at - param["period_us"]
        return bool(start < closed_until)
    if param["sloped"] != 0 or param["kind"] == COUNTER:
        return bool(at <= closed_until)
    return bool(at < closed_until)


@kernel
def same(entry: np.void, value: float, quality: int, seq: int) -> bool:
    """Whether a reading of the entry's time is the entry again."""
    equal = entry["value"] == value or (math.isnan(entry["value"]) and math.isnan(value))
    return bool(equal and entry["quality"] == quality and entry["seq"] == seq)


@kernel
def sorts_after(entry: np.void, at: int, seq: int, received_at: int, value: float, quality: int) -> bool:
    """Whether the entry sorts after a reading: by time, seq, arrival, value (NaN lowest), quality."""
    if entry["at"] != at:
        return bool(entry["at"] > at)
    if entry["seq"] != seq:
        return bool(entry["seq"] > seq)
    if entry["received_at"] != received_at:
        return bool(entry["received_at"] > received_at)
    if math.isnan(entry["value"]) or math.isnan(value):
        if math.isnan(entry["value"]) != math.isnan(value):
            return bool(math.isnan(value))
    elif entry["value"] != value:
        return bool(entry["value"] > value)
    return bool(entry["quality"] > quality)
