"""What one step of a register is: normal, a rollover, a reset, not possible, or too long to be spread.

A step goes from one register value to a later one. Which readings are values at
all, and which are only glitches between two of them, is not decided here.
"""

import numpy as np

from kernels._jit import kernel
from kernels.rows import HOUR_US, IMPLAUSIBLE_STEP, NORMAL_STEP, RESET_STEP, ROLLOVER_STEP, TOO_LONG_STEP


@kernel
def fits(rise: int, elapsed_us: int, max_step_count_per_h: float) -> bool:
    """Whether a register can rise by so many counts in the time.

    It shows whole counts, so one of them may have been all but there before.
    """
    return float(rise - 1) * HOUR_US <= max_step_count_per_h * float(elapsed_us)


@kernel
def classify_step(
    earlier: int, later: int, elapsed_us: int, modulus_count: int, max_step_count_per_h: float
) -> tuple[int, int, int]:
    """(class, increment, correction) of a register that went from earlier to later, in counts.

    increment + correction == later - earlier. A rise faster than max_step_count_per_h
    is implausible and counts nothing. A fall is a rollover if that is possible in the
    elapsed time (where the fastest rate is inf: if it is not more than half of the
    modulus), else a reset to 0; a reset that could not have come to `later` in that
    time is implausible too. Definition: reference.classify_step.
    """
    if later >= earlier:
        if fits(later - earlier, elapsed_us, max_step_count_per_h):
            return NORMAL_STEP, later - earlier, 0
        return IMPLAUSIBLE_STEP, 0, later - earlier
    if later >= 0 and earlier <= modulus_count:
        through = modulus_count - earlier + later
        if np.isinf(max_step_count_per_h):
            possible = through <= modulus_count - through
        else:
            possible = fits(through, elapsed_us, max_step_count_per_h)
        if possible:
            return ROLLOVER_STEP, through, -modulus_count
    if fits(later, elapsed_us, max_step_count_per_h):
        return RESET_STEP, later, -earlier
    return IMPLAUSIBLE_STEP, 0, later - earlier


@kernel
def book_step(earlier: int, later: int, elapsed_us: int, param: np.void) -> tuple[int, int, int]:
    """(class, increment, correction) that a step is booked with.

    Over a gap of more than fill_at_most_us nobody can say when it was used: all of
    the difference is a correction. Definition: reference.book_step.
    """
    if 0 < param["fill_at_most_us"] < elapsed_us and elapsed_us > param["max_gap_us"]:
        return TOO_LONG_STEP, 0, later - earlier
    return classify_step(earlier, later, elapsed_us, param["modulus_count"], param["max_step_count_per_h"])
