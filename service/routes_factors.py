"""The factor ledger, the factors of plants, and what changing them would restate."""

import math
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from ingest.store.redocumented import redocumented
from service import cursors, factors, latest, restatement
from service.auth import Reader
from service.context import service_of
from service.documents import Document, Instant, Page, answer
from service.factors import FactorItem
from service.parameters import OfSite, Paged, Parameters, SpanOf, Tabular, resolved
from service.problems import documented, invalid
from service.tabular import of_models, table

router = APIRouter(tags=["factors"])

_PLACE = range(2**31)
"""Where in the list a page begins."""


class FactorsAsked(OfSite, Paged, Tabular):
    """Which factors."""

    origin: Literal["ledger", "plant"] | None = Field(None, description="default: both")
    kind: str | None = Field(None, max_length=100, description="Only of this kind: ncv, oxidation, grid, …")
    subject: str | None = Field(None, max_length=100, description="Only of this fuel, gas or material")
    geography: str | None = Field(None, max_length=100, description="Only of this country or region")
    edition: str | None = Field(None, max_length=100, description="Only of this edition")


FACTORS_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "site": None,
            "id": None,
            "kind": "grid",
            "subject": "co2_average",
            "geography": "CN",
            "equipment": None,
            "edition": None,
            "data_year": 2023,
            "published": "2025-12-31",
            "value": 0.5306,
            "low": None,
            "high": None,
            "unit": "t/MWh",
            "basis": [],
            "reference": None,
            "gwp": None,
            "valid_from": None,
            "valid_to": None,
            "source": "national CO2 factor of electricity, ministry announcements (transcription)",
            "trust": "P",
            "note": "announcement No. 47 of 2025",
        }
    ],
    "next": None,
}
_LISTED = documented(
    "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
)


@router.get(
    "/v1/factors",
    summary="Coefficients: the ledger's, then those of plants",
    responses={**answer(Page[FactorItem], FACTORS_EXAMPLE, csv=True), **_LISTED},
)
async def listed(request: Request, access: Reader, asked: Annotated[FactorsAsked, Query()]) -> Response:
    """Rows of the shipped ledger, and the factors of the plans in force with what was looked up for them."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
    items = list(factors.of_ledger()) if asked.origin != "plant" else []
    if asked.origin != "ledger":
        items += [item for site in sites for item in factors.of_plan(site.plan)]
    for name in ("kind", "subject", "geography", "edition"):
        wanted = getattr(asked, name)
        items = [item for item in items if wanted in (None, getattr(item, name))]
    begin = 0 if asked.cursor is None else cursors.decode(asked.cursor, (_PLACE,))[0]
    end = begin + asked.limit
    page = of_models(FactorItem, items[begin:end])
    page.next = cursors.encode([end]) if end < len(items) else None
    return table(request, page, asked.format, tagged=True)


class PreviewAsked(SpanOf, Tabular, Parameters):
    """What to preview."""

    site: str = Field(max_length=100, description="The site")
    plan_version: int | None = Field(
        None, ge=1, le=2**31 - 1, description="The version whose factors to use; default: the one in force"
    )
    values: str | None = Field(
        None,
        max_length=2000,
        description="Other values of its factors, such as grid:0.5306,coal-ncv:23.2, in their units",
    )


class ChangeDocument(Document):
    """The mass of a source in a month, or in all of the span, as it is and as it would be."""

    source: str
    month: str | None = Field(description="Of the site's zone; null: the span as a whole")
    intervals: int = Field(description="Of which the mass would be another")
    before_kg: float
    after_kg: float
    difference_kg: float = Field(description="Months add up to the whole; sources are never added")


class PreviewPage(Page[ChangeDocument]):
    """The sources of a site."""

    site: str
    from_: Instant = Field(alias="from")
    to: Instant
    plan_version: int
    not_restated: list[str] = Field(
        description="Documented sources of which no mass would be made in some of the span: it is left as it was said"
    )


PREVIEW_EXAMPLE = {
    "items": [
        {
            "source": "cement/electricity",
            "month": "2026-11",
            "intervals": 60,
            "before_kg": 3896.4,
            "after_kg": 6080.7,
            "difference_kg": 2184.3,
        }
    ],
    "next": None,
    "site": "cement",
    "from": "2026-11-20T07:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "plan_version": 1,
    "not_restated": [],
}


@router.get(
    "/v1/factors/restatement",
    summary="What other factors would make of a past span; nothing is written",
    responses={
        **answer(PreviewPage, PREVIEW_EXAMPLE, csv=True),
        **_LISTED,
        **documented("too-much-asked"),
    },
)
async def previewed(request: Request, access: Reader, asked: Annotated[PreviewAsked, Query()]) -> Response:
    """Emissions by source and month, before and after, from stored intervals.

    `stackwatt restate` writes what a plan version makes, as revisions; until then this changes nothing.
    """
    service = service_of(request)
    async with service.store.snapshot() as connection:
        (site,) = await service.plans.visible(connection, access, asked.site)
        commit = (await latest.read_commits(connection, [site.site_no])).get(site.site_no)
        watermark = None if commit is None else commit.watermark
        from_at, to_at = resolved(asked, site.plan, service.now(), watermark)
        interval_us = site.plan.interval_us
        span = from_at - from_at % interval_us, to_at - to_at % interval_us
        plan = site.plan
        if asked.plan_version is not None:
            plan = await restatement.of_version(connection, site, asked.plan_version)
        version = plan.version
        if asked.values is not None:
            plan = await restatement.with_values(plan, _values(asked.values))
        counted = await restatement.preview(connection, site, plan, span)
        async with connection.cursor() as cursor:
            told = await redocumented(cursor, site.site_no, plan, version, span, counted)
    items = [
        ChangeDocument(**{name: getattr(change, name) for name in ChangeDocument.model_fields})
        for change in counted.lines()
    ]
    head = PreviewPage(
        items=[],
        next=None,
        site=plan.site,
        from_=span[0],
        to=span[1],
        plan_version=version,
        not_restated=told.left,
    )
    said = head.model_dump(by_alias=True, exclude={"items", "next"})
    return table(request, of_models(ChangeDocument, items, said), asked.format)


def _values(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition(":")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or name in found:
            raise invalid(
                "Query parameter", "values", part, "a factor's id and number, such as grid:0.5306, once each"
            )
        found[name] = value
    return found
