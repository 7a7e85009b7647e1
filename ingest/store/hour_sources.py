"""What is kept in memory of a source with a regime: its hours as they are stored, and what is to be made again.

What a transaction changes here counts once it has committed; who comes to a batch has
committed the one before, and an attempt at the same batch undoes what the last one did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ingest.model import HOUR, NEVER, Cause
from ingest.pipeline.batch import IntArray
from ingest.pipeline.causes import weightiest
from ingest.plant.regime_plan import PlanRegime
from ingest.regimes.hour_mass import Facts
from ingest.regimes.hour_rows import HourRows
from ingest.regimes.records import hour_begin
from ingest.regimes.source_hours import SourceHours, Step
from ingest.store.hour_writes import NOTHING, SaidHours
from kernels.rows import Records

if TYPE_CHECKING:
    from ingest.regimes.calibrated import Tests

FOUND = -1
"""In place of a batch: found changed when the site was taken, for whichever update comes first."""


@dataclass(slots=True)
class Work:
    """What one update has to do for one source."""

    cause: int
    begin: int
    """From when on facts are new, µs; NEVER: all of them are."""
    end: int
    touched: IntArray
    """Begins of hours before, whose intervals were said anew."""
    tested: bool
    facts: dict[str, Records] = field(default_factory=dict)
    """Of new and touched hours."""
    whole: Facts | None = None
    """All facts, where all hours have to be made again."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """How a source was before an update."""

    hours: SourceHours | None
    step: Step | None
    end: int
    firsts: dict[str, tuple[int, int]]


def points_of(regime: PlanRegime) -> dict[str, int]:
    """Component, `operating`, `load` or `cap` → the point it is read from (plan index)."""
    others = {"operating": regime.operating, "load": regime.load, "cap": regime.cap}
    found = {one.name: one.point for one in regime.components}
    return found | {name: point for name, point in others.items() if point is not None}


def first_hour(regime: PlanRegime, firsts: Mapping[str, tuple[int, int]]) -> int | None:
    """Begin of a source's first hour: as declared, else the first that is covered from when every point was heard.

    `firsts`: component → (start_at, covered_us) of its first fact.
    """
    if regime.since is not None:
        return regime.since
    names = points_of(regime)
    if not names.keys() <= firsts.keys():
        return None
    begins = (firsts[name] for name in names)
    return max(at + (HOUR if covered_us < HOUR else 0) for at, covered_us in begins)


class HourSource:
    """One source with a regime."""

    def __init__(self, place: int, number: int, regime: PlanRegime) -> None:
        """`place` is the source's in the plan, `number` the store's."""
        self.place, self.number, self.regime = place, number, regime
        self.points = points_of(regime)
        self.hours: SourceHours | None = None
        self.stored: HourRows | None = None
        """What is stored, where that is not what `hours` has."""
        self.end = NEVER
        """Up to where facts are there; NEVER: none are."""
        self.firsts: dict[str, tuple[int, int]] = {}
        """Component → (start_at, covered_us) of its first fact."""
        self.tests: Tests = {}
        self.stale = False
        """Whether all of it has to be made again: another version of the plan made it."""
        self.tested = 0
        """The batch in which a test of its instruments came."""
        self.touched: set[int] = set()
        self.touched_by = 0
        self._cause = int(Cause.CLOSING)
        self._pending: tuple[int, _Kept] | None = None

    def settle(self, batch_no: int) -> None:
        """Forget how it was before the last update if that has committed, else undo the update."""
        if self._pending is None:
            return
        batch, kept = self._pending
        self._pending = None
        if batch != batch_no:
            self.stale, self.stored = False, None
            if self.touched_by == FOUND:
                self.touched, self.touched_by = set(), 0
            return
        self.hours, self.end, self.firsts = kept.hours, kept.end, kept.firsts
        if kept.hours is not None and kept.step is not None:
            kept.hours.undo(kept.step)

    def touch(self, batch_no: int, starts: list[int], cause: int) -> None:
        """Note that intervals of one of its points were said anew in a batch."""
        self.settle(batch_no)
        if self.touched_by not in (batch_no, FOUND):
            self.touched, self.touched_by, self._cause = set(), batch_no, cause
        self.touched.update(hour_begin(at, self.regime.offset_us) for at in starts)
        self._cause = weightiest(np.array([self._cause, cause]))

    @property
    def waits(self) -> bool:
        """Whether it has to be made again whatever closes."""
        return self.stale or self.stored is not None

    def work(self, batch_no: int, closed_until: int) -> Work | None:
        """What an update has to do in a batch, all points being closed up to an instant; None: nothing."""
        self.settle(batch_no)
        is_touched = bool(self.touched) and self.touched_by in (batch_no, FOUND)
        tested = self.tested == batch_no
        end = max(self.end, closed_until)
        if end == NEVER or not (is_touched or tested or self.waits or end > self.end):
            return None
        cause = self._cause if is_touched else 0
        if tested:
            cause = int(Cause.TEST)
        if self.waits:
            cause = int(Cause.RESTATEMENT)
        begin = NEVER if self.stale else self.end
        touched = np.array(sorted(hour for hour in self.touched if is_touched and hour < begin), np.int64)
        return Work(cause, begin, end, touched, tested)

    def make(self, batch_no: int, work: Work, firsts: dict[str, tuple[int, int]]) -> SaidHours | None:
        """Make hours again; what is to be said of them."""
        kept = _Kept(self.hours, None, self.end, self.firsts)
        self.firsts, self.end = firsts, work.end
        begin, said = first_hour(self.regime, firsts), None
        if begin is not None and work.whole is not None:
            stood = self.rows()
            self.hours = SourceHours(self.regime, begin)
            self.hours.advance(work.whole, self.tests, work.end, tested=True)
            rows = self.hours.rows()
            gone = np.setdiff1d(stood.hours["start_at"], rows.hours["start_at"])
            said = SaidHours(self.number, work.cause, rows, stood, gone)
        elif self.hours is not None:
            step = self.hours.advance(work.facts, self.tests, work.end, work.touched, tested=work.tested)
            kept = _Kept(kept.hours, step, kept.end, kept.firsts)
            said = SaidHours(self.number, work.cause, step.rows, step.before, NOTHING)
        self._pending = (batch_no, kept)
        return said

    def rows(self) -> HourRows:
        """All hours as they are stored."""
        if self.stored is not None:
            return self.stored
        return HourRows.none(self.regime) if self.hours is None else self.hours.rows()
