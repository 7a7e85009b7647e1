"""The ledger of a counter by HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from ingest.model import Kind
from service import as_of, latest, ledger
from service.as_of import AsOfAsked
from service.auth import Reader
from service.context import service_of
from service.documents import answer
from service.ledger import LedgerPage
from service.parameters import Paged, SpanOf, Tabular, resolved
from service.problems import documented, invalid
from service.routes_points import PointId
from service.tabular import table

router = APIRouter(tags=["points"])


class LedgerAsked(SpanOf, AsOfAsked, Tabular, Paged):
    """Which steps."""


EXAMPLE: dict[str, Any] = {
    "id": "cement/kiln/clinker",
    "unit": "t",
    "resolution": 0.001,
    "from": "2026-11-20T00:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T08:01:05.600000Z"},
    "summary": {
        "first_at": "2026-11-20T00:00:00Z",
        "last_at": "2026-11-20T07:59:55Z",
        "first": 119200.0,
        "first_count": 119200000,
        "last": 425.25,
        "last_count": 425250,
        "difference": -118774.75,
        "difference_count": -118774750,
        "increments": 1666.75,
        "increments_count": 1666750,
        "corrections": -120441.5,
        "corrections_count": -120441500,
        "conserved": True,
        "reason": None,
    },
    "items": [
        {
            "at": "2026-11-20T06:30:00Z",
            "previous_at": "2026-11-20T06:30:00Z",
            "class": "replaced",
            "increment": 0.0,
            "increment_count": 0,
            "correction": -120441.5,
            "correction_count": -120441500,
            "quality": "good",
            "reason": "replaced",
            "declaration": 12,
            "author": "m.weber",
            "batch_no": 815,
            "known_at": "2026-11-20T08:01:05.600000Z",
        }
    ],
    "next": None,
}


@router.get(
    "/v1/points/{point_id:path}/ledger",
    summary="Steps of a counter that were not simply use, and the books of a span",
    responses={
        **answer(LedgerPage, EXAMPLE, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-point", "invalid-parameter", "database-away"
        ),
    },
)
async def point_ledger(
    request: Request, access: Reader, point_id: PointId, asked: Annotated[LedgerAsked, Query()]
) -> Response:
    """Rollovers, resets, replacements, glitches and implausible steps with `at` in [from, to), oldest first."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, point = await service.plans.point(connection, access, point_id)
        if point.kind is not Kind.COUNTER:
            raise invalid(
                "Path parameter", "point_id", point.id, "a counter, for other points have no ledger"
            )
        commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
        known = await as_of.resolve(connection, site, asked.as_of, commits.get(site.site_no), now)
        span = resolved(asked, site.plan, known.at(now), known.watermark)
        page = await ledger.page(connection, site.plan, point, span, asked.limit, asked.cursor, known)
    return table(request, page, asked.format, tagged=known.past)
