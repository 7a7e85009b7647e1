"""Which hours count, how much of the time was measured, and where the gaps are.

Columns are fields of HOUR_ROW records. Hours in which the unit did not run are neither
measured nor missing and do not end a gap. Definitions: the same names in reference.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.hours import HOUR, HOUR_ROW
from kernels.rows import Floats, Ints, Records


@kernel
def is_measured(hours: Records, i: int) -> bool:
    """Whether the value of an hour counts: it ran, is valid, in control and finite."""
    return (
        hours[i]["operating"] != 0
        and hours[i]["valid"] != 0
        and hours[i]["out_of_control"] == 0
        and math.isfinite(hours[i]["value"])
    )


@kernel
def measured_hours(hours: Records, measured: Ints, missing: Ints) -> None:
    """measured[i] 1 where the hour's value counts, missing[i] 1 where the unit ran and it does not."""
    for i in range(hours.size):
        counts = is_measured(hours, i)
        measured[i] = counts
        missing[i] = hours[i]["operating"] != 0 and not counts


@kernel
def monitor_availability(
    start_at: Ints, measured: Ints, missing: Ints, operating_hours: int, oldest_h: int, out: Floats
) -> None:
    """out[i]: % of the last operating hours up to and with hour i that were measured; NaN before the first.

    Since the first record while there are fewer than `operating_hours` (75.32, Eq. 8),
    then over that many (Eq. 9), never further back than `oldest_h` clock hours.
    """
    first, ran, good = 0, 0, 0
    for i in range(start_at.size):
        ran += measured[i] + missing[i]
        good += measured[i]
        while ran > operating_hours or start_at[first] <= start_at[i] - oldest_h * HOUR:
            ran -= measured[first] + missing[first]
            good -= measured[first]
            first += 1
        out[i] = 100.0 * good / ran if ran > 0 else np.nan


@kernel
def percent(good: float, of: float) -> float:
    """100 · good / of; NaN of nothing: monitor availability (75.32), capture rate."""
    return 100.0 * good / of if of > 0.0 else np.nan


@kernel
def capture_rate(hours: float, stopped_h: float, invalid_h: float) -> float:
    """% of the hours that the unit ran in which the data were valid; HJ 75-2017."""
    return percent(hours - stopped_h - invalid_h, hours - stopped_h)


@kernel
def period_capture(period: Ints, measured: Ints, missing: Ints, out: Floats) -> None:
    """out[i]: capture rate of the whole period hour i is of; NaN if the unit never ran in it."""
    i = 0
    while i < period.size:
        end, ran, good = i, 0, 0
        while end < period.size and period[end] == period[i]:
            ran += measured[end] + missing[end]
            good += measured[end]
            end += 1
        out[i:end] = percent(good, ran)
        i = end


@kernel
def gaps(measured: Ints, missing: Ints, first: Ints, last: Ints, length: Ints) -> int:
    """Gaps as runs of missing hours that no measured hour parts; returns how many.

    first and last are the places of their outer missing hours, length counts the
    missing hours. The outputs have room for one per record.
    """
    n = 0
    is_open = False
    for i in range(measured.size):
        if missing[i] != 0:
            if not is_open:
                first[n], length[n] = i, 0
                n += 1
                is_open = True
            last[n - 1] = i
            length[n - 1] += 1
        elif measured[i] != 0:
            is_open = False
    return n


@kernel
def gaps_from(begin: int, measured: Ints, missing: Ints, first: Ints, last: Ints, length: Ints) -> int:
    """The same of the hours from `begin` on, over which no gap reaches; places are those of all hours."""
    n = gaps(measured[begin:], missing[begin:], first, last, length)
    first[:n] += begin
    last[:n] += begin
    return n


def warm_up() -> None:
    """Compile what other modules call."""
    ints, floats = np.ones(1, np.int64), np.ones(1)
    is_measured(np.zeros(1, HOUR_ROW), 0)
    measured_hours(np.zeros(1, HOUR_ROW), ints.copy(), ints.copy())
    monitor_availability(ints, ints, ints, 1, 1, floats)
    percent(1.0, 1.0)
    capture_rate(1.0, 0.0, 0.0)
    period_capture(ints, ints, ints, floats)
    gaps(ints, ints, ints.copy(), ints.copy(), ints.copy())
    gaps_from(0, ints, ints, ints.copy(), ints.copy(), ints.copy())
