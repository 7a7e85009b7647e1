"""What the published signals really add up to, with integers and fractions.

The truth of a counter is the difference of its registers; of a gauge, the exact
integral of the straight lines (or steps) through the published floats, each
taken as the rational number it is. It is what an ideal receiver of every reading
must find, by arithmetic that shares nothing with the kernels. No tolerance, no
reading that went missing, no unit conversion.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from ingest.errors import InputError
from ingest.model import HOUR, Kind
from simulator.cement import CementPlant
from simulator.instruments import Instrument

Amount = int | Fraction


class Truth:
    """Exact amounts of a simulated plant over any span."""

    def __init__(self, plant: CementPlant) -> None:
        self._plant = plant
        self._by_id = {instrument.id: instrument for instrument in plant.instruments}

    def over(self, from_at: int, to_at: int) -> dict[str, Amount]:
        """Per point id the amount of [from_at, to_at); see `amounts`."""
        return {point: self.amounts(point, (from_at, to_at))[0] for point in self._by_id}

    def amounts(self, point: str, edges: Sequence[int]) -> list[Amount]:
        """The amount of each span between consecutive edges (µs).

        Counter: counts of its resolution (edges must be sampling instants).
        Gauge: the integral, in its unit times hours. Sample: the mean, in its unit.
        State: hours during which it was not 0.
        """
        instrument = self._by_id[point]
        if instrument.kind is Kind.COUNTER:
            return self._increments(instrument, edges)
        at, values = self._signal(instrument, edges[0], edges[-1])
        if instrument.kind is Kind.STATE:
            values = [float(value != 0) for value in values]
        out: list[Amount] = []
        for start, end in pairwise(edges):
            area = integral(at, values, start, end, sloped=instrument.sloped)
            out.append(area / (end - start if instrument.kind is Kind.SAMPLE else HOUR))
        return out

    def _increments(self, instrument: Instrument, edges: Sequence[int]) -> list[Amount]:
        grid = self._plant.grid
        for edge in edges:
            if edge % instrument.period_us:
                raise InputError(f"truth of {instrument.id} at {edge} us: expected a multiple of its period")
        first, last = grid.first_at_or_after(edges[0]), grid.first_at_or_after(edges[-1])
        totals = self._plant.totals(instrument, first, last - first + 1)
        registers = [int(totals[grid.first_at_or_after(edge) - first]) for edge in edges]
        return [after - before for before, after in pairwise(registers)]

    def _signal(self, instrument: Instrument, from_at: int, to_at: int) -> tuple[list[int], list[float]]:
        """The readings from the last one at or before `from_at` to the first at or after `to_at`."""
        grid, period = self._plant.grid, instrument.period_us
        first = grid.first_at_or_after(from_at // period * period)
        last = grid.first_at_or_after(-(-to_at // period) * period)
        every = grid.ticks(period)
        at = grid.instants(first, last - first + 1)[::every]
        values = self._plant.values(instrument, first, last - first + 1)[::every]
        return at.tolist(), values.tolist()


def integral(
    at: Sequence[int], values: Sequence[float], from_at: int, to_at: int, *, sloped: bool
) -> Fraction:
    """∫ of the signal over [from_at, to_at), value times µs; the readings cover it, evenly spaced."""
    period = at[1] - at[0]
    start, end = (from_at - at[0]) // period, -(-(to_at - at[0]) // period)
    used, denominator = _as_integers(values[start : end + 1])
    twice = 0
    for left, right in pairwise(used):
        twice += (left + right) * period if sloped else 2 * left * period
    head, tail = from_at - at[start], at[end] - to_at
    area = Fraction(twice, 2 * denominator)
    if head:
        area -= _part(values[start], values[start + 1], Fraction(0), Fraction(head, period), sloped) * period
    if tail:
        area -= _part(values[end - 1], values[end], 1 - Fraction(tail, period), Fraction(1), sloped) * period
    return area


def _as_integers(values: Sequence[float]) -> tuple[list[int], int]:
    """The floats over one common denominator, a power of two: sums of integers are quick and exact."""
    ratios = [value.as_integer_ratio() for value in values]
    denominator = max(ratio[1] for ratio in ratios)
    return [numerator * (denominator // own) for numerator, own in ratios], denominator


def _part(left: float, right: float, start: Fraction, end: Fraction, sloped: bool) -> Fraction:
    """The area of a piece [start, end) of one segment of length 1."""
    if not sloped:
        return Fraction(left) * (end - start)
    return (Fraction(left) + (Fraction(right) - Fraction(left)) * (start + end) / 2) * (end - start)
