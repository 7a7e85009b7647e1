"""What a restatement changes: before, after and the difference, by source and month.

Only of one source are months added: two sources may be two accounts of the same gas.
Sums are correctly rounded over intervals, and so is the difference itself: what a
source's months differ by adds up to what the source does.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.model import SECOND

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Change:
    """A source in a month of the site's zone, or in all of the span."""

    source: str
    month: str | None
    """`2026-11`; None: all of them."""
    intervals: int
    """Of which the mass is another, or there was none; of a documented source parts of documents in a month."""
    before_kg: float
    after_kg: float
    difference_kg: float


@dataclass(slots=True)
class _Sums:
    before: list[FloatArray] = field(default_factory=list)
    after: list[FloatArray] = field(default_factory=list)

    def change(self, source: str, month: str | None) -> Change:
        before, after = np.concatenate(self.before), np.concatenate(self.after)
        plus, minus = after[~np.isnan(after)].tolist(), before[~np.isnan(before)].tolist()
        return Change(
            source,
            month,
            int((before != after).sum() - (np.isnan(before) & np.isnan(after)).sum()),
            math.fsum(minus),
            math.fsum(plus),
            math.fsum([*plus, *(-mass for mass in minus)]),
        )


class Changes:
    """Gathers masses of intervals as they are and as they would be."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Months are those of `zone`."""
        self._zone = zone
        self._months: dict[tuple[str, str], _Sums] = {}

    def add(self, source: str, start_at: IntArray, before: FloatArray, after: FloatArray) -> None:
        """Count intervals of a source, or parts of documents within a month.

        Args:
            source: its id.
            start_at: µs.
            before: kg as it is, NaN where there is none.
            after: kg as it would be.
        """
        for month, mine in self._by_month(start_at):
            sums = self._months.setdefault((source, month), _Sums())
            sums.before.append(before[mine])
            sums.after.append(after[mine])

    def lines(self) -> list[Change]:
        """Months of each source in order, then the source as a whole."""
        found: list[Change] = []
        for source in dict.fromkeys(source for source, _ in self._months):
            mine = sorted((month, sums) for (of, month), sums in self._months.items() if of == source)
            found += [sums.change(source, month) for month, sums in mine]
            whole = _Sums()
            for _, sums in mine:
                whole.before += sums.before
                whole.after += sums.after
            found.append(whole.change(source, None))
        return found

    def _by_month(self, start_at: IntArray) -> list[tuple[str, npt.NDArray[np.bool_]]]:
        if not start_at.size:
            return []
        edges, names = months_of(int(start_at.min()), int(start_at.max()), self._zone)
        place = np.searchsorted(np.array(edges, np.int64), start_at, side="right") - 1
        return [(names[i], place == i) for i in np.unique(place).tolist()]


def months_of(first_at: int, last_at: int, zone: ZoneInfo) -> tuple[list[int], list[str]]:
    """Beginnings (µs) and names of the months of a zone from that of one instant to that of another."""
    edges: list[int] = []
    names: list[str] = []
    month = datetime.fromtimestamp(first_at // SECOND, zone)
    month = month.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    while not edges or edges[-1] <= last_at:
        edges.append(round(month.timestamp()) * SECOND)
        names.append(f"{month:%Y-%m}")
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    return edges, names
