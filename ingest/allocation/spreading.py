"""Amounts of intervals spread over the stretches of a unit's time.

Counts are whole: up to an instant an interval's amount comes to count · elapsed / length, rounded half away from zero, and a
stretch is the difference of two such edges (as `ingest.methods.documented` does); within a stretch weights are rounded
cumulatively alike. So the parts add up to the total with ==. Masses are summed as floats and put on a grid
(`on_grid`), where sums are exact. What has no row is nobody's: time without data.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ingest.allocation.stretches import REMAINDER, Owner, Stretch

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """The stored intervals of a meter or a source, n of them, ascending."""

    start_at: IntArray
    amount: IntArray | FloatArray
    """Counts, or kg."""
    covered_us: IntArray
    valid_us: IntArray
    substituted_us: IntArray
    quality: IntArray
    reasons: IntArray
    revision: IntArray
    plan_version: IntArray
    known_at: IntArray

    @staticmethod
    def none(dtype: type = np.int64) -> "Rows":
        """No intervals."""
        ints = [np.zeros(0, np.int64) for _ in range(9)]
        return Rows(ints[0], np.zeros(0, dtype), *ints[1:])

    def chosen(self, which: npt.NDArray[np.bool_] | slice) -> "Rows":
        """Some of the intervals."""
        return Rows(*(getattr(self, name)[which] for name in Rows.__dataclass_fields__))

    def within(self, span: tuple[int, int]) -> "Rows":
        """The intervals that begin in a span, µs."""
        i, j = np.searchsorted(self.start_at, span).tolist()
        return self.chosen(slice(i, j))

    def weighed(self, amount: IntArray | FloatArray) -> "Rows":
        """The same intervals with other amounts."""
        return replace(self, amount=amount)


@dataclass(slots=True)
class Portion:
    """What one owner has of a meter or a source."""

    count: int = 0
    parts: list[float] = field(default_factory=list)
    """Masses whose sum is the owner's, kg."""
    span_us: int = 0
    """Of its time, and for how much of it there is data; an interval cut is counted pro rata."""
    covered_us: int = 0
    valid_us: int = 0
    substituted_us: int = 0
    quality: int = 0
    """The worst."""
    reasons: int = 0
    revision: int = 0
    known_at: int | None = None
    versions: set[int] = field(default_factory=set)
    lacks_factor: bool = False
    """Of a source: something of it has no mass, so neither has the whole."""


Portions = dict[Owner, Portion]


def spread(rows: Rows, cuts: Sequence[Stretch], interval_us: int) -> Portions:
    """The amounts of intervals by owner.

    The stretches follow one another; intervals that lie outside them are left out, so the span should begin and end on
    edges of intervals.
    """
    portions: Portions = defaultdict(Portion)
    sums = _Sums(rows)
    for cut in cuts:
        first, last = -(-cut.start_at // interval_us), cut.end_at // interval_us
        if first > last:  # within one interval
            _piece(portions, rows, sums, cut, (cut.start_at, cut.end_at), interval_us)
            continue
        if cut.start_at < first * interval_us:
            _piece(portions, rows, sums, cut, (cut.start_at, first * interval_us), interval_us)
        if first < last:
            _whole(portions, rows, sums, cut, (first * interval_us, last * interval_us))
        if last * interval_us < cut.end_at:
            _piece(portions, rows, sums, cut, (last * interval_us, cut.end_at), interval_us)
    return dict(portions)


class _Sums:
    """Running sums, exact for integers."""

    def __init__(self, rows: Rows) -> None:
        self.counted = rows.amount.dtype.kind == "i"
        self.amount = _running(rows.amount) if self.counted else np.zeros(0, np.int64)
        self.covered, self.valid, self.substituted = (
            _running(column) for column in (rows.covered_us, rows.valid_us, rows.substituted_us)
        )


def _running(column: npt.NDArray[np.generic]) -> IntArray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(column, dtype=np.int64)])


def _whole(portions: Portions, rows: Rows, sums: _Sums, cut: Stretch, span: tuple[int, int]) -> None:
    """Intervals that lie in a stretch."""
    i, j = np.searchsorted(rows.start_at, span).tolist()
    count = int(sums.amount[j] - sums.amount[i]) if sums.counted else 0
    for owner, share, counts in _shared(cut, count):
        portion = portions[owner]
        portion.count += counts
        if not sums.counted:
            portion.parts += (
                (rows.amount[i:j] * share).tolist() if share != 1.0 else rows.amount[i:j].tolist()
            )
        portion.span_us += span[1] - span[0]
        portion.covered_us += int(sums.covered[j] - sums.covered[i])
        portion.valid_us += int(sums.valid[j] - sums.valid[i])
        portion.substituted_us += int(sums.substituted[j] - sums.substituted[i])
        _mark(portion, rows, i, j)


def _piece(
    portions: Portions, rows: Rows, sums: _Sums, cut: Stretch, span: tuple[int, int], interval_us: int
) -> None:
    """A part of one interval."""
    begin = span[0] // interval_us * interval_us
    i = int(np.searchsorted(rows.start_at, begin))
    there = i < rows.start_at.size and int(rows.start_at[i]) == begin
    since, until = span[0] - begin, span[1] - begin

    def part(column: IntArray) -> int:
        total = int(column[i])
        return rounded(total * until, interval_us) - rounded(total * since, interval_us)

    count = part(rows.amount) if there and sums.counted else 0  # type: ignore[arg-type]
    for owner, share, counts in _shared(cut, count):
        portion = portions[owner]
        portion.span_us += until - since
        if not there:
            continue
        portion.count += counts
        if not sums.counted:
            portion.parts.append(float(rows.amount[i]) * share * ((until - since) / interval_us))
        portion.covered_us += part(rows.covered_us)
        portion.valid_us += part(rows.valid_us)
        portion.substituted_us += part(rows.substituted_us)
        _mark(portion, rows, i, i + 1)


def _mark(portion: Portion, rows: Rows, i: int, j: int) -> None:
    if i == j:
        return
    portion.quality = max(portion.quality, int(rows.quality[i:j].max()))
    portion.reasons |= int(np.bitwise_or.reduce(rows.reasons[i:j]))
    portion.revision = max(portion.revision, int(rows.revision[i:j].max()))
    known_at = int(rows.known_at[i:j].max())
    portion.known_at = known_at if portion.known_at is None else max(portion.known_at, known_at)
    portion.versions.update(np.unique(rows.plan_version[i:j]).tolist())


def _shared(cut: Stretch, count: int) -> list[tuple[Owner, float, int]]:
    """Owners of a stretch with their shares, and their part of a count."""
    if len(cut.owners) == 1:
        return [(cut.owners[0][0], 1.0, count)]
    weights = [Fraction(weight) for _, weight in cut.owners]
    total, so_far, given, found = sum(weights), Fraction(0), 0, list[tuple[Owner, float, int]]()
    for (owner, _), weight in zip(cut.owners, weights, strict=True):
        so_far += weight
        until = rounded(count * so_far.numerator * total.denominator, so_far.denominator * total.numerator)
        found.append((owner, float(weight / total), until - given))
        given = until
    return found


def rounded(numerator: int, denominator: int) -> int:
    """A quotient of integers as the nearest whole number, half away from zero."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


Held = tuple[str, Owner]
"""A unit, and whose a part of its amounts is."""
LEFT: Held = ("", REMAINDER)


@dataclass(frozen=True, slots=True)
class OnGrid:
    """Masses as multiples of a power of two, kg."""

    total: float
    owners: Mapping[Held, float]


def on_grid(amounts: FloatArray, portions: Mapping[Held, Portion]) -> OnGrid:
    """Masses of owners that add up to the total with ==, in any order of adding.

    Args:
        amounts: of all intervals spread, kg.
        portions: what `spread` made of them, of one or several units.

    All are multiples of one power of two and no partial sum exceeds 2^53 of them, so every sum is exact. Where all
    amounts have one sign it is the last bit of the total, which is the correctly rounded one of `/v1/emissions`: edges
    of the owners' cumulative sums are rounded and kept below the total, so none is negative and no sum of some exceeds it.
    Else it is twice the last bit of Σ|amount|, and the total the multiple next to the correctly rounded one. What
    owners leave, some last bits, is nobody's: `remainder`.
    """
    total, size = math.fsum(amounts.tolist()), math.fsum(np.abs(amounts).tolist())
    if size == 0.0:
        return OnGrid(0.0, dict.fromkeys(portions, 0.0))
    if abs(total) == size:
        return _one_sign(total, portions)
    unit = Fraction(2 * math.ulp(size))
    steps = {owner: round(_exact(portion) / unit) for owner, portion in portions.items()}
    return _gridded(round(Fraction(total) / unit), steps, unit)


def _one_sign(total: float, portions: Mapping[Held, Portion]) -> OnGrid:
    unit = Fraction(math.copysign(math.ulp(total), total))
    whole = round(Fraction(total) / unit)
    so_far, given, steps = Fraction(0), 0, dict[Held, int]()
    for owner in sorted(portions):
        so_far += _exact(portions[owner])
        edge = min(round(so_far / unit), whole)
        steps[owner], given = edge - given, edge
    return _gridded(whole, steps, unit)


def _gridded(whole: int, steps: dict[Held, int], unit: Fraction) -> OnGrid:
    left = whole - sum(steps.values())
    if left:
        steps[LEFT] = steps.get(LEFT, 0) + left
    return OnGrid(float(whole * unit), {owner: float(step * unit) for owner, step in steps.items()})


def _exact(portion: Portion) -> Fraction:
    return Fraction(math.fsum(portion.parts))
