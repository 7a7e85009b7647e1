"""Reverse proxies: whose word about a request is taken, and what a user they name may do.

A proxy in front tells by headers from where a request came, and, if one is trusted to,
who sent it. Headers are believed only of a connection whose other end is one of the
addresses given; from elsewhere they are taken off the request before anything sees
them. Off unless configured, but for the scheme and address that a proxy on this machine tells.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.errors import InputError
from service.access import Access
from service.keys import LONGEST_NAME, SCOPE

USER = "stackwatt.user"
"""In the scope of a request: the user that a trusted proxy names."""
PROXY_NO = -1
"""Key number of a user whom a proxy names; those of keys begin at 0."""
EVERYBODY = "*"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))


@dataclass(frozen=True, slots=True)
class Proxies:
    """Whom to believe."""

    trusted: tuple[Network, ...] = ()
    """Addresses of proxies that may name a user, and where requests come from."""
    user_header: str | None = None
    """The header that holds the user; None: nobody is named."""
    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Scopes by user, `*` for whoever is not named; who has none is nobody."""

    def access(self, user: str) -> Access | None:
        """The rights of a named user, None if there are none."""
        scopes = self.scopes.get(user, self.scopes.get(EVERYBODY))
        if scopes is None or not 0 < len(user) <= LONGEST_NAME or not user.isprintable():
            return None
        return Access(PROXY_NO, user, scopes, None)


DIRECT = Proxies()
"""Nobody is between."""


def proxies_of(trusted: str | None, user_header: str | None, scopes: str | None) -> Proxies:
    """The proxies of three settings: `10.0.0.5, 10.1.0.0/16`, `X-Remote-User`, `*=read; anna=read,operate@mill`.

    Raises:
        InputError: one of them is not of its form, or users are to be named by nobody.
    """
    networks = tuple(_network(part) for part in _parts(trusted, ","))
    if user_header is not None and not networks:
        raise InputError("a header for users is given without trusted proxies: expected their addresses")
    granted = {}
    for part in _parts(scopes, ";"):
        user, _, names = part.partition("=")
        wanted = frozenset(_parts(names, ","))
        if not user.strip() or not wanted or not all(SCOPE.fullmatch(name) for name in wanted):
            raise InputError(f"scopes of users are {part!r}: expected user=scope,scope such as *=read")
        granted[user.strip()] = wanted
    return Proxies(networks, user_header, granted)


class Proxied:
    """Middleware that believes proxies, and nobody else, about where a request comes from and whose it is."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._user_header = None if proxies.user_header is None else proxies.user_header.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as its proxy tells it."""
        if scope["type"] == "http":
            scope = self._seen(dict(scope))
        await self._app(scope, receive, send)

    def _seen(self, scope: Scope) -> Scope:
        peer = scope["client"][0] if scope.get("client") else ""
        headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        if self._user_header is not None:
            users = [value for name, value in headers if name == self._user_header]
            scope["headers"] = [one for one in headers if one[0] != self._user_header]
            if len(users) == 1 and _within(peer, self._proxies.trusted):
                scope[USER] = users[0].decode("latin-1").strip()
        believed = (*LOOPBACK, *self._proxies.trusted)
        if _within(peer, believed):
            _forwarded(scope, headers, believed)
        return scope


def _forwarded(scope: Scope, headers: Sequence[tuple[bytes, bytes]], believed: Sequence[Network]) -> None:
    """Take scheme and address from where proxies say: the last address that is none of theirs."""
    schemes = [value.decode("latin-1").strip() for name, value in headers if name == b"x-forwarded-proto"]
    if schemes and schemes[-1] in ("http", "https"):
        scope["scheme"] = schemes[-1]
    hops = [
        hop.strip()
        for name, value in headers
        if name == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
    ]
    for hop in reversed(hops):
        if not _is_address(hop):
            return
        scope["client"] = (hop, 0)
        if not _within(hop, believed):
            return


def _within(address: str, networks: Sequence[Network]) -> bool:
    if not _is_address(address):
        return False
    found = ipaddress.ip_address(address)
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain.version == network.version and plain in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise InputError(
            f"trusted proxy is {text!r}: expected an address or network such as 10.0.0.5"
        ) from None


def _parts(text: str | None, separator: str) -> list[str]:
    return [part.strip() for part in (text or "").split(separator) if part.strip()]
