"""Restating a past span under a plan version: what its factors change, shown or written as revisions.

A new version holds from where ingest takes it; what was closed before keeps the version
that made it until somebody restates it, over a span they name. A preview only reads. Writing
takes the site's writer lock, so an ingest of it must not run. Intervals are not made again.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from psycopg import AsyncConnection, IsolationLevel

from ingest.errors import InputError
from ingest.methods.changes import Change, Changes
from ingest.plant.plan import Plan
from ingest.site import Clocks
from ingest.spans import days_of, edge_of, site_of
from ingest.store.audit import CONSOLE, Actor
from ingest.store.redocumented import redocumented
from ingest.store.refigured import refigured
from ingest.store.restate import Restatement
from ingest.store.versions import Edition, Versions, stored_frontiers
from ingest.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to restate."""

    site: str | None
    """None: the only one."""
    version: int | None
    """Of the plan; None: the newest in force."""
    from_at: str
    """RFC 3339 with offset, or a date: its midnight in the site's zone."""
    to_at: str


@dataclass(slots=True)
class Restated:
    """What a restatement comes to."""

    site: str
    version: int
    from_at: int
    to_at: int
    changes: list[Change] = field(default_factory=list)
    different: Counter[str] = field(default_factory=Counter)
    """Rows that come out otherwise, per table."""
    left: int = 0
    """Figures that the version does not make, left as they were said."""
    not_restated: list[str] = field(default_factory=list)
    """Documented sources of which the version makes no mass in some of the span: it is left as it was said."""
    written: bool = False


async def restate(
    dsn: str, wanted: Wanted, clocks: Clocks, holder: str | None, actor: Actor = CONSOLE
) -> Restated:
    """What a span comes to under a version; with a `holder` take the site in its name and write it as `actor`.

    Raises:
        InputError: there is no such site, version or span, or the version is yet to come.
        SiteBusyError: an ingest holds the site, and it is to be written.
    """
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no, site = await site_of(connection, wanted.site)
        version = await _version(connection, site_no, site, wanted.version, clocks.now())
        writer = None
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        versions = Versions(site_no)
        async with connection.transaction(), connection.cursor() as cursor:
            await versions.refresh(cursor)
            edition = await versions.edition(cursor, version)
            newest = await versions.edition(cursor, versions.newest)
            assert edition is not None
            assert newest is not None
            outcome = Restated(site, version, *_span(wanted, edition))
        try:
            restatement = None
            if holder is not None:
                writer = Writer(dsn, site_no, str(edition.plan.zone), clocks.now)
                await writer.take_site(holder)
                await writer.resume()
                restatement = Restatement(writer, newest, actor)
            await _run(connection, versions, edition, outcome, restatement)
        finally:
            if writer is not None:
                await writer.close()
    return outcome


async def _run(
    connection: AsyncConnection,
    versions: Versions,
    edition: Edition,
    outcome: Restated,
    restatement: Restatement | None,
) -> None:
    zone = edition.plan.zone
    changes = Changes(zone)
    for begin, end, _ in days_of(outcome.from_at, outcome.to_at, zone):
        async with connection.transaction(), connection.cursor() as cursor:
            closed_until = await stored_frontiers(cursor, versions.site_no)
            day = await refigured(cursor, edition, versions.names, closed_until, (begin, end), changes)
        outcome.left += day.left
        for mismatch in day.found:
            outcome.different[mismatch.table.name] += mismatch.rows
        if restatement is not None and day.found:
            await restatement.write(day.found)
            outcome.written = True
    await _run_documents(connection, versions.site_no, edition.plan, outcome, changes, restatement)
    outcome.changes = changes.lines()


async def _run_documents(
    connection: AsyncConnection,
    site_no: int,
    plan: Plan,
    outcome: Restated,
    changes: Changes,
    restatement: Restatement | None,
) -> None:
    span = outcome.from_at, outcome.to_at
    async with connection.transaction(), connection.cursor() as cursor:
        told = await redocumented(cursor, site_no, plan, plan.version, span, changes)
    outcome.not_restated = told.left
    if told.differences:
        outcome.different["document_piece"] += len(told.differences)
    if restatement is not None and told.differences:
        await restatement.write_documents(told.differences)
        outcome.written = True


def _span(wanted: Wanted, edition: Edition) -> tuple[int, int]:
    from_at, to_at = (
        edge_of(text, edition.plan, name) for name, text in (("from", wanted.from_at), ("to", wanted.to_at))
    )
    if from_at >= to_at:
        raise InputError(f"--to is {wanted.to_at!r}; expected an instant after --from {wanted.from_at!r}")
    return from_at, to_at


async def _version(connection: AsyncConnection, site_no: int, site: str, wanted: int | None, now: int) -> int:
    """The version asked for: one that is in force, or was."""
    cursor = await connection.execute(
        "SELECT version FROM plan_version WHERE site_no = %s AND effective_at <= %s ORDER BY version DESC",
        [site_no, datetime.fromtimestamp(now / 1e6, UTC)],
    )
    known = [version for (version,) in await cursor.fetchall()]
    if not known or wanted not in (None, *known):
        listed = ", ".join(map(str, known)) or "none; apply a plant file first"
        raise InputError(f"--plan is {wanted}; expected a version of {site} that has taken effect: {listed}")
    return known[0] if wanted is None else wanted
