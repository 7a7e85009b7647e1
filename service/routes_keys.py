"""Keys by HTTP: listed, made, followed by another, revoked, by whoever may administer.

An administrator of some sites gives and sees only keys that reach no further. A key is
shown once, in the answer that makes it; asked again under the same Idempotency-Key, the
answer is the same without it.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest.errors import InputError
from ingest.model import DAY
from ingest.store.audit import Actor
from service import keys, known_keys
from service.access import Access
from service.auth import Administrator
from service.bodies import KEY_PARAMETER, IdempotencyKey, asked_in, checked_key
from service.claims import Nothing
from service.context import service_of
from service.documents import Document, Instant, Page, Span, answer
from service.keys import Made, Wanted
from service.known_keys import KeyRecord
from service.parameters import Tabular
from service.problems import ProblemError, documented, invalid
from service.routes_proposals import refused
from service.store import Connection
from service.tabular import document, of_models, table
from service.times import format_instant

router = APIRouter(tags=["keys"])

Number = Annotated[int, Path(ge=1, lt=2**31, description="A key's number")]
KeyState = Literal["active", "expired", "revoked"]
LONGEST_OVERLAP_US = 90 * DAY


class KeyDocument(Document):
    """What is known of a key; never the key."""

    key_no: int
    name: str = Field(description="Of the person or system it is for; successors keep it")
    scopes: list[str] = Field(description="read, mes, operate, admin; with @site only there")
    sites: list[str] | None = Field(description="null: all, also those to come")
    state: KeyState
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None = Field(description="To the minute")
    succeeds: int | None = Field(description="Number of the key it follows")
    succeeded_by: int | None


class MadeKey(KeyDocument):
    """A key just made."""

    key: str | None = Field(description="The key, which cannot be had again; null: it was told before")
    repeated: bool = Field(description="The same had been asked before; nothing was made")


class EndedKey(KeyDocument):
    """A key after it was revoked."""

    repeated: bool = Field(description="It was revoked already")


class KeysAsked(Tabular):
    """Which keys."""

    state: KeyState | None = Field(None, description="Only those in this state")


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeyAsked(_Asked):
    """A key that is wanted."""

    name: str = Field(min_length=1, max_length=keys.LONGEST_NAME)
    scopes: list[Annotated[str, Field(pattern=f"^{keys.SCOPE.pattern}$")]] = Field(
        min_length=1, max_length=100
    )
    sites: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(
        None, min_length=1, max_length=100, description="Default: all"
    )
    expires_at: Instant | None = Field(None, description="Default: never")


class SuccessorAsked(_Asked):
    """A key that follows another."""

    overlap: Span = Field(
        keys.OVERLAP_US, description="How long the one before still works, at most 90d", examples=["24h"]
    )
    expires_at: Instant | None = Field(None, description="Default: it lasts as long as the one before was to")


EXAMPLE: dict[str, Any] = {
    "key_no": 7,
    "name": "historian",
    "scopes": ["read", "mes@cement"],
    "sites": None,
    "state": "active",
    "created_at": "2026-11-20T08:00:00Z",
    "expires_at": "2027-11-20T08:00:00Z",
    "revoked_at": None,
    "last_used_at": None,
    "succeeds": None,
    "succeeded_by": None,
}
_MADE = {**EXAMPLE, "key": "sw_0hI9…", "repeated": False}
_ASKED = {"name": "historian", "scopes": ["read", "mes@cement"], "expires_at": "2027-11-20T08:00:00Z"}


def _described(model: type[BaseModel] | None, example: Any, answered: Any, *problems: str) -> dict[str, Any]:
    extra: dict[str, Any] = {"parameters": [KEY_PARAMETER]}
    if model is not None:
        content = {"schema": model.model_json_schema(), "example": example}
        extra["requestBody"] = {"required": True, "content": {"application/json": content}}
    return {"openapi_extra": extra, "responses": {**answered, **refused(*problems)}}


@router.get(
    "/v1/keys",
    summary="Keys that were given out",
    responses={
        **answer(Page[KeyDocument], {"items": [EXAMPLE], "next": None}, csv=True),
        **documented("no-key", "wrong-scope", "invalid-parameter", "database-away"),
    },
)
async def listed(request: Request, access: Administrator, asked: Annotated[KeysAsked, Query()]) -> Response:
    """Every key that reaches no further than the administrator's, also those that are over; oldest first."""
    service = service_of(request)
    async with service.store.snapshot() as connection:
        found = await known_keys.list_all(connection)
    told = [_told(one, service.now()) for one in found if _may_manage(access, one.scopes, one.sites)]
    items = [one for one in told if asked.state in (None, one.state)]
    return table(request, of_models(KeyDocument, items), asked.format)


@router.post(
    "/v1/keys",
    status_code=201,
    summary="Make a key",
    **_described(KeyAsked, _ASKED, answer(MadeKey, _MADE, status=201), "key-conflict"),
)
async def make(request: Request, access: Administrator, idempotency_key: IdempotencyKey = None) -> Response:
    """Make a key for a person or a system. The answer is the only place where the key itself is told."""
    key, now = checked_key(idempotency_key), service_of(request).now()
    asked = await asked_in(request, KeyAsked)
    if asked.expires_at is not None and asked.expires_at <= now:
        raise invalid("Body", "expires_at", format_instant(asked.expires_at), "an instant to come")
    sites = None if asked.sites is None else tuple(asked.sites)
    wanted = Wanted(asked.name, tuple(asked.scopes), sites, asked.expires_at)
    _check_reach(access, wanted)

    async def made(connection: Connection, by: Made) -> tuple[str, KeyRecord]:
        return await keys.make(connection, replace(wanted, by=by), Actor(access.name, "api"))

    return await _made(request, access, asked, key, made)


@router.post(
    "/v1/keys/{number}/successor",
    status_code=201,
    summary="Make the successor of a key",
    **_described(
        SuccessorAsked, {"overlap": "24h"}, answer(MadeKey, _MADE, status=201), "unknown-key", "key-conflict"
    ),
)
async def rotate(
    request: Request, access: Administrator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make a key of the same name, scopes and sites; the one before works until the overlap is over."""
    key, service = checked_key(idempotency_key), service_of(request)
    asked, now = await asked_in(request, SuccessorAsked), service.now()
    if asked.overlap > LONGEST_OVERLAP_US:
        raise invalid("Body", "overlap", asked.overlap, "at most 90d")
    async with service.store.snapshot() as connection:
        old = await _known(connection, access, number)
    wanted = keys.successor(old, asked.expires_at, now)

    async def made(connection: Connection, by: Made) -> tuple[str, KeyRecord]:
        if old.state(now) != "active":
            raise InputError(f"key {old.key_no} is {old.state(now)}: expected one in use.")
        actor = Actor(access.name, "api")
        return await keys.rotate(connection, old, replace(wanted, by=by), now + asked.overlap, actor)

    return await _made(request, access, asked, key, made)


@router.post(
    "/v1/keys/{number}/revoke",
    summary="Revoke a key",
    **_described(None, None, answer(EndedKey, {**EXAMPLE, "repeated": False}), "unknown-key"),
)
async def revoke(
    request: Request, access: Administrator, number: Number, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make a key worthless from now on, and the sessions begun with it; its successor goes on."""
    checked_key(idempotency_key)
    await asked_in(request, Nothing)
    service = service_of(request)
    async with service.store.transaction() as connection:
        await _known(connection, access, number)
        ended = await keys.revoke_number(connection, number, Actor(access.name, "api"))
        told = _told(await _known(connection, access, number), service.now())
    return document(request, EndedKey(**told.model_dump(), repeated=not ended))


async def _made(
    request: Request,
    access: Access,
    asked: BaseModel,
    idempotency_key: str,
    make: Callable[[Connection, Made], Awaitable[tuple[str, KeyRecord]]],
) -> Response:
    """The answer to a request for a key: what was made now, or before under the same Idempotency-Key."""
    service = service_of(request)
    text = repr((request.url.path, access.name, asked.model_dump()))
    by = Made(idempotency_key, hashlib.sha256(text.encode()).digest())
    key = None
    async with service.store.transaction() as connection:
        before = await keys.of_request(connection, by)
        if before is False:
            raise ProblemError(
                "idempotency-key-reused",
                f"Idempotency-Key {idempotency_key!r} was used for another request: expected a new one.",
            )
        if before is None:
            try:
                key, record = await make(connection, by)
            except InputError as error:
                raise ProblemError("key-conflict", f"K{str(error)[1:]}") from None
        else:
            record = before
    told = _told(record, service.now())
    return document(request, MadeKey(**told.model_dump(), key=key, repeated=key is None), status=201)


async def _known(connection: Connection, access: Access, number: int) -> KeyRecord:
    """A key the administrator may manage; others are as if they were not."""
    found = await known_keys.of_number(connection, number)
    if found is None or not _may_manage(access, found.scopes, found.sites):
        raise ProblemError("unknown-key", f"There is no key {number}.")
    return found


def _may_manage(access: Access, scopes: Sequence[str], sites: Sequence[str] | None) -> bool:
    """Whether a key reaches no site that the administrator's does not."""
    reach = keys.reach(scopes, sites)
    return access.sites is None or (reach is not None and reach <= access.sites)


def _check_reach(access: Access, wanted: Wanted) -> None:
    if not _may_manage(access, wanted.scopes, wanted.sites):
        reach = keys.reach(wanted.scopes, wanted.sites)
        beyond = "all sites" if reach is None else f"site {min(reach - (access.sites or reach))!r}"
        raise ProblemError("wrong-site", f"Key {access.name!r} does not cover {beyond}.")


def _told(record: KeyRecord, now: int) -> KeyDocument:
    shared = {name: getattr(record, name) for name in KeyDocument.model_fields if name != "state"}
    return KeyDocument(**{**shared, "state": record.state(now)})
