"""Sealed periods, and what has become known of them since."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import Field

from ingest.model import DAY
from service import adjustments, periods, sealing
from service.access import Access
from service.adjustments import AdjustmentsPage
from service.auth import Operator, Reader
from service.bodies import KEY_PARAMETER, asked_in, checked_key
from service.context import Service, service_of
from service.documents import Page, answer
from service.parameters import OfSite, Paged, Parameters, SpanOf, Tabular
from service.periods import NUMBER, Basis, PeriodDocument, PeriodFigures
from service.plans import SitePlan
from service.problems import ProblemError, documented, invalid
from service.sealing import AcceptedSeal, SealAgainAsked, SealAsked
from service.store import Connection
from service.tabular import document, table
from service.times import format_instant

router = APIRouter(tags=["periods"])

Number = Annotated[int, Path(ge=1, lt=NUMBER.stop, description="A period's number")]


class PeriodsAsked(OfSite, Tabular, Paged):
    """Which periods."""


class FiguresAsked(Parameters):
    """Which figures of a period."""

    basis: Basis | None = Field(None, description="sealed: as frozen; current: as it is now; default: both")


class AdjustmentsAsked(OfSite, SpanOf, Tabular, Paged):
    """Which adjustments, by the time in which they became known."""

    period: int | None = Field(None, ge=1, lt=2**61, description="Only of this sealed period")


_ASKED = {"site": "cement", "kind": "month", "from": "2026-09-30T16:00:00Z", "to": "2026-10-31T16:00:00Z"}
_AGAIN = {"reason": "The belt scale was recalibrated; 31 October was corrected."}
PERIOD_EXAMPLE: dict[str, Any] = {
    "period": 3,
    **_ASKED,
    "edition": 1,
    "sealed_by": "m.weber",
    "sealed_at": "2026-11-05T09:12:00Z",
    "known_at": "2026-11-05T09:12:00.250000Z",
    "batch_no": 90_412,
    "reason": None,
    "superseded_by": None,
    "adjustments": 1,
}
_TOTAL: dict[str, Any] = {
    "value": 155_000.125,
    "reason": None,
    "amount_count": 155_000_125,
    "mean": None,
    "min": None,
    "max": None,
    "a": None,
    "b": None,
    "quality": "good",
    "reasons": [],
    "covered_share": 1.0,
    "valid_share": 1.0,
    "substituted_share": 0.0,
    "rule": None,
    "hours": None,
    "provisional_hours": None,
    "cause": "closing",
    "known_at": "2026-11-05T09:12:00.250000Z",
    "batch_no": 90_412,
}
_NOW = {
    **_TOTAL, "value": 155_012.5, "amount_count": 155_012_500, "cause": "late", "known_at": "2026-11-06T07:00:01Z",
    "batch_no": 91_007,
}  # fmt: skip
FIGURES_EXAMPLE = {
    **PERIOD_EXAMPLE,
    "figures": [
        {"subject": "point", "id": "cement/kiln/clinker", "unit": "t", "sealed": _TOTAL, "current": _NOW}
    ],
}
ADJUSTMENTS_EXAMPLE = {
    "from": "2026-11-06T00:00:00Z",
    "to": "2026-11-07T00:00:00Z",
    "items": [
        {
            "period": 3,
            "period_from": _ASKED["from"],
            "period_to": _ASKED["to"],
            "site": "cement",
            "subject": "point",
            "id": "cement/kiln/clinker",
            "unit": "t",
            "before": 155_000.125,
            "after": 155_012.5,
            "difference": 12.375,
            "amount_count": 12_375,
            "a": None,
            "b": None,
            "quality": "good",
            "cause": "late",
            "batch_no": 91_007,
            "known_at": "2026-11-06T07:00:01Z",
        }
    ],
    "next": None,
}
_LISTED = documented(
    "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
)


@router.post(
    "/v1/periods",
    status_code=202,
    summary="Seal a period",
    openapi_extra={
        "parameters": [KEY_PARAMETER],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": SealAsked.model_json_schema(), "example": _ASKED}},
        },
    },
    responses={
        **answer(AcceptedSeal, {**_ASKED, "inbox_no": 41, "period": None, "repeated": False}, status=202),
        **documented(
            "idempotency-key-missing", "no-key", "wrong-scope", "wrong-site", "unknown-site", "period-sealed",
            "period-open", "body-too-large", "wrong-media-type", "invalid-parameter", "invalid-body",
            "idempotency-key-reused", "database-away",
        ),
    },
)  # fmt: skip
async def seal(
    request: Request,
    access: Operator,
    idempotency_key: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Freeze the figures of a period that is wholly closed; ingest does so within a second.

    What becomes known of it afterwards is booked as adjustments.
    """
    service, key = service_of(request), checked_key(idempotency_key)
    asked = await asked_in(request, SealAsked)
    async with service.store.transaction() as connection:
        (site,) = await service.plans.visible(connection, access, asked.site)
        accepted = await sealing.accept(connection, site, asked, key, access.name)
    return _counted(request, accepted)


@router.post(
    "/v1/periods/{number}/editions",
    status_code=202,
    summary="Reopen a sealed period and seal it again",
    openapi_extra={
        "parameters": [KEY_PARAMETER],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": SealAgainAsked.model_json_schema(), "example": _AGAIN}
            },
        },
    },
    responses={
        **answer(AcceptedSeal, {**_ASKED, "inbox_no": 57, "period": None, "repeated": False}, status=202),
        **documented(
            "idempotency-key-missing", "no-key", "wrong-scope", "unknown-period", "period-sealed",
            "period-open", "body-too-large", "wrong-media-type", "invalid-parameter", "invalid-body",
            "idempotency-key-reused", "database-away",
        ),
    },
)  # fmt: skip
async def seal_again(
    request: Request,
    access: Operator,
    number: Number,
    idempotency_key: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Freeze what a period comes to now as its next edition, with who asked for it, when and why.

    Earlier editions stay as they are. What becomes known later is booked as adjustments of the newest one.
    """
    service, key = service_of(request), checked_key(idempotency_key)
    asked = await asked_in(request, SealAgainAsked)
    async with service.store.transaction() as connection:
        site, period = await _period(connection, service, access, number)
        accepted = await sealing.accept_again(connection, site, period, asked.reason, key, access.name)
    return _counted(request, accepted)


def _counted(request: Request, accepted: AcceptedSeal) -> Response:
    if not accepted.repeated:
        service_of(request).metrics.inbox.labels(accepted.site).inc()
    return document(request, accepted, status=202)


async def _period(
    connection: Connection, service: Service, access: Access, number: int
) -> tuple[SitePlan, PeriodDocument]:
    """A period of a site the key covers; others are as if they were not."""
    period = await periods.one(connection, number)
    for site in await service.plans.visible(connection, access, None):
        if period is not None and site.plan.site == period.site:
            return site, period
    raise ProblemError("unknown-period", f"There is no period {number}.")


@router.get(
    "/v1/periods",
    summary="Sealed periods, the newest first",
    responses={
        **answer(Page[PeriodDocument], {"items": [PERIOD_EXAMPLE], "next": None}, csv=True),
        **_LISTED,
    },
)
async def listed(request: Request, access: Reader, asked: Annotated[PeriodsAsked, Query()]) -> Response:
    """The sealed periods of the sites the key covers."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        page = await periods.page(connection, sites, asked.limit, asked.cursor)
    return table(request, page, asked.format)


@router.get(
    "/v1/periods/{number}",
    summary="A sealed period: what was frozen, and what it comes to now",
    responses={
        **answer(PeriodFigures, FIGURES_EXAMPLE),
        **documented("no-key", "wrong-scope", "unknown-period", "invalid-parameter", "database-away"),
    },
)
async def told(
    request: Request, access: Reader, number: Number, asked: Annotated[FiguresAsked, Query()]
) -> Response:
    """Every point, KPI and emission source of the period. Carries an ETag."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, period = await _period(connection, service, access, number)
        found = await periods.figures(connection, site.plan, period, asked.basis)
    body = PeriodFigures(**dict(period), figures=found)
    return document(request, body, tagged=True)


@router.get(
    "/v1/adjustments",
    summary="What became known of sealed periods",
    responses={**answer(AdjustmentsPage, ADJUSTMENTS_EXAMPLE, csv=True), **_LISTED},
)
async def adjusted(request: Request, access: Reader, asked: Annotated[AdjustmentsAsked, Query()]) -> Response:
    """Adjustments that became known in [from, to), whatever period they are of, in the order in which they did."""
    service = service_of(request)
    to_at = service.now() if asked.to is None else asked.to
    from_at = max(0, to_at - DAY) if asked.from_ is None else asked.from_
    if from_at >= to_at:
        expected = f"an instant before `to`, which is {format_instant(to_at)}"
        raise invalid("Query parameter", "from", format_instant(from_at), expected)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        page = await adjustments.page(
            connection, sites, from_at, to_at, asked.period, asked.limit, asked.cursor
        )
    return table(request, page, asked.format)
