"""The rights a request has: scopes and sites of the key behind it.

A plain value; where it comes from (a header, a cookie) is `service.auth`'s business. A
scope may be for one site only (`operate@cement`): what a route needs narrows the sites,
so whoever asks `covers` need not know for what.
"""

from dataclasses import dataclass, replace

from service.problems import ProblemError


@dataclass(frozen=True, slots=True)
class Access:
    """The rights of one request."""

    key_no: int
    name: str
    """Of the key; the author of what is written."""
    scopes: frozenset[str]
    sites: frozenset[str] | None
    """None: all sites."""

    def may(self, *scopes: str) -> bool:
        """Whether the key has one of the scopes, at some site; admin has them all."""
        return bool(self._giving(scopes))

    def narrowed(self, *scopes: str) -> "Access":
        """The same key where it has one of the scopes."""
        where = [scope.partition("@")[2] for scope in self._giving(scopes)]
        if "" in where:
            return self
        return replace(self, sites=frozenset(site for site in where if self.covers(site)))

    def _giving(self, scopes: tuple[str, ...]) -> list[str]:
        return [scope for scope in self.scopes if scope.partition("@")[0] in ("admin", *scopes)]

    def covers(self, site: str) -> bool:
        """Whether the key is for this site."""
        return self.sites is None or site in self.sites

    def require_site(self, site: str) -> None:
        """Refuse a site the key is not for, in the same words whether it exists or not."""
        if not self.covers(site):
            raise ProblemError("wrong-site", f"Key {self.name!r} does not cover site {site!r}.")
