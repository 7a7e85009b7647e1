"""The KPIs' live windows as they can be told of an earlier batch.

What ingest showed then reached to a horizon within an open interval, and of that nothing
is kept. So the answer is of closed rows only: each window ends at the edge up to which
the KPI was closed then, and is what the series says of it, to the bit. It may lie an
interval and more before what was on the screen, and a demand's block has what was closed
of it. KPIs and windows are those of the plan in force now; whether a figure was stale is
judged at the time of the batch.
"""

from collections.abc import Mapping, Sequence

from ingest.methods.demand import block_begin
from ingest.methods.figures import KpiKind, fresh
from ingest.plant.plan import Plan, PlanKpi
from service import series
from service.as_of import Known
from service.figures import QUALITY_NAMES, Figure, data_age_s, never, reason_names, share
from service.kpi_uncertainty import kpi_sureness
from service.latest import LatestFigures, SiteState
from service.plans import PlanCache, SitePlan
from service.store import Connection
from service.uncertain_rows import grain_of
from service.uncertainty import Sureness
from service.windows import WindowFigure, block_rates, window_figure


async def read(
    connection: Connection,
    plans: PlanCache,
    sites: Sequence[SitePlan],
    known: Mapping[str, Known],
    now: int,
) -> LatestFigures:
    """Every KPI in each of its windows at what was closed of it; `known` of each site, `now` µs."""
    items = []
    for site in sites:
        of_site = known[site.plan.site]
        for kpi in site.plan.kpis:
            items += await _windows(connection, plans, site, kpi, of_site, of_site.at(now))
    return LatestFigures(
        items=items, sites={site.plan.site: _state(site, known[site.plan.site]) for site in sites}
    )


async def _windows(
    connection: Connection, plans: PlanCache, site: SitePlan, kpi: PlanKpi, known: Known, at: int
) -> list[Figure]:
    plan = site.plan
    windows = sorted(kpi.windows_us)
    _, until = await series.closed_span(connection, plan, kpi, known)
    if until is None:
        return [never(plan, kpi, window_us) for window_us in windows]
    begins = [_begin(plan, kpi, window_us, until) for window_us in windows]
    rows = await series.closed_rows(connection, kpi, min(begins), until, known)
    blocks = None
    if kpi.kind is KpiKind.LOAD_FACTOR:
        assert kpi.block_us is not None
        blocks = block_rates(rows, kpi.block_us, kpi.phase_us)
    sure = await kpi_sureness(connection, plans, site, kpi, rows, grain_of(until, *begins), known)
    return [
        _figure(plan, kpi, window_us, window_figure(rows, kpi.kind, blocks, from_at, until), sure, at)
        for window_us, from_at in zip(windows, begins, strict=True)
    ]


def _begin(plan: Plan, kpi: PlanKpi, window_us: int, until: int) -> int:
    """Where the window of a horizon begins, as `ingest.pipeline.kpis` has it."""
    if kpi.kind is KpiKind.DEMAND:
        return block_begin(until - 1, window_us, kpi.phase_us)
    from_at = until - window_us
    return from_at - from_at % plan.interval_us


def _figure(
    plan: Plan, kpi: PlanKpi, window_us: int, figure: WindowFigure, sure: Sureness, at: int
) -> Figure:
    bound = None if plan.clock == "replay" else kpi.stale_after_us
    value, reason = fresh((figure.value, figure.reason), at - figure.to_at, bound)
    span = figure.to_at - figure.from_at
    return Figure(
        id=kpi.id,
        unit=kpi.unit,
        window=window_us,
        from_=figure.from_at,
        to=figure.to_at,
        value=value,
        reason=reason,
        quality=QUALITY_NAMES[figure.quality],
        reasons=reason_names(figure.reasons),
        valid_share=share(figure.valid_us, span),
        substituted_share=share(figure.substituted_us, span),
        uncertainty=sure.document(
            value, (figure.a, figure.b), (figure.from_at, figure.to_at), figure.substituted_us
        ),
        revision=figure.revision,
        known_at=figure.known_at,
        data_age_s=data_age_s(plan, figure.to_at, at),
        method=kpi.kind,
        plan_version=plan.version if figure.plan_version is None else figure.plan_version,
    )


def _state(site: SitePlan, known: Known) -> SiteState:
    return SiteState(
        clock=site.plan.clock,
        batch_no=known.batch_no,
        committed_at=known.known_at,
        watermark=known.watermark,
    )
