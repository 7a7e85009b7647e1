"""What there is: plants and points."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service import cursors
from service.auth import Reader
from service.context import service_of
from service.documents import Page, answer
from service.parameters import OfSite, Paged, Tabular
from service.plants import PlantDocument, PointDocument, plant_document, point_row
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
            "topics": [],
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
    every = [(site.plan, point) for site in sites for point in site.plan.points]
    begin = 0 if asked.cursor is None else cursors.decode(asked.cursor, (_PLACE,))[0]
    end = begin + asked.limit
    rows = [point_row(plan, point) for plan, point in every[begin:end]]
    following = cursors.encode([end]) if end < len(every) else None
    return table(
        request, Table(tuple(PointDocument.model_fields), rows, following), asked.format, tagged=True
    )
