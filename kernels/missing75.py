"""Missing data by 40 CFR 75 subpart D: availability and length of the gap choose the substitute.

Two tables with one shape: that of concentrations (mean of the hour before and after) and
that of flow (mean of the load bin). For a quantity of which a low value overstates
emissions the direction reverses: 10th for 90th percentile, least for largest. Percentiles
are by nearest rank. A negative value counts as 0, with a code that says so. A gap's hours
all change code when it grows past a limit; the value and the code are provisional until
the gap ends. Rows are made from a place on, as in `missing`. Definitions: reference.
"""

import numpy as np

from kernels._jit import kernel
from kernels.availability import gaps_from, measured_hours, monitor_availability
from kernels.exact import exact_sum
from kernels.hours import (
    HOUR,
    HOUR_ROW,
    MODC_BEFORE_AFTER,
    MODC_BIN_MEAN,
    MODC_EXTREME,
    MODC_INITIAL,
    MODC_MEASURED,
    MODC_MIDDLE,
    MODC_POTENTIAL,
    MODC_UPPER,
    MODC_ZERO,
    PART75_RULE,
    REPLACED,
    SUBSTITUTE_ROW,
)
from kernels.missing import begin_rows, neighbour
from kernels.rows import Floats, Ints, Records


@kernel
def nearest_rank(ascending: Floats, percentile: int) -> float:
    """The percentile by nearest rank: value number ceil(p · n); NaN of nothing."""
    if ascending.size == 0:
        return np.nan
    rank = -(-percentile * ascending.size // 100)
    return float(ascending[max(rank, 1) - 1])


@kernel
def part75_code(availability_pct: float, gap_h: int, rule: Records) -> int:
    """The method of determination by availability and length of gap."""
    short = MODC_BIN_MEAN if rule[0]["by_bin"] != 0 else MODC_BEFORE_AFTER
    if availability_pct >= rule[0]["upper_pct"]:
        return short if gap_h <= rule[0]["upper_short_h"] else MODC_UPPER
    if availability_pct >= rule[0]["middle_pct"]:
        return short if gap_h <= rule[0]["middle_short_h"] else MODC_MIDDLE
    return MODC_EXTREME if availability_pct >= rule[0]["lower_pct"] else MODC_POTENTIAL


@kernel
def part75_value(code: int, ascending: Floats, before: float, after: float, rule: Records) -> float:
    """The substitute of a code.

    ascending: the look-back, sorted; before and after: measured hours beside the gap, NaN
    one that is not there (yet): the other alone then. NaN where nothing is known.
    """
    beside = after if np.isnan(before) else before if np.isnan(after) else (before + after) / 2.0
    if code == MODC_POTENTIAL:
        return float(rule[0]["potential"])
    if code in (MODC_BEFORE_AFTER, MODC_INITIAL):
        return beside
    if ascending.size == 0:
        return np.nan
    if code == MODC_BIN_MEAN:
        return exact_sum(ascending) / ascending.size
    high = rule[0]["direction"] > 0
    if code == MODC_EXTREME:
        return float(ascending[-1] if high else ascending[0])
    percentile = rule[0]["upper_percentile"] if code == MODC_UPPER else rule[0]["middle_percentile"]
    ranked = nearest_rank(ascending, percentile)
    if np.isnan(beside):
        return ranked
    return max(ranked, beside) if high else min(ranked, beside)


@kernel
def counted(value: float) -> float:
    """What a measured value counts as: a negative one as 0."""
    return max(value, 0.0)


@kernel
def look_back(hours: Records, measured: Ints, until: int, load_bin: int, rule: Records) -> Floats:
    """The last measured values before place `until`, sorted; of one bin unless load_bin < 0."""
    found = np.empty(rule[0]["lookback_h"])
    count, i = 0, until - 1
    oldest = hours[until]["start_at"] - rule[0]["oldest_h"] * HOUR
    while i >= 0 and count < found.size and hours[i]["start_at"] >= oldest:
        if measured[i] != 0 and (load_bin < 0 or max(hours[i]["load_bin"], 0) == load_bin):
            found[count] = counted(hours[i]["value"])
            count += 1
        i -= 1
    return np.sort(found[:count])


@kernel
def _of_bin(hours: Records, measured: Ints, first: int, load_bin: int, rule: Records) -> Floats:
    """The look-back of a load bin before place `first`; of the next higher bin that has data if it has none."""
    values = look_back(hours, measured, first, load_bin, rule)
    if values.size == 0:
        highest = 0
        for i in range(first):
            highest = max(highest, hours[i]["load_bin"])
        while values.size == 0 and load_bin < highest:
            load_bin += 1
            values = look_back(hours, measured, first, load_bin, rule)
    return values


@kernel
def _write(
    value: float, code: int, before: float, after: float, known: int, rule: Records, row: Records
) -> None:
    """Value and code into one row; known: how many values the look-back had."""
    if np.isnan(value) or (rule[0]["by_bin"] == 0 and np.isnan(before)):
        code, value = MODC_POTENTIAL, rule[0]["potential"]
    row[0]["value"], row[0]["code"], row[0]["state"] = value, code, REPLACED
    if code == MODC_POTENTIAL:
        row[0]["rests_on"] = 0
    elif code in (MODC_BEFORE_AFTER, MODC_INITIAL):
        row[0]["rests_on"] = 2 - np.isnan(after)
    else:
        row[0]["rests_on"] = known


@kernel
def _fill_gap(
    hours: Records, measured: Ints, missing: Ints, first: int, last: int, before: float, after: float,
    code: int, rule: Records, out: Records,
) -> None:  # fmt: skip
    """Value and code of the missing hours of a gap.

    Of flow without data in the hour's bin the next higher bin that has some stands in;
    without any, and before anything was measured, the potential value.
    """
    by_bin = rule[0]["by_bin"] != 0
    looks_back = code != MODC_POTENTIAL and (by_bin or code not in (MODC_BEFORE_AFTER, MODC_INITIAL))
    made_for, value, known = -2, np.nan, 0  # of the hours of one bin the look-back is the same
    for i in range(first, last + 1):
        if missing[i] == 0:
            continue
        load_bin = max(hours[i]["load_bin"], 0) if by_bin else -1
        if load_bin != made_for:
            values = np.empty(0)
            if looks_back and by_bin:
                values = _of_bin(hours, measured, first, load_bin, rule)
            elif looks_back:
                values = look_back(hours, measured, first, -1, rule)
            made_for, value, known = load_bin, part75_value(code, values, before, after, rule), values.size
        _write(value, code, before, after, known, rule, out[i : i + 1])


@kernel
def _is_initial(measured: Ints, until: int, lookback_h: int) -> bool:
    """Whether fewer hours than a look-back takes were measured before a place."""
    count, i = 0, until - 1
    while i >= 0 and count < lookback_h:
        count += measured[i]
        i -= 1
    return count < lookback_h


@kernel
def substitute_part75(hours: Records, rule: Records, begin: int, out: Records) -> None:
    """Every missing hour by the standard procedure, or the initial one before the look-back is full.

    hours (HOUR_ROW) begin with certification. While a gap is open its length and
    availability are those so far and the hour before stands for the mean.
    """
    n = hours.size
    measured, missing = np.empty(n, np.int64), np.empty(n, np.int64)
    measured_hours(hours, measured, missing)
    begin_rows(hours, measured, missing, MODC_MEASURED, begin, out)
    for i in range(begin, n):
        if measured[i] != 0 and hours[i]["value"] < 0.0:
            out[i]["value"], out[i]["code"] = 0.0, MODC_ZERO
    first, last, length = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    found = gaps_from(begin, measured, missing, first, last, length)
    if found == 0:
        return
    available = np.empty(n)
    monitor_availability(
        hours["start_at"].copy(), measured, missing, rule[0]["availability_h"], rule[0]["oldest_h"], available
    )
    for g in range(found):
        before_at, after_at = neighbour(measured, first[g], -1), neighbour(measured, last[g], 1)
        before = counted(hours[before_at]["value"]) if before_at >= 0 else np.nan
        after = counted(hours[after_at]["value"]) if after_at >= 0 else np.nan
        at = last[g] if rule[0]["at_end"] != 0 or before_at < 0 else before_at
        code = part75_code(available[at], length[g], rule)
        if _is_initial(measured, first[g], rule[0]["lookback_h"]):
            code = MODC_BIN_MEAN if rule[0]["by_bin"] != 0 else MODC_INITIAL
        for i in range(first[g], last[g] + 1):
            if missing[i] != 0:
                out[i]["availability_pct"], out[i]["gap_h"] = available[at], length[g]
                out[i]["provisional"] = after_at < 0
        _fill_gap(hours, measured, missing, first[g], last[g], before, after, code, rule, out)


def warm_up() -> None:
    """Compile what other modules call."""
    hours, out, rule = np.zeros(2, HOUR_ROW), np.zeros(2, SUBSTITUTE_ROW), np.zeros(1, PART75_RULE)
    nearest_rank(np.ones(1), 90)
    part75_code(1.0, 1, rule)
    part75_value(6, np.ones(1), 1.0, 1.0, rule)
    look_back(hours, np.zeros(2, np.int64), 0, -1, rule)
    counted(0.0)
    substitute_part75(hours, rule, 0, out)
