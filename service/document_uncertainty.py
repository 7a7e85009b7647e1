"""How sure masses are that documents tell: by the plan versions their pieces name, and the analyses in force in them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.methods.documented import Emitted
from ingest.methods.figures import KpiKind
from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan
from ingest.uncertainty.papers import InForce, Stretch, contributions_of, unknown_of
from service.plans import PlanCache, SitePlan
from service.store import Connection, rows
from service.uncertainty import Sureness, cannot_be_read


@dataclass(frozen=True, slots=True)
class PieceTold:
    """A piece of a document as it is stored for a source."""

    emitted: Emitted
    plan_version: int
    analyses: Sequence[int | None]
    """Documents in the order of the source's analyses; None: a default, or none."""


Group = Sequence[tuple[PlanDocumented, Sequence[PieceTold]]]
"""Sources that are told as one, each with its pieces."""


async def document_sureness(
    connection: Connection, plans: PlanCache, site: SitePlan, groups: Sequence[Group], span: tuple[int, int]
) -> list[Sureness]:
    """Per group the contributions to its mass over a span, µs."""
    pieces = [piece for group in groups for _, told in group for piece in told]
    numbers = {number for piece in pieces for number in piece.analyses if number is not None}
    values = await _values(connection, numbers)
    of_versions = await plans.versions(connection, site, {piece.plan_version for piece in pieces})
    return await asyncio.to_thread(_sure, site.plan, of_versions, values, groups, span)


async def _values(connection: Connection, documents: Iterable[int]) -> Mapping[int, float]:
    found = await rows(
        connection, "SELECT document_no, value FROM document WHERE document_no = ANY(%s)", [sorted(documents)]
    )
    return dict(found)


def _sure(
    plan: Plan,
    of_versions: Mapping[int, Plan],
    values: Mapping[int, float],
    groups: Sequence[Group],
    span: tuple[int, int],
) -> list[Sureness]:
    found = []
    for group in groups:
        named = {piece.plan_version for _, told in group for piece in told}
        if unread := named - of_versions.keys():
            found.append(Sureness(KpiKind.TOTAL, (), cannot_be_read(unread)))
            continue
        stretches = [
            _stretch(of_versions[piece.plan_version], source, piece, values)
            for source, told in group
            for piece in told
            if piece.emitted.kg_per_count is not None
        ]
        reason = unknown_of(stretches)
        parts = () if reason is not None else contributions_of(stretches, *span)
        found.append(Sureness(KpiKind.TOTAL, parts, reason, plan.doubts.correlations))
    return found


def _stretch(plan: Plan, now: PlanDocumented, piece: PieceTold, values: Mapping[int, float]) -> Stretch:
    """A piece as its version weighs it; the source may have had another name then."""
    names = {now.id, *now.formerly}
    source = next(one for one in plan.documented if one.id in names)
    defaults = {analysis.id: analysis.default for analysis in plan.analyses}
    in_force = []
    for name, number in zip(source.analyses, piece.analyses, strict=True):
        factor, value = defaults[name] or ("", 0.0)
        in_force.append(InForce(name, number, factor, value if number is None else values[number]))
    return Stretch(plan, source, piece.emitted, tuple(in_force))
