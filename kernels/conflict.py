"""Readings that contradict each other: unequal ones of one time between which no number decides.

Of readings of one time the one with the largest seq is right: that is a correction. Where
two have the same, or none, one of them was told at a wrong time or by somebody else: a clock
that stands, stamps coarser than what they are put on, two devices on one topic. The winner is
used, and uncertain. Only readings of its time say so, and in whatever order they came.

Two readings of one time are also how a register's replacement is told (`fold_counter`): these
do not contradict each other.
"""

import numpy as np

from kernels._jit import kernel
from kernels.rows import BAD, CONFLICT, COUNTER, POINT_PARAMS, REPLACED, UNCERTAIN, Ints, Records


@kernel
def flag_conflicts(offsets: Ints, at: Ints, quality: Ints, reasons: Ints, seq: Ints, params: Records) -> None:
    """Flag the winners that nothing makes right; quality and reasons are changed in place.

    Segment j is readings offsets[j] to offsets[j + 1] of the point params[j] (POINT_PARAMS),
    sorted by (at, seq, received_at, value), no two of them equal: all that are known of each
    time, those that lost too, which may be flagged as well. Definition: reference.flag_conflicts.
    """
    for j in range(params.size):
        counter = params[j]["kind"] == COUNTER
        for i in range(offsets[j] + 1, offsets[j + 1]):
            if at[i] == at[i - 1] and seq[i] == seq[i - 1]:
                if counter and reasons[i] & REPLACED != 0 and quality[i - 1] < BAD:
                    continue
                quality[i] = max(quality[i], UNCERTAIN)
                reasons[i] |= CONFLICT


def warm_up() -> None:
    """Compile flag_conflicts with the types the pipeline uses."""
    ints = np.zeros(1, np.int64)
    flag_conflicts(np.array([0, 1]), ints, ints.copy(), ints.copy(), ints, np.zeros(1, POINT_PARAMS))
