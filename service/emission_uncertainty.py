"""How sure emissions are: each group is a sum of its sources, what they share counted once."""

import asyncio
from collections.abc import Sequence

import numpy as np

from ingest.methods.figures import KpiKind
from ingest.methods.tiers import MRR_TIERS
from ingest.plant.plan import PlanSource
from ingest.plant.plan_doubts import PlanTerm, source_term
from ingest.uncertainty.contributions import reads
from service.as_of import Known
from service.plans import PlanCache, SitePlan
from service.store import Connection
from service.uncertain_rows import grain_of, read
from service.uncertainty import PERCENT, Sides, Sureness, UncertaintyDocument, sureness, why_unknown


async def emission_sureness(
    connection: Connection,
    plans: PlanCache,
    site: SitePlan,
    groups: Sequence[Sequence[PlanSource]],
    from_at: int,
    ends: Sequence[int],
    known: Known,
) -> list[Sureness]:
    """Per group of sources the contributions to its mass over [from_at, its end), µs."""
    plan = site.plan
    terms = [_terms(sources) for sources in groups]
    reasons = [why_unknown(plan, KpiKind.TOTAL, (group, ())) for group in terms]
    wanted = [group for group, reason in zip(terms, reasons, strict=True) if reason is None]
    points = reads(plan, (term for group in wanted for term in group))
    to_at = max((from_at, *ends))
    if not points or to_at == from_at:
        nothing = "no closed intervals in the span"
        return [Sureness(KpiKind.TOTAL, (), reason or nothing) for reason in reasons]
    named = [source for sources in groups for source in sources]
    changes = [at for source in named for at, _ in source.steps if from_at < at < to_at]
    grain_us = grain_of(from_at, *ends, *changes)
    restated = [source.id for source in named] if plan.version > 1 else []
    held = await read(connection, points, from_at, to_at, grain_us, known, sources=restated)
    versions = {int(v) for one in held.values() for v in np.unique(one.plan_version)}
    of_versions = await plans.versions(connection, site, versions)
    found = []
    for sources, reason in zip(groups, reasons, strict=True):
        ids = {source.id for source in sources}
        sides: dict[int, Sides] = {
            version: (_terms([source for source in then.sources if source.id in ids]), ())
            for version, then in of_versions.items()
        }
        sure = Sureness(KpiKind.TOTAL, (), reason)
        if reason is None:
            sure = await asyncio.to_thread(sureness, KpiKind.TOTAL, of_versions, sides, held)
        found.append(sure)
    return found


def _terms(sources: Sequence[PlanSource]) -> tuple[PlanTerm, ...]:
    return tuple(source_term(source) for source in sources)


def mrr_tier(source: PlanSource, told: UncertaintyDocument | None) -> int | None:
    """The tier a measured emission keeps; None of a calculated one, and where U is not known."""
    if source.route != "measured" or told is None or told.percent is None:
        return None
    return MRR_TIERS["measured"].of(told.percent / PERCENT)
