"""Facts of an hour from the interval rows in it: mean over valid time, how much of it was valid, and where.

A fact is local: it needs the rows of its hour and no other, so a late reading changes
the facts of the hours it touches. Time with a substitute from the plant's own system is
not valid, so whole intervals that hold some are left out. Nothing is clipped: what is
impossible was marked bad when it was admitted, and is in no mean.
"""

import numpy as np

from ingest.model import HOUR, Reason
from ingest.pipeline.batch import Rows
from kernels import hour_facts as kernel
from kernels.hours import HOUR_FACT
from kernels.rows import Records

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
    found = np.zeros(rows.size, HOUR_FACT)
    n = kernel.hour_facts(rows, offset_us, interval_us, float(least_valid_us), is_state, _AWAY, found)
    return found[:n].copy()
