"""What documents come to: amounts of a span spread over time, and which analysis is in force.

A document's amount is int64 counts. Up to an instant it comes to count · elapsed / length,
rounded to a whole count, half away from zero; the amount of any stretch is the
difference of two such edges. So intervals, hours and spans add up with ==, and nothing is
stored per interval. A factor holds for whole intervals: an analysis is in force in those
that it covers wholly. Masses are summed as fractions and rounded once. Python integers
only; it reads nothing and knows no database.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount that a document tells of [from_at, to_at), µs."""

    document_no: int
    from_at: int
    to_at: int
    count: int
    lot: str | None = None

    def until(self, at: int) -> int:
        """Counts up to an instant, which may lie outside the span."""
        elapsed = min(max(at, self.from_at), self.to_at) - self.from_at
        length = self.to_at - self.from_at
        size = (2 * abs(self.count) * elapsed + length) // (2 * length)
        return size if self.count >= 0 else -size

    def between(self, from_at: int, to_at: int) -> int:
        """Counts of [from_at, to_at) µs."""
        return self.until(to_at) - self.until(from_at)


@dataclass(frozen=True, slots=True)
class Analysed:
    """A property that an approved analysis gives, for a span, a lot, or a lot in a span."""

    document_no: int
    batch_no: int
    """In which it took effect: the newest one counts."""
    analysis: str
    value: float
    from_at: int | None
    to_at: int | None
    lot: str | None

    def covers(self, quantity: Quantity, from_at: int, to_at: int) -> bool:
        """Whether it is valid for a quantity in all of [from_at, to_at), µs."""
        if self.lot is not None and self.lot != quantity.lot:
            return False
        return self.from_at is None or self.to_at is None or (self.from_at <= from_at and to_at <= self.to_at)


class Analyses:
    """Analyses in force, put in order once for many quantities."""

    def __init__(self, known: Iterable[Analysed]) -> None:
        self._values: dict[tuple[int, str], float] = {}
        self._by_lot: dict[tuple[str, str | None], list[Analysed]] = {}
        for one in known:
            self._values[one.document_no, one.analysis] = one.value
            self._by_lot.setdefault((one.analysis, one.lot), []).append(one)

    def value(self, document_no: int, analysis: str) -> float:
        """What a document gives of a property."""
        return self._values[document_no, analysis]

    def near(self, quantity: Quantity, wanted: Iterable[str]) -> list[Analysed]:
        """Those of some properties, of the quantity's lot or of none, that are valid in some of its span."""
        return [
            one
            for name in wanted
            for lot in {quantity.lot, None}
            for one in self._by_lot.get((name, lot), ())
            if one.from_at is None
            or one.to_at is None
            or (one.from_at < quantity.to_at and quantity.from_at < one.to_at)
        ]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch [from_at, to_at) of a quantity in which the same analyses are in force."""

    from_at: int
    to_at: int
    analyses: tuple[int | None, ...]
    """The document of each property; None: no approved one covers it."""


def pieces(
    quantity: Quantity,
    wanted: Sequence[str],
    known: Iterable[Analysed],
    interval_us: int,
    steps: Iterable[int] = (),
) -> list[Piece]:
    """A quantity's span by the analyses in force for it, in order of time.

    Args:
        quantity: the amount.
        wanted: ids of the analyses that are its factors.
        known: analyses in force, of any property.
        interval_us: length of the site's intervals: in each one analysis holds.
        steps: further instants at which a factor changes, on edges of intervals.

    An analysis of the quantity's own lot goes before one of no lot, then the newest goes.
    """
    ranked = sorted(known, key=lambda one: (one.lot is not None, one.batch_no), reverse=True)
    steps = set(steps)
    cuts = {quantity.from_at, quantity.to_at, *steps}
    for one in ranked:
        if one.from_at is not None and one.to_at is not None and one.analysis in wanted:
            cuts |= {-(-one.from_at // interval_us) * interval_us, one.to_at - one.to_at % interval_us}
    by_name = {name: [one for one in ranked if one.analysis == name] for name in wanted}
    edges = sorted(cut for cut in cuts if quantity.from_at <= cut <= quantity.to_at)
    found: list[Piece] = []
    for begin, end in pairwise(edges):
        first, last = begin - begin % interval_us, -(-end // interval_us) * interval_us
        chosen = tuple(
            next(
                (a.document_no for a in by_name[name] if a.covers(quantity, first, last)),
                None,
            )
            for name in wanted
        )
        if found and found[-1].analyses == chosen and begin not in steps:
            found[-1] = Piece(found[-1].from_at, end, chosen)
        else:
            found.append(Piece(begin, end, chosen))
    return found


@dataclass(frozen=True, slots=True)
class Emitted:
    """What a piece of a document comes to for one source."""

    quantity: Quantity
    from_at: int
    to_at: int
    kg_per_count: float | None
    """None: a factor of it is not known, so neither is its mass."""

    def count_in(self, from_at: int, to_at: int) -> int:
        """Its counts within [from_at, to_at), µs."""
        begin, end = max(from_at, self.from_at), min(to_at, self.to_at)
        return self.quantity.between(begin, end) if begin < end else 0


def mass_kg(parts: Iterable[Emitted], from_at: int, to_at: int) -> Fraction | None:
    """What pieces emit in [from_at, to_at) µs, exact; None where a factor of one in it is not known."""
    total = Fraction(0)
    for part in parts:
        count = part.count_in(from_at, to_at)
        if part.kg_per_count is None:
            if min(to_at, part.to_at) > max(from_at, part.from_at):
                return None
            continue
        total += count * Fraction(part.kg_per_count)
    return total


def rounded(mass: Fraction) -> float:
    """An exact mass as a float; NaN where no float holds it."""
    try:
        return float(mass)
    except OverflowError:
        return math.nan


def covered_us(spans: Iterable[tuple[int, int]], from_at: int, to_at: int) -> int:
    """How much of [from_at, to_at) µs spans cover, each instant once."""
    covered, reached = 0, from_at
    for begin, end in sorted(spans):
        first, last = max(begin, reached), min(end, to_at)
        if first < last:
            covered, reached = covered + last - first, last
    return covered


def weight(kg_per_count: Fraction | None, values: Mapping[str, float | None]) -> float | None:
    """What a count weighs with the values of its analyses; None where one is not known, or no float holds it."""
    for value in values.values():
        if value is None or kg_per_count is None:
            return None
        kg_per_count *= Fraction(repr(value))
    if kg_per_count is None:
        return None
    found = rounded(kg_per_count)
    return None if math.isnan(found) else found
