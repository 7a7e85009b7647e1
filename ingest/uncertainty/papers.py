"""What each source of error does to a mass that documents tell.

A document's amount is off by the instruments that told it: what a calibration keeps is the same in
all documents of its time, a random part is one error per document. An analysis is off by its
laboratory, the same in all of them, and by its sample, one error per document; a factor
by its version. Columns begin where stretches of documents do, as no document tells of
less than its span, and join those of meters by their names.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import numpy as np

from ingest.methods.documented import Emitted
from ingest.plant.instruments import OVERDUE_FACTOR
from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan
from ingest.plant.plan_doubts import PlanDoubt
from ingest.uncertainty.contributions import Contribution, factor_doubt


@dataclass(frozen=True, slots=True)
class InForce:
    """What stands for an analysis in a stretch: that of a document, or a factor in its place."""

    analysis: str
    document_no: int | None
    """None: `factor` stands in."""
    factor: str
    value: float
    """In the analysis's unit."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a document as one source weighs it."""

    plan: Plan
    """Of the version the piece names."""
    source: PlanDocumented
    """As that plan has it."""
    emitted: Emitted
    analyses: tuple[InForce, ...]


@dataclass(slots=True)
class _Column:
    doubt: PlanDoubt
    is_random: bool
    moved: dict[int, float] = field(default_factory=dict)
    """Start → by how much the mass moves per standard uncertainty, kg."""

    def add(self, at: int, kg: float) -> None:
        self.moved[at] = self.moved.get(at, 0.0) + kg


def unknown_of(stretches: Iterable[Stretch]) -> str | None:
    """Why the uncertainty of stretches is not known; None: it is."""
    asked: set[tuple[int, str, tuple[tuple[str, bool, str], ...]]] = set()
    for one in stretches:
        kinds = tuple((each.analysis, each.document_no is None, each.factor) for each in one.analyses)
        key = (one.plan.version, one.source.id, kinds)
        if key in asked:
            continue
        asked.add(key)
        reason = _unknown(one)
        if reason is not None:
            return reason
    return None


def _unknown(one: Stretch) -> str | None:
    doubts, activity = one.plan.doubts, one.source.activity
    if activity not in doubts.activities:
        return f"activity {activity} has no instrument"
    named = list(doubts.activities[activity])
    for each in one.analyses:
        if each.document_no is None:
            continue
        if each.analysis not in doubts.analyses:
            return f"analysis {each.analysis} has no uncertainty"
        named.append(doubts.analyses[each.analysis])
    for name in _factors(one):
        doubt = factor_doubt(one.plan, name, one.emitted.from_at)
        if doubt is None:
            return f"factor {name} has no uncertainty"
        named.append(doubt)
    silent = next((doubt for doubt in named if math.isnan(doubt.systematic)), None)
    return None if silent is None else f"{silent.name} has no uncertainty"


def _factors(one: Stretch) -> list[str]:
    """The factors of a stretch, with those that stand in for analyses."""
    own = [name for name in one.source.factors if name not in one.source.analyses]
    return own + [each.factor for each in one.analyses if each.document_no is None]


def contributions_of(stretches: Sequence[Stretch], from_at: int, to_at: int) -> list[Contribution]:
    """The contributions to the mass (kg) of [from_at, to_at) µs, of stretches of which `unknown_of` says nothing."""
    columns: dict[tuple[str, int, bool], _Column] = {}
    dates = _dates(stretches)
    for one in stretches:
        begin, end = max(from_at, one.emitted.from_at), min(to_at, one.emitted.to_at)
        if begin < end and one.emitted.kg_per_count is not None:
            _add(columns, one, (begin, end), from_at, dates)
    return [_contribution(name, epoch, column) for (name, epoch, _), column in columns.items()]


def _dates(stretches: Iterable[Stretch]) -> Mapping[str, list[int]]:
    """Per instrument the instants at which it was calibrated, ascending."""
    found: dict[str, set[int]] = {}
    for plan in {one.plan.version: one.plan for one in stretches}.values():
        for doubts in plan.doubts.activities.values():
            for doubt in doubts:
                found.setdefault(doubt.name, set()).add(doubt.calibrated_at)
    return {name: sorted(dates) for name, dates in found.items()}


def _add(
    columns: dict[tuple[str, int, bool], _Column],
    one: Stretch,
    span: tuple[int, int],
    from_at: int,
    dates: Mapping[str, list[int]],
) -> None:
    """Count one stretch in. What is random per document stands at `from_at`: of whatever part, it is one error."""

    def column(doubt: PlanDoubt, key: str, epoch: int, is_random: bool) -> _Column:
        return columns.setdefault((key, epoch, is_random), _Column(doubt, is_random))

    assert one.emitted.kg_per_count is not None
    begin, end = span
    kg = one.emitted.count_in(begin, end) * one.emitted.kg_per_count
    document_no = one.emitted.quantity.document_no
    for doubt in one.plan.doubts.activities[one.source.activity]:
        calibrated = dates[doubt.name]
        cuts = sorted({begin, end, *(at for at in (*calibrated, doubt.due_at) if begin < at < end)})
        for first, last in pairwise(cuts):
            part = one.emitted.count_in(first, last) * one.emitted.kg_per_count
            part *= OVERDUE_FACTOR if first >= doubt.due_at else 1.0
            epoch = max((at for at in calibrated if at <= first), default=0)
            column(doubt, doubt.name, epoch, False).add(first, doubt.systematic * part)
            if doubt.random:
                name = f"{doubt.name}, document {document_no}"
                column(doubt, name, 0, True).add(from_at, doubt.random * part)
    for name in _factors(one):
        factor = factor_doubt(one.plan, name, one.emitted.from_at)
        assert factor is not None
        column(factor, factor.name, 0, False).add(begin, factor.systematic * kg)
    for each in one.analyses:
        if each.document_no is None:
            continue
        doubt = one.plan.doubts.analyses[each.analysis]
        slope = _slope(one, each, begin, end)
        lasting = slope * (each.value if doubt.is_relative else 1.0)
        sampled = slope * (each.value if doubt.is_random_relative else 1.0)
        column(doubt, doubt.name, 0, False).add(begin, doubt.systematic * lasting)
        if doubt.random:
            name = f"{doubt.name}, document {each.document_no}"
            column(doubt, name, 0, True).add(from_at, doubt.random * sampled)


def _slope(one: Stretch, each: InForce, begin: int, end: int) -> float:
    """By how much the mass of a stretch grows with an analysis, kg per its unit; also of a value of 0."""
    per_count = one.source.kg_per_count_at(one.emitted.from_at) or Fraction(0)
    for other in one.analyses:
        if other is not each:
            per_count *= Fraction(repr(other.value))
    return float(one.emitted.count_in(begin, end) * per_count)


def _contribution(name: str, epoch: int, column: _Column) -> Contribution:
    starts = sorted(column.moved)
    moved = np.array([column.moved[at] for at in starts], np.float64)
    doubt = column.doubt
    return Contribution(
        name,
        epoch,
        np.array(starts, np.int64),
        moved,
        np.zeros_like(moved),
        column.is_random,
        0.0,
        doubt.step_us,
        math.inf if column.is_random else doubt.observations,
    )
