"""The way in for readings by HTTP.

The body is a message of the wire contract on the point's topic, so whatever may
come by MQTT may come here. It is decoded once to tell the sender at once what is
wrong with it, then handed to ingest as it came.
"""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Request, Response
from pydantic import Field

from ingest.plant.plan import Plan
from ingest.source import Delivery
from ingest.wire import Decoded, decode
from service import inbox
from service.auth import Sender
from service.bodies import KEY_PARAMETER, checked_key, invalid_body, json_bytes
from service.context import service_of
from service.documents import Document, answer
from service.problems import documented
from service.routes_points import PointId
from service.tabular import document

router = APIRouter(tags=["points"])

_LISTED = 100


class RefusedElement(Document):
    """An element of the body that will not be stored."""

    element: int | None = Field(description="Its index in the body; null: not of an array")
    reason: str
    detail: str


class AcceptedDocument(Document):
    """What ingest has been handed."""

    id: str = Field(description="The point")
    inbox_no: int
    readings: int = Field(description="Readings in the body that ingest will judge")
    refused: list[RefusedElement] = Field(description="Elements that are no readings, at most 100")
    repeated: bool = Field(description="The same key and body had been accepted before; nothing was added")


ACCEPTED_EXAMPLE = {
    "id": "cement/kiln/clinker",
    "inbox_no": 17,
    "readings": 1,
    "refused": [],
    "repeated": False,
}
_BODIES = {
    "one reading": {"value": {"ts": "2026-11-20T08:00:00.250Z", "value": 12.3, "unit": "t", "seq": 17}},
    "a bare number": {"value": 12.3},
    "a series": {"value": {"ts": [1795161600000, 1795161605000], "value": [1.0, 2.0]}},
}
_REQUEST = {
    "parameters": [KEY_PARAMETER],
    "requestBody": {
        "required": True,
        "description": "A message of wire contract v1 as it may come on the point's topic, at most 1 MiB",
        "content": {"application/json": {"schema": {}, "examples": _BODIES}},
    },
}


@router.post(
    "/v1/points/{point_id:path}/readings",
    status_code=202,
    summary="Send readings",
    openapi_extra=_REQUEST,
    responses={
        **answer(AcceptedDocument, ACCEPTED_EXAMPLE, status=202),
        **documented(
            "idempotency-key-missing",
            "no-key",
            "wrong-scope",
            "wrong-site",
            "unknown-point",
            "body-too-large",
            "wrong-media-type",
            "invalid-parameter",
            "invalid-body",
            "idempotency-key-reused",
            "database-away",
        ),
    },
)
async def send_readings(
    request: Request,
    access: Sender,
    point_id: PointId,
    idempotency_key: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Hand readings to ingest. They are stored once however often the same key and body are sent.

    202 means kept, not yet judged: times, limits and late arrival are decided by ingest, as for any
    other message.
    """
    service = service_of(request)
    key = checked_key(idempotency_key)
    async with service.store.snapshot() as connection:
        site, point = await service.plans.point(connection, access, point_id)
    payload = await json_bytes(request)
    topic = f"{site.plan.topic_prefix}/{point.id}"
    decoded = await asyncio.to_thread(_decoded, site.plan, topic, payload, service.now())
    async with service.store.transaction() as connection:
        body = inbox.envelope(topic, payload)
        receipt = await inbox.accept(connection, site.site_no, "reading", body, key, access.name)
    if not receipt.repeated:
        service.metrics.inbox.labels(site.plan.site).inc()
    accepted = AcceptedDocument(
        id=point.id,
        inbox_no=receipt.inbox_no,
        readings=int(decoded.point.size),
        refused=[
            RefusedElement(element=refusal.element, reason=refusal.reason, detail=refusal.detail)
            for refusal in decoded.rejections[:_LISTED]
        ],
        repeated=receipt.repeated,
    )
    return document(request, accepted, status=202)


def _decoded(plan: Plan, topic: str, payload: bytes, now: int) -> Decoded:
    """What the wire contract makes of a body.

    Raises:
        ProblemError: nothing in it is a reading, or it is not JSON.
    """
    decoded = decode([Delivery(topic=topic, payload=payload, received_at=now)], plan)
    refusals = decoded.rejections
    if refusals and (refusals[0].element is None or not decoded.point.size):
        raise invalid_body(refusals[0].reason, refusals[0].detail)
    try:
        msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # the wire also takes apart what holds NaN
        raise invalid_body("malformed", f"it is not JSON: {error}.") from None
    return decoded
