"""Definition of `kernels.hour_facts`: hour by hour."""

import math
from itertools import pairwise

import numpy as np

from kernels.hours import HOUR
from kernels.rows import Records

MINUTE = 60_000_000
QUARTER = 15 * MINUTE


def hour_facts(
    rows: Records,
    offset_us: int,
    interval_us: int,
    least_valid_us: float,
    is_state: bool,
    away: int,
    out: Records,
) -> int:
    """A fact of the rows of each hour."""
    start = rows["start_at"] - (rows["start_at"] + offset_us) % HOUR
    begins = np.flatnonzero(np.diff(start, prepend=start[:1] - HOUR)).tolist()
    for k, (low, high) in enumerate(pairwise([*begins, rows.size])):
        out[k] = _fact(rows[low:high], int(start[low]), interval_us, least_valid_us, is_state, away)
    return len(begins)


def _fact(
    rows: Records, start: int, interval_us: int, least_valid_us: float, is_state: bool, away_reasons: int
) -> tuple[float, ...]:
    counted = (rows["valid_us"] > 0) & (rows["substituted_us"] == 0)
    rows_valid = rows[counted]
    valid_us = int(rows_valid["valid_us"].sum())
    if interval_us > MINUTE:
        minutes = rows_valid["valid_us"] - rows_valid["valid_us"] % MINUTE
    else:
        minutes = np.where(rows_valid["valid_us"] >= least_valid_us, interval_us, 0)
    value, on_us, marked = math.nan, 0, rows_valid
    if is_state:
        on_us = min(round(math.fsum(rows_valid["amount"]) * HOUR), HOUR)
        marked = rows_valid[rows_valid["amount"] > 0]
    elif valid_us:
        value = math.fsum(rows_valid["mean"] * rows_valid["valid_us"]) / valid_us
    at = marked["start_at"] - start
    last = at + interval_us - 1
    quarters = int(np.bitwise_or.reduce(1 << (at // QUARTER), initial=0))
    quarters |= int(np.bitwise_or.reduce(1 << (last // QUARTER), initial=0))
    apart = int(at[-1] - at[0]) if at.size else 0
    away = int((rows["reasons"] & away_reasons).any())
    covered_us = int(rows["covered_us"].sum())
    return start, value, valid_us, int(minutes.sum()), covered_us, on_us, quarters, apart, away
