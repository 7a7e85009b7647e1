"""Definition of `kernels.screen`: for every used reading, what lies before it."""

from itertools import pairwise

import numpy as np

from kernels.reference.pieces import Reading, winners
from kernels.rows import BAD, HOUR_US, RATE, STUCK, UNCERTAIN, Floats, Ints, Records


def screen(offsets: Ints, at: Ints, value: Floats, quality: Ints, reasons: Ints, params: Records) -> None:
    """Flag the readings of segments whose points have rules."""
    for j, param in enumerate(params):
        rows = range(offsets[j], offsets[j + 1])
        place = {int(at[i]): i for i in rows}  # the last of each time
        columns = zip(at[rows], value[rows], quality[rows], reasons[rows], strict=True)
        every = winners([Reading(int(t), float(v), 0, int(q), int(r)) for t, v, q, r in columns])
        used = [reading for reading in every if reading.signal_quality < BAD]
        for k, reading in enumerate(used):
            bits = (RATE if _is_fast(used[:k], reading, param) else 0) | (
                STUCK if _is_stuck(used[: k + 1], param) else 0
            )
            if bits:
                i = place[reading.at]
                quality[i] = max(int(quality[i]), UNCERTAIN)
                reasons[i] |= bits


def _is_fast(before: list[Reading], reading: Reading, param: np.void) -> bool:
    """Whether it is too far from the used reading before it."""
    if not before or param["max_rate_per_h"] <= 0 or reading.at - before[-1].at > param["max_gap_us"]:
        return False
    change = abs(reading.value - before[-1].value)
    return bool(change * HOUR_US > param["max_rate_per_h"] * (reading.at - before[-1].at))


def _is_stuck(used: list[Reading], param: np.void) -> bool:
    """Whether the last of the used readings has stood still for long enough."""
    newest, after_us = used[-1], int(param["stuck_after_us"])
    if after_us <= 0 or param["stuck_low"] <= newest.value <= param["stuck_high"]:
        return False
    old = [k for k, reading in enumerate(used) if reading.at <= newest.at - after_us]
    if not old:
        return False
    stretch = used[old[-1] :]
    values = [reading.value for reading in stretch]
    gaps = [b.at - a.at for a, b in pairwise(stretch)]
    still = max(values) - min(values) <= param["stuck_band"] and max(gaps) <= param["max_gap_us"]
    return bool(still and len(stretch) >= 3)
