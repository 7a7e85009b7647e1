"""Footprints of orders, and whose a unit's energy was."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from service import allocations, as_of, footprints, latest
from service.allocations import AllocationDocument, AllocationGroup
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import service_of
from service.documents import Page, answer
from service.footprint_documents import FootprintDocument
from service.parameters import OfSite, SpanOf, Tabular, resolved
from service.problems import documented
from service.tabular import document, of_models, table

router = APIRouter(tags=["orders"])

OrderId = Annotated[str, Path(max_length=200, description="The MES's own id; it may hold slashes")]


class FootprintAsked(OfSite, AsOfAsked):
    """Of which site's order, as known when."""


class AllocationAsked(OfSite, SpanOf, AsOfAsked, Tabular):
    """Whose what was."""

    unit: str = Field(max_length=500, description="A unit on which orders run", examples=["cement/mill"])
    group_by: AllocationGroup = Field("owner", description="What to sum over")


_UNCERTAINTY: dict[str, Any] = {
    "u": 12.2,
    "U": 24.4,
    "k": 2.0,
    "percent": 0.58,
    "random_u": 0.4,
    "dominant": [{"source": "instrument mill-meter", "u": 12.2, "share": 0.99}],
    "reason": None,
}
_SHARE: dict[str, Any] = {
    "kind": "energy",
    "id": "cement/mill/energy",
    "shared": None,
    "unit": "kWh",
    "value": 4210.0,
    "reason": None,
    "idle": 12.5,
    "per_quantity": 35.08,
    "carrier": "electricity",
    "scope": None,
    "category": None,
    "route": None,
    "gas": None,
    "account": None,
    "basis": None,
    "supply": None,
    "co2e_kg": None,
    "quality": "good",
    "reasons": [],
    "covered_share": 1.0,
    "valid_share": 1.0,
    "substituted_share": 0.0,
    "revision": 1,
    "known_at": "2026-11-20T10:00:04Z",
    "plan_versions": [3],
    "uncertainty": _UNCERTAINTY,
}
_FOOTPRINT: dict[str, Any] = {
    "id": "4711",
    "site": "cement",
    "product": "cem-i",
    "batch": "B7",
    "closed": True,
    "from": "2026-11-20T08:00:00Z",
    "to": "2026-11-20T10:00:00Z",
    "units": ["cement/mill"],
    "quantity": {"good": 120.0, "scrap": 0.0, "measure": "t", "told_by": "statements", "reason": None},
    "shares": [_SHARE],
    "energy_kwh": {"electricity": 4210.0},
    "co2e": [
        {
            "scope": 2,
            "account": "gross",
            "route": "calculated",
            "basis": "location",
            "supply": "grid",
            "co2e_kg": 2233.8,
            "per_quantity": 18.6,
            "uncertainty": {"reason": "factor ef-grid has no uncertainty"},
        }
    ],
    "cost": {"value": 2947.0, "exact": "2947", "export": 0.0, "currency": "CNY", "without": []},
    "left_out": [],
    "energy_uncertainty": {"electricity": _UNCERTAINTY},
    "method": footprints.METHOD,
    "told": [{"revision": 1, "cause": "ready", "known_at": "2026-11-20T10:00:06Z", "batch_no": 812}],
    "plan_version": 3,
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T10:00:06Z"},
}
_ALLOCATION: dict[str, Any] = {
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T10:00:06Z"},
    "items": [
        {
            "from": "2026-11-20T08:00:00Z",
            "to": "2026-11-20T10:00:00Z",
            "group": "total",
            "id": "cement/mill/energy",
            "kind": "energy",
            "shared": None,
            "unit": "kWh",
            "value": 4210.0,
            "exact": "4210",
            "time_s": 7200.0,
            "valid_share": 1.0,
            "quality": "good",
        }
    ],
    "next": None,
}
_PROBLEMS = ("no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away")


class AllocationPage(Page[AllocationDocument]):
    """Rows of one unit."""

    as_of: as_of.AsOfDocument


@router.get(
    "/v1/orders/{order_id:path}/footprint",
    summary="What an order cost in energy and carbon",
    responses={**answer(FootprintDocument, _FOOTPRINT), **documented(*_PROBLEMS, "unknown-order")},
)
async def footprint(
    request: Request, access: Reader, order_id: OrderId, asked: Annotated[FootprintAsked, Query()]
) -> Response:
    """Its units' meters and sources by the time its segments ran, and its part of what serves several units.

    What may not be added up has its own line. Closed intervals only: `valid_share` says how much of its time is known.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site = await service.plans.only(connection, access, asked.site)
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        made = await footprints.of(connection, service.plans, site, order_id, known, now)
    return document(request, made)


@router.get(
    "/v1/allocations",
    summary="Whose a unit's energy and emissions were",
    responses={
        **answer(AllocationPage, _ALLOCATION, csv=True),
        **documented(*_PROBLEMS, "too-much-asked", "no-shifts"),
    },
)
async def allocated(request: Request, access: Reader, asked: Annotated[AllocationAsked, Query()]) -> Response:
    """Orders, idling and what is nobody's, by meter and source: `exact` of the groups adds up to that of `total`."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site = await service.plans.only(connection, access, asked.site)
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        span = resolved(asked, site.plan, known.at(now), known.watermark)
        what = allocations.checked(site.plan, asked.unit, span, asked.group_by)
        batch_no = known.batch_no if known.past else None
        found = await allocations.rows_of(connection, service.plans, site, what, batch_no)
    head = {"as_of": known.document.model_dump()}
    return table(request, of_models(AllocationDocument, found, head), asked.format, tagged=known.past)
