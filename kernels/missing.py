"""Missing data over hour records: what each regime puts where an analyser has no valid hour.

Arrays in, arrays out; pure over what is known when it is called. A rule that needs the
hour after, the length of a gap or a whole period gives a provisional row until these
are there, and calling it again over the longer columns tells the hours anew. Rows are
made from the place `begin` on and those before it are left as they are, so going on
costs what is new; no gap may reach over it (`unparted`). Measured hours come out as
they are, hours without operation without a value. What each rule demands is data of
`ingest.methods`. Definitions: the same names in reference.
"""

import numpy as np

from kernels._jit import kernel
from kernels.availability import gaps_from, is_measured, measured_hours, period_capture
from kernels.hours import (
    BELOW_MIN_CAPTURE,
    HJ75_RULE,
    HOUR_ROW,
    MEASURED,
    NO_LOOKBACK,
    REPLACED,
    STOPPED,
    SUBSTITUTE_ROW,
)
from kernels.quality import deviation, mean
from kernels.rows import Floats, Ints, Records


@kernel
def unparted(hours: Records, place: int) -> int:
    """The first place from which no measured hour parts `place`: where a gap that reaches over it can have begun."""
    while place > 0 and not is_measured(hours, place - 1):
        place -= 1
    return place


@kernel
def begin_rows(hours: Records, measured: Ints, missing: Ints, code: int, begin: int, out: Records) -> None:
    """Rows of measured and stopped hours; what is missing has no value yet."""
    for i in range(begin, hours.size):
        out[i]["value"] = hours[i]["value"] if measured[i] != 0 else np.nan
        out[i]["code"] = code if measured[i] != 0 else 0
        out[i]["state"] = MEASURED if measured[i] != 0 else NO_LOOKBACK if missing[i] != 0 else STOPPED
        out[i]["provisional"] = 0
        out[i]["availability_pct"] = np.nan
        out[i]["gap_h"] = 0
        out[i]["rests_on"] = 0


@kernel
def neighbour(measured: Ints, place: int, step: int) -> int:
    """Place of the next measured hour from `place` in the direction of step; -1 if there is none."""
    i = place + step
    while 0 <= i < measured.size:
        if measured[i] != 0:
            return i
        i += step
    return -1


@kernel
def hj75_lookback(capture_pct: float, gap_h: int, rule: Records) -> int:
    """How many valid hours the largest mass is taken from; 0: the table has no row for it."""
    if capture_pct >= rule[0]["upper_pct"]:
        return int(rule[0]["short_lookback_h"] if gap_h <= rule[0]["short_h"] else rule[0]["long_lookback_h"])
    return int(rule[0]["low_lookback_h"]) if capture_pct >= rule[0]["lower_pct"] else 0


@kernel
def begin_of_period(hours: Records, place: int) -> int:
    """The first place of the period that `place` is of."""
    while place > 0 and hours[place - 1]["period"] == hours[place]["period"]:
        place -= 1
    return place


@kernel
def _largest(hours: Records, measured: Ints, until: int, wanted: int) -> tuple[float, int]:
    """Largest of the last `wanted` measured values before a place, and how many there were."""
    largest, found, k = -np.inf, 0, until - 1
    while k >= 0 and found < wanted:
        if measured[k] != 0:
            largest = max(largest, hours[k]["value"])
            found += 1
        k -= 1
    return largest, found


@kernel
def substitute_hj75(hours: Records, rule: Records, open_period: int, begin: int, out: Records) -> None:
    """Hourly mass by the table of HJ 75-2017.

    The largest mass of so many measured hours before the gap; an out-of-control span
    reaches back to the last passed calibration, so its gap begins there. Capture is that
    of the hour's period. Below the least capture there is no value. Provisional while the
    gap or the period (open_period and later) is open.
    """
    n = hours.size
    measured, missing = np.empty(n, np.int64), np.empty(n, np.int64)
    measured_hours(hours, measured, missing)
    begin_rows(hours, measured, missing, 0, begin, out)
    first, last, length = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    found = gaps_from(begin, measured, missing, first, last, length)
    if found == 0:
        return
    whole = begin_of_period(hours, begin)
    capture = np.empty(n - whole)
    period_capture(hours["period"][whole:].copy(), measured[whole:], missing[whole:], capture)
    for g in range(found):
        is_open = neighbour(measured, last[g], 1) < 0
        known, largest, count = 0, -np.inf, 0
        for i in range(first[g], last[g] + 1):
            if missing[i] == 0:
                continue
            share = capture[i - whole]
            out[i]["availability_pct"], out[i]["gap_h"] = share, length[g]
            out[i]["provisional"] = is_open or hours[i]["period"] >= open_period
            wanted = hj75_lookback(share, length[g], rule)
            if wanted == 0:
                out[i]["state"] = BELOW_MIN_CAPTURE
                continue
            if wanted != known:
                known = wanted
                largest, count = _largest(hours, measured, first[g], wanted)
            if count > 0:
                out[i]["value"], out[i]["rests_on"], out[i]["state"] = largest, count, REPLACED


@kernel
def mean_and_deviations(value: Floats, deviations: float) -> float:
    """Mean + deviations · s, s with n - 1: MRR annex VIII Eq. 4. NaN of fewer than two values."""
    return mean(value) + deviations * deviation(value)


@kernel
def substitute_mrr(hours: Records, deviations: float, open_period: int, begin: int, out: Records) -> None:
    """Concentration by MRR Art. 45(3): mean + 2 standard deviations of the measured hours of the reporting period.

    Provisional in open_period and later: the period's mean is not there yet.
    """
    n = hours.size
    measured, missing = np.empty(n, np.int64), np.empty(n, np.int64)
    measured_hours(hours, measured, missing)
    begin_rows(hours, measured, missing, 0, begin, out)
    first, last, length = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for g in range(gaps_from(begin, measured, missing, first, last, length)):
        for i in range(first[g], last[g] + 1):
            out[i]["gap_h"] = length[g] if missing[i] != 0 else 0
    i = begin
    while i < n:
        end, gone = i, 0
        while end < n and hours[end]["period"] == hours[i]["period"]:
            gone += missing[end]
            end += 1
        if gone > 0:
            low = begin_of_period(hours, i)
            value, count = _mean_of(hours, measured, low, end, deviations)
            for k in range(i, end):
                if missing[k] != 0:
                    out[k]["provisional"] = hours[k]["period"] >= open_period
                    if count >= 2:
                        out[k]["value"], out[k]["rests_on"], out[k]["state"] = value, count, REPLACED
        i = end


@kernel
def _mean_of(hours: Records, measured: Ints, begin: int, end: int, deviations: float) -> tuple[float, int]:
    """Mean and deviations of the measured hours in [begin, end), and how many there are."""
    known, count = np.empty(end - begin), 0
    for i in range(begin, end):
        if measured[i] != 0:
            known[count] = hours[i]["value"]
            count += 1
    return mean_and_deviations(known[:count], deviations), count


@kernel
def substitute_neighbours(hours: Records, begin: int, out: Records) -> None:
    """Mean of the measured hours before and after the gap: 40 CFR 98.35(b)(1).

    The one before alone while there is none after (provisional), the first after alone
    where nothing was measured before.
    """
    n = hours.size
    measured, missing = np.empty(n, np.int64), np.empty(n, np.int64)
    measured_hours(hours, measured, missing)
    begin_rows(hours, measured, missing, 0, begin, out)
    first, last, length = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for g in range(gaps_from(begin, measured, missing, first, last, length)):
        before, after = neighbour(measured, first[g], -1), neighbour(measured, last[g], 1)
        value = hours[max(before, after)]["value"]
        if before >= 0 and after >= 0:
            value = (hours[before]["value"] + hours[after]["value"]) / 2.0
        for i in range(first[g], last[g] + 1):
            if missing[i] != 0:
                out[i]["gap_h"], out[i]["provisional"] = length[g], after < 0
                if before >= 0 or after >= 0:
                    out[i]["value"], out[i]["state"] = value, REPLACED
                    out[i]["rests_on"] = (before >= 0) + (after >= 0)


def warm_up() -> None:
    """Compile what other modules call."""
    hours, out, rule = np.zeros(2, HOUR_ROW), np.zeros(2, SUBSTITUTE_ROW), np.zeros(1, HJ75_RULE)
    ints = np.zeros(2, np.int64)
    unparted(hours, 0)
    begin_of_period(hours, 0)
    begin_rows(hours, ints, ints, 0, 0, out)
    neighbour(ints, 0, 1)
    hj75_lookback(1.0, 1, rule)
    mean_and_deviations(np.ones(2), 2.0)
    substitute_hj75(hours, rule, 0, 0, out)
    substitute_mrr(hours, 2.0, 0, 0, out)
    substitute_neighbours(hours, 0, out)
