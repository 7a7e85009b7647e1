"""Definitions of `kernels.missing`: what is put into an hour, hour by hour.

All rows are made; those from `begin` on are told.
"""

import math
import statistics

import numpy as np

from kernels.hours import BELOW_MIN_CAPTURE, MEASURED, NO_LOOKBACK, REPLACED, STOPPED
from kernels.reference.availability import gaps, measured_hours, period_capture
from kernels.rows import Floats, Ints, Records


def unparted(hours: Records, place: int) -> int:
    """The place after the last measured hour before `place`."""
    measured, missing = np.zeros(hours.size, np.int64), np.zeros(hours.size, np.int64)
    measured_hours(hours, measured, missing)
    return neighbour(measured, place, -1) + 1


def begin_of_period(hours: Records, place: int) -> int:
    """The least place of the same period."""
    return int(np.flatnonzero(hours["period"] == hours[place]["period"])[0])


def begin_rows(hours: Records, measured: Ints, missing: Ints, code: int, begin: int, out: Records) -> None:
    """Measured hours with value and code, others without."""
    for i in range(begin, hours.size):
        state = MEASURED if measured[i] else NO_LOOKBACK if missing[i] else STOPPED
        value = hours[i]["value"] if measured[i] else math.nan
        out[i] = (value, code if measured[i] else 0, state, 0, math.nan, 0, 0)


def neighbour(measured: Ints, place: int, step: int) -> int:
    """The nearest measured place in that direction."""
    there = range(place + 1, measured.size) if step > 0 else range(place - 1, -1, -1)
    return next((i for i in there if measured[i]), -1)


def missing_hours(
    hours: Records, code: int, begin: int, out: Records
) -> tuple[Ints, list[tuple[int, int, int, list[int]]]]:
    """Measured flags, and of every gap from `begin` on (first, last, length, its missing places); rows begun."""
    n = hours.size
    measured, missing = np.zeros(n, np.int64), np.zeros(n, np.int64)
    measured_hours(hours, measured, missing)
    begin_rows(hours, measured, missing, code, begin, out)
    first, last, length = (np.zeros(n, np.int64) for _ in range(3))
    found = []
    for g in range(gaps(measured, missing, first, last, length)):
        places = [i for i in range(first[g], last[g] + 1) if missing[i]]
        if first[g] >= begin:
            found.append((int(first[g]), int(last[g]), int(length[g]), places))
    return measured, found


def hj75_lookback(capture_pct: float, gap_h: int, rule: Records) -> int:
    """The row of the table."""
    one = rule[0]
    if capture_pct >= one["upper_pct"] and gap_h <= one["short_h"]:
        return int(one["short_lookback_h"])
    if capture_pct >= one["upper_pct"]:
        return int(one["long_lookback_h"])
    return int(one["low_lookback_h"]) if capture_pct >= one["lower_pct"] else 0


def substitute_hj75(hours: Records, rule: Records, open_period: int, begin: int, out: Records) -> None:
    """Largest mass of the last measured hours before the gap."""
    measured, found = missing_hours(hours, 0, begin, out)
    capture = np.zeros(hours.size)
    period_capture(hours["period"], measured, (hours["operating"] != 0) & (measured == 0), capture)
    for first, last, length, places in found:
        for i in places:
            wanted = hj75_lookback(capture[i], length, rule)
            before = [hours[k]["value"] for k in range(first) if measured[k]]
            used = before[max(0, len(before) - wanted) :]
            state = BELOW_MIN_CAPTURE if not wanted else REPLACED if used else NO_LOOKBACK
            provisional = neighbour(measured, last, 1) < 0 or hours[i]["period"] >= open_period
            value = max(used) if state == REPLACED else math.nan
            rests_on = len(used) if state == REPLACED else 0
            out[i] = (value, 0, state, provisional, capture[i], length, rests_on)


def mean_and_deviations(value: Floats, deviations: float) -> float:
    """C̄ + 2 s."""
    return float(np.mean(value) + deviations * statistics.stdev(value)) if value.size > 1 else math.nan


def substitute_mrr(hours: Records, deviations: float, open_period: int, begin: int, out: Records) -> None:
    """Mean + 2 s of the measured hours of the same period."""
    measured, found = missing_hours(hours, 0, begin, out)
    for _, _, length, places in found:
        for i in places:
            same = hours["value"][(measured != 0) & (hours["period"] == hours[i]["period"])]
            enough = same.size > 1
            value, state = mean_and_deviations(same, deviations), REPLACED if enough else NO_LOOKBACK
            provisional = hours[i]["period"] >= open_period
            out[i] = (value, 0, state, provisional, math.nan, length, same.size if enough else 0)


def substitute_neighbours(hours: Records, begin: int, out: Records) -> None:
    """Mean of what stands beside the gap."""
    measured, found = missing_hours(hours, 0, begin, out)
    for first, last, length, places in found:
        sides = (neighbour(measured, first, -1), neighbour(measured, last, 1))
        known = [float(hours[k]["value"]) for k in sides if k >= 0]
        for i in places:
            value, state = (sum(known) / len(known), REPLACED) if known else (math.nan, NO_LOOKBACK)
            out[i] = (value, 0, state, sides[1] < 0, math.nan, length, len(known))
