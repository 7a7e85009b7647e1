"""Alerts by HTTP: what fires and what fired, what people do about it, and how good the alarms are."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from ingest.model import DAY
from service import alarm_quality, alert_acts, alerts, cursors
from service.access import Access
from service.alarm_quality import AlarmQuality
from service.alert_acts import (
    ActAsked,
    AnsweredSilence,
    AssignAsked,
    CommentAsked,
    SilenceAsked,
    SilenceDocument,
)
from service.alerts import AlertDocument, AnsweredAlert, Severity, State, WholeAlert
from service.auth import Operator, Reader
from service.bodies import KEY_PARAMETER, IdempotencyKey, asked_in, checked_key
from service.context import service_of
from service.documents import Instant, Page, answer
from service.parameters import OfSite, Paged
from service.problems import documented, invalid
from service.routes_proposals import refused
from service.tabular import document
from service.times import format_instant

router = APIRouter(tags=["alerts"])

Episode = Annotated[str, Path(max_length=600, description="Id of an episode")]
Number = Annotated[int, Path(ge=1, lt=alert_acts.NUMBER.stop, description="Number of a silence")]
_SEEN = ("no-key", "wrong-scope", "wrong-site", "unknown-site", "invalid-parameter", "database-away")
_WHOLE = {**alerts.EXAMPLE, "acts": [alerts.ACT_EXAMPLE]}


class AlertsAsked(OfSite, Paged):
    """Which alerts."""

    state: State | None = Field(None, description="firing or resolved; default: both")
    severity: Severity | None = Field(None, description="Only of this severity")
    rule: str | None = Field(None, max_length=255, description="Only of this rule")
    since: Instant | None = Field(None, description="Only those that were not over before")
    until: Instant | None = Field(None, description="Only those that fired before")


class SilencesAsked(OfSite, Paged):
    """Which silences."""

    over: bool = Field(False, description="Those that are over, too")


class QualityAsked(OfSite):
    """Of which span."""

    from_: Instant | None = Field(None, alias="from", description="Default: 24 h before `to`")
    to: Instant | None = Field(None, description="End, exclusive; default: now")


def _body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI says of a body that is read by ourselves."""
    content = {"application/json": {"schema": model.model_json_schema(), "example": example}}
    return {"parameters": [KEY_PARAMETER], "requestBody": {"required": True, "content": content}}


@router.get(
    "/v1/alerts",
    summary="Alerts, open and past, the newest first",
    responses={
        **answer(Page[AlertDocument], {"items": [alerts.EXAMPLE], "next": None}),
        **documented(*_SEEN),
    },
)
async def listed(request: Request, access: Reader, asked: Annotated[AlertsAsked, Query()]) -> Response:
    """Episodes of the sites the key covers, those that people were not told of, too (`mute` says why)."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        page = await alerts.page(
            connection, sites, state=asked.state, severity=asked.severity, rule=asked.rule, since=asked.since,
            until=asked.until,
            limit=asked.limit, cursor=asked.cursor,
        )  # fmt: skip
    return document(request, page)


@router.get(
    "/v1/alerts/quality",
    summary="How good the alarms are",
    responses={**answer(AlarmQuality, alarm_quality.EXAMPLE), **documented(*_SEEN)},
)
async def quality(request: Request, access: Reader, asked: Annotated[QualityAsked, Query()]) -> Response:
    """Rates, chattering and standing alarms, the ten most frequent, and the time until they are acknowledged."""
    service = service_of(request)
    to_at = service.now() if asked.to is None else asked.to
    from_at = max(0, to_at - DAY) if asked.from_ is None else asked.from_
    if from_at >= to_at:
        expected = f"an instant before `to`, which is {format_instant(to_at)}"
        raise invalid("Query parameter", "from", format_instant(from_at), expected)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        found = await alarm_quality.alarm_quality(connection, sites, from_at, to_at)
    return document(request, found)


@router.get(
    "/v1/alerts/silences",
    summary="Silences, the newest first",
    responses={
        **answer(Page[SilenceDocument], {"items": [alert_acts.SILENCE_EXAMPLE], "next": None}),
        **documented(*_SEEN),
    },
)
async def silences(request: Request, access: Reader, asked: Annotated[SilencesAsked, Query()]) -> Response:
    """Silences of the sites the key covers."""
    service = service_of(request)
    before = alert_acts.NUMBER.stop
    if asked.cursor is not None:
        before = cursors.decode(asked.cursor, (alert_acts.NUMBER,))[0]
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, asked.site)
        page = await alert_acts.silences(
            connection, sites, over=asked.over, limit=asked.limit, before=before, now=service.now()
        )
    if page.next is not None:
        page.next = cursors.encode([int(page.next)])
    return document(request, page)


@router.post(
    "/v1/alerts/silences",
    status_code=201,
    summary="Silence rules for a time",
    openapi_extra=_body(
        SilenceAsked,
        {
            "site": "cement",
            "unit": "cement/kiln",
            "to": "2026-11-20T14:00:00Z",
            "reason": "Kiln stop, planned",
        },
    ),
    responses={
        **answer(AnsweredSilence, {**alert_acts.SILENCE_EXAMPLE, "repeated": False}, status=201),
        **refused("unknown-site"),
    },
)
async def silence(request: Request, access: Operator, idempotency_key: IdempotencyKey = None) -> Response:
    """Of a rule, of a unit with what is below it, or of a site. Episodes are kept; those that outlast it are told of."""
    service, key = service_of(request), checked_key(idempotency_key)
    asked = await asked_in(request, SilenceAsked)
    async with service.store.transaction() as connection:
        (site,) = await service.plans.visible(connection, access, asked.site)
        made = await alert_acts.silence(connection, site, asked, access, key, service.now())
    return document(request, made, status=201)


@router.delete(
    "/v1/alerts/silences/{number}",
    summary="End a silence",
    responses={
        **answer(AnsweredSilence, {**alert_acts.SILENCE_EXAMPLE, "repeated": False}),
        **documented("no-key", "wrong-scope", "unknown-silence", "invalid-parameter", "database-away"),
    },
)
async def end(request: Request, access: Operator, number: Number) -> Response:
    """End it now; it stays in the list. One that is over stays as it was."""
    service = service_of(request)
    async with service.store.transaction() as connection:
        sites = await service.plans.visible(connection, access, None)
        ended = await alert_acts.end(connection, sites, number, access, service.now())
    return document(request, ended)


@router.get(
    "/v1/alerts/{episode}",
    summary="One alert, with what was done about it",
    responses={
        **answer(WholeAlert, _WHOLE),
        **documented("no-key", "wrong-scope", "unknown-episode", "invalid-parameter", "database-away"),
    },
)
async def one(request: Request, access: Reader, episode: Episode) -> Response:
    """An episode of a site the key covers."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        sites = await service.plans.visible(connection, access, None)
        found = await alerts.whole(connection, sites, episode)
    return document(request, found)


def _acting(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI says of an act."""
    return {
        "openapi_extra": _body(model, example),
        "responses": {**answer(AnsweredAlert, {**_WHOLE, "repeated": False}), **refused("unknown-episode")},
    }


@router.post(
    "/v1/alerts/{episode}/ack", summary="Acknowledge an alert", **_acting(ActAsked, {"note": "On it"})
)
async def acknowledge(
    request: Request, access: Operator, episode: Episode, idempotency_key: IdempotencyKey = None
) -> Response:
    """Say that you have seen it. Nothing else changes: it fires until it resolves."""
    asked = await asked_in(request, ActAsked)
    said = {"kind": "acknowledge", "note": asked.note or "", "assignee": None}
    return await _done(request, access, episode, said, idempotency_key)


@router.post(
    "/v1/alerts/{episode}/comment",
    summary="Comment on an alert",
    **_acting(CommentAsked, {"note": "Belt changed"}),
)
async def comment(
    request: Request, access: Operator, episode: Episode, idempotency_key: IdempotencyKey = None
) -> Response:
    """Say something about it; it stays with the episode."""
    asked = await asked_in(request, CommentAsked)
    said = {"kind": "comment", "note": asked.note, "assignee": None}
    return await _done(request, access, episode, said, idempotency_key)


@router.post(
    "/v1/alerts/{episode}/assign",
    summary="Assign an alert to somebody",
    **_acting(AssignAsked, {"assignee": "s.klein"}),
)
async def assign(
    request: Request, access: Operator, episode: Episode, idempotency_key: IdempotencyKey = None
) -> Response:
    """Say whose it is from now on."""
    asked = await asked_in(request, AssignAsked)
    said = {"kind": "assign", "note": asked.note or "", "assignee": asked.assignee}
    return await _done(request, access, episode, said, idempotency_key)


async def _done(
    request: Request, access: Access, episode: str, said: dict[str, Any], idempotency_key: str | None
) -> Response:
    service, key = service_of(request), checked_key(idempotency_key)
    async with service.store.transaction() as connection:
        sites = await service.plans.visible(connection, access, None)
        found = await alerts.whole(connection, sites, episode)
        site_no = next(site.site_no for site in sites if site.plan.site == found.site)
        repeated = await alert_acts.act(connection, site_no, episode, said, access, key, service.now())
        found = await alerts.whole(connection, sites, episode)
    return document(request, AnsweredAlert(**found.model_dump(by_alias=True), repeated=repeated))
