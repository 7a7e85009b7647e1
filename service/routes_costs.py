"""Costs of a span of time."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service import as_of, costs, latest
from service.access import Access
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import Service, service_of
from service.cost_lines import GroupBy
from service.costs import CostFigure, CostsPage
from service.documents import answer
from service.parameters import OfSite, SpanOf, Tabular, resolved
from service.problems import documented
from service.routes_kpis import FIGURE_EXAMPLE
from service.store import Connection
from service.tabular import Table, of_models, table

router = APIRouter(tags=["figures"])


class CostsAsked(SpanOf, AsOfAsked, OfSite, Tabular):
    """Which costs."""

    group_by: GroupBy = Field("day", description="What to sum over; components are never summed")
    min_valid_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="With less valid time a cost is null, reason gap; default: what is known is told",
    )


COSTS_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            **FIGURE_EXAMPLE,
            "id": "cement/costs/2026-11-20T15:00:00+08:00/energy",
            "unit": "CNY",
            "window": "1h",
            "from": "2026-11-20T07:00:00Z",
            "to": "2026-11-20T08:00:00Z",
            "value": 7105.2,
            "uncertainty": {
                "u": None,
                "U": None,
                "k": None,
                "percent": None,
                "random_u": None,
                "dominant": [],
                "reason": "not made for costs: how far a meter may be off is told with its energy",
            },
            "revision": 1,
            "method": "amount x price of its time",
            "site": "cement",
            "group": "2026-11-20T15:00:00+08:00",
            "component": "energy",
            "exact": "7105.2",
            "amount": 11460.0,
            "amount_unit": "kWh",
            "scope": None,
            "route": None,
            "basis": None,
            "supply": None,
            "prices": ["cement/power-2026"],
            "unconfirmed": ["cement/power-2026"],
        }
    ],
    "next": None,
    "currency": {"cement": "CNY"},
    "as_of": {"cement": {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"}},
}


@router.get(
    "/v1/costs",
    summary="What energy, demand and carbon cost",
    responses={
        **answer(CostsPage, COSTS_EXAMPLE, csv=True),
        **documented(
            "no-key",
            "wrong-scope",
            "wrong-site",
            "unknown-site",
            "invalid-parameter",
            "too-much-asked",
            "database-away",
        ),
    },
)
async def spent(request: Request, access: Reader, asked: Annotated[CostsAsked, Query()]) -> Response:
    """The cost of [from, to) per site and group, each amount at the price of its time in the site's zone.

    Energy, the credit of what is exported (below 0), and the cost of carbon are lines of their own, as is the demand
    charge of a month (`group_by=month`, of the whole month): nothing is netted. By unit each line holds what is in the
    unit; what no unit explains is unallocated. What has no data costs nothing here: `valid_share` says how much is known.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        found = await table_of(connection, service, access, asked)
    return table(request, found, asked.format, tagged=asked.as_of is not None)


async def table_of(connection: Connection, service: Service, access: Access, asked: CostsAsked) -> Table:
    """What the route answers, of the state a connection sees."""
    items: list[CostFigure] = []
    sites = await service.plans.visible(connection, access, asked.site)
    commits = await latest.read_commits(connection, [site.site_no for site in sites])
    as_of.check_sites(asked.as_of, sites)
    knowns, spans = [], []
    for site in sites:
        now = service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        knowns.append(known)
        spans.append(resolved(asked, site.plan, known.at(now), known.watermark))
    costs.check_size(zip((site.plan for site in sites), spans, strict=True))
    for site, known, span in zip(sites, knowns, spans, strict=True):
        items += await costs.of_site(
            connection, service.plans, site, span, asked.group_by, known, known.at(service.now()),
            asked.min_valid_share,
        )  # fmt: skip
    head = {
        "currency": {site.plan.site: site.plan.prices.currency for site in sites},
        "as_of": {
            site.plan.site: known.document.model_dump() for site, known in zip(sites, knowns, strict=True)
        },
    }
    return of_models(CostFigure, items, head)
