"""What people declare of readings: proposed by one key, approved or refused by another.

What a body says is judged by `service.claims`, what it contradicts by `service.declaring`.
No reading is changed by a request: an approved declaration is taken up by ingest.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from ingest.plant.plan import PlanPoint
from service import claims, declarations, declaring
from service.access import Access
from service.auth import Operator, Reader
from service.bodies import IdempotencyKey, asked_in, checked_key
from service.claims import Claim, CorrectionAsked, ReplacementAsked, WithdrawalAsked
from service.context import service_of
from service.declarations import DeclarationDocument
from service.declaring import Known
from service.documents import Page, answer
from service.parameters import OfSite, Paged, Tabular
from service.plans import SitePlan
from service.problems import documented, invalid
from service.proposal_pages import NUMBER, State
from service.routes_points import PointId
from service.routes_proposals import Steps
from service.tabular import table

router = APIRouter(tags=["declarations"])

Number = Annotated[int, Path(ge=1, lt=NUMBER.stop, description="A declaration's number")]

EXAMPLE: dict[str, Any] = {
    "declaration": 12,
    "id": "cement/kiln/clinker",
    "kind": "replacement",
    "at": "2026-11-20T06:30:00Z",
    "unit": "t",
    "value": None,
    "quality": None,
    "supplied": None,
    "previous_value": None,
    "old_final": 120441.5,
    "new_initial": 0.0,
    "forced": False,
    "withdraws": None,
    "note": "Belt scale changed, protocol 2026-114",
    "author": "m.weber",
    "proposed_at": "2026-11-20T07:55:00Z",
    "state": "proposed",
    "decided_by": None,
    "decided_at": None,
    "batch_no": None,
    "failure": None,
}


class DeclarationsAsked(OfSite, Tabular, Paged):
    """Which declarations."""

    state: State | None = Field(None, description="Only those in this state")


_STEPS: Steps[Claim, Known] = Steps(
    declarations.PAGES, EXAMPLE, declaring.propose, declaring.known, declaring.approve
)
_POINT_PROBLEMS = ("unknown-point", "declaration-conflict")


@router.post(
    "/v1/points/{point_id:path}/corrections",
    summary="Propose the correction of a reading",
    **_STEPS.described(
        CorrectionAsked,
        {"measured_at": "2026-11-20T06:30:05Z", "value": 11.4, "unit": "MW", "note": "Transposed digits"},
        201,
        *_POINT_PROBLEMS,
    ),
)
async def correct(
    request: Request, access: Operator, point_id: PointId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Declare what a reading should have said, or supply one that is missing. A second key has to approve it."""
    site, point = await _point(request, access, point_id)
    asked = await asked_in(request, CorrectionAsked)
    claim = claims.correction(site.plan, point, asked, service_of(request).now())
    return await _STEPS.proposed(request, access, site, claim, checked_key(idempotency_key))


@router.post(
    "/v1/points/{point_id:path}/replacements",
    summary="Propose the replacement of a meter",
    **_STEPS.described(
        ReplacementAsked,
        {"at": "2026-11-20T06:30:00Z", "old_final": 120441.5, "new_initial": 0, "note": "Belt scale changed"},
        201,
        *_POINT_PROBLEMS,
        "implausible-declaration",
    ),
)
async def replace(
    request: Request, access: Operator, point_id: PointId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Declare with what register a counter's old meter ended and its new one began. A second key has to approve it."""
    site, point = await _point(request, access, point_id)
    asked = await asked_in(request, ReplacementAsked)
    claim = claims.replacement(site.plan, point, asked, service_of(request).now())
    return await _STEPS.proposed(request, access, site, claim, checked_key(idempotency_key))


@router.post(
    "/v1/declarations/{number}/withdraw",
    summary="Propose that a declaration be undone",
    **_STEPS.described(WithdrawalAsked, {"note": "Wrong meter"}, 201, *_STEPS.number_problems),
)
async def withdraw(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Declare again what counted before a declaration that counts now. A second key has to approve it."""
    asked = await asked_in(request, WithdrawalAsked)
    site, given = await _STEPS.known(request, access, number)
    claim = claims.withdrawal(given.claim, number, asked)
    return await _STEPS.proposed(request, access, site, claim, checked_key(idempotency_key))


@router.post(
    "/v1/declarations/{number}/approve",
    summary="Approve a declaration",
    **_STEPS.described(
        None, None, 200, *_STEPS.number_problems, "second-person-needed", "implausible-declaration"
    ),
)
async def approve(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Let a declaration that another key has proposed take effect; ingest takes it up within a second."""
    return await _STEPS.approved(request, access, number, idempotency_key)


@router.post(
    "/v1/declarations/{number}/refuse",
    summary="Refuse a declaration, or take back one's own",
    **_STEPS.described(None, None, 200, *_STEPS.number_problems),
)
async def refuse(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """End a proposal that is not decided yet; it stays in the list."""
    return await _STEPS.refused(request, access, number, idempotency_key)


@router.get(
    "/v1/declarations",
    summary="What was declared, the newest first",
    responses={
        **answer(Page[DeclarationDocument], {"items": [EXAMPLE], "next": None}, csv=True),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away"
        ),
    },
)
async def listed(request: Request, access: Reader, asked: Annotated[DeclarationsAsked, Query()]) -> Response:
    """Corrections, replacements and withdrawals of the sites the key covers, decided or not."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        page = await declarations.PAGES.page(
            connection, sites, {"state": asked.state}, asked.limit, asked.cursor
        )
    return table(request, page, asked.format)


async def _point(request: Request, access: Access, point_id: str) -> tuple[SitePlan, PlanPoint]:
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, point = await service.plans.point(connection, access, point_id)
    if point.computed:
        raise invalid(
            "Path parameter", "point_id", point.id, "a measured point, for a computed one has no readings"
        )
    return site, point
