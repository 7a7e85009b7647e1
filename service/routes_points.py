"""What was measured at a point, and the way in for readings by HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from service import as_of, intervals, latest, point_totals, readings
from service.as_of import AsOfAsked, Known
from service.auth import Reader
from service.context import Service, service_of
from service.documents import Instant, answer
from service.intervals import IntervalsPage
from service.parameters import OfSite, Paged, SpanOf, Tabular, resolved
from service.plans import SitePlan
from service.point_totals import PointTotal, PointTotalsPage
from service.problems import documented
from service.readings import ReadingsPage
from service.store import Connection
from service.tabular import of_models, table

router = APIRouter(tags=["points"])

PointId = Annotated[str, Path(max_length=500, description="Full id, slashes as they are: site/unit/…/point")]

_REFUSED = documented(
    "no-key", "wrong-scope", "wrong-site", "unknown-point", "invalid-parameter", "database-away"
)


class ReadingsAsked(SpanOf, AsOfAsked, Tabular, Paged):
    """Which readings."""


class IntervalsAsked(SpanOf, AsOfAsked, Tabular, Paged):
    """Which intervals."""

    step: intervals.Step = Field("interval", description="interval, or hour or day of the site's zone")


class TotalsAsked(OfSite, Tabular):
    """Of which span."""

    from_: Instant = Field(
        alias="from", description="A full hour of the site", examples=["2026-11-20T07:00:00Z"]
    )
    to: Instant = Field(description="End, exclusive; a full hour", examples=["2026-11-20T08:00:00Z"])


TOTALS_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "id": "cement/substation/energy",
            "site": "cement",
            "carrier": "electricity",
            "from": "2026-11-20T07:00:00Z",
            "to": "2026-11-20T08:00:00Z",
            "amount": 11460.0,
            "amount_count": 11460,
            "amount_unit": "kWh",
            "mean": None,
            "min": None,
            "max": None,
            "unit": "kWh",
            "reason": None,
            "quality": "good",
            "reasons": [],
            "covered_share": 1.0,
            "valid_share": 1.0,
            "substituted_share": 0.0,
        }
    ],
    "next": None,
}
READINGS_EXAMPLE: dict[str, Any] = {
    "id": "cement/kiln/power",
    "unit": "kW",
    "from": "2026-11-20T08:00:00Z",
    "to": "2026-11-20T09:00:00Z",
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T09:00:04.010000Z"},
    "items": [
        {
            "measured_at": "2026-11-20T08:00:00.250000Z",
            "received_at": "2026-11-20T08:00:00.312000Z",
            "value": 11461.2,
            "quality": "good",
            "reasons": [],
            "seq": None,
            "declaration": None,
            "batch_no": 812,
        }
    ],
    "next": None,
}
INTERVALS_EXAMPLE = {
    "id": "cement/kiln/power",
    "unit": "kW",
    "amount_unit": "kWh",
    "step": "interval",
    "from": "2026-11-20T08:00:00Z",
    "to": "2026-11-20T09:00:00Z",
    "resolution": 1e-06,
    "as_of": {"batch_no": 812, "known_at": "2026-11-20T09:00:04.010000Z"},
    "items": [
        {
            "from": "2026-11-20T08:00:00Z",
            "to": "2026-11-20T08:01:00Z",
            "amount": 191.02,
            "amount_count": None,
            "mean": 11461.2,
            "min": 11440.0,
            "max": 11482.9,
            "reason": None,
            "quality": "good",
            "reasons": [],
            "covered_share": 1.0,
            "valid_share": 1.0,
            "substituted_share": 0.0,
            "revision": 1,
            "cause": "closing",
            "plan_version": 1,
            "known_at": "2026-11-20T08:01:05.600000Z",
            "valid": None,
            "validity_rule": None,
        }
    ],
    "next": None,
}


@router.get(
    "/v1/points/{point_id:path}/readings",
    summary="Readings as they were stored",
    responses={**answer(ReadingsPage, READINGS_EXAMPLE, csv=True), **_REFUSED},
)
async def point_readings(
    request: Request, access: Reader, point_id: PointId, asked: Annotated[ReadingsAsked, Query()]
) -> Response:
    """Readings measured in [from, to), oldest first; bad and corrected ones too."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, point = await service.plans.point(connection, access, point_id)
        known, from_at, to_at = await _span(connection, service, site, asked, asked.as_of)
        page = await readings.page(connection, point, from_at, to_at, asked.limit, asked.cursor, known)
    return table(request, page, asked.format, tagged=known.past)


@router.get(
    "/v1/points/totals",
    summary="What every point comes to over whole hours",
    responses={
        **answer(PointTotalsPage, TOTALS_EXAMPLE, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
        ),
    },
)
async def totals(request: Request, access: Reader, asked: Annotated[TotalsAsked, Query()]) -> Response:
    """Each point over [from, to), on full hours of its site; of a sealed period's span its current figures."""
    service = service_of(request)
    items: list[PointTotal] = []
    async with service.store.snapshot() as connection:
        for site in await service.plans.visible(connection, access, asked.site):
            items += await point_totals.of_site(connection, site, asked.from_, asked.to)
    return table(request, of_models(PointTotal, items), asked.format)


@router.get(
    "/v1/points/{point_id:path}/intervals",
    summary="Amounts and means per interval, hour or day, with gaps",
    responses={**answer(IntervalsPage, INTERVALS_EXAMPLE, csv=True), **_REFUSED},
)
async def point_intervals(
    request: Request, access: Reader, point_id: PointId, asked: Annotated[IntervalsAsked, Query()]
) -> Response:
    """Intervals that start in [from, to), oldest first; as of an earlier batch, the closed ones it knew."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, point = await service.plans.point(connection, access, point_id)
        known, from_at, to_at = await _span(connection, service, site, asked, asked.as_of)
        page = await intervals.page(
            connection, site.plan, point, asked.step, from_at, to_at, asked.limit, asked.cursor, known
        )
    return table(request, page, asked.format, tagged=known.past)


async def _span(
    connection: Connection, service: Service, site: SitePlan, asked: SpanOf, batch: str | None
) -> tuple[Known, int, int]:
    """What may be known, and from when to when, µs."""
    commits, now = await latest.read_commits(connection, [site.site_no]), service.now()
    known = await as_of.resolve(connection, site, batch, commits.get(site.site_no), now)
    return known, *resolved(asked, site.plan, known.at(now), known.watermark)
