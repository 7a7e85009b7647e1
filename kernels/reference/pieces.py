"""A point's readings as pieces of time: what holds from when to when.

The one place that says which time a reading speaks of, for every kind.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from kernels.reference.exact import half_away
from kernels.reference.register import book_step, is_usable, kept, registers
from kernels.rows import (
    BAD,
    CONFLICT,
    COUNTER,
    DELTA,
    GAP,
    GLITCH_STEP,
    IMPLAUSIBLE_STEP,
    NORMAL_STEP,
    RATE,
    REPLACED,
    REPLACED_STEP,
    RESET,
    RESET_STEP,
    ROLLOVER,
    ROLLOVER_STEP,
    STATE,
    SUBSTITUTED,
    TOO_LONG_STEP,
    UNCERTAIN,
)

_REASON = {RESET_STEP: RESET, ROLLOVER_STEP: ROLLOVER, IMPLAUSIBLE_STEP: RATE}


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a segment."""

    at: int
    value: float
    count: int
    quality: int
    reasons: int

    @property
    def signal_quality(self) -> int:
        """Its quality; bad without a finite value."""
        return self.quality if math.isfinite(self.value) else BAD

    @property
    def has_count(self) -> bool:
        """Whether a counter or delta can use it."""
        return is_usable(self)


@dataclass(frozen=True, slots=True)
class Piece:
    """Something known about the time [start, end): a signal, or counts that run through it."""

    start: int
    end: int
    quality: int
    reasons: int
    signal: Callable[[int], Fraction] | None = None
    """Value at an instant, linear in between."""
    counts: int | None = None

    def counts_until(self, at: int) -> int:
        """Counts booked from the start to an instant of the piece."""
        return half_away(Fraction((self.counts or 0) * (at - self.start), self.end - self.start))


@dataclass(frozen=True, slots=True)
class Step:
    """A counter step that was not normal; of a glitch, its own time."""

    at: int
    previous_at: int
    step_class: int
    increment: int
    correction: int


def winners(readings: list[Reading]) -> list[Reading]:
    """Of readings at the same time the last."""
    return list({reading.at: reading for reading in readings}.values())


def pieces_of(readings: list[Reading], param: np.void) -> list[Piece]:
    """The pieces of a segment's readings, in order of time."""
    kind = int(param["kind"])
    max_gap_us = int(param["max_gap_us"])
    if kind == COUNTER:
        return [piece for piece, _ in counter_pieces(readings, param) if piece is not None]
    readings = winners(readings)
    if kind == DELTA:
        return _delta_pieces(readings, int(param["period_us"]), param["stamp_start"] != 0)
    if kind != STATE and param["sloped"] != 0:
        return _lines(readings, max_gap_us)
    return _holds(readings, max_gap_us)


def _lines(readings: list[Reading], max_gap_us: int) -> list[Piece]:
    """Straight lines between neighbours not further apart than max_gap."""
    found = []
    for a, b in pairwise(readings):
        if b.at - a.at > max_gap_us:
            continue
        quality = max(a.signal_quality, b.signal_quality)
        signal = _line(a, b) if quality < BAD else None
        found.append(Piece(a.at, b.at, quality, a.reasons | b.reasons, signal))
    return found


def _line(a: Reading, b: Reading) -> Callable[[int], Fraction]:
    first, last = Fraction(a.value), Fraction(b.value)
    return lambda at: first + (last - first) * Fraction(at - a.at, b.at - a.at)


def _holds(readings: list[Reading], max_gap_us: int) -> list[Piece]:
    """Values that hold to the next reading, at most max_gap; the last one for max_gap."""
    found = []
    for i, a in enumerate(readings):
        end = a.at + max_gap_us
        if i + 1 < len(readings):
            end = min(end, readings[i + 1].at)
        signal = _constant(a) if a.signal_quality < BAD else None
        found.append(Piece(a.at, end, a.signal_quality, a.reasons, signal))
    return found


def _constant(a: Reading) -> Callable[[int], Fraction]:
    value = Fraction(a.value)
    return lambda _at: value


def counter_pieces(readings: list[Reading], param: np.void) -> list[tuple[Piece | None, list[Step]]]:
    """Per step of the register the counts that run through it, if it is spread, and what of it was not normal."""
    found: list[tuple[Piece | None, list[Step]]] = []
    for before, now in pairwise(kept(registers(readings), param)):
        a, b = before.register.new, now.register.old
        step_class, increment, correction = book_step(a.count, b.count, b.at - a.at, param)
        quality = max(a.quality, b.quality)
        reasons = a.reasons | b.reasons | _REASON.get(step_class, 0)
        steps = []
        if now.glitch is not None:
            steps.append(Step(now.glitch.at, a.at, GLITCH_STEP, 0, 0))
        if step_class != NORMAL_STEP:
            steps.append(Step(b.at, a.at, step_class, increment, correction))
        skipped = [one for one in winners(readings) if a.at < one.at < b.at]
        if any(one.reasons & CONFLICT for one in skipped) and b.at - a.at <= param["max_gap_us"]:
            quality, reasons = max(quality, UNCERTAIN), reasons | CONFLICT
        if step_class == RESET_STEP:
            quality = max(quality, UNCERTAIN)
        if now.register.is_replacement:
            reasons |= REPLACED
            steps.append(Step(b.at, b.at, REPLACED_STEP, 0, now.register.new.count - b.count))
        if b.at - a.at > param["max_gap_us"]:
            quality = SUBSTITUTED
            reasons |= GAP
        if step_class == IMPLAUSIBLE_STEP:
            quality = BAD
        piece = Piece(a.at, b.at, quality, reasons, counts=increment)
        found.append((piece if step_class != TOO_LONG_STEP else None, steps))
    return found


def _delta_pieces(readings: list[Reading], period_us: int, stamp_start: bool) -> list[Piece]:
    """The span that each reading was stamped for."""
    found = []
    for a in readings:
        start = a.at if stamp_start else a.at - period_us
        quality = a.quality if a.has_count else BAD
        counts = a.count if a.has_count else None
        found.append(Piece(start, start + period_us, quality, a.reasons, counts=counts))
    return found
