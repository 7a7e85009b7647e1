"""What people declare of readings: proposed by one key, approved or refused by another.

What a body says is judged by `service.claims`, what it contradicts by `service.declaring`.
No reading is changed by a request: an approved declaration is taken up by ingest.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import Field

from ingest.plant.plan import PlanPoint
from service import claims, declarations, declaring
from service.access import Access
from service.auth import Reader, needs
from service.bodies import KEY_PARAMETER, asked_in, checked_key
from service.claims import Asked, Claim, CorrectionAsked, Nothing, ReplacementAsked, WithdrawalAsked
from service.context import service_of
from service.declarations import NUMBER, AnsweredDeclaration, DeclarationDocument, State
from service.documents import Page, answer
from service.parameters import OfSite, Paged, Tabular
from service.plans import SitePlan
from service.problems import documented, invalid
from service.routes_points import PointId
from service.tabular import document, table

router = APIRouter(tags=["declarations"])

Operator = Annotated[Access, Depends(needs("operate"))]
"""Someone who may declare, and decide what others have declared."""
IdempotencyKey = Annotated[str | None, Header(include_in_schema=False)]
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


_POINT_PROBLEMS = ("unknown-point", "declaration-conflict")
_NUMBER_PROBLEMS = ("unknown-declaration", "declaration-conflict")


def _described(
    model: type[Asked] | None, example: dict[str, Any] | None, status: int, *problems: str
) -> dict[str, Any]:
    """What OpenAPI says of a POST route: its header, its body, its answers."""
    extra: dict[str, Any] = {"parameters": [KEY_PARAMETER]}
    if model is not None:
        content = {"schema": model.model_json_schema(), "example": example}
        extra["requestBody"] = {"required": True, "content": {"application/json": content}}
    answered = answer(AnsweredDeclaration, {**EXAMPLE, "repeated": False}, status=status)
    refused = documented(
        "idempotency-key-missing", "no-key", "wrong-scope", "wrong-site", "body-too-large", "wrong-media-type",
        "invalid-parameter", "invalid-body", "idempotency-key-reused", *problems, "database-away",
    )  # fmt: skip
    return {"status_code": status, "openapi_extra": extra, "responses": {**answered, **refused}}


@router.post(
    "/v1/points/{point_id:path}/corrections",
    summary="Propose the correction of a reading",
    **_described(
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
    return await _proposed(request, access, site, claim, idempotency_key)


@router.post(
    "/v1/points/{point_id:path}/replacements",
    summary="Propose the replacement of a meter",
    **_described(
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
    return await _proposed(request, access, site, claim, idempotency_key)


@router.post(
    "/v1/declarations/{number}/withdraw",
    summary="Propose that a declaration be undone",
    **_described(WithdrawalAsked, {"note": "Wrong meter"}, 201, *_NUMBER_PROBLEMS),
)
async def withdraw(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Declare again what counted before a declaration that counts now. A second key has to approve it."""
    service = service_of(request)
    asked = await asked_in(request, WithdrawalAsked)
    async with service.store.transaction() as connection:
        sites = await service.plans.all(connection)
        site, given = await declaring.known(connection, access, number, sites)
    claim = claims.withdrawal(given.claim, number, asked)
    return await _proposed(request, access, site, claim, idempotency_key)


@router.post(
    "/v1/declarations/{number}/approve",
    summary="Approve a declaration",
    **_described(None, None, 200, *_NUMBER_PROBLEMS, "second-person-needed", "implausible-declaration"),
)
async def approve(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Let a declaration that another key has proposed take effect; ingest takes it up within a second."""
    service, key = service_of(request), checked_key(idempotency_key)
    await asked_in(request, Nothing)
    async with service.store.transaction() as connection:
        sites = await service.plans.all(connection)
        site, given = await declaring.known(connection, access, number, sites)
        repeated = await declaring.approve(connection, site, given, access, key, service.now())
        told = await declarations.one(connection, site, number, repeated=repeated)
    return document(request, told)


@router.post(
    "/v1/declarations/{number}/refuse",
    summary="Refuse a declaration, or take back one's own",
    **_described(None, None, 200, *_NUMBER_PROBLEMS),
)
async def refuse(
    request: Request, access: Operator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """End a proposal that is not decided yet; it stays in the list."""
    service = service_of(request)
    checked_key(idempotency_key)
    await asked_in(request, Nothing)
    async with service.store.transaction() as connection:
        sites = await service.plans.all(connection)
        site, given = await declaring.known(connection, access, number, sites)
        repeated = await declaring.refuse(connection, given, access, service.now())
        told = await declarations.one(connection, site, number, repeated=repeated)
    return document(request, told)


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
        page = await declarations.page(connection, sites, asked.state, asked.limit, asked.cursor)
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


async def _proposed(
    request: Request, access: Access, site: SitePlan, claim: Claim, idempotency_key: str | None
) -> Response:
    service, key = service_of(request), checked_key(idempotency_key)
    async with service.store.transaction() as connection:
        number, repeated = await declaring.propose(connection, site, claim, access, key, service.now())
        told = await declarations.one(connection, site, number, repeated=repeated)
    return document(request, told, status=201)
