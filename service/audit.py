"""The audit log as the API tells it: pages of lines, the newest first.

Lines are written by those who change something (`ingest.store.audit`), never here.
"""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from pydantic import Field

from service import cursors
from service.documents import Document, Instant, columns_of
from service.plans import SitePlan
from service.store import Connection, rows
from service.tabular import Table, instant_text
from service.times import to_datetime

_NUMBER = range(1, 2**62)


class AuditLine(Document):
    """One change."""

    audit_no: int
    at: Instant = Field(description="By the database's clock")
    who: str = Field(description="Name of the key, or user@host of a console")
    via: Literal["api", "console", "ingest"]
    what: str = Field(description="key.created, declaration.approved, plan.applied, figures.restated, …")
    site: str | None = Field(description="null: of no one site")
    subject: str = Field(description="What was changed")
    before: dict[str, Any] | None = Field(description="null: there was nothing")
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which lines; None: whatever it is. Instants are µs."""

    who: str | None
    what: str | None
    """A whole word, or what comes before its dot."""
    from_at: int | None
    to_at: int | None
    of_no_site: bool
    """Also lines that are of no one site."""


async def page(
    connection: Connection,
    sites: list[SitePlan],
    chosen: Chosen,
    limit: int,
    cursor: str | None,
    *,
    flat: bool,
) -> Table:
    """Lines of some sites, the newest first; `flat`: what was and what is as one JSON text each."""
    before = _NUMBER.stop if cursor is None else cursors.decode(cursor, (_NUMBER,))[0]
    found = await rows(
        connection,
        """
        SELECT audit_no, at, who, via, what, s.id, subject, before, after
          FROM audit LEFT JOIN site s USING (site_no)
         WHERE (site_no = ANY(%(sites)s) OR (site_no IS NULL AND %(of_no_site)s))
           AND audit_no < %(before)s
           AND (%(who)s::text IS NULL OR who = %(who)s)
           AND (%(what)s::text IS NULL OR what = %(what)s OR split_part(what, '.', 1) = %(what)s)
           AND (%(from)s::timestamptz IS NULL OR at >= %(from)s)
           AND (%(to)s::timestamptz IS NULL OR at < %(to)s)
         ORDER BY audit_no DESC LIMIT %(limit)s
        """,
        {
            "sites": [site.site_no for site in sites],
            "of_no_site": chosen.of_no_site,
            "before": before,
            "who": chosen.who,
            "what": chosen.what,
            "from": None if chosen.from_at is None else to_datetime(chosen.from_at),
            "to": None if chosen.to_at is None else to_datetime(chosen.to_at),
            "limit": limit + 1,
        },
    )
    told = [[number, instant_text(at), *rest] for number, at, *rest in found[:limit]]
    if flat:
        told = [[*line[:-2], *map(_text, line[-2:])] for line in told]
    following = cursors.encode([found[limit - 1][0]]) if len(found) > limit else None
    return Table(columns_of(AuditLine), told, following)


def _text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
