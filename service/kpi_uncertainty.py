"""How sure a KPI's windows are: by the plan versions its rows name, from the intervals of its inputs."""

import asyncio

from ingest.plant.plan import PlanKpi
from ingest.uncertainty.contributions import reads
from service.as_of import Known
from service.plans import PlanCache, SitePlan
from service.store import Connection
from service.uncertain_rows import read
from service.uncertainty import Sides, Sureness, cannot_be_read, sureness, why_unknown
from service.windows import KpiRows


async def kpi_sureness(
    connection: Connection,
    plans: PlanCache,
    site: SitePlan,
    kpi: PlanKpi,
    found: KpiRows,
    grain_us: int,
    known: Known,
) -> Sureness:
    """How sure windows over a KPI's closed rows are, from the intervals of its inputs that these stand for.

    `grain_us` (µs) has to divide where windows begin and end.
    """
    reason = why_unknown(site.plan, kpi.kind, (kpi.a_terms, kpi.b_terms))
    if reason is not None or not found.start_at:
        return Sureness(kpi.kind, (), reason or "no closed intervals of the KPI in the span")
    of_versions = await plans.versions(connection, site, found.plan_version)
    if unread := set(found.plan_version) - of_versions.keys():
        return Sureness(kpi.kind, (), cannot_be_read(unread))
    sides: dict[int, Sides] = {}
    for version, plan in of_versions.items():
        then = next((one for one in plan.kpis if one.id == kpi.id), None)
        if then is None or then.kind is not kpi.kind:
            return Sureness(kpi.kind, (), f"the KPI was another under plan version {version}")
        sides[version] = (then.a_terms, then.b_terms)
    points = {point for v, plan in of_versions.items() for point in reads(plan, (*sides[v][0], *sides[v][1]))}
    from_at, to_at = found.start_at[0], found.start_at[-1] + site.plan.interval_us
    held = await read(connection, sorted(points), from_at, to_at, grain_us, known, kpi=kpi.id)
    return await asyncio.to_thread(sureness, kpi.kind, of_versions, sides, held)
