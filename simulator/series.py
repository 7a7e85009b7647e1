"""Series made day by day, so that any stretch can be had without those before it.

Time is a grid of ticks: tick 0 is the model's epoch and a tick is one sampling
period. What happens on a day depends on the seed, the name and the number of
the day only. Only uniform draws and the four operations are used, so the same
numbers come out on every machine. Nothing here knows a plant.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ingest.errors import InputError
from ingest.model import DAY, HOUR, SECOND

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)

EPOCH = 1_735_689_600 * SECOND - 8 * HOUR
"""µs: 2025-01-01T00:00+08:00. Model days begin at midnight in China, which has no daylight saving."""

_DAYS_KEPT = 4
"""A stretch with a lag touches two days; a few more keep a scan over days from making any twice."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The instants at which a plant is sampled."""

    period_us: int

    def __post_init__(self) -> None:
        """Refuse a period that does not fit a day."""
        if self.period_us <= 0 or DAY % self.period_us:
            raise InputError(f"sampling period {self.period_us} us: expected a divisor of one day")

    @property
    def per_day(self) -> int:
        """Ticks in a day."""
        return DAY // self.period_us

    def ticks(self, span_us: int) -> int:
        """The number of ticks in a span, which must be a whole one."""
        ticks, rest = divmod(span_us, self.period_us)
        if rest:
            raise InputError(f"span of {span_us} us: expected a multiple of the period {self.period_us} us")
        return ticks

    def first_at_or_after(self, at: int) -> int:
        """The first tick whose instant is not before `at` µs."""
        if at < EPOCH + DAY:
            raise InputError(f"time {at} us: expected {EPOCH + DAY} us (2025-01-02T00:00+08:00) or later")
        return -(-(at - EPOCH) // self.period_us)

    def instants(self, first: int, n: int) -> Counts:
        """The instants of `n` ticks, µs."""
        return EPOCH + self.period_us * np.arange(first, first + n, dtype=np.int64)


class DaySeries(Generic[Number]):
    """A series of which each day is made by itself; `make(day)` gives that day's ticks."""

    def __init__(self, per_day: int, make: Callable[[int], NDArray[Number]]) -> None:
        self._per_day = per_day
        self.day: Callable[[int], NDArray[Number]] = lru_cache(_DAYS_KEPT)(make)

    def over(self, first: int, n: int) -> NDArray[Number]:
        """The `n` values from tick `first` on."""
        if n <= 0:
            return self.day(first // self._per_day)[:0]
        first_day, offset = divmod(first, self._per_day)
        last_day = (first + n - 1) // self._per_day
        days = [self.day(day) for day in range(first_day, last_day + 1)]
        stretch: NDArray[Number] = np.concatenate(days)[offset : offset + n]
        return stretch


def generator(seed: int, name: str, day: int) -> np.random.Generator:
    """A random generator of its own for one series and day: a new series changes no other."""
    return np.random.default_rng([seed, crc32(name.encode()), day])


def wave(grid: Grid, seed: int, name: str, block_us: int, knots: int) -> DaySeries[np.float64]:
    """A piecewise-linear wave within ±1, zero at the edges of every block and zero in its sum.

    A block has `knots` straight pieces (an even number); its height is drawn
    between 0.4 and 1. Because every block sums to zero, what is scaled by
    1 + a·wave keeps its mean, day by day and block by block.
    """
    if DAY % block_us or knots % 2:
        raise InputError(f"wave {name}: expected a block that divides one day and an even number of pieces")
    size = grid.ticks(block_us)
    corners = np.arange(knots + 1) * (size / knots)
    position = np.arange(size)
    hat = np.interp(position, [0, size / 2, size], [0.0, 1.0, 0.0])

    def make(day: int) -> Floats:
        draw = generator(seed, name, day)
        blocks = []
        for _ in range(DAY // block_us):
            heights = np.zeros(knots + 1)
            heights[1:-1] = draw.random(knots - 1) - 0.5
            block = np.interp(position, corners, heights)
            block -= hat * (block.sum() / hat.sum())
            block *= (0.4 + 0.6 * draw.random()) / np.abs(block).max()
            blocks.append(block)
        return np.concatenate(blocks)

    return DaySeries(grid.per_day, make)


def stops(
    grid: Grid, seed: int, name: str, around_us: tuple[int, ...], stop_us: int, ramp_us: int
) -> DaySeries[np.float64]:
    """1 while a machine runs and 0 while it stands, falling and rising along straight ramps.

    Every day has one stop near each time of `around_us` (within half an hour of
    it), lasting `stop_us` from the start of the fall to the end of the rise, so
    the running time of a day is always the same.
    """
    length, ramp, jitter = grid.ticks(stop_us), grid.ticks(ramp_us), grid.ticks(HOUR) // 2
    shape = np.interp(np.arange(length), [0, ramp, length - ramp, length], [1.0, 0.0, 0.0, 1.0])

    def make(day: int) -> Floats:
        draw = generator(seed, name, day)
        running = np.ones(grid.per_day)
        for around in around_us:
            start = grid.ticks(around) + int((2 * draw.random() - 1) * jitter)
            running[start : start + length] = shape
        return running

    return DaySeries(grid.per_day, make)
