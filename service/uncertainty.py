"""How sure a figure is, as the API tells it.

The arithmetic is `ingest.uncertainty`. A figure whose plan does not know enough has a
reason instead of numbers: a missing uncertainty is never a small one.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ingest.methods.figures import KpiKind
from ingest.model import HOUR
from ingest.plant.plan import Plan
from ingest.plant.plan_doubts import PlanTerm
from ingest.uncertainty.contributions import Contribution, PointRows, contributions, reads, unknown
from ingest.uncertainty.figure import KINDS, Correlations, FigureUncertainty, of_figure
from service.documents import Document
from service.store import Row

PERCENT = 100.0
SUBSTITUTED = "u is as if measured; how far the substituted values may be off is not in it"

Sides = tuple[Sequence[PlanTerm], Sequence[PlanTerm]]
"""The terms of a and of b."""


class DominantDocument(Document):
    """A source of error."""

    source: str = Field(
        description="The instrument, factor or constant; `random` of what changes by the hour"
    )
    u: float = Field(description="Its contribution, in the figure's unit; signed where it is systematic")
    share: float = Field(description="Its part of the variance")


class UncertaintyDocument(Document):
    """How far a figure may be off, or why that is not known."""

    u: float | None = Field(None, description="Standard uncertainty, in the figure's unit")
    expanded: float | None = Field(
        None, alias="U", description="k·u: the figure ± U holds the truth in 95 of 100"
    )
    k: float | None = Field(None, description="2; more where little was observed")
    percent: float | None = Field(None, description="U in percent of the figure; null of 0")
    random_u: float | None = Field(None, description="The part of u that a longer span makes smaller")
    dominant: list[DominantDocument] = Field(default=[], description="The weightiest sources")
    reason: str | None = Field(None, description="Why u is null, or what is not in it")


def because(reason: str) -> UncertaintyDocument:
    """What is told where nothing is known."""
    return UncertaintyDocument(reason=reason)


def cannot_be_read(versions: Collection[int]) -> str:
    """The reason of a figure that rests on plan versions this release does not understand."""
    return f"plan version {min(versions)} cannot be read any more"


def uncertainty_document(
    found: FigureUncertainty | None, value: float | None, *, scale: float = 1.0
) -> UncertaintyDocument | None:
    """The document of a figure; `scale` carries what was found to the figure's unit. None of no figure."""
    if value is None:
        return None
    if found is None:
        return because("no closed intervals of its inputs in the span")
    expanded = scale * found.expanded
    return UncertaintyDocument(
        u=scale * found.u,
        expanded=expanded,
        k=found.k,
        percent=PERCENT * expanded / abs(value) if value else None,
        random_u=scale * found.random_u,
        dominant=[
            DominantDocument(source=one.name, u=scale * one.u, share=one.share) for one in found.dominant
        ],
    )


def with_substitutes(found: UncertaintyDocument | None, substituted_us: int) -> UncertaintyDocument | None:
    """The document, which says so where some of the span is substituted."""
    if found is None or found.u is None or not substituted_us:
        return found
    return found.model_copy(update={"reason": SUBSTITUTED})


@dataclass(frozen=True, slots=True)
class Sureness:
    """The contributions to a figure over some span, or why there are none."""

    kind: KpiKind
    found: Sequence[Contribution]
    reason: str | None
    correlations: Correlations | None = None

    def over(self, kind: KpiKind, a: float, b: float, from_at: int, to_at: int) -> FigureUncertainty | None:
        """Of the figure that the sums a and b make over [from_at, to_at), µs; None where nothing is known of it."""
        if self.reason is not None:
            return None
        return of_figure(self.found, kind, a, b, from_at, to_at, self.correlations)

    def document(
        self, value: float | None, sums: tuple[float, float], span: tuple[int, int], substituted_us: int = 0
    ) -> UncertaintyDocument | None:
        """Of the figure `value` that its sums a and b make over a span, µs."""
        if value is None:
            return None
        if self.reason is not None:
            return because(self.reason)
        found = uncertainty_document(self.over(self.kind, *sums, *span), value)
        return with_substitutes(found, substituted_us)


def why_unknown(plan: Plan, kind: KpiKind, sides: Sides) -> str | None:
    """Why a figure of a plan has no uncertainty; None: it has one."""
    if kind not in KINDS:
        return f"not known of a {kind}"
    return unknown(plan, (*sides[0], *sides[1]))


def sureness(
    kind: KpiKind, plans: Mapping[int, Plan], sides: Mapping[int, Sides], held: Mapping[str, PointRows]
) -> Sureness:
    """The contributions to a figure.

    Args:
        kind: of the figure.
        plans: by version, those the rows name.
        sides: per version the figure's terms.
        held: what `read` gave for them.
    """
    named = {int(version) for one in held.values() for version in np.unique(one.plan_version)}
    if unread := named - sides.keys():
        return Sureness(kind, (), cannot_be_read(unread))
    for version, (a, b) in sides.items():
        reason = why_unknown(plans[version], kind, (a, b))
        if reason is not None:
            return Sureness(kind, (), reason)
        absent = [point for point in reads(plans[version], (*a, *b)) if point not in held]
        if absent:
            return Sureness(kind, (), f"no closed intervals of {absent[0]} in the span")
    # Correlations are those of the newest plan: they are of its instruments' newest calibrations.
    correlations = plans[max(sides)].doubts.correlations if sides else None
    return Sureness(kind, contributions(plans, sides, held), None, correlations)


def as_point_rows(found: Sequence[Row]) -> dict[str, PointRows]:
    """Rows (id, start, amount, mean, covered µs, plan version), ascending, by point."""
    of_points: dict[str, list[Row]] = {}
    for point, *values in found:
        of_points.setdefault(point, []).append(tuple(values))
    made = {}
    for point, values in of_points.items():
        start_at, amount, mean, covered, version = zip(*values, strict=True)
        made[point] = PointRows(
            np.array(start_at, np.int64),
            np.array([math.nan if one is None else one for one in amount]),
            np.array([math.nan if one is None else one for one in mean]),
            np.array(covered, np.float64) / HOUR,
            np.array(version, np.int64),
        )
    return made
