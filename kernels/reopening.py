"""Whether a reading that has a place in a tail changes what has been closed.

What was closed stands on the readings around its last edge as they were known then.
Readings of closed time itself are told before (`entry.touches_closed`).
"""

import numpy as np

from kernels._jit import kernel
from kernels.entry import matters
from kernels.listed import hangs_on_next, previous_used
from kernels.rows import BAD, COUNTER, DELTA, NEVER


@kernel
def reopens(entries: np.ndarray, param: np.void, point: np.void, spot: int, at: int, quality: int) -> bool:
    """Whether the reading after entry `spot` changes a segment that a closed interval has used.

    A sloped segment or counter step that crosses `closed_until` was closed with the
    bracket known then; a reading inside it, one that corrects the bracket, or one that
    ends a gap a counter has lived through, changes what was closed. So does one by which
    a counter's bracket may become a glitch or be none any more.
    """
    closed_until = point["closed_until"]
    if at <= point["settled_until"]:
        return True
    counter = param["kind"] == COUNTER
    if closed_until == NEVER or not (counter or (param["sloped"] != 0 and param["kind"] != DELTA)):
        return False
    later = entries[spot]["later"] if spot >= 0 else point["first"]
    if counter and quality == BAD and not _stands_beside(entries, spot, later, at):
        return False
    while spot >= 0 and (entries[spot]["at"] == at or not matters(entries, param, spot)):
        spot = entries[spot]["earlier"]
    if spot < 0:
        return False
    if entries[spot]["at"] >= closed_until:
        return counter and _hinges(entries, param, spot, at, closed_until)
    return bool(counter or later >= 0 or at - entries[spot]["at"] <= param["max_gap_us"])


@kernel
def _stands_beside(entries: np.ndarray, spot: int, later: int, at: int) -> bool:
    """Whether there is another reading of the time: one that it beats, or that beats it and is in conflict with it."""
    return bool((spot >= 0 and entries[spot]["at"] == at) or (later >= 0 and entries[later]["at"] == at))


@kernel
def _hinges(entries: np.ndarray, param: np.void, e: int, at: int, closed_until: int) -> bool:
    """Whether usable e brackets closed time and the next register, now one at `at`, decides if it counts."""
    if at - entries[e]["at"] > param["max_gap_us"]:
        return False
    p = previous_used(entries, param, e)
    return bool(p >= 0 and entries[p]["at"] < closed_until and hangs_on_next(entries, param, e))
