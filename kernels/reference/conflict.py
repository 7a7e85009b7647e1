"""Definition of `kernels.conflict`: of each time and number all readings but the first."""

from collections import defaultdict
from itertools import pairwise

from kernels.rows import BAD, CONFLICT, COUNTER, REPLACED, UNCERTAIN, Ints, Records


def flag_conflicts(offsets: Ints, at: Ints, quality: Ints, reasons: Ints, seq: Ints, params: Records) -> None:
    """Flag the readings that stand beside others of their time and number."""
    for j, param in enumerate(params):
        told = defaultdict(list)
        for i in range(int(offsets[j]), int(offsets[j + 1])):
            told[int(at[i]), int(seq[i])].append(i)
        for together in told.values():
            for before, i in pairwise(together):
                takes_over = bool(
                    param["kind"] == COUNTER and reasons[i] & REPLACED and quality[before] < BAD
                )
                if not takes_over:
                    quality[i] = max(int(quality[i]), UNCERTAIN)
                    reasons[i] |= CONFLICT
