"""Definitions of `kernels.availability`."""

import math

import numpy as np

from kernels.hours import HOUR
from kernels.rows import Floats, Ints, Records


def measured_hours(hours: Records, measured: Ints, missing: Ints) -> None:
    """Ran, valid, in control and finite; ran and not that."""
    for i, hour in enumerate(hours):
        counts = hour["operating"] and hour["valid"] and not hour["out_of_control"]
        measured[i] = bool(counts and math.isfinite(hour["value"]))
        missing[i] = bool(hour["operating"]) and not measured[i]


def monitor_availability(
    start_at: Ints, measured: Ints, missing: Ints, operating_hours: int, oldest_h: int, out: Floats
) -> None:
    """Per hour: of the last operating hours that are not too old, the share measured."""
    for i in range(start_at.size):
        back = [k for k in range(i, -1, -1) if start_at[k] > start_at[i] - oldest_h * HOUR]
        ran = [k for k in back if measured[k] or missing[k]][:operating_hours]
        out[i] = percent(sum(measured[k] for k in ran), len(ran))


def percent(good: float, of: float) -> float:
    """100 · good / of."""
    return 100 * good / of if of > 0 else math.nan


def capture_rate(hours: float, stopped_h: float, invalid_h: float) -> float:
    """100 · (hours - stopped - invalid) / (hours - stopped)."""
    return percent(hours - stopped_h - invalid_h, hours - stopped_h)


def period_capture(period: Ints, measured: Ints, missing: Ints, out: Floats) -> None:
    """Per hour: the share of its period's operating hours that was measured."""
    for i in range(period.size):
        same = period == period[i]
        good, bad = int(measured[same].sum()), int(missing[same].sum())
        out[i] = percent(good, good + bad)


def gaps(measured: Ints, missing: Ints, first: Ints, last: Ints, length: Ints) -> int:
    """Missing hours grouped by the count of measured hours before them."""
    groups: dict[int, list[int]] = {}
    for i in range(measured.size):
        if missing[i]:
            groups.setdefault(int(measured[:i].sum()), []).append(i)
    for n, places in enumerate(groups.values()):
        first[n], last[n], length[n] = places[0], places[-1], len(places)
    return len(groups)


def is_measured(hours: Records, i: int) -> bool:
    """Of one hour."""
    measured, missing = np.zeros(hours.size, np.int64), np.zeros(hours.size, np.int64)
    measured_hours(hours, measured, missing)
    return bool(measured[i])


def gaps_from(begin: int, measured: Ints, missing: Ints, first: Ints, last: Ints, length: Ints) -> int:
    """Those that begin there or later, if none reaches over `begin`."""
    n = gaps(measured, missing, first, last, length)
    later = np.flatnonzero(first[:n] >= begin)
    for edge in (first, last, length):
        edge[: later.size] = edge[later]
    return int(later.size)
