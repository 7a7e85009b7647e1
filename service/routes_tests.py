"""Tests of analysers, by HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from service import analyser_tests, latest
from service.analyser_tests import AcceptedTest, TestAsked, TestDocument
from service.auth import Operator, Reader
from service.bodies import KEY_PARAMETER, IdempotencyKey, asked_in, checked_key
from service.context import service_of
from service.documents import Page, answer
from service.parameters import Paged, SpanOf, resolved
from service.problems import documented
from service.tabular import document

router = APIRouter(tags=["plant"])

InstrumentId = Annotated[str, Path(max_length=500, description="Full id: site/instrument")]


class TestsAsked(SpanOf, Paged):
    """Which tests."""

    __test__ = False


_READINGS = {
    "quantity": "diluent",
    "span": 20.0,
    "injections": [{"reference": 10.0, "measured": 10.2, "level": "span"}],
}
_ASKED: dict[str, Any] = {
    "kind": "daily_calibration",
    "performed_at": "2026-11-20T06:30:00Z",
    "readings": _READINGS,
    "note": "",
}
_ACCEPTED = {
    "instrument": "cement/stack-co2",
    "kind": "daily_calibration",
    "performed_at": "2026-11-20T06:30:00Z",
    "inbox_no": 17,
    "repeated": False,
}
_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "test": 5,
            "instrument": "cement/stack-co2",
            **_ASKED,
            "result": {"injections": [{"error": 0.2, "passed": True, "alternative": False, "reason": None}]},
            "passed": True,
            "author": "m.weber",
            "batch_no": 812,
            "known_at": "2026-11-20T06:31:00Z",
        }
    ],
    "next": None,
}
_REQUEST = {
    "parameters": [KEY_PARAMETER],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": TestAsked.model_json_schema(), "example": _ASKED}},
    },
}


@router.post(
    "/v1/instruments/{instrument_id:path}/tests",
    status_code=202,
    summary="Tell a test of an analyser",
    openapi_extra=_REQUEST,
    responses={
        **answer(AcceptedTest, _ACCEPTED, status=202),
        **documented(
            "idempotency-key-missing",
            "no-key",
            "wrong-scope",
            "wrong-site",
            "unknown-instrument",
            "body-too-large",
            "wrong-media-type",
            "invalid-parameter",
            "invalid-body",
            "idempotency-key-reused",
            "database-away",
        ),
    },
)
async def tell(
    request: Request, access: Operator, instrument_id: InstrumentId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Hand a test to ingest, which judges it and says anew the hours it puts in or out of control.

    A wrong one is mended by telling it again, of the same kind and instant: the last one counts.
    """
    service, key = service_of(request), checked_key(idempotency_key)
    async with service.store.snapshot() as connection:
        site = await service.plans.instrument(connection, access, instrument_id)
    asked = await asked_in(request, TestAsked)
    async with service.store.transaction() as connection:
        accepted = await analyser_tests.accept(
            connection, site, instrument_id, asked, key, access.name, service.now()
        )
    if not accepted.repeated:
        service.metrics.inbox.labels(site.plan.site).inc()
    return document(request, accepted, status=202)


@router.get(
    "/v1/instruments/{instrument_id:path}/tests",
    summary="Tests of an analyser with what they came to",
    responses={
        **answer(Page[TestDocument], _EXAMPLE),
        **documented(
            "no-key", "wrong-scope", "wrong-site", "unknown-instrument", "invalid-parameter", "database-away"
        ),
    },
)
async def told(
    request: Request, access: Reader, instrument_id: InstrumentId, asked: Annotated[TestsAsked, Query()]
) -> Response:
    """Tests performed in [from, to), oldest first."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        site = await service.plans.instrument(connection, access, instrument_id)
        commit = (await latest.read_commits(connection, [site.site_no])).get(site.site_no)
        watermark = None if commit is None else commit.watermark
        span = resolved(asked, site.plan, service.now(), watermark)
        page = await analyser_tests.page(connection, site, instrument_id, span, asked.limit, asked.cursor)
    return document(request, page)
