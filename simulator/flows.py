"""Flows of which every day carries exactly the same amount.

A flow (kW, t/h) is held as int64 counts of its gauge's quantum at the ticks and
is a straight line between them. A shape says how it varies; the counts are then
corrected by single quanta so that a day's sum is exactly the declared one. Hence
the flow's total since the epoch at any tick is an integer that can be written
down without walking there, and a counter is the floor of it: the register and
the published power cannot disagree by more than one count.

The shape must be 1 at the first tick of every day, so that days join.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from ingest.errors import InputError
from ingest.model import HOUR
from simulator.series import Counts, DaySeries, Floats, Grid


class Flow:
    """A rate with its exact running total; see `shaped` and `together`.

    Args:
        grid: where it is sampled.
        quantum: the smallest step of the rate, in its unit (kW, t/h).
        day_sum: Σ of a day's counts, the same for every day.
        counts: a day's counts begin with the same number every day.
        lag: ticks by which it runs behind its counts.
    """

    def __init__(
        self, grid: Grid, quantum: Fraction, day_sum: int, counts: DaySeries[np.int64], lag: int = 0
    ) -> None:
        self.grid = grid
        self.quantum = quantum
        self.day_sum = day_sum
        self.counts = counts
        self.lag = lag

    @classmethod
    def shaped(
        cls, grid: Grid, quantum: Fraction, per_day: Fraction, shape: Callable[[int], Floats]
    ) -> "Flow":
        """The flow of that shape which carries `per_day` (kWh, t) from one midnight to the next."""
        day_sum = round(per_day / (quantum * Fraction(grid.period_us, HOUR)))
        edge = round(day_sum / float(shape(0).sum()))

        def make(day: int) -> Counts:
            relative = shape(day)
            counts = np.rint(relative * (day_sum / relative.sum())).astype(np.int64)
            counts[0] = edge
            return _summing_to(day_sum, counts)

        return cls(grid, quantum, day_sum, DaySeries(grid.per_day, make))

    @classmethod
    def together(cls, flows: Sequence["Flow"]) -> "Flow":
        """The sum of flows of one grid and quantum and no lag, count by count."""
        first = flows[0]
        assert all((flow.grid, flow.quantum, flow.lag) == (first.grid, first.quantum, 0) for flow in flows)

        def make(day: int) -> Counts:
            total: Counts = np.sum([flow.counts.day(day) for flow in flows], axis=0, dtype=np.int64)
            return total

        day_sum = sum(flow.day_sum for flow in flows)
        return cls(first.grid, first.quantum, day_sum, DaySeries(first.grid.per_day, make))

    def later(self, span_us: int) -> "Flow":
        """The same flow, arriving later by a whole number of ticks."""
        lag = self.lag + self.grid.ticks(span_us)
        return Flow(self.grid, self.quantum, self.day_sum, self.counts, lag)

    @property
    def per_day(self) -> Fraction:
        """What a day carries, in the unit of a counter (kWh, t)."""
        return self.day_sum * self.quantum * Fraction(self.grid.period_us, HOUR)

    def rates(self, first: int, n: int) -> Floats:
        """The published rate at `n` ticks: the floats nearest to count · quantum."""
        return self.counts.over(first - self.lag, n) * self.quantum.numerator / self.quantum.denominator

    def register(self, first: int, n: int, resolution: Fraction) -> Counts:
        """The total since the epoch at `n` ticks in counts of a counter, rounded down."""
        per_day = self.grid.per_day
        first -= self.lag
        first_day = first // per_day
        start = first_day * per_day
        counts = self.counts.over(start, max(first + n - start, 1))
        # Twice the trapezoids, so that everything stays an integer; a day's are 2·day_sum.
        twice = np.zeros(counts.size, dtype=np.int64)
        np.cumsum(counts[1:] + counts[:-1], out=twice[1:])
        twice += first_day * 2 * self.day_sum
        ratio = self.quantum * Fraction(self.grid.period_us, 2 * HOUR) / resolution
        if int(twice[-1]) * ratio.numerator >= 2**63:
            raise InputError(
                f"counter resolution {float(resolution)}: expected one coarse enough for 64 bits"
            )
        return twice[first - start :] * ratio.numerator // ratio.denominator


def _summing_to(total: int, counts: Counts) -> Counts:
    """The counts with single quanta added evenly, the first one excepted, to sum to `total`."""
    missing = total - int(counts.sum())
    free = counts.size - 1
    all_of_them, some = divmod(abs(missing), free)
    correction = np.full(free, all_of_them, dtype=np.int64)
    correction[np.linspace(0, free, some, endpoint=False).astype(np.int64)] += 1
    counts[1:] += np.sign(missing) * correction
    return counts
