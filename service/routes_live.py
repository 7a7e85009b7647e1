"""`/v1/live`: figures as they change, as server-sent events.

`status` comes at once and every 2 s (server time, database, last commit per
site), `figures` whenever some changed, `bye` before the service ends. A session
cookie is accepted, for a browser's EventSource can send no header.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from service import auth
from service.access import Access
from service.auth import BearerCredentials, CookieText, Reader
from service.context import HEAD_ONLY, Service, service_of
from service.feed import MOST_STREAMS
from service.problems import RETRY_AFTER_S, ProblemError, documented
from service.store import AWAY

router = APIRouter()

RECHECK_S = 15.0
"""How soon a revoked key or a finished session ends its streams."""

_EXAMPLE = (
    'event: status\ndata: {"now":"2026-11-20T08:00:01.2Z","database":true,"sites":{"cement":{"clock":"live",'
    '"batch_no":812,"committed_at":"2026-11-20T08:00:01.1Z","watermark":"2026-11-20T07:59:56Z"}}}\n\n'
    'event: figures\ndata: {"items":[{"id":"cement/power","window":"5min","value":11461.2,"…":"…"}]}\n\n'
)


@router.get(
    "/v1/live",
    tags=["figures"],
    summary="Figures as they change",
    response_class=StreamingResponse,
    responses={
        200: {"description": "A stream without end", "content": {"text/event-stream": {"example": _EXAMPLE}}},
        **documented("no-key", "wrong-scope", "too-many-streams", "database-away"),
    },
)
async def live(
    request: Request, access: Reader, bearer: BearerCredentials, cookie: CookieText
) -> StreamingResponse:
    """Server-sent events: `status` every 2 s, `figures` when some changed, `bye` at the end."""
    service = service_of(request)
    if service.feed.streams >= MOST_STREAMS or service.feed.stopping:
        raise ProblemError(
            "too-many-streams",
            f"{service.feed.streams} live streams are open: expected fewer than {MOST_STREAMS}.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    if HEAD_ONLY in request.scope:
        parts = _nothing()
    else:
        stream = _stream(service, access, bearer.credentials if bearer is not None else None, cookie)
        parts = _after(await anext(stream), stream)  # it is counted now, or a burst would pass the bound
    return StreamingResponse(
        parts,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _nothing() -> AsyncGenerator[bytes]:
    yield b""


async def _after(first: bytes, parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(parts):
        yield first
        async for part in parts:
            yield part


async def _stream(
    service: Service, access: Access, key: str | None, cookie: str | None
) -> AsyncGenerator[bytes]:
    clock = asyncio.get_running_loop().time
    due = clock() + RECHECK_S
    service.metrics.streams.inc()
    try:
        async with aclosing(service.feed.stream(access)) as parts:
            async for part in parts:
                yield part
                if clock() >= due:
                    if not await _still(service, key, cookie):
                        return
                    due = clock() + RECHECK_S
    finally:
        service.metrics.streams.dec()


async def _still(service: Service, key: str | None, cookie: str | None) -> bool:
    """Whether the key or session is still good; while the database is away, yes."""
    with suppress(*AWAY):
        if key is not None:
            return await auth.of_key(service, key) is not None
        return await auth.of_cookie(service, cookie or "") is not None
    return True
