"""Figures: what KPIs there are, what they are now, what they were."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from service import as_of, latest, past_windows, series
from service.as_of import AsOfAsked
from service.auth import Reader
from service.benchmarks import LiveFigure, beside, by_kpi
from service.context import service_of
from service.documents import Document, Page, Span, answer
from service.latest import SiteState
from service.parameters import OfSite, SpanOf, Tabular, resolved
from service.plants import KpiDocument, kpi_document
from service.problems import documented
from service.series import Series
from service.tabular import chosen_format, document, of_models, table

router = APIRouter(tags=["figures"])

KpiId = Annotated[str, Path(max_length=500, description="Full id, slashes as they are: site/…/kpi")]

_LISTED = documented(
    "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
)


class LatestAsked(OfSite, AsOfAsked, Tabular):
    """Which figures."""


class LatestPage(Document):
    """Every KPI in each of its live windows, beside its benchmarks."""

    items: list[LiveFigure]
    next: None = None
    sites: dict[str, SiteState] = Field(description="By site id")


class SeriesAsked(SpanOf, AsOfAsked, Tabular):
    """Which windows."""

    window: Span | None = Field(
        None,
        description="The span each value sums, a multiple of the interval; default: the shortest live window",
    )
    step: Span | None = Field(None, description="The distance between values; default: the window")


KPIS_EXAMPLE = {
    "items": [
        {
            "id": "cement/electricity-intensity",
            "site": "cement",
            "name": "Electricity per clinker",
            "kind": "ratio",
            "unit": "kWh/t",
            "basis": [],
            "windows": ["5min", "1h", "8h", "24h"],
            "block": None,
            "align": None,
            "load_window": None,
            "stale_after_s": 300.0,
            "route": None,
            "contract": None,
            "benchmarks": [
                {
                    "id": "cement/electricity-limit",
                    "kpi": "cement/electricity-intensity",
                    "value": 61.0,
                    "unit": "kWh/t",
                    "level": "limit",
                    "better": "lower",
                    "corrected": 61.0,
                    "valid_from": None,
                    "valid_to": None,
                    "source": "GB 16780-2021, level 3",
                    "trust": "P",
                }
            ],
            "numerator": [{"point": "cement/substation/energy", "weight": 1.0}],
            "denominator": [{"point": "cement/kiln/clinker", "weight": 1.0}],
        }
    ],
    "next": None,
}
UNCERTAINTY_EXAMPLE = {
    "u": 0.37,
    "U": 0.74,
    "k": 2.0,
    "percent": 1.345,
    "random_u": 0.09,
    "dominant": [{"source": "instrument clinker-weigher", "u": -0.3175, "share": 0.7364}],
    "reason": None,
}
FIGURE_EXAMPLE = {
    "id": "cement/electricity-intensity",
    "unit": "kWh/t",
    "window": "1h",
    "from": "2026-11-20T07:00:00Z",
    "to": "2026-11-20T08:00:03.500000Z",
    "value": 55.00816326530612,
    "reason": None,
    "quality": "good",
    "reasons": [],
    "valid_share": 1.0,
    "substituted_share": 0.0,
    "uncertainty": UNCERTAINTY_EXAMPLE,
    "revision": 0,
    "known_at": "2026-11-20T08:00:04.010000Z",
    "data_age_s": 1.2,
    "method": "ratio",
    "plan_version": 1,
}
LATEST_EXAMPLE = {
    "items": [{**FIGURE_EXAMPLE, "band": "between", "benchmarks": {"advanced": 48.0, "limit": 61.0}}],
    "next": None,
    "sites": {
        "cement": {
            "clock": "live",
            "batch_no": 812,
            "committed_at": "2026-11-20T08:00:04.010000Z",
            "watermark": "2026-11-20T07:59:58.500000Z",
        }
    },
}
SERIES_EXAMPLE = {
    "id": "cement/electricity-intensity",
    "unit": "kWh/t",
    "method": "ratio",
    "clock": "live",
    "window": "1h",
    "step": "1h",
    "from": "2026-11-20T06:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "uncertainty": UNCERTAINTY_EXAMPLE,
    "data_age_s": 4.7,
    "plan_version": 1,
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"},
    "columns": {
        "from": ["2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z"],
        "to": ["2026-11-20T07:00:00Z", "2026-11-20T08:00:00Z"],
        "value": [55.00816326530612, None],
        "reason": [None, "no_production"],
        "quality": ["good", "good"],
        "reasons": [[], []],
        "valid_share": [1.0, 1.0],
        "substituted_share": [0.0, 0.0],
        "revision": [1, 1],
        "plan_version": [1, 1],
        "known_at": ["2026-11-20T07:00:05Z", "2026-11-20T08:00:05Z"],
        "u": [0.37, None],
        "U": [0.74, None],
    },
}


@router.get(
    "/v1/kpis",
    summary="What figures there are",
    responses={**answer(Page[KpiDocument], KPIS_EXAMPLE), **_LISTED},
)
async def kpis(request: Request, access: Reader, asked: Annotated[OfSite, Query()]) -> Response:
    """The KPIs of the sites the key covers, in the plant file's order. Carries an ETag."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
    items = [kpi_document(site.plan, kpi) for site in sites for kpi in site.plan.kpis]
    return document(request, Page[KpiDocument](items=items, next=None), tagged=True)


@router.get(
    "/v1/kpis/latest",
    summary="Every figure as it is now",
    responses={**answer(LatestPage, LATEST_EXAMPLE, csv=True), **_LISTED},
)
async def kpis_latest(request: Request, access: Reader, asked: Annotated[LatestAsked, Query()]) -> Response:
    """Each KPI in each of its live windows, at the horizon its inputs reach.

    At a live site a figure whose data are older than the KPI's `stale_after` is null, reason stale. A replay
    site shows recorded data; there nothing grows stale. Of an earlier batch (`as_of`) only closed intervals are known: each
    window then ends where the KPI was closed, which may be an interval and more before what was shown at that time.
    `band` says where a figure stands beside the benchmarks in force.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        if asked.as_of is None:
            found = await latest.read(connection, sites, service.live_uncertainty, service.now())
        else:
            known = await as_of.resolve_all(connection, sites, asked.as_of, service.now())
            found = await past_windows.read(connection, service.plans, sites, known, service.now())
    head = {"sites": {name: state.model_dump() for name, state in found.sites.items()}}
    marks = by_kpi(site.plan for site in sites)
    made = of_models(LiveFigure, [beside(figure, marks) for figure in found.items], head)
    return table(request, made, asked.format, tagged=asked.as_of is not None)


@router.get(
    "/v1/kpis/{kpi_id:path}/series",
    summary="A figure over time",
    responses={
        **answer(Series, SERIES_EXAMPLE, csv=True),
        **documented(
            "no-key",
            "wrong-scope",
            "wrong-site",
            "unknown-kpi",
            "invalid-parameter",
            "too-much-asked",
            "database-away",
        ),
    },
)
async def kpi_series(
    request: Request, access: Reader, kpi_id: KpiId, asked: Annotated[SeriesAsked, Query()]
) -> Response:
    """Windows [end - window, end) for end = from + step, from + 2 step, … up to `to`, of closed intervals.

    Numerator and denominator are summed over the same intervals and then combined: never a mean of ratios.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, kpi = await service.plans.kpi(connection, access, kpi_id)
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        now = known.at(now)
        from_at, to_at = resolved(asked, site.plan, now, known.watermark)
        wanted = series.checked(site.plan, kpi, from_at, to_at, asked.window, asked.step)
        closed = await series.read(connection, service.plans, site, kpi, wanted, known)
    # The connection is given back first: who asks for long sums keeps nobody else from the database.
    found = await series.series_of(site.plan, kpi, wanted, closed, now)
    if chosen_format(request, asked.format) == "csv":
        return table(request, series.as_table(found), "csv", tagged=known.past)
    return document(request, found, tagged=known.past)
