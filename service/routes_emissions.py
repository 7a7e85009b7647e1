"""Emissions of a span of time."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service import as_of, documented, emissions, inventory, latest
from service.access import Access
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import Service, service_of
from service.documents import answer
from service.inventory import (
    BoundaryDocument,
    EmissionFigure,
    EmissionsPage,
    FactorUsed,
    GroupBy,
    GwpSet,
    Potentials,
)
from service.parameters import OfSite, SpanOf, Tabular, resolved
from service.problems import documented as problems
from service.store import Connection
from service.tabular import Table, of_models, table

router = APIRouter(tags=["figures"])


class EmissionsAsked(SpanOf, AsOfAsked, OfSite, Tabular):
    """Which emissions."""

    group_by: GroupBy = Field(
        "scope", description="What to sum over; routes, gases, accounts and evidence are never summed"
    )
    gwp: GwpSet | None = Field(
        None, description="Global warming potentials of CO2e; default: each site's set"
    )


EMISSIONS_EXAMPLE = {
    "items": [
        {
            "id": "cement/scope/1",
            "unit": "kg",
            "window": "1h",
            "from": "2026-11-20T07:00:00Z",
            "to": "2026-11-20T08:00:00Z",
            "value": 161246.0,
            "reason": None,
            "quality": "good",
            "reasons": [],
            "valid_share": 1.0,
            "substituted_share": 0.0,
            "uncertainty": {
                "u": 4874.5,
                "U": 9749.0,
                "k": 2.0,
                "percent": 6.046,
                "random_u": 2813.7,
                "dominant": [{"source": "instrument stack-velocity", "u": 4031.2, "share": 0.684}],
                "reason": None,
            },
            "revision": 1,
            "known_at": "2026-11-20T08:00:05Z",
            "data_age_s": 4.7,
            "method": "hj212-2017.annex-d",
            "plan_version": 1,
            "site": "cement",
            "group": "1",
            "route": "measured",
            "gas": "co2",
            "basis": None,
            "supply": None,
            "account": "gross",
            "evidence": "metered",
            "co2e_kg": 161246.0,
            "sources": ["cement/kiln/stack"],
            "factors": [],
            "unconfirmed": [],
            "defaulted": [],
            "documents": [],
            "mrr_tier": 2,
        }
    ],
    "next": None,
    "gwp": {"cement": "AR5"},
    "totals": [
        {
            "site": "cement",
            "scope": 1,
            "account": "gross",
            "route": "measured",
            "basis": None,
            "supply": None,
            "co2e_kg": 161246.0,
            "reason": None,
        }
    ],
    "boundaries": [],
    "factors": [],
    "as_of": {"cement": {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"}},
}


@router.get(
    "/v1/emissions",
    summary="Mass emitted, by group, route and gas",
    responses={
        **answer(EmissionsPage, EMISSIONS_EXAMPLE, csv=True),
        **problems(
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
async def emitted(request: Request, access: Reader, asked: Annotated[EmissionsAsked, Query()]) -> Response:
    """The mass of each gas emitted in [from, to), per site and group.

    Measured and calculated routes are two accounts of the same gas: each has its own
    line, and no line holds both. So have location- and market-based emissions of scope 2, green power,
    own generation and export beside what the grid supplied, what is biogenic, captured, fixed in
    products or offset, and what meters and what documents tell. CO2e is summed over gases, each of these apart.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        answered = await table_of(connection, service, access, asked)
    return table(request, answered, asked.format, tagged=asked.as_of is not None)


async def table_of(connection: Connection, service: Service, access: Access, asked: EmissionsAsked) -> Table:
    """What the route answers, of the state a connection sees."""
    items: list[EmissionFigure] = []
    factors: list[FactorUsed] = []
    boundaries: list[BoundaryDocument] = []
    sites = await service.plans.visible(connection, access, asked.site)
    commits = await latest.read_commits(connection, [site.site_no for site in sites])
    as_of.check_sites(asked.as_of, sites)
    knowns, spans = [], []
    for site in sites:
        now = service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        knowns.append(known)
        spans.append(resolved(asked, site.plan, known.at(now), known.watermark))
    emissions.check_size(zip((site.plan for site in sites), spans, strict=True))
    for site, known, (from_at, to_at) in zip(sites, knowns, spans, strict=True):
        now = known.at(service.now())
        potentials = Potentials.of(site.plan, asked.gwp)
        lines, book, sure = await emissions.of_site(
            connection, service.plans, site, from_at, to_at, asked.group_by, now, known, potentials
        )
        told, others, sure_told = await documented.of_site(
            connection, service.plans, site, from_at, to_at, asked.group_by, known, potentials
        )
        items += [*lines, *told]
        if asked.group_by == "source":
            boundaries += inventory.balances(site.plan, [*lines, *told], {**sure, **sure_told})
        factors += {**book.used, **others.used}.values()
    head = {
        "as_of": {
            one.plan.site: known.document.model_dump() for one, known in zip(sites, knowns, strict=True)
        },
        "gwp": {one.plan.site: Potentials.of(one.plan, asked.gwp).name for one in sites},
        "totals": [total.model_dump() for total in inventory.totals(items)]
        if asked.group_by == "scope"
        else [],
        "boundaries": [boundary.model_dump() for boundary in boundaries],
        "factors": [factor.model_dump() for factor in factors],
    }
    return of_models(EmissionFigure, items, head)
