"""Who asks, and what they may do.

A request carries `Authorization: Bearer KEY`, or, from the page, a session
cookie that a key was exchanged for, or the name of a user from a trusted proxy. The
admin key comes from the settings, every other from `api_key`, looked up on each request
so that revoking works at once. A cookie is a key's number and an expiry, signed. What a
browser sends by itself (a cookie, what a proxy makes of it) opens GET routes; to change
something it takes a header that no foreign page can make a browser send. Keys are given
and taken with a key only.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from ingest.model import HOUR, SECOND
from service import keys, known_keys
from service.access import Access
from service.context import Service, service_of
from service.parameters import check_question
from service.problems import ProblemError
from service.proxies import USER

COOKIE = "stackwatt_session"
PAGE_HEADER = "stackwatt-page"
"""With it (any value) a session or a proxied user may change something, but administer nothing."""
SESSION_US = 12 * HOUR
"""How long a session lasts: a shift and a half, then the page asks for the key again."""

ADMIN_NO = 0
"""Key number of the admin key; those of `api_key` begin at 1."""


_bearer = HTTPBearer(auto_error=False, description="A key, made by `stackwatt keys create`")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by POST /v1/session")

BearerCredentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
CookieText = Annotated[str | None, Security(_cookie)]


def needs(*scopes: str) -> Callable[..., Awaitable[Access]]:
    """A dependency that lets through only keys with one of the scopes."""

    async def access(request: Request, bearer: BearerCredentials, cookie: CookieText) -> Access:
        service = service_of(request)
        if bearer is not None:
            found = await of_key(service, bearer.credentials)
        elif request.method not in ("GET", "HEAD") and ("admin" in scopes or not _of_our_page(request)):
            found = None
        elif USER in request.scope:
            found = service.proxies.access(request.scope[USER])
        elif cookie is not None:
            found = await of_cookie(service, cookie)
        else:
            found = None
        if found is None:
            raise no_key()
        if not found.may(*scopes):
            have = ", ".join(sorted(found.scopes))
            raise ProblemError(
                "wrong-scope", f"Key {found.name!r} has scope {have}: expected {' or '.join(scopes)}."
            )
        check_question(request)  # here, for what is wrong with a question only those learn who may ask
        return found.narrowed(*scopes)

    return access


Reader = Annotated[Access, Depends(needs("read"))]
"""Someone who may see."""
Sender = Annotated[Access, Depends(needs("mes", "operate"))]
"""Someone who may send readings."""
Operator = Annotated[Access, Depends(needs("operate"))]
"""Someone who may declare, and decide what others have declared."""
Administrator = Annotated[Access, Depends(needs("admin"))]
"""Someone who may give and take keys, and read who changed what."""


def _of_our_page(request: Request) -> bool:
    """Whether a request that a browser signs by itself was made by our own page.

    A foreign page can add no header of its own to a request to us without our leave, which nobody gets, and
    what it does send names it as Origin.
    """
    if PAGE_HEADER not in request.headers:
        return False
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers.get('host')}"


def no_key() -> ProblemError:
    """The problem of a request without a valid key, in the same words whatever is wrong with it."""
    return ProblemError(
        "no-key",
        "The request carries no valid key: expected 'Authorization: Bearer KEY' or a session.",
        headers={"WWW-Authenticate": 'Bearer realm="stackwatt"'},
    )


async def of_key(service: Service, key: str) -> Access | None:
    """The rights of a key, None if it is none."""
    if service.admin_digest is not None and hmac.compare_digest(
        known_keys.digest_of(key), service.admin_digest
    ):
        return _ADMIN
    if not known_keys.could_be(key):
        return None
    async with service.store.snapshot() as connection:
        record = await known_keys.find(connection, key, service.now())
    return None if record is None else _used(service, record)


async def of_cookie(service: Service, cookie: str) -> Access | None:
    """The rights of a session, None if it is forged, over, or its key revoked."""
    number, _, rest = cookie.partition(".")
    expiry, _, signature = rest.partition(".")
    if not (number.isdecimal() and expiry.isdecimal() and len(cookie) < 200):
        return None
    expected = _signature(service, f"{number}.{expiry}")
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    if int(expiry) * SECOND <= service.now():
        return None
    if int(number) == ADMIN_NO:
        return _ADMIN
    async with service.store.snapshot() as connection:
        record = await known_keys.find_number(connection, int(number), service.now())
    return None if record is None else _used(service, record)


def session_cookie(service: Service, access: Access) -> tuple[str, int]:
    """A new session of a key: the cookie's value and when it ends, µs."""
    expiry = (service.now() + SESSION_US) // SECOND
    text = f"{access.key_no}.{expiry}"
    return f"{text}.{_signature(service, text)}", expiry * SECOND


def session_secret(admin_key: str | None) -> bytes:
    """What sessions are signed with: of the admin key, so that they outlive a restart; else random."""
    if admin_key is None:
        return secrets.token_bytes(32)
    return hmac.digest(admin_key.encode(), b"stackwatt session v1", hashlib.sha256)


def _signature(service: Service, text: str) -> str:
    return hmac.new(service.session_secret, text.encode(), hashlib.sha256).hexdigest()


_ADMIN = Access(ADMIN_NO, "admin", frozenset(keys.SCOPES), None)


def _used(service: Service, record: known_keys.KeyRecord) -> Access:
    service.key_use.note(record.key_no, service.now())
    sites = None if record.sites is None else frozenset(record.sites)
    return Access(record.key_no, record.name, frozenset(record.scopes), sites)
