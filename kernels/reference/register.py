"""Definition of which readings of a register count: `kernels.register` and `kernels.listed`.

One pass from the first reading on, as `kernels.fold_counter` tells it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from kernels.rows import (
    BAD,
    HOUR_US,
    IMPLAUSIBLE_STEP,
    NO_COUNT,
    NORMAL_STEP,
    REPLACED,
    RESET_STEP,
    ROLLOVER_STEP,
    TOO_LONG_STEP,
)


class _Read(Protocol):
    @property
    def at(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def quality(self) -> int: ...
    @property
    def reasons(self) -> int: ...


R = TypeVar("R", bound=_Read)


@dataclass(frozen=True, slots=True)
class Register(Generic[R]):
    """What a register showed at one time: the same reading twice, or two of a replacement."""

    old: R
    """At which the step from before ends."""
    new: R
    """From which the next step begins."""

    @property
    def at(self) -> int:
        """Its time."""
        return self.new.at

    @property
    def is_replacement(self) -> bool:
        """Whether one meter took over from another."""
        return self.old is not self.new


@dataclass(frozen=True, slots=True)
class Kept(Generic[R]):
    """A register that counts, and the glitch skipped right before it."""

    register: Register[R]
    glitch: R | None


def is_usable(reading: _Read) -> bool:
    """Whether a reading is a register value."""
    return reading.quality < BAD and reading.count != NO_COUNT


def registers(readings: Sequence[R]) -> list[Register[R]]:
    """The usable winners of sorted readings."""
    by_time: dict[int, list[R]] = {}
    for reading in readings:
        by_time.setdefault(reading.at, []).append(reading)
    found = []
    for together in by_time.values():
        winner = together[-1]
        replaced = len(together) > 1 and winner.reasons & REPLACED and is_usable(together[-2])
        if is_usable(winner):
            found.append(Register(together[-2] if replaced else winner, winner))
    return found


def is_normal(a: Register[R], b: Register[R], param: np.void) -> bool:
    """Whether the register can simply have run from a to b."""
    earlier, later = a.new.count, b.old.count
    return classify_step(earlier, later, b.at - a.at, 0, param["max_step_count_per_h"])[0] == NORMAL_STEP


def may_be_glitch(k: Register[R], j: Register[R], param: np.void) -> bool:
    """Whether j would be a glitch if what follows were back on the way of kept k."""
    if j.is_replacement or is_normal(k, j, param):
        return False
    return not (param["fall_is_reset"] and j.new.count < k.new.count)


def kept(found: Sequence[Register[R]], param: np.void) -> list[Kept[R]]:
    """The registers that count; the first always does."""
    steps = [Kept(found[0], None)] if found else []
    i = 1
    while i < len(found):
        k, j = steps[-1].register, found[i]
        n = found[i + 1] if i + 1 < len(found) else None
        returns = n is not None and n.at - j.at <= param["max_gap_us"] and is_normal(k, n, param)
        if n is not None and returns and may_be_glitch(k, j, param):
            steps.append(Kept(n, j.new))
            i += 2
        else:
            steps.append(Kept(j, None))
            i += 1
    return steps


def classify_step(
    earlier: int, later: int, elapsed_us: int, modulus_count: int, max_step_count_per_h: float
) -> tuple[int, int, int]:
    """(class, increment, correction) of a register that went from earlier to later."""

    def fits(rise: int) -> bool:
        return float(rise - 1) * HOUR_US <= float(max_step_count_per_h) * elapsed_us

    if later >= earlier and fits(later - earlier):
        return NORMAL_STEP, later - earlier, 0
    through = modulus_count - earlier + later
    possible = 2 * through <= modulus_count if math.isinf(max_step_count_per_h) else fits(through)
    if possible and modulus_count >= earlier > later >= 0:
        return ROLLOVER_STEP, through, -modulus_count
    if earlier > later and fits(later):
        return RESET_STEP, later, -earlier
    return IMPLAUSIBLE_STEP, 0, later - earlier


def book_step(earlier: int, later: int, elapsed_us: int, param: np.void) -> tuple[int, int, int]:
    """(class, increment, correction) that a step is booked with."""
    longest = max(int(param["fill_at_most_us"]), int(param["max_gap_us"]))
    if param["fill_at_most_us"] > 0 and elapsed_us > longest:
        return TOO_LONG_STEP, 0, later - earlier
    modulus, fastest = int(param["modulus_count"]), float(param["max_step_count_per_h"])
    return classify_step(earlier, later, elapsed_us, modulus, fastest)
