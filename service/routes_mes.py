"""The way in for what a MES tells by HTTP: orders, their events, production and machine states.

Each route takes one statement without its kind, which the address says, or a list. Nothing is stored here: see
`service.order_statements`.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service import isa95, order_statements
from service.access import Access
from service.auth import Sender
from service.bodies import KEY_PARAMETER, IdempotencyKey, checked_key, json_bytes
from service.context import Service, service_of
from service.documents import Document, answer
from service.parameters import Parameters
from service.plans import SitePlan
from service.problems import documented, invalid
from service.routes_inbox import RefusedElement
from service.store import Connection
from service.tabular import document

router = APIRouter(tags=["orders"])

_LISTED = 100


class TellingAsked(Parameters):
    """To which site it is told."""

    site: str | None = Field(None, max_length=100, description="Needed where the key covers several sites")


class ToldDocument(Document):
    """What ingest has been handed."""

    site: str
    inbox_no: int
    statements: int = Field(description="Statements that ingest will store")
    refused: list[RefusedElement] = Field(description="Statements that are none, at most 100")
    repeated: bool = Field(description="The same key and body had been accepted before; nothing was added")


class JobToldDocument(ToldDocument):
    """What a job response came to."""

    ignored: list[str] = Field(description="What of it no statement holds, and why; a sentence each")


_TOLD = {"site": "mill", "inbox_no": 17, "statements": 1, "refused": [], "repeated": False}
_IGNORED = {**_TOLD, "ignored": ["JobResponse.PersonnelActual is not understood."]}
_AT = {"order": "4711", "unit": "line1", "ts": "2026-11-20T08:00:00Z"}
_MADE = {
    "unit": "line1",
    "from": "2026-11-20T07:00:00Z",
    "to": "2026-11-20T08:00:00Z",
    "good": 40,
    "measure": "t",
}
_ORDER = {
    "order": "4711", "product": "meal", "planned": 120, "measure": "t",
    "statements": [{"kind": "start", "unit": "line1", "ts": "2026-11-20T08:00:00Z"}],
}  # fmt: skip
_JOB = {
    "JobResponse": {
        "ID": "JR-1", "JobOrderID": "4711", "JobState": "Completed", "StartTime": "2026-11-20T07:00:00Z",
        "EndTime": "2026-11-20T08:00:00Z", "EquipmentActual": [{"EquipmentID": "line1"}],
        "MaterialActual": [
            {"MaterialDefinitionID": "meal", "MaterialUse": "Produced",
             "Quantity": {"QuantityString": "40", "UnitOfMeasure": "t"}},
        ],
    }
}  # fmt: skip
_PROBLEMS = documented(
    "idempotency-key-missing", "no-key", "wrong-scope", "wrong-site", "unknown-site", "order-conflict", "body-too-large",
    "wrong-media-type", "invalid-parameter", "invalid-body", "idempotency-key-reused", "database-away",
)  # fmt: skip


def _taken(what: str, example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": {}, "example": example}}
    return {
        "parameters": [KEY_PARAMETER],
        "requestBody": {"required": True, "description": what, "content": content},
    }


@router.post(
    "/v1/orders",
    status_code=202,
    summary="Tell an order's header, and statements beside it",
    openapi_extra=_taken("The header; `statements` are of this order where they name none", _ORDER),
    responses={**answer(ToldDocument, _TOLD, status=202), **_PROBLEMS},
)
async def tell_order(
    request: Request,
    access: Sender,
    asked: Annotated[TellingAsked, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Product, batch, planned quantity, whether it is closed; 202 means kept, not yet judged together with others."""
    key = checked_key(idempotency_key)
    body = order_statements.decoded(await json_bytes(request))
    elements = order_statements.of_order(body)
    return document(request, await _told(request, access, asked.site, elements, key), status=202)


@router.post(
    "/v1/orders/job-response",
    status_code=202,
    summary="Tell an ISA-95 job response",
    openapi_extra=_taken("A B2MML JobResponse as JSON, or a list of them under JobResponse", _JOB),
    responses={**answer(JobToldDocument, _IGNORED, status=202), **_PROBLEMS},
)
async def tell_job_response(
    request: Request,
    access: Sender,
    asked: Annotated[TellingAsked, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Its segments and production as statements. What is not understood is in `ignored`, by its place."""
    key = checked_key(idempotency_key)
    found = isa95.translate(order_statements.decoded(await json_bytes(request)))
    if not found.statements:
        raise order_statements.nothing_understood(found.ignored)
    told = await _told(request, access, asked.site, found.statements, key)
    return document(request, JobToldDocument(**dict(told), ignored=found.ignored[:_LISTED]), status=202)


def _tells(event: str) -> None:
    """A route of its own for each word: with a parameter, any address of an order would be one of a telling."""

    @router.post(
        f"/v1/orders/{event}",
        status_code=202,
        summary=f"Tell the {event} of an order on a unit",
        openapi_extra=_taken("A statement or a list; of a start also the header, of a stop quantities", _AT),
        responses={**answer(ToldDocument, _TOLD, status=202), **_PROBLEMS},
    )
    async def tell_event(
        request: Request,
        access: Sender,
        asked: Annotated[TellingAsked, Query()],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """409 names the order that holds the unit, where the plant file does not let orders share it."""
        return await _of_kind(request, access, asked.site, event, idempotency_key)


for _event in ("start", "pause", "resume", "stop"):
    _tells(_event)


@router.post(
    "/v1/production",
    status_code=202,
    summary="Tell what was produced",
    openapi_extra=_taken("A statement or a list, of an order or of a unit at large", _MADE),
    responses={**answer(ToldDocument, _TOLD, status=202), **_PROBLEMS},
)
async def tell_production(
    request: Request,
    access: Sender,
    asked: Annotated[TellingAsked, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Good and scrap over a span."""
    return await _of_kind(request, access, asked.site, "production", idempotency_key)


@router.post(
    "/v1/states",
    status_code=202,
    summary="Tell the state of a unit",
    openapi_extra=_taken("A statement or a list", {"unit": "line1", "ts": _AT["ts"], "state": "idle"}),
    responses={**answer(ToldDocument, _TOLD, status=202), **_PROBLEMS},
)
async def tell_state(
    request: Request,
    access: Sender,
    asked: Annotated[TellingAsked, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """run, idle, ramp, changeover or off, from an instant until the next."""
    return await _of_kind(request, access, asked.site, "state", idempotency_key)


async def _of_kind(
    request: Request, access: Access, site: str | None, kind: str, given: str | None
) -> Response:
    key = checked_key(given)
    elements = order_statements.of_kind(order_statements.decoded(await json_bytes(request)), kind)
    return document(request, await _told(request, access, site, elements, key), status=202)


async def _told(
    request: Request, access: Access, asked: str | None, elements: Sequence[Any], key: str
) -> ToldDocument:
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site = await _site(connection, service, access, asked)
    order_statements.topic(site)
    good, refused = await order_statements.checked(site, elements, service.now())
    async with service.store.transaction() as connection:
        receipt = await order_statements.accept(connection, site, elements, key, access.name)
        if not receipt.repeated:
            await order_statements.check_room(connection, site, good)
    if not receipt.repeated:
        service.metrics.inbox.labels(site.plan.site).inc()
    return ToldDocument(
        site=site.plan.site,
        inbox_no=receipt.inbox_no,
        statements=len(good),
        refused=[
            RefusedElement(element=one.element, reason=one.reason, detail=one.detail)
            for one in refused[:_LISTED]
        ],
        repeated=receipt.repeated,
    )


async def _site(connection: Connection, service: Service, access: Access, asked: str | None) -> SitePlan:
    """The one site that is told."""
    sites = await service.plans.visible(connection, access, asked)
    if asked is None and len(sites) > 1:
        sites = [site for site in sites if site.plan.mes.topics] or sites
    if len(sites) != 1:
        raise invalid("Query parameter", "site", asked, "the site that is told, for the key covers several")
    return sites[0]
