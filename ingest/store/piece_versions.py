"""Which version of the plant file weighs which stretch of a document for a source, and what it makes of it.

A document is weighed under the version under which it took effect. A restatement puts another one
in its place where that weighs it otherwise, over the span restated, and there it stays:
what is said anew later is said under it. Pure; nothing is read or written here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ingest.methods.documented import Analyses, Piece, Quantity, pieces, weight
from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan


@dataclass(frozen=True, slots=True)
class PieceRow:
    """A piece as it is stored."""

    from_at: int
    to_at: int
    kg_per_count: float | None
    analyses: list[int | None]
    defaulted: list[str]
    plan_version: int

    @property
    def weighs(self) -> tuple[Any, ...]:
        """What it says of its stretch."""
        return (self.kg_per_count, self.analyses, self.defaulted)

    @property
    def key(self) -> tuple[Any, ...]:
        """What has to differ for it to be another."""
        return (self.from_at, self.to_at, *self.weighs)


@dataclass(frozen=True, slots=True)
class Under:
    """A plan version, and the number of each of its sources by id."""

    plan: Plan
    numbers: Mapping[str, int]

    def sources(self, activity: str) -> dict[int, PlanDocumented]:
        """By number those that documents of an activity weigh for."""
        return {
            self.numbers[source.id]: source
            for source in self.plan.documented
            if source.activity == activity and source.id in self.numbers
        }


Reign = tuple[int, int, Under]
"""[from_at, to_at) µs of a document, and what weighs it there."""


def reigns_of(rows: Sequence[PieceRow], versions: Mapping[int, Under]) -> list[Reign]:
    """Under which versions a document was last weighed, from its pieces in order of time."""
    found: list[Reign] = []
    for row in rows:
        under = versions[row.plan_version]
        if found and found[-1][1] == row.from_at and found[-1][2] is under:
            found[-1] = (found[-1][0], row.to_at, under)
        else:
            found.append((row.from_at, row.to_at, under))
    return found


def weighed(
    quantity: Quantity, activity: str, source_no: int, reigns: Iterable[Reign], known: Analyses
) -> list[PieceRow]:
    """The pieces of a document for a source, each as its version makes it; none where that does not know the source."""
    found: list[PieceRow] = []
    for begin, end, under in reigns:
        source = under.sources(activity).get(source_no)
        if source is None:
            continue
        steps = [at for at, _ in source.steps]
        parts = pieces(
            quantity,
            source.analyses,
            known.near(quantity, source.analyses),
            under.plan.interval_us,
            [*steps, begin, end],
        )
        found += [
            _row(under.plan, source, part, known)
            for part in parts
            if begin <= part.from_at and part.to_at <= end
        ]
    return found


def _row(plan: Plan, source: PlanDocumented, part: Piece, known: Analyses) -> PieceRow:
    """What a piece weighs for a source; a declared default stands in for an analysis that is wanting."""
    defaults = {analysis.id: analysis.default for analysis in plan.analyses}
    values: dict[str, float | None] = {}
    defaulted = []
    for name, number in zip(source.analyses, part.analyses, strict=True):
        default = defaults[name]
        if number is not None:
            values[name] = known.value(number, name)
        elif default is not None:
            defaulted.append(default[0])
            values[name] = default[1]
        else:
            values[name] = None
    kg_per_count = weight(source.kg_per_count_at(part.from_at), values)
    return PieceRow(part.from_at, part.to_at, kg_per_count, list(part.analyses), defaulted, plan.version)


@dataclass(frozen=True, slots=True)
class Restated:
    """What a version makes of a document for a source within a span."""

    reigns: list[Reign]
    """What weighs it then."""
    left: bool
    """Whether some of it is left as it was: the version makes no mass of it."""


def restated(
    before: Sequence[PieceRow],
    reigns: Sequence[Reign],
    after: Sequence[PieceRow],
    under: Under,
    span: tuple[int, int],
) -> Restated:
    """Put a version where it weighs a document otherwise; where it makes no mass what was said is left.

    Args:
        before: the pieces as they are, with their `reigns`.
        reigns: what made them.
        after: the pieces as `under` makes them of all of the document.
        under: the version.
        span: what is restated, µs.
    """
    edges = {at for row in (*before, *after) for at in (row.from_at, row.to_at)} | {
        at for begin, end, _ in reigns for at in (begin, end)
    }
    cuts = sorted(edges | {at for at in span if edges and min(edges) < at < max(edges)})
    found: list[Reign] = []
    left = False
    for begin, end in pairwise(cuts):
        was, would, reign = _at(before, begin), _at(after, begin), _reign(reigns, begin)
        if (
            span[0] <= begin
            and end <= span[1]
            and (was is None or would is None or was.weighs != would.weighs)
        ):
            if would is not None and would.kg_per_count is not None:
                reign = under
            else:
                left = left or (was is not None and was.kg_per_count is not None)
        if reign is None:
            continue
        if found and found[-1][1] == begin and found[-1][2] is reign:
            found[-1] = (found[-1][0], end, reign)
        else:
            found.append((begin, end, reign))
    return Restated(found, left)


def _at(rows: Sequence[PieceRow], at: int) -> PieceRow | None:
    return next((row for row in rows if row.from_at <= at < row.to_at), None)


def _reign(reigns: Sequence[Reign], at: int) -> Under | None:
    return next((under for begin, end, under in reigns if begin <= at < end), None)
