"""How much one client may ask: requests of a key, failures of an address, headers, announced bodies.

Token buckets in memory, one a key and one an address, the longest unused forgotten
first; so they bound what a service answers, not what all services do together. A
request is judged before the database is asked. What is too much gets 429 with
Retry-After. Only addresses under /v1/ are limited: the page and health cost nothing.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.model import SECOND
from service.bodies import MOST_BYTES
from service.problems import ProblemError, respond
from service.proxies import USER

MOST_BUCKETS = 10_000
_SESSION = re.compile(rb"(?:^|;)\s*stackwatt_session=([^;]*)")
UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket's size, and how fast it fills."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may ask."""

    requests: Rate = Rate(200.0, 2000)
    """Of one key, or session."""
    failures: Rate = Rate(0.5, 30)
    """Answers 401 to one address; while its bucket is empty it is told nothing about any key."""
    headers: int = 100
    """Most header lines of a request."""


USUAL = Limits()


class Buckets:
    """Token buckets by name, at most MOST_BUCKETS; one that is forgotten is full again."""

    def __init__(self, rate: Rate, now: Callable[[], int]) -> None:
        """`now` gives µs."""
        self._rate = rate
        self._now = now
        self._left: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def wait_s(self, name: bytes) -> float:
        """How long until there is a token, s; 0: there is one."""
        return max(0.0, 1.0 - self._tokens(name)) / self._rate.per_s

    def take(self, name: bytes) -> None:
        """Take a token, if there is one."""
        self._left[name] = (max(0.0, self._tokens(name) - 1.0), self._now())
        self._left.move_to_end(name)
        while len(self._left) > MOST_BUCKETS:
            self._left.popitem(last=False)

    def _tokens(self, name: bytes) -> float:
        left, at = self._left.get(name, (float(self._rate.burst), self._now()))
        filled = left + max(0, self._now() - at) / SECOND * self._rate.per_s
        return min(float(self._rate.burst), filled)


class Limited:
    """Middleware that refuses what is too much before anything is done for it."""

    def __init__(self, app: ASGIApp, limits: Limits, now: Callable[[], int]) -> None:
        self._app = app
        self._limits = limits
        self._requests = Buckets(limits.requests, now)
        self._failures = Buckets(limits.failures, now)
        self._good: OrderedDict[bytes, None] = OrderedDict()
        """Credentials answered with no 401: those of others at their address do not shut them out."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or say what is too much; count it if it has no valid key."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        address = str(scope["client"][0] if scope.get("client") else "").encode()
        name = _name_of(scope)
        problem = self._too_much(scope, address, name)
        if problem is not None:
            await respond(problem)(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._judge(address, name, message["status"])
            await send(message)

        await self._app(scope, receive, counted)

    def _judge(self, address: bytes, name: bytes | None, status: int) -> None:
        if status == UNAUTHORIZED:
            self._failures.take(address)
        if name is None or status == UNAUTHORIZED:
            self._good.pop(name or b"", None)
            return
        self._good[name] = None
        self._good.move_to_end(name)
        while len(self._good) > MOST_BUCKETS:
            self._good.popitem(last=False)

    def _too_much(self, scope: Scope, address: bytes, name: bytes | None) -> ProblemError | None:
        headers = scope["headers"]
        if len(headers) > self._limits.headers:
            detail = f"The request has {len(headers)} headers: expected at most {self._limits.headers}."
            return ProblemError("too-many-headers", detail)
        length = dict(headers).get(b"content-length", b"")
        if scope["method"] == "POST" and length.isdigit() and int(length[:20]) > MOST_BYTES:
            detail = f"The body has {int(length[:20])} bytes: expected at most {MOST_BYTES}."
            return ProblemError("body-too-large", detail, headers={"Connection": "close"})
        if name not in self._good and (wait_s := self._failures.wait_s(address)):
            return _later("Too many requests without a valid key came from this address", wait_s)
        if name is not None:
            if wait_s := self._requests.wait_s(name):
                return _later(
                    f"The key asks more than {self._limits.requests.per_s:g} times a second", wait_s
                )
            self._requests.take(name)
        return None


def _name_of(scope: Scope) -> bytes | None:
    """Who asks, as far as the request tells: a digest of what it carries, for no key is to be remembered."""
    key = session = b""
    for name, value in scope["headers"]:  # only what counts of them: the rest may be written in many ways
        if name == b"authorization":
            key = key or value.partition(b" ")[2].strip()
        elif name == b"cookie" and (found := _SESSION.search(value)):
            session = session or found[1]
    carried = key or scope.get(USER, "").encode() or session
    return hashlib.sha256(carried).digest() if carried else None


def _later(what: str, wait_s: float) -> ProblemError:
    seconds = max(1, int(wait_s + 0.999))
    return ProblemError(
        "too-many-requests", f"{what}; ask again in {seconds} s.", headers={"Retry-After": str(seconds)}
    )
