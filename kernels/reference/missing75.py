"""Definitions of `kernels.missing75`: the tables of subpart D, hour by hour."""

import math

import numpy as np

from kernels.hours import (
    HOUR,
    MODC_BEFORE_AFTER,
    MODC_BIN_MEAN,
    MODC_EXTREME,
    MODC_INITIAL,
    MODC_MEASURED,
    MODC_MIDDLE,
    MODC_POTENTIAL,
    MODC_UPPER,
    MODC_ZERO,
    REPLACED,
)
from kernels.reference.availability import monitor_availability
from kernels.reference.missing import missing_hours, neighbour
from kernels.rows import Floats, Ints, Records


def nearest_rank(ascending: Floats, percentile: int) -> float:
    """The least value that so many % of the values do not exceed."""
    if ascending.size == 0:
        return math.nan
    return float(next(v for i, v in enumerate(ascending, 1) if 100 * i >= percentile * ascending.size))


def part75_code(availability_pct: float, gap_h: int, rule: Records) -> int:
    """The row of the table."""
    one = rule[0]
    short = MODC_BIN_MEAN if one["by_bin"] else MODC_BEFORE_AFTER
    bands = (
        (one["upper_pct"], one["upper_short_h"], MODC_UPPER),
        (one["middle_pct"], one["middle_short_h"], MODC_MIDDLE),
        (one["lower_pct"], -1, MODC_EXTREME),
    )
    for least, hours, longer in bands:
        if availability_pct >= least:
            return short if gap_h <= hours else longer
    return MODC_POTENTIAL


def part75_value(code: int, ascending: Floats, before: float, after: float, rule: Records) -> float:
    """The substitute that a code stands for."""
    known = [one for one in (before, after) if not math.isnan(one)]
    beside = sum(known) / len(known) if known else math.nan
    extreme = max if rule[0]["direction"] > 0 else min
    if code == MODC_POTENTIAL:
        return float(rule[0]["potential"])
    if code in {MODC_BEFORE_AFTER, MODC_INITIAL}:
        return beside
    if not ascending.size:
        return math.nan
    if code == MODC_BIN_MEAN:
        return math.fsum(ascending) / ascending.size
    if code == MODC_EXTREME:
        return float(extreme(ascending))
    name = "upper_percentile" if code == MODC_UPPER else "middle_percentile"
    ranked = nearest_rank(ascending, rule[0][name])
    return extreme(ranked, beside) if known else ranked


def counted(value: float) -> float:
    """Not below 0."""
    return max(value, 0.0)


def look_back(hours: Records, measured: Ints, until: int, load_bin: int, rule: Records) -> Floats:
    """Values of the last measured hours of the bin that are not too old."""
    oldest = hours[until]["start_at"] - rule[0]["oldest_h"] * HOUR
    found = [
        counted(hour["value"])
        for i, hour in enumerate(hours[:until])
        if measured[i] and hour["start_at"] >= oldest and load_bin in {-1, max(hour["load_bin"], 0)}
    ]
    return np.array(sorted(found[max(0, len(found) - int(rule[0]["lookback_h"])) :]))


def substitute_part75(hours: Records, rule: Records, begin: int, out: Records) -> None:
    """Every missing hour by the row of the table, the initial procedure or the potential value."""
    one, potential = rule[0], float(rule[0]["potential"])
    measured, found = missing_hours(hours, MODC_MEASURED, begin, out)
    for i in np.flatnonzero((measured != 0) & (hours["value"] < 0)).tolist():
        if i >= begin:
            out[i]["value"], out[i]["code"] = 0.0, MODC_ZERO
    available = np.zeros(hours.size)
    missing = ((hours["operating"] != 0) & (measured == 0)).astype(np.int64)
    monitor_availability(
        hours["start_at"], measured, missing, one["availability_h"], one["oldest_h"], available
    )
    for first, last, length, places in found:
        sides = neighbour(measured, first, -1), neighbour(measured, last, 1)
        before, after = (counted(float(hours[k]["value"])) if k >= 0 else math.nan for k in sides)
        chosen = available[last if one["at_end"] or sides[0] < 0 else sides[0]]
        code = part75_code(chosen, length, rule)
        if measured[:first].sum() < one["lookback_h"]:
            code = MODC_BIN_MEAN if one["by_bin"] else MODC_INITIAL
        for i in places:
            values = np.array([])
            bins = range(max(hours[i]["load_bin"], 0), 1 + max([*hours["load_bin"][:first], 0]))
            for load_bin in bins if one["by_bin"] else (-1,):
                values = look_back(hours, measured, first, load_bin, rule)
                if values.size:
                    break
            value, of_hour = part75_value(code, values, before, after, rule), code
            if math.isnan(value) or (not one["by_bin"] and math.isnan(before)):
                of_hour, value = MODC_POTENTIAL, potential
            rests_on = values.size
            if of_hour == MODC_POTENTIAL:
                rests_on = 0
            elif of_hour in {MODC_BEFORE_AFTER, MODC_INITIAL}:
                rests_on = 1 if math.isnan(after) else 2
            out[i] = (value, of_hour, REPLACED, sides[1] < 0, chosen, length, rests_on)
