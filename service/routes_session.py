"""Sessions of the page: a key exchanged for a cookie.

The cookie is HttpOnly and SameSite=Strict, so no script reads it and no other
site's page makes a browser send it; what changes something takes a header of the page's own too.
"""

from fastapi import APIRouter, Request, Response
from pydantic import Field

from service import auth
from service.access import Access
from service.auth import BearerCredentials, Reader
from service.context import service_of
from service.documents import Document, Instant, answer
from service.problems import documented
from service.tabular import document

router = APIRouter(tags=["session"])


class SessionDocument(Document):
    """Who is looking."""

    name: str = Field(description="Of the key")
    scopes: list[str]
    sites: list[str] | None = Field(description="null: all sites")
    ends_at: Instant | None = Field(description="End of the session just begun")


SESSION_EXAMPLE = {
    "name": "control room",
    "scopes": ["read"],
    "sites": ["cement"],
    "ends_at": "2026-11-20T20:00:00Z",
}


@router.post(
    "/v1/session",
    summary="Exchange a key for a session cookie",
    responses={
        **answer(SessionDocument, SESSION_EXAMPLE),
        **documented("no-key", "body-too-large", "database-away"),
    },
)
async def begin(request: Request, bearer: BearerCredentials) -> Response:
    """Set the cookie that GET routes accept instead of the key. Needs the key itself, not a session."""
    service = service_of(request)
    access = None if bearer is None else await auth.of_key(service, bearer.credentials)
    if access is None:
        raise auth.no_key()
    cookie, ends_at = auth.session_cookie(service, access)
    response = document(request, _told(access, ends_at))
    response.set_cookie(
        auth.COOKIE,
        cookie,
        max_age=auth.SESSION_US // 1_000_000,
        path="/",
        # Over plain HTTP in a plant's network a Secure cookie would never come back.
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@router.get(
    "/v1/session",
    summary="Who is looking",
    responses={
        **answer(SessionDocument, {**SESSION_EXAMPLE, "ends_at": None}),
        **documented("no-key", "database-away"),
    },
)
async def current(request: Request, access: Reader) -> Response:
    """The key behind this request."""
    return document(request, _told(access, None))


@router.delete("/v1/session", status_code=204, summary="End the session of this browser", responses={})
async def end() -> Response:
    """Take the cookie back. A cookie kept elsewhere ends by its time, or when its key is revoked."""
    response = Response(None, 204)
    response.delete_cookie(auth.COOKIE, path="/", httponly=True, samesite="strict")
    return response


def _told(access: Access, ends_at: int | None) -> SessionDocument:
    sites = None if access.sites is None else sorted(access.sites)
    return SessionDocument(name=access.name, scopes=sorted(access.scopes), sites=sites, ends_at=ends_at)
