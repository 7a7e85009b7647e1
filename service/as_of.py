"""`as_of=`: which batch an answer is of.

Ingest counts a site's transactions; every fact carries the number of the one that
stored it, so what was known at a time is what the batches up to one of them said. A
client names that batch, or an instant, which stands for the last batch known by then.
An answer says which batch it is of, whether it was asked for one or not; asked for
that batch again it is the same but for what was provisional. What is asked as of a
batch is answered as at its time: ages and default spans end there, not now.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from service.documents import Document, Instant
from service.latest import Commit, read_commits
from service.parameters import Parameters
from service.plans import SitePlan
from service.problems import invalid
from service.store import Connection, row
from service.times import format_instant, parse_instant, to_datetime

_BATCH = re.compile(r"\d{1,18}", re.ASCII)


def _checked(given: str) -> str:
    if not _BATCH.fullmatch(given):
        try:
            parse_instant(given)
        except ValueError as error:
            raise ValueError(f"{error}, or the number of a batch") from None
    return given


class AsOfAsked(Parameters):
    """An answer that may be of an earlier batch."""

    as_of: Annotated[str, AfterValidator(_checked)] | None = Field(
        None,
        max_length=40,
        description="A batch number, or a time: as it was known then, closed intervals only; default: now",
        examples=["812"],
    )


class AsOfDocument(Document):
    """The batch an answer is of."""

    batch_no: int = Field(description="0: before the first")
    known_at: Instant | None = Field(description="When it was committed; null: too long ago, or never")


@dataclass(frozen=True, slots=True)
class Known:
    """What an answer may know of a site."""

    batch_no: int
    known_at: int | None
    watermark: int | None
    """No row that was closed by then ends after it; None: nothing is known of it."""
    past: bool
    """Whether a batch was asked for; else everything is told, also what is provisional."""

    @property
    def document(self) -> AsOfDocument:
        """As it is told."""
        return AsOfDocument(batch_no=self.batch_no, known_at=self.known_at)

    def at(self, now: int) -> int:
        """The instant the answer is given for, µs: of an earlier batch its own."""
        return self.known_at if self.past and self.known_at is not None else now


def check_sites(asked: str | None, sites: Sequence[SitePlan]) -> None:
    """Refuse one batch number for several sites, each of which counts its own.

    Raises:
        ProblemError: with what would do.
    """
    if asked is not None and _BATCH.fullmatch(asked) and len(sites) > 1:
        raise invalid(
            "Query parameter", "as_of", asked, "a time, or one `site`, for each counts its own batches"
        )


async def resolve(
    connection: Connection, site: SitePlan, asked: str | None, newest: Commit | None, now: int
) -> Known:
    """What was known at a site at the batch asked for; `newest` is its last one, `now` µs.

    Raises:
        ProblemError: a batch or a time yet to come, or one of which nothing is kept any more.
    """
    if asked is None:
        if newest is None:
            return Known(0, None, None, past=False)
        return Known(newest.batch_no, newest.known_at, newest.watermark, past=False)
    if _BATCH.fullmatch(asked):
        return await _of_batch(connection, site, asked, newest)
    return await _of_instant(connection, site, parse_instant(asked), now)


async def resolve_all(
    connection: Connection, sites: Sequence[SitePlan], asked: str | None, now: int
) -> dict[str, Known]:
    """The same of several sites, by their ids.

    Raises:
        ProblemError: as `resolve` and `check_sites` do.
    """
    check_sites(asked, sites)
    commits = await read_commits(connection, [site.site_no for site in sites])
    return {
        site.plan.site: await resolve(connection, site, asked, commits.get(site.site_no), now)
        for site in sites
    }


async def _of_batch(connection: Connection, site: SitePlan, asked: str, newest: Commit | None) -> Known:
    batch_no = int(asked)
    last = 0 if newest is None else newest.batch_no
    if batch_no > last:
        raise invalid(
            "Query parameter", "as_of", asked, f"at most {last}, the newest batch of {site.plan.site}"
        )
    commit = await _commit(connection, site.site_no, batch_no)
    if commit is not None or batch_no == 0:
        known_at = commit[1] if commit is not None and commit[0] == batch_no else None
        return Known(batch_no, known_at, commit[2] if commit is not None else None, past=True)
    return Known(batch_no, None, None, past=True)


async def _of_instant(connection: Connection, site: SitePlan, at: int, now: int) -> Known:
    if at > now:
        expected = f"a time that has come, at most {format_instant(now)}"
        raise invalid("Query parameter", "as_of", format_instant(at), expected)
    found = await row(connection, _LAST_KNOWN, {"site": site.site_no, "at": to_datetime(at)})
    if found is None or found[0] is None:
        return Known(0, None, None, past=True)
    batch_no, oldest = found
    commit = await _commit(connection, site.site_no, batch_no)
    if commit is not None:
        return Known(*commit, past=True)
    if oldest > 1:
        expected = f"the number of a batch, for commits before batch {oldest} are not kept"
        raise invalid("Query parameter", "as_of", format_instant(at), expected)
    return Known(0, None, None, past=True)


async def _commit(connection: Connection, site_no: int, batch_no: int) -> tuple[int, int, int | None] | None:
    """The last commit up to a batch: batch_no, known_at, watermark."""
    found = await row(
        connection,
        """
        SELECT batch_no, known_at, watermark FROM ingest_commit
         WHERE site_no = %s AND batch_no <= %s ORDER BY batch_no DESC LIMIT 1
        """,
        [site_no, batch_no],
    )
    return None if found is None else (found[0], found[1], found[2])


# known_at grows with batch_no: some thirty steps along the primary key, and commits need no index of their times.
_LAST_KNOWN = """
    WITH RECURSIVE kept AS (
        SELECT min(batch_no) AS oldest, max(batch_no) AS newest FROM ingest_commit WHERE site_no = %(site)s
    ), halved (low, high) AS (
        SELECT oldest - 1, newest FROM kept
        UNION ALL
        SELECT CASE WHEN m.known_at <= %(at)s THEN (low + high + 1) / 2 ELSE low END,
               CASE WHEN m.known_at <= %(at)s THEN high ELSE (low + high + 1) / 2 - 1 END
          FROM halved
         CROSS JOIN LATERAL (
               SELECT known_at FROM ingest_commit
                WHERE site_no = %(site)s AND batch_no <= (low + high + 1) / 2 ORDER BY batch_no DESC LIMIT 1) m
         WHERE low < high
    )
    SELECT low, oldest FROM halved, kept WHERE low >= high
"""
