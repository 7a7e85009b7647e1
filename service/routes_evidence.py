"""Signed statements of evidence."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from service import evidence_hours, latest
from service.auth import Reader
from service.context import service_of
from service.documents import answer
from service.evidence_hours import EvidencePage
from service.parameters import Paged, SpanOf, Tabular, resolved
from service.problems import documented
from service.tabular import table

router = APIRouter(tags=["evidence"])

SiteId = Annotated[str, Path(max_length=100, description="A site's id")]


class HoursAsked(SpanOf, Tabular, Paged):
    """Which hours."""


EXAMPLE: dict[str, Any] = {
    "site": "cement",
    "from": "2026-11-20T06:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "items": [
        {
            "from": "2026-11-20T06:00:00Z",
            "to": "2026-11-20T07:00:00Z",
            "first_batch": 41_002,
            "last_batch": 52_310,
            "root": "1f" * 32,
            "chain": "2e" * 32,
            "notes": "3d" * 32,
            "statement": "stackwatt evidence 1\nsite cement\nhour 1795154400000000\nfirst_batch 41002\n…",
            "public_key": "4c" * 32,
            "signature": "5b" * 64,
        }
    ],
    "next": None,
}


@router.get(
    "/v1/evidence/{site}/hours",
    summary="What is stated and signed of the data of each hour",
    responses={
        **answer(EvidencePage, EXAMPLE, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
        ),
    },
)
async def evidence_of_hours(
    request: Request, access: Reader, site: SiteId, asked: Annotated[HoursAsked, Query()]
) -> Response:
    """Hours that begin in [from, to) by when data became known, and are over; to be kept by whoever shall check later."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        (found,) = await service.plans.visible(connection, access, site)
        commits = await latest.read_commits(connection, [found.site_no])
        commit = commits.get(found.site_no)
        from_at, to_at = resolved(
            asked, found.plan, service.now(), None if commit is None else commit.watermark
        )
        page = await evidence_hours.page(
            connection, found.site_no, site, from_at, to_at, asked.limit, asked.cursor
        )
    return table(request, page, asked.format)
