"""How far from an instant the readings lie that a register's steps there depend on.

Given are the usable readings of registers next to an instant, a stretch each, which
may have to be longer to tell. Which readings those are is told in fold_counter. Twins
in `reference`.
"""

import numpy as np

from kernels._jit import kernel
from kernels.fold_row import Registers
from kernels.register import arrival, next_usable, previous_usable, runs_on
from kernels.rows import NEVER, POINT_PARAMS, Ints, Records

UNTOLD = NEVER - 1
"""The stretch is too short to tell."""


@kernel
def anchors(
    offsets: Ints,
    at: Ints,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    whole: Ints,
    out: Ints,
) -> None:
    """Per stretch the last anchor in it: a reading that is kept, whatever was before (int64 out, µs).

    whole[j] is 1 if there is nothing before the stretch. NEVER: there is none.
    Definition: reference.anchors.
    """
    for j in range(params.size):
        low, high = offsets[j], offsets[j + 1]
        readings = (at[low:high], count[low:high], quality[low:high], reasons[low:high])
        out[j] = _anchor(readings, params[j], whole[j])


@kernel
def _anchor(readings: Registers, param: np.void, whole: int) -> int:
    at, count, quality, _ = readings
    i = previous_usable(at, count, quality, at.size)
    while i >= 0:
        p = previous_usable(at, count, quality, i)
        if arrival(readings, i) != i or (p >= 0 and runs_on(readings, p, i, param)) or (p < 0 and whole != 0):
            return int(at[i])
        i = p
    return NEVER if whole != 0 else UNTOLD


@kernel
def turns_from(
    offsets: Ints,
    at: Ints,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    until: Ints,
    whole: Ints,
    out: Ints,
) -> None:
    """From which reading on steps may change with readings at or after until[j], which follow stretch j.

    That is the last reading, or the one before if the next register decides whether the
    last is a glitch (int64 out, µs). NEVER: there is none. Definition: reference.turns_from.
    """
    for j in range(params.size):
        low, high = offsets[j], offsets[j + 1]
        readings = (at[low:high], count[low:high], quality[low:high], reasons[low:high])
        i = previous_usable(readings[0], readings[1], readings[2], high - low)
        if i < 0:
            out[j] = NEVER if whole[j] != 0 else UNTOLD
            continue
        out[j] = readings[0][i]
        p = previous_usable(readings[0], readings[1], readings[2], i)
        if until[j] - readings[0][i] > params[j]["max_gap_us"] or arrival(readings, i) != i:
            continue
        if p < 0:
            out[j] = readings[0][i] if whole[j] != 0 else UNTOLD
        elif not runs_on(readings, p, i, params[j]):
            out[j] = readings[0][p]


@kernel
def turns_until(
    offsets: Ints,
    at: Ints,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    whole: Ints,
    out: Ints,
) -> None:
    """Up to which reading steps may change with readings before stretch j (int64 out, µs).

    That is the first reading of the stretch if it is no glitch in any case, else the next
    that is kept in any case. whole[j] is 1 if there is nothing after the stretch. NEVER:
    there is none. Definition: reference.turns_until.
    """
    for j in range(params.size):
        low, high = offsets[j], offsets[j + 1]
        readings = (at[low:high], count[low:high], quality[low:high], reasons[low:high])
        out[j] = _turns_until(readings, params[j], whole[j])


@kernel
def _turns_until(readings: Registers, param: np.void, whole: int) -> int:
    at, count, quality, _ = readings
    p, i = -1, next_usable(at, count, quality, -1)
    while i < at.size:
        if arrival(readings, i) != i or (p >= 0 and runs_on(readings, p, i, param)):
            return int(at[i])
        n = next_usable(at, count, quality, i)
        if n < at.size and at[n] - at[i] > param["max_gap_us"]:
            return int(at[i])
        if n >= at.size and whole != 0:
            return int(at[i])
        p, i = i, n
    return NEVER if whole != 0 and p < 0 else UNTOLD


@kernel
def seconds(offsets: Ints, at: Ints, count: Ints, quality: Ints, whole: Ints, out: Ints) -> None:
    """Per stretch its second reading (int64 out, µs); NEVER: there is none. Definition: reference.seconds."""
    for j in range(whole.size):
        low, high = offsets[j], offsets[j + 1]
        i = next_usable(at[low:high], count[low:high], quality[low:high], -1)
        i = next_usable(at[low:high], count[low:high], quality[low:high], i)
        out[j] = at[low + i] if low + i < high else NEVER if whole[j] != 0 else UNTOLD


def warm_up() -> None:
    """Compile every kernel of this module with the types the store uses."""
    one, params = np.zeros(1, np.int64), np.zeros(1, POINT_PARAMS)
    offsets = np.array([0, 1])
    anchors(offsets, one, one, one, one, params, one, one.copy())
    turns_from(offsets, one, one, one, one, params, one, one, one.copy())
    turns_until(offsets, one, one, one, one, params, one, one.copy())
    seconds(offsets, one, one, one, one, one.copy())
