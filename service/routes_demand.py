"""Demand: what the running block comes to and what may still be drawn, and what blocks and months came to."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from ingest.methods.figures import KpiKind
from ingest.plant.plan import Plan, PlanKpi
from service import as_of, demand, latest, month_demand, series
from service.access import Access
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import Service, service_of
from service.demand import METHOD, DemandFigure
from service.documents import Page, answer
from service.month_demand import MonthDemand, PricedMonth
from service.parameters import OfSite, SpanOf, Tabular, resolved
from service.problems import ProblemError, documented
from service.routes_kpis import FIGURE_EXAMPLE, SERIES_EXAMPLE
from service.series import Series
from service.store import Connection
from service.tabular import chosen_format, document, of_models, table

router = APIRouter(tags=["figures"])

DemandId = Annotated[
    str, Path(max_length=500, description="Full id of a KPI of kind demand, slashes as they are: site/…/kpi")
]


class DemandAsked(OfSite, Tabular):
    """Which demands."""


class DemandSeriesAsked(SpanOf, AsOfAsked, Tabular):
    """Which blocks."""


class DemandSeries(Series):
    """The blocks of a demand, and the months they lie in."""

    contract: float | None = Field(description="Contracted now, in `unit`")
    months: list[MonthDemand] = Field(description="The months with a part in the span, each as a whole")


_MONTH: dict[str, Any] = {
    "from": "2026-10-31T16:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "value": 12_480.0,
    "at": "2026-11-12T02:15:00Z",
    "valid_share": 1.0,
}
DEMAND_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            **FIGURE_EXAMPLE,
            "id": "cement/demand",
            "unit": "kW",
            "window": "7min",
            "from": "2026-11-20T08:00:00Z",
            "to": "2026-11-20T08:07:00Z",
            "value": 12_610.0,
            "uncertainty": {
                "u": None,
                "U": None,
                "k": None,
                "percent": None,
                "random_u": None,
                "dominant": [],
                "reason": "a projection of the present load; `at_least` is what is drawn already",
            },
            "revision": 0,
            "method": METHOD,
            "site": "cement",
            "name": "Demand of 15 minutes",
            "ends": "2026-11-20T08:15:00Z",
            "block": "15min",
            "load_window": "2min",
            "load": 12_900.0,
            "energy": 1432.5,
            "at_least": 5730.0,
            "contract": 13_000.0,
            "may_draw": 13_631.25,
            "headroom": 731.25,
            "no_room": None,
            "exceeds_at": None,
            "exceeds_in_s": None,
            "announced": False,
            "caution": 0.2,
            "month": _MONTH,
            "cost": 4940.0,
            "cost_reason": None,
            "currency": "CNY",
        }
    ],
    "next": None,
}
DEMAND_SERIES_EXAMPLE: dict[str, Any] = {
    **SERIES_EXAMPLE,
    "id": "cement/demand",
    "unit": "kW",
    "method": "demand",
    "window": "15min",
    "step": "15min",
    "contract": 13_000.0,
    "months": [
        {
            **_MONTH,
            "reason": None,
            "contract": 13_000.0,
            "is_exceeded": False,
            "billed": 12_480.0,
            "cost": "474240",
            "cost_reason": None,
            "currency": "CNY",
            "charge": "cement/maximum-demand",
            "trust": "unconfirmed",
        }
    ],
}


@router.get(
    "/v1/demand",
    summary="What the running block of every demand comes to",
    responses={
        **answer(Page[DemandFigure], DEMAND_EXAMPLE, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
        ),
    },
)
async def demands(request: Request, access: Reader, asked: Annotated[DemandAsked, Query()]) -> Response:
    """The projected demand of the running block, the mean power that may still be drawn, and what exceeding costs.

    The projection takes the present load for the rest of the block: it says what happens if nothing is done. With a
    gap in the block, or data that are too old, there is none, and the reason says so.
    """
    service = service_of(request)
    items: list[DemandFigure] = []
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        numbers = [site.site_no for site in sites]
        found = await latest.read_rows(connection, numbers)
        commits = await latest.read_commits(connection, numbers)
        for site in sites:
            now = service.now()
            known = await as_of.resolve(connection, site, None, commits.get(site.site_no), now)
            items += await demand.live(connection, site, found[site.site_no], service.peaks, known, now)
    return table(request, of_models(DemandFigure, items), asked.format)


@router.get(
    "/v1/demand/{kpi_id:path}/series",
    summary="The blocks of a demand, and its months with what they cost",
    responses={
        **answer(DemandSeries, DEMAND_SERIES_EXAMPLE, csv=True),
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
async def demand_series(
    request: Request, access: Reader, kpi_id: DemandId, asked: Annotated[DemandSeriesAsked, Query()]
) -> Response:
    """Every block that ends in [from, to), of closed intervals, and the highest of each month. CSV: the blocks."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        read = await read_series(connection, service, access, kpi_id, asked)
    # The connection is given back first: who asks for long sums keeps nobody else from the database.
    found = await read.told()
    if chosen_format(request, asked.format) == "csv":
        return table(request, series.as_table(found), "csv", tagged=read.closed.known.past)
    return document(request, found, tagged=read.closed.known.past)


@dataclass(frozen=True, slots=True)
class ReadSeries:
    """What the blocks and months of a demand are made of."""

    plan: Plan
    kpi: PlanKpi
    wanted: series.Ask
    closed: series.Closed
    months: list[PricedMonth]
    now: int
    """µs."""

    async def told(self) -> DemandSeries:
        """The answer."""
        found = await series.series_of(self.plan, self.kpi, self.wanted, self.closed, self.now)
        months = month_demand.documents(self.kpi, self.months)
        return DemandSeries(**dict(found), contract=self.kpi.contract, months=months)


async def read_series(
    connection: Connection, service: Service, access: Access, kpi_id: str, asked: DemandSeriesAsked
) -> ReadSeries:
    """What the route answers from, of the state a connection sees."""
    site, kpi = await service.plans.kpi(connection, access, kpi_id)
    if kpi.kind is not KpiKind.DEMAND:
        raise ProblemError("unknown-kpi", f"KPI {kpi_id!r} is no demand but a {kpi.kind}.")
    commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
    known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
    now = known.at(now)
    span = resolved(asked, site.plan, now, known.watermark)
    wanted = series.checked(site.plan, kpi, *span, None, None)
    closed = await series.read(connection, service.plans, site, kpi, wanted, known)
    until = span[0] if closed.until is None else closed.until
    months = await month_demand.priced_months(
        connection, service.plans, site, kpi, (wanted.from_at, span[1]), until, known
    )
    return ReadSeries(site.plan, kpi, wanted, closed, months, now)
