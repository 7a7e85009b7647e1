"""Which readings of a register count: its kept readings, a step at a time, over columns.

The rules are told in fold_counter; `kernels.listed` has the same for the lists of a tail.
"""

from typing import TypeAlias

import numpy as np

from kernels._jit import kernel
from kernels.fold_row import Registers, count_before
from kernels.rows import BAD, NO_COUNT, REPLACED, Ints
from kernels.step import fits

Step: TypeAlias = tuple[int, int, int]
"""A step: the reading it leaves, the one it comes to, the glitch between them (-1: none)."""


@kernel
def next_usable(at: Ints, count: Ints, quality: Ints, i: int) -> int:
    """The first winner after i that is a register value; at.size if there is none."""
    i += 1
    while i < at.size:
        is_winner = i + 1 == at.size or at[i + 1] != at[i]
        if is_winner and quality[i] < BAD and count[i] != NO_COUNT:
            break
        i += 1
    return i


@kernel
def previous_usable(at: Ints, count: Ints, quality: Ints, i: int) -> int:
    """The last winner before i that is a register value; -1 if there is none."""
    i -= 1
    while i >= 0:
        is_winner = i + 1 == at.size or at[i + 1] != at[i]
        if is_winner and quality[i] < BAD and count[i] != NO_COUNT:
            break
        i -= 1
    return i


@kernel
def arrival(readings: Registers, j: int) -> int:
    """The reading at which a step to usable j ends: of a replacement the old register's last, else j."""
    at, count, quality, reasons = readings
    if reasons[j] & REPLACED == 0 or j == 0 or at[j - 1] != at[j]:
        return j
    return j - 1 if quality[j - 1] < BAD and count[j - 1] != NO_COUNT else j


@kernel
def runs_on(readings: Registers, i: int, j: int, param: np.void) -> bool:
    """Whether the register can simply have run from reading i to reading j."""
    at, count, _, _ = readings
    rise = count[j] - count[i]
    return bool(rise >= 0 and fits(rise, at[j] - at[i], param["max_step_count_per_h"]))


@kernel
def step_from(readings: Registers, i: int, j: int, param: np.void) -> Step:
    """The step from kept i, where j is the next usable reading."""
    at, count, quality, _ = readings
    if j >= at.size:
        return i, j, -1
    end = arrival(readings, j)
    if end != j or runs_on(readings, i, j, param):
        return i, end, -1
    if param["fall_is_reset"] != 0 and count[j] < count[i]:
        return i, j, -1
    n = next_usable(at, count, quality, j)
    if n < at.size and at[n] - at[j] <= param["max_gap_us"]:
        end = arrival(readings, n)
        if runs_on(readings, i, end, param):
            return i, end, j
    return i, j, -1


@kernel
def step_after(readings: Registers, later: int, param: np.void) -> Step:
    """The step that follows one which came to `later`; from there a replacement goes on with its winner."""
    at, count, quality, _ = readings
    i = later + 1 if later + 1 < at.size and at[later + 1] == at[later] else later
    return step_from(readings, i, next_usable(at, count, quality, i), param)


@kernel
def step_over(readings: Registers, from_at: int, param: np.void) -> Step:
    """The step that leaves the last kept reading at or before from_at; without one the first of all."""
    at, count, quality, _ = readings
    i = previous_usable(at, count, quality, count_before(at, from_at + 1, 0, at.size))
    if i < 0:
        i = next_usable(at, count, quality, -1)
    while i < at.size:  # back to an anchor
        previous = previous_usable(at, count, quality, i)
        if previous < 0 or arrival(readings, i) != i or runs_on(readings, previous, i, param):
            break
        i = previous
    if i >= at.size:
        return i, i, -1
    step = step_from(readings, i, next_usable(at, count, quality, i), param)
    while step[1] < at.size and at[step[1]] <= from_at:
        step = step_after(readings, step[1], param)
    return step
