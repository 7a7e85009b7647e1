"""Webhooks: how their deliveries go, and what people may ask of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from service import webhook_acts, webhook_pages
from service.access import Access
from service.auth import Operator, Reader
from service.bodies import KEY_PARAMETER, IdempotencyKey, asked_in, checked_key
from service.claims import Nothing
from service.context import Service, service_of
from service.documents import Page, answer
from service.parameters import OfSite, Paged, Parameters, Tabular
from service.plans import SitePlan
from service.problems import ProblemError, documented
from service.store import Connection
from service.tabular import document, of_models, table
from service.webhook_acts import Act, ActDocument
from service.webhook_pages import (
    SEQUENCE,
    DeliveryDocument,
    DeliveryFigures,
    DeliveryState,
    WebhookDocument,
)

router = APIRouter(tags=["webhooks"])

WebhookId = Annotated[str, Path(max_length=600, description="Full id: site/webhook")]
Sequence = Annotated[int, Path(ge=1, lt=SEQUENCE.stop, description="Number of a delivery at its webhook")]


class WebhooksAsked(OfSite, Tabular):
    """Which webhooks."""


class DeliveriesAsked(Tabular, Paged):
    """Which deliveries."""

    state: DeliveryState | None = Field(None, description="Only those; dead ones may be replayed")


class Unasked(Parameters):
    """Nothing is asked beside the address."""


WEBHOOK_EXAMPLE = {
    "id": "cement/mes",
    "site": "cement",
    "target": "https://mes.example",
    "events": ["alert.*"],
    "units": [],
    "severity_at_least": "warning",
    "body": "native",
    "timeout": "15s",
    "state": "active",
    "disabled_at": None,
    "sequence": 412,
    "waiting": 1,
    "waiting_since": "2026-11-20T07:59:00Z",
    "error": "It answered 503.",
    "dead": 0,
    "delivered_at": "2026-11-20T07:58:12.250000Z",
}
DELIVERY_EXAMPLE: dict[str, Any] = {
    "sequence": 412,
    "event_id": "evt_0192",
    "type": "alert.firing",
    "stream": "ep_0192",
    "occurred_at": "2026-11-20T07:58:58Z",
    "state": "waiting",
    "tries": 1,
    "attempts": 1,
    "made_at": "2026-11-20T07:59:00Z",
    "due_at": "2026-11-20T07:59:05Z",
    "ended_at": None,
    "status": 503,
    "error": "It answered 503.",
}
_ATTEMPT = {
    "attempt": 1, "begun_at": "2026-11-20T07:59:00Z", "duration_ms": 41, "status": 503, "error": "It answered 503.",
    "answer": "come back later",
}  # fmt: skip
ACT_EXAMPLE = {"id": "cement/mes", "act": "test", "sequence": 413, "deliveries": 1, "repeated": False}
_COMMON = ("no-key", "wrong-scope", "wrong-site", "invalid-parameter", "database-away")


def _act(*problems: str) -> dict[str, Any]:
    """What OpenAPI says of a route by which something is asked of a webhook."""
    return {
        "status_code": 202,
        "openapi_extra": {"parameters": [KEY_PARAMETER]},
        "responses": {
            **answer(ActDocument, ACT_EXAMPLE, status=202),
            **documented(
                *_COMMON, "idempotency-key-missing", "unknown-webhook", "webhook-conflict", "body-too-large",
                "wrong-media-type", "invalid-body", "idempotency-key-reused", *problems,
            ),
        },
    }  # fmt: skip


@router.get(
    "/v1/webhooks",
    summary="Webhooks: where events go, and how many have not arrived",
    responses={
        **answer(Page[WebhookDocument], {"items": [WEBHOOK_EXAMPLE], "next": None}, csv=True),
        **documented(*_COMMON, "unknown-site"),
    },
)
async def listed(request: Request, access: Reader, asked: Annotated[WebhooksAsked, Query()]) -> Response:
    """The webhooks of the plans in force, and removed ones that had deliveries."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        found = await webhook_pages.webhooks(connection, sites)
    return table(request, of_models(WebhookDocument, found), asked.format)


@router.get(
    "/v1/webhooks/{webhook_id:path}/deliveries/{sequence}",
    summary="One delivery and its attempts",
    responses={
        **answer(DeliveryFigures, {**DELIVERY_EXAMPLE, "log": [_ATTEMPT]}),
        **documented(*_COMMON, "unknown-webhook", "unknown-delivery"),
    },
)
async def told(
    request: Request,
    access: Reader,
    webhook_id: WebhookId,
    sequence: Sequence,
    _asked: Annotated[Unasked, Query()],
) -> Response:
    """What was sent when, how long it took, and the first of what was answered."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, name = await _site(service, connection, access, webhook_id)
        number = await webhook_pages.number_of(connection, site, name)
        found = await webhook_pages.one(connection, number, sequence)
    if found is None:
        raise webhook_acts.no_delivery(webhook_id, sequence)
    return document(request, found)


@router.get(
    "/v1/webhooks/{webhook_id:path}/deliveries",
    summary="Deliveries of a webhook, the newest first",
    responses={
        **answer(Page[DeliveryDocument], {"items": [DELIVERY_EXAMPLE], "next": None}, csv=True),
        **documented(*_COMMON, "unknown-webhook"),
    },
)
async def deliveries(
    request: Request, access: Reader, webhook_id: WebhookId, asked: Annotated[DeliveriesAsked, Query()]
) -> Response:
    """Every delivery ever made, or those in one state."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site, name = await _site(service, connection, access, webhook_id)
        number = await webhook_pages.number_of(connection, site, name)
        page = await webhook_pages.page(connection, number, asked.state, asked.limit, asked.cursor)
    return table(request, page, asked.format)


@router.post(
    "/v1/webhooks/{webhook_id:path}/deliveries/{sequence}/replay",
    summary="Send a delivery again",
    **_act("unknown-delivery", "delivery-conflict"),
)
async def replayed(
    request: Request,
    access: Operator,
    webhook_id: WebhookId,
    sequence: Sequence,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """One that is dead or delivered begins to wait again, with all its tries; its webhook-id stays."""
    return await _asked(request, access, webhook_id, "replay", sequence, idempotency_key)


@router.post("/v1/webhooks/{webhook_id:path}/replay", summary="Send all dead deliveries again", **_act())
async def replayed_dead(
    request: Request, access: Operator, webhook_id: WebhookId, idempotency_key: IdempotencyKey = None
) -> Response:
    """In their order within each stream."""
    return await _asked(request, access, webhook_id, "replay_dead", None, idempotency_key)


@router.post("/v1/webhooks/{webhook_id:path}/test", summary="Send a test", **_act())
async def sent_test(
    request: Request, access: Operator, webhook_id: WebhookId, idempotency_key: IdempotencyKey = None
) -> Response:
    """An event `webhook.test` for this webhook only, signed and delivered as any other."""
    return await _asked(request, access, webhook_id, "test", None, idempotency_key)


@router.post("/v1/webhooks/{webhook_id:path}/enable", summary="Deliver to a webhook again", **_act())
async def enabled(
    request: Request, access: Operator, webhook_id: WebhookId, idempotency_key: IdempotencyKey = None
) -> Response:
    """After it was disabled by its answer 410; what has been waiting is sent at once."""
    return await _asked(request, access, webhook_id, "enable", None, idempotency_key)


async def _asked(
    request: Request, access: Access, webhook_id: str, act: Act, sequence: int | None, key: str | None
) -> Response:
    service, key = service_of(request), checked_key(key)
    await asked_in(request, Nothing)
    async with service.store.transaction() as connection:
        site, name = await _site(service, connection, access, webhook_id)
        asked = webhook_acts.Asked(site, name, act, sequence, key, access.name, service.now())
        found = await webhook_acts.done(connection, asked)
    return document(request, found, status=202)


async def _site(
    service: Service, connection: Connection, access: Access, webhook_id: str
) -> tuple[SitePlan, str]:
    """The site of a webhook's full id, and the rest of the id."""
    name, _, rest = webhook_id.partition("/")
    access.require_site(name)
    sites = await service.plans.all(connection)
    site = next((found for found in sites if found.plan.site == name), None)
    if site is None:
        raise ProblemError("unknown-webhook", f"There is no webhook {webhook_id!r}.")
    return site, rest
