"""Proposing and deciding documents: the two-person rule of declarations, and no amount told twice.

Everything of a site's documents is decided one after the other, under a lock. A document
is checked when it is proposed and again when it is approved, for others may have been
approved in between. Approval writes the inbox row in its own transaction.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from psycopg.types.json import Jsonb

from service.access import Access
from service.document_claims import DocumentClaim
from service.document_pages import DOCUMENTS, IN_FORCE
from service.plans import SitePlan
from service.proposals import Authorship, Proposal
from service.store import Connection, row
from service.times import to_datetime

_LOCK = 0x646F63
"""First key of an advisory lock; the second is site_no."""


@dataclass(frozen=True, slots=True)
class Known(Proposal):
    """A document that was proposed."""

    claim: DocumentClaim


async def propose(
    connection: Connection, site: SitePlan, claim: DocumentClaim, access: Access, key: str, now: int
) -> tuple[int, bool]:
    """Write a proposal down; its number, and whether it had been before.

    Raises:
        ProblemError: it contradicts what counts, or the key stands for another one.
    """
    await _lock(connection, site.site_no)
    by = Authorship(access.name, key, claim.digest(access.name), now)
    before = await DOCUMENTS.before(connection, site.site_no, by)
    if before is not None:
        return before, True
    await _check(connection, site, claim, None)
    said = {
        **asdict(claim),
        "from_at": None if claim.from_at is None else to_datetime(claim.from_at),
        "to_at": None if claim.to_at is None else to_datetime(claim.to_at),
        "body": Jsonb(claim.body),
    }
    return await DOCUMENTS.write(connection, site.site_no, said, by), False


async def known(
    connection: Connection, access: Access, document_no: int, sites: Sequence[SitePlan]
) -> tuple[SitePlan, Known]:
    """A document of a site that the key covers, locked with all others of its site.

    Raises:
        ProblemError: there is none of this number.
    """
    found = await row(connection, "SELECT site_no FROM document WHERE document_no = %s", [document_no])
    site = DOCUMENTS.site_of(document_no, None if found is None else found[0], access, sites)
    await _lock(connection, site.site_no)
    told = await row(
        connection,
        """
        SELECT author, decision, decided_by, kind, number, subject, from_at, to_at, lot, count, value, body,
               file_sha256, supersedes, note, withdraws
          FROM document WHERE document_no = %s FOR NO KEY UPDATE
        """,
        [document_no],
    )
    assert told is not None
    author, decision, decided_by, *said = told
    return site, Known(document_no, site.site_no, author, decision, decided_by, DocumentClaim(*said))


async def approve(
    connection: Connection, site: SitePlan, given: Known, access: Access, key: str, now: int
) -> bool:
    """Approve a document and hand it to ingest; whether the same person had done so before.

    Raises:
        ProblemError: its author asks, it is decided otherwise, or it contradicts what counts now.
    """
    if DOCUMENTS.approved_by(given, access):
        return True
    await _check(connection, site, given.claim, given.number)
    await DOCUMENTS.approve(connection, given, DOCUMENTS.word, access, key, now)
    return False


async def _lock(connection: Connection, site_no: int) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, site_no])


async def _check(
    connection: Connection, site: SitePlan, claim: DocumentClaim, document_no: int | None
) -> None:
    """Refuse what undoes or replaces a document that does not count, and what is told already."""
    if claim.withdraws is not None:
        if not await _in_force(connection, site.site_no, claim.withdraws, claim.subject):
            raise DOCUMENTS.conflict(f"Document {claim.withdraws} does not count", "one that does")
        return
    known = {*(one.id for one in site.plan.activities), *(one.id for one in site.plan.analyses)}
    if claim.subject not in known:
        raise DOCUMENTS.conflict(
            f"The plan in force has no activity or analysis {claim.subject!r}", "one that it has"
        )
    if claim.supersedes is not None and not await _in_force(
        connection, site.site_no, claim.supersedes, claim.subject
    ):
        raise DOCUMENTS.conflict(
            f"Document {claim.supersedes} does not count, or is not of {claim.subject!r}",
            "one that does and is",
        )
    twin = await row(
        connection,
        f"""
        SELECT d.document_no FROM document d
         WHERE d.site_no = %s AND d.kind = %s AND d.number = %s AND d.subject = %s AND {IN_FORCE}
           AND d.document_no IS DISTINCT FROM %s AND d.document_no IS DISTINCT FROM %s
         LIMIT 1
        """,  # noqa: S608  fragments of this package
        [site.site_no, claim.kind, claim.number, claim.subject, claim.supersedes, document_no],
    )
    if twin is not None:
        raise DOCUMENTS.conflict(
            f"Document {twin[0]} is {claim.kind} {claim.number!r} of {claim.subject!r} already",
            f"`supersedes` {twin[0]}, or another number",
        )


async def _in_force(connection: Connection, site_no: int, document_no: int, subject: str) -> bool:
    found = await row(
        connection,
        f"""
        SELECT 1 FROM document d WHERE d.site_no = %s AND d.document_no = %s AND d.subject = %s AND {IN_FORCE}
        """,  # noqa: S608  fragments of this package
        [site_no, document_no, subject],
    )
    return found is not None
