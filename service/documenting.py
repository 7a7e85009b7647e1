"""Proposing and deciding documents: the two-person rule of declarations, and no amount told twice.

Everything of a site's documents is decided one after the other, under a lock. A document
is checked when it is proposed and again when it is approved, for others may have been
approved in between. Approval writes the inbox row in its own transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from psycopg.types.json import Jsonb

from service import inbox
from service.access import Access
from service.document_claims import DocumentClaim
from service.document_pages import IN_FORCE
from service.plans import SitePlan
from service.problems import ProblemError
from service.store import Connection, row
from service.times import to_datetime

_LOCK = 0x646F63
"""First key of an advisory lock; the second is site_no."""


@dataclass(frozen=True, slots=True)
class Known:
    """A document that was proposed."""

    document_no: int
    site_no: int
    claim: DocumentClaim
    author: str
    decision: str | None
    decided_by: str | None


async def propose(
    connection: Connection, site: SitePlan, claim: DocumentClaim, access: Access, key: str, now: int
) -> tuple[int, bool]:
    """Write a proposal down; its number, and whether it had been before.

    Raises:
        ProblemError: it contradicts what counts, or the key stands for another one.
    """
    await _lock(connection, site.site_no)
    digest = claim.digest(access.name)
    before = await row(
        connection,
        "SELECT document_no, digest = %s FROM document WHERE site_no = %s AND idempotency_key = %s",
        [digest, site.site_no, key],
    )
    if before is not None and before[1]:
        return int(before[0]), True
    if before is not None:
        raise ProblemError(
            "idempotency-key-reused",
            f"Idempotency-Key {key!r} was used for another document: expected a new one.",
        )
    await _check(connection, site, claim, None)
    made = await row(
        connection,
        """
        INSERT INTO document (site_no, kind, number, subject, from_at, to_at, lot, count, value, body, file_sha256,
                              supersedes, withdraws, note, author, proposed_at, idempotency_key, digest)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        RETURNING document_no
        """,
        [
            site.site_no, claim.kind, claim.number, claim.subject,
            None if claim.from_at is None else to_datetime(claim.from_at),
            None if claim.to_at is None else to_datetime(claim.to_at),
            claim.lot, claim.count, claim.value, Jsonb(claim.body), claim.file_sha256, claim.supersedes,
            claim.withdraws, claim.note, access.name, to_datetime(now), key, digest,
        ],
    )  # fmt: skip
    assert made is not None
    return int(made[0]), False


async def known(
    connection: Connection, access: Access, document_no: int, sites: Sequence[SitePlan]
) -> tuple[SitePlan, Known]:
    """A document of a site that the key covers, locked with all others of its site.

    Raises:
        ProblemError: there is none of this number.
    """
    found = await row(connection, "SELECT site_no FROM document WHERE document_no = %s", [document_no])
    site = next((site for site in sites if found is not None and site.site_no == found[0]), None)
    if found is None or site is None or not access.covers(site.plan.site):
        raise ProblemError("unknown-document", f"There is no document {document_no}.")
    await _lock(connection, site.site_no)
    said = await row(
        connection,
        """
        SELECT kind, number, subject, from_at, to_at, lot, count, value, body, file_sha256, supersedes, note, withdraws,
               author, decision, decided_by
          FROM document WHERE document_no = %s FOR NO KEY UPDATE
        """,
        [document_no],
    )
    assert said is not None
    return site, Known(document_no, site.site_no, DocumentClaim(*said[:13]), *said[13:])


async def approve(
    connection: Connection, site: SitePlan, given: Known, access: Access, key: str, now: int
) -> bool:
    """Approve a document and hand it to ingest; whether the same person had done so before.

    Raises:
        ProblemError: its author asks, it is decided otherwise, or it contradicts what counts now.
    """
    if (given.decision, given.decided_by) == ("approved", access.name):
        return True
    if given.author == access.name:
        raise ProblemError(
            "second-person-needed",
            f"Document {given.document_no} was proposed by key {given.author!r} itself: expected the key of"
            " a second person to approve it.",
        )
    _undecided(given)
    await _check(connection, site, given.claim, given.document_no)
    body = msgspec.json.encode({"document": given.document_no}).decode()
    receipt = await inbox.accept(connection, given.site_no, "document", body, key, access.name)
    await connection.execute(
        """
        UPDATE document SET decision = 'approved', decided_by = %s, decided_at = %s, inbox_no = %s
         WHERE document_no = %s
        """,
        [access.name, to_datetime(now), receipt.inbox_no, given.document_no],
    )
    return False


async def refuse(connection: Connection, given: Known, access: Access, now: int) -> bool:
    """Refuse a document, or take one's own back; whether the same person had done so before.

    Raises:
        ProblemError: it is decided otherwise.
    """
    if (given.decision, given.decided_by) == ("refused", access.name):
        return True
    _undecided(given)
    await connection.execute(
        "UPDATE document SET decision = 'refused', decided_by = %s, decided_at = %s WHERE document_no = %s",
        [access.name, to_datetime(now), given.document_no],
    )
    return False


def _undecided(given: Known) -> None:
    if given.decision is not None:
        raise _conflict(
            f"Document {given.document_no} is {given.decision} by key {given.decided_by!r}",
            "one that is not decided yet",
        )


async def _lock(connection: Connection, site_no: int) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, site_no])


async def _check(
    connection: Connection, site: SitePlan, claim: DocumentClaim, document_no: int | None
) -> None:
    """Refuse what undoes or replaces a document that does not count, and what is told already."""
    if claim.withdraws is not None:
        if not await _in_force(connection, site.site_no, claim.withdraws, claim.subject):
            raise _conflict(f"Document {claim.withdraws} does not count", "one that does")
        return
    known = {*(one.id for one in site.plan.activities), *(one.id for one in site.plan.analyses)}
    if claim.subject not in known:
        raise _conflict(f"The plan in force has no activity or analysis {claim.subject!r}", "one that it has")
    if claim.supersedes is not None and not await _in_force(
        connection, site.site_no, claim.supersedes, claim.subject
    ):
        raise _conflict(
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
        raise _conflict(
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


def _conflict(what: str, expected: str) -> ProblemError:
    return ProblemError("document-conflict", f"{what}: expected {expected}.")
