"""The rights a request has: scopes and sites of the key behind it.

A plain value; where it comes from (a header, a cookie) is `service.auth`'s business.
"""

from dataclasses import dataclass

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
        """Whether the key has one of the scopes; admin has them all."""
        return "admin" in self.scopes or not self.scopes.isdisjoint(scopes)

    def covers(self, site: str) -> bool:
        """Whether the key is for this site."""
        return self.sites is None or site in self.sites

    def require_site(self, site: str) -> None:
        """Refuse a site the key is not for, in the same words whether it exists or not."""
        if not self.covers(site):
            raise ProblemError("wrong-site", f"Key {self.name!r} does not cover site {site!r}.")
