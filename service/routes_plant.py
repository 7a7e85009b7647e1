"""What there is: plants and points."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from ingest.plant.plan import Plan, PlanPoint
from service import as_of, current, cursors
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import service_of
from service.current import CurrentPage, CurrentReading
from service.documents import Page, answer, columns_of
from service.parameters import OfSite, Paged, Tabular
from service.plans import SitePlan
from service.plants import PlantDocument, PointDocument, methods_of, plant_document, point_row
from service.problems import documented
from service.tabular import Table, document, table

router = APIRouter(tags=["plant"])

_PLACE = range(2**31)
"""Where in the list a page begins."""

_LISTED = documented(
    "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
)


class PointsAsked(OfSite, Tabular, Paged):
    """Which points."""


class PointsLatestAsked(PointsAsked, AsOfAsked):
    """Which points, and as of when."""


PLANT_EXAMPLE = {
    "items": [
        {
            "id": "cement",
            "name": "Cement line (simulated)",
            "clock": "live",
            "time_zone": "Asia/Shanghai",
            "interval": "1min",
            "lateness_s": 5.0,
            "currency": "CNY",
            "gwp": "AR5",
            "plan_version": 1,
            "units": [{"id": "cement/kiln", "name": "Kiln line", "kind": "line"}],
            "carriers": [{"id": "electricity", "name": "Electricity"}],
            "products": [{"id": "clinker", "name": "Clinker"}],
            "factors": [],
            "activities": [],
            "analyses": [],
            "sources": [],
            "benchmarks": [],
        }
    ],
    "next": None,
}
POINTS_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "id": "cement/kiln/power",
            "site": "cement",
            "name": "Power",
            "kind": "gauge",
            "unit": "kW",
            "basis": [],
            "amount_unit": "kWh",
            "resolution": 1e-06,
            "sloped": True,
            "period_s": 5.0,
            "max_gap_s": 60.0,
            "carrier": "electricity",
            "product": None,
            "computed": False,
            "method": None,
            "states": None,
            "low": 0.0,
            "high": 20000.0,
            "topics": [],
        }
    ],
    "next": None,
}

CURRENT_EXAMPLE: dict[str, Any] = {
    "as_of": {"cement": {"batch_no": 812, "known_at": "2026-11-20T08:00:04.010000Z"}},
    "items": [
        {
            "id": "cement/kiln/stack/state",
            "unit": "1",
            "value": 1.0,
            "state": "measuring",
            "reason": None,
            "quality": "good",
            "reasons": [],
            "measured_at": "2026-11-20T08:00:00Z",
            "received_at": "2026-11-20T08:00:00.062000Z",
            "data_age_s": 1.2,
        }
    ],
    "next": None,
}


@router.get(
    "/v1/plant",
    summary="Sites with their units, carriers, products, factors and emission sources",
    responses={**answer(Page[PlantDocument], PLANT_EXAMPLE), **_LISTED},
)
async def plant(request: Request, access: Reader, asked: Annotated[OfSite, Query()]) -> Response:
    """Every site the key covers, under its plan in force. Carries an ETag."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
    items = [plant_document(site.plan) for site in sites]
    return document(request, Page[PlantDocument](items=items, next=None), tagged=True)


@router.get(
    "/v1/points",
    summary="Points, measured ones before computed ones",
    responses={**answer(Page[PointDocument], POINTS_EXAMPLE, csv=True), **_LISTED},
)
async def points(request: Request, access: Reader, asked: Annotated[PointsAsked, Query()]) -> Response:
    """The points of the sites the key covers, in the plant file's order. Carries an ETag."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
    chosen, following = _paged(sites, asked)
    methods = {id(site.plan): methods_of(site.plan) for site in sites}
    rows = [point_row(plan, point, methods[id(plan)]) for plan, point in chosen]
    return table(
        request, Table(tuple(PointDocument.model_fields), rows, following), asked.format, tagged=True
    )


@router.get(
    "/v1/points/latest",
    summary="What every measured point read last",
    responses={**answer(CurrentPage, CURRENT_EXAMPLE, csv=True), **_LISTED},
)
async def points_latest(
    request: Request, access: Reader, asked: Annotated[PointsLatestAsked, Query()]
) -> Response:
    """The newest reading of each measured point, good or bad, in the plant file's order.

    Computed points have no readings; what they come to is in their intervals. As of an earlier batch: the newest
    that had been stored by then, of the points in the plant file now.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        known = await as_of.resolve_all(connection, sites, asked.as_of, service.now())
        chosen, following = _paged(sites, asked, measured=True)
        rows = await current.newest(connection, chosen, known, service.now())
    head = {"as_of": {name: one.document.model_dump() for name, one in known.items()}}
    made = Table(columns_of(CurrentReading), rows, following, head)
    return table(request, made, asked.format, tagged=asked.as_of is not None)


def _paged(
    sites: Sequence[SitePlan], asked: PointsAsked, *, measured: bool = False
) -> tuple[list[tuple[Plan, PlanPoint]], str | None]:
    """The points of a page in order, and the cursor of the next."""
    every = [
        (site.plan, point)
        for site in sites
        for point in site.plan.points
        if not (measured and point.computed)
    ]
    begin = 0 if asked.cursor is None else cursors.decode(asked.cursor, (_PLACE,))[0]
    end = begin + asked.limit
    return every[begin:end], cursors.encode([end]) if end < len(every) else None
