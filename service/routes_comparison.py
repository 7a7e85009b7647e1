"""What comparing a point with another has come to, by HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service import comparisons, latest
from service.auth import Reader
from service.comparisons import ComparisonPage
from service.context import service_of
from service.documents import answer
from service.parameters import Paged, SpanOf, Tabular, resolved
from service.problems import documented
from service.routes_points import PointId
from service.tabular import table

router = APIRouter(tags=["points"])


class ComparisonAsked(SpanOf, Tabular, Paged):
    """Which hours."""


EXAMPLE: dict[str, Any] = {
    "id": "cement/kiln/power",
    "unit": "kWh",
    "with": "cement/kiln/energy",
    "within": "2 %",
    "least_share": 0.5,
    "from": "2026-11-20T06:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "items": [
        {
            "from": "2026-11-20T06:00:00Z",
            "to": "2026-11-20T07:00:00Z",
            "own": 4312.5,
            "other": 4202.25,
            "difference": 110.25,
            "common_share": 0.95,
            "verdict": "drifted",
            "reason": None,
            "plan_version": 3,
            "batch_no": 812,
            "known_at": "2026-11-20T07:00:05.600000Z",
        }
    ],
    "next": None,
}


@router.get(
    "/v1/points/{point_id:path}/comparison",
    summary="A point beside the one it is compared with, hour by hour",
    responses={
        **answer(ComparisonPage, EXAMPLE, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-point", "invalid-parameter", "database-away"
        ),
    },
)
async def point_comparison(
    request: Request, access: Reader, point_id: PointId, asked: Annotated[ComparisonAsked, Query()]
) -> Response:
    """Hours that begin in [from, to), both points having closed them, oldest first; none without time in common."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, point = await service.plans.point(connection, access, point_id)
        commits = await latest.read_commits(connection, [site.site_no])
        commit = commits.get(site.site_no)
        watermark = None if commit is None else commit.watermark
        from_at, to_at = resolved(asked, site.plan, service.now(), watermark)
        page = await comparisons.page(connection, site.plan, point, from_at, to_at, asked.limit, asked.cursor)
    return table(request, page, asked.format)
