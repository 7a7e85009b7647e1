"""Facts of an hour from the interval rows in it: mean over valid time, how much of it was valid, and where.

Intervals with substituted time are not counted: what the plant's own system put there is
not measured. Definitions: reference.hour_facts.
"""

import numpy as np

from kernels._jit import kernel
from kernels.exact import exact_sum
from kernels.hours import HOUR, HOUR_FACT
from kernels.rows import INTERVAL_ROW, Records

MINUTE = 60_000_000
QUARTER = 15 * MINUTE


@kernel
def hour_facts(
    rows: Records,
    offset_us: int,
    interval_us: int,
    least_valid_us: float,
    is_state: bool,
    away: int,
    out: Records,
) -> int:
    """HOUR_FACT of every hour that has a row, in order; returns how many.

    Args:
        rows: INTERVAL_ROW of one point, sorted by time.
        offset_us: of the time in which hours are full, less UTC.
        interval_us: length of an interval.
        least_valid_us: valid time from which an interval is valid as a whole.
        is_state: its amounts are hours in which it was not 0.
        away: the reasons that stand for calibration or maintenance.
        out: with room for one per row.
    """
    n, low = 0, 0
    while low < rows.size:
        start = rows[low]["start_at"] - (rows[low]["start_at"] + offset_us) % HOUR
        high = low
        while high < rows.size and rows[high]["start_at"] < start + HOUR:
            high += 1
        out[n]["start_at"] = start
        _fact(rows[low:high], start, interval_us, least_valid_us, is_state, away, out[n : n + 1])
        n += 1
        low = high
    return n


@kernel
def _fact(
    rows: Records,
    start: int,
    interval_us: int,
    least_valid_us: float,
    is_state: bool,
    away: int,
    out: Records,
) -> None:
    """All but the start of one hour's fact."""
    weighed, count = np.empty(rows.size), 0
    valid_us, minutes_us, covered_us, quarters, marked = 0, 0, 0, 0, 0
    first, last = -1, -1
    for i in range(rows.size):
        covered_us += rows[i]["covered_us"]
        marked |= rows[i]["reasons"] & away
        mine = rows[i]["valid_us"]
        if mine <= 0 or rows[i]["substituted_us"] != 0:
            continue
        valid_us += mine
        if interval_us > MINUTE:
            minutes_us += mine - mine % MINUTE
        elif mine >= least_valid_us:
            minutes_us += interval_us
        weighed[count] = rows[i]["amount"] if is_state else rows[i]["mean"] * mine
        count += 1
        if is_state and rows[i]["amount"] <= 0.0:
            continue
        at = rows[i]["start_at"] - start
        quarters |= (1 << at // QUARTER) | (1 << (at + interval_us - 1) // QUARTER)
        first = at if first < 0 else first
        last = at
    out[0]["value"], out[0]["on_us"] = np.nan, 0
    if is_state:
        out[0]["on_us"] = min(np.int64(np.rint(exact_sum(weighed[:count]) * HOUR)), HOUR)
    elif valid_us > 0:
        out[0]["value"] = exact_sum(weighed[:count]) / valid_us
    out[0]["valid_us"], out[0]["minutes_us"], out[0]["covered_us"] = valid_us, minutes_us, covered_us
    out[0]["quarters"], out[0]["apart_us"], out[0]["away"] = quarters, last - first, marked != 0


def warm_up() -> None:
    """Compile what other modules call."""
    hour_facts(np.zeros(1, INTERVAL_ROW), 0, MINUTE, 0.5, False, 1, np.zeros(1, HOUR_FACT))
