"""Whether the measured account differs from the calculated one by more than both may be off.

The bias test asks for the difference over at least a day against its whole uncertainty and
says how small a difference it could see at all: systematic errors do not average out. The
change test holds the last day against the thirty before it: what calibrations keep cancels,
so only random parts count, and it sees drift that the bias test cannot. Both take the hours
that are valid in both accounts, after each source has been moved by its transport lag.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.uncertainty.propagation import Floats, ar1_variance

DAY_H = 24
REFERENCE_H = 30 * DAY_H
LEAST_REFERENCE_H = 7 * DAY_H
"""Fewer valid hours before the day are no reference."""
EXPANDED = 2.0
PERSISTS = (2, 3)
"""So many of so many daily windows."""


def aligned(mass: Floats, lag_h: float) -> Floats:
    """Hourly masses moved back by a lag: hour t gets what was registered from t + lag to t + lag + 1 h.

    A source that is weighed half an hour after its CO2 has gone up the stack has a lag of
    0.5. Hours whose share lies beyond the array are NaN.
    """
    whole, part = math.floor(lag_h), lag_h - math.floor(lag_h)
    padded = np.concatenate([np.full(abs(whole) + 1, np.nan), mass, np.full(abs(whole) + 1, np.nan)])
    begin = abs(whole) + 1 + whole
    first, second = padded[begin : begin + mass.size], padded[begin + 1 : begin + 1 + mass.size]
    return first.copy() if part == 0.0 else (1.0 - part) * first + part * second


@dataclass(frozen=True, slots=True)
class RandomPart:
    """Random errors of the difference, per hour and standard deviation."""

    size: Floats
    """Per hour, in the unit of the masses."""
    rho: float
    step_h: int = 1
    """Hours for which an error stays the same, counted from the epoch as `uncertainty.figure` does."""
    begin_h: int = 0
    """Hour of the first size, from the epoch."""


@dataclass(frozen=True, slots=True)
class BiasTest:
    """The difference of a span."""

    hours: int
    difference: float
    u: float
    limit: float
    """2·u: a smaller steady difference cannot be seen."""
    limit_share: float
    """Of the calculated mass."""
    is_beyond: bool | None
    """None: less than a day of hours valid in both."""


@dataclass(frozen=True, slots=True)
class ChangeTest:
    """The mean difference of a day against that of the thirty days before it."""

    change: float
    """Per hour."""
    u: float
    limit: float
    is_beyond: bool


def bias_test(measured: Floats, calculated: Floats, valid: NDArray[np.bool_], u: float) -> BiasTest:
    """Test the sum of differences of the valid hours; `u` is its standard uncertainty."""
    hours = int(valid.sum())
    difference = math.fsum((measured - calculated)[valid].tolist())
    total = math.fsum(calculated[valid].tolist())
    limit = EXPANDED * u
    return BiasTest(
        hours,
        difference,
        u,
        limit,
        limit / abs(total) if total else math.nan,
        abs(difference) > limit if hours >= DAY_H else None,
    )


def change_test(
    difference: Floats, valid: NDArray[np.bool_], end: int, parts: Sequence[RandomPart]
) -> ChangeTest | None:
    """Test the day that ends at hour `end` of the arrays; None without enough valid hours.

    The correlation of the day with the days before it is counted too.
    """
    begin, first = end - DAY_H, max(0, end - DAY_H - REFERENCE_H)
    if begin < 0 or not valid[begin:end].any() or int(valid[first:begin].sum()) < LEAST_REFERENCE_H:
        return None
    if int(valid[begin:end].sum()) < DAY_H // 2:
        return None
    weight = np.zeros(end - first)
    weight[begin - first :] = valid[begin:end] / valid[begin:end].sum()
    weight[: begin - first] = -(valid[first:begin] / valid[first:begin].sum())
    used = weight != 0.0
    change = math.fsum((weight[used] * difference[first:end][used]).tolist())
    variance = 0.0
    for part in parts:
        moved = np.where(used, weight * part.size[first:end], 0.0)
        steps = (part.begin_h + np.arange(first, end)) // part.step_h
        variance += ar1_variance(np.bincount(steps - steps[0], moved).astype(np.float64), part.rho)
    u = math.sqrt(variance)
    return ChangeTest(change, u, EXPANDED * u, abs(change) > EXPANDED * u)


def drifts(
    difference: Floats, valid: NDArray[np.bool_], parts: Sequence[RandomPart]
) -> tuple[list[ChangeTest | None], bool]:
    """The change tests of the last three days, oldest first, and whether two of them agree that there is one."""
    needed, windows = PERSISTS
    ends = [difference.size - DAY_H * back for back in range(windows - 1, -1, -1)]
    found = [change_test(difference, valid, end, parts) if end >= DAY_H else None for end in ends]
    beyond = [one for one in found if one is not None and one.is_beyond]
    same_way = max(sum(one.change > 0 for one in beyond), sum(one.change < 0 for one in beyond))
    return found, same_way >= needed
