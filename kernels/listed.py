"""Which readings of a register count, in the list of a tail: what may be said of an entry.

The rules are those of `fold_counter`. A list begins with an anchor: its first usable
entry is kept, whatever came before. So a glitch is told by looking back from it: of
entries in a row that would each be one if the entry before were kept, every other is.
"""

import numpy as np

from kernels._jit import kernel
from kernels.entry import matters
from kernels.rows import BAD, NO_COUNT, REPLACED
from kernels.step import fits


@kernel
def previous_used(entries: np.ndarray, param: np.void, e: int) -> int:
    """The last entry before e that matters, -1 for none."""
    e = int(entries[e]["earlier"])
    while e >= 0 and not matters(entries, param, e):
        e = int(entries[e]["earlier"])
    return e


@kernel
def _next_used(entries: np.ndarray, param: np.void, e: int) -> int:
    """The first entry after e that matters, -1 for none."""
    e = int(entries[e]["later"])
    while e >= 0 and not matters(entries, param, e):
        e = int(entries[e]["later"])
    return e


@kernel
def _arrival(entries: np.ndarray, e: int) -> int:
    """The entry at which a step to e ends: of a replacement the old register's last, else e."""
    old = int(entries[e]["earlier"])
    if entries[e]["reasons"] & REPLACED == 0 or old < 0 or entries[old]["at"] != entries[e]["at"]:
        return e
    return old if entries[old]["quality"] < BAD and entries[old]["count"] != NO_COUNT else e


@kernel
def runs_on(entries: np.ndarray, param: np.void, a: int, b: int) -> bool:
    """Whether the register can simply have run from entry a to entry b."""
    rise = entries[b]["count"] - entries[a]["count"]
    elapsed_us = entries[b]["at"] - entries[a]["at"]
    return bool(rise >= 0 and fits(rise, elapsed_us, param["max_step_count_per_h"]))


@kernel
def _may_return(entries: np.ndarray, param: np.void, p: int, e: int) -> bool:
    """Whether e would be a glitch, p being kept, if the next register were on the way of p."""
    if _arrival(entries, e) != e or runs_on(entries, param, p, e):
        return False
    return bool(param["fall_is_reset"] == 0 or entries[e]["count"] >= entries[p]["count"])


@kernel
def is_glitch(entries: np.ndarray, param: np.void, e: int) -> bool:
    """Whether usable entry e is skipped, by all that the list holds."""
    skipped = False
    n = _next_used(entries, param, e)
    p = previous_used(entries, param, e)
    while p >= 0 and n >= 0 and entries[n]["at"] - entries[e]["at"] <= param["max_gap_us"]:
        if not _may_return(entries, param, p, e):
            break
        if not runs_on(entries, param, p, _arrival(entries, n)):
            break
        skipped = not skipped
        n, e, p = e, p, previous_used(entries, param, p)
    return skipped


@kernel
def hangs_on_next(entries: np.ndarray, param: np.void, e: int) -> bool:
    """Whether the register after usable entry e decides if e is a glitch."""
    p = previous_used(entries, param, e)
    return bool(p >= 0 and _may_return(entries, param, p, e) and not is_glitch(entries, param, p))


@kernel
def anchor_of(entries: np.ndarray, param: np.void, e: int) -> int:
    """The usable entry at or before usable entry e that is kept, whatever may come after e."""
    return previous_used(entries, param, e) if hangs_on_next(entries, param, e) else e
