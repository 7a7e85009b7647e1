"""Facts of an hour from the interval rows in it: mean over valid time, how much of it was valid, and where.

A fact is local: it needs the rows of its hour and no other, so a late reading changes
the facts of the hours it touches. Time with a substitute from the plant's own system is
not valid, so whole intervals that hold some are left out. Nothing is clipped: what is
impossible was marked bad when it was admitted, and is in no mean.
"""

import math
from itertools import pairwise

import numpy as np

from ingest.model import HOUR, MINUTE, Reason
from ingest.pipeline.batch import Rows
from kernels.rows import Records

QUARTER = 15 * MINUTE

HOUR_FACT = np.dtype(
    [
        ("start_at", np.int64),  # µs UTC
        ("value", np.float64),  # mean over valid time; NaN none
        ("valid_us", np.int64),
        ("minutes_us", np.int64),  # of minutes that are valid as a whole
        ("covered_us", np.int64),
        ("on_us", np.int64),  # of a state: when it was not 0
        ("quarters", np.int64),  # bit q: something valid, of a state not 0, in that quarter
        ("apart_us", np.int64),  # from the first valid interval to the last
        ("away", np.int64),  # 1: calibration or maintenance in it
    ]
)

_AWAY = int(Reason.CALIBRATION | Reason.MAINTENANCE)


def hour_begin(at: int, offset_us: int) -> int:
    """The begin of the hour an instant lies in, µs; hours begin at full hours of a time offset_us ahead of UTC."""
    return at - (at + offset_us) % HOUR


def hour_facts(
    rows: Rows, *, offset_us: int, interval_us: int, least_valid_us: float, is_state: bool
) -> Records:
    """HOUR_FACT of every hour that has a row, in order.

    Args:
        rows: INTERVAL_ROW of one point, sorted by time.
        offset_us: of the time in which hours are full, less UTC.
        interval_us: length of an interval.
        least_valid_us: valid time from which an interval is valid as a whole.
        is_state: its amounts are hours in which it was not 0.
    """
    if not rows.size:
        return np.zeros(0, HOUR_FACT)
    start = rows["start_at"] - (rows["start_at"] + offset_us) % HOUR
    begins = np.flatnonzero(np.diff(start, prepend=start[0] - HOUR)).tolist()
    found = np.zeros(len(begins), HOUR_FACT)
    for k, (low, high) in enumerate(pairwise([*begins, rows.size])):
        found[k] = _fact(rows[low:high], int(start[low]), interval_us, least_valid_us, is_state=is_state)
    return found


def _fact(
    rows: Rows, start: int, interval_us: int, least_valid_us: float, *, is_state: bool
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
    away = int((rows["reasons"] & _AWAY).any())
    covered_us = int(rows["covered_us"].sum())
    return start, value, valid_us, int(minutes.sum()), covered_us, on_us, quarters, apart, away
