"""Documents that ingest takes up, and what they come to for each source.

An approved document waits in the inbox as a declaration does. Taken up, it changes the
pieces (`document_piece`) of what it speaks of: its own, those of the document it
supersedes or withdraws, and, of an analysis, those of every amount that it may be
in force for. Pieces are made anew by `ingest.methods.documented` from the documents in
force and written only where they differ; the old ones say by which batch they were
superseded. `ingest.store.renewal` does the making.
"""

from dataclasses import dataclass

from psycopg import AsyncConnection, AsyncCursor

from ingest.model import Cause
from ingest.plant.plan import Plan
from ingest.store.document_facts import concerned, rows
from ingest.store.facts import Stamp
from ingest.store.renewal import Difference, Renewal


@dataclass(frozen=True, slots=True)
class _Document:
    """What a decided document says."""

    document_no: int
    kind: str
    subject: str
    supersedes: int | None
    withdraws: int | None


@dataclass(frozen=True, slots=True)
class Changed:
    """A source of which something was said anew within [from_at, to_at), µs."""

    source_no: int
    from_at: int
    to_at: int


def subjects(plan: Plan) -> set[str]:
    """What documents may speak of under a plan."""
    return {*(activity.id for activity in plan.activities), *(analysis.id for analysis in plan.analyses)}


async def take(cursor: AsyncCursor, stamp: Stamp, site_no: int, inbox_no: int, plan: Plan) -> list[Changed]:
    """Let the document of an inbox row take effect within its batch; what changed by it.

    Of a subject that the plan does not know nothing is taken; the document says why.
    """
    found = await rows(
        cursor,
        "SELECT document_no, kind, subject, supersedes, withdraws FROM document WHERE inbox_no = %s",
        [inbox_no],
    )
    if not found:
        return []
    document = _Document(*found[0])
    if document.kind != "withdrawal" and document.subject not in subjects(plan):
        failure = f"the plan of site {plan.site} has no activity or analysis {document.subject}."
        await cursor.execute(
            "UPDATE document SET failure = %s WHERE document_no = %s", [failure, document.document_no]
        )
        return []
    await cursor.execute(
        "UPDATE document SET batch_no = %s WHERE document_no = %s", [stamp.batch_no, document.document_no]
    )
    own = [no for no in (document.document_no, document.supersedes, document.withdraws) if no is not None]
    touched = await concerned(cursor, site_no, own)
    differences = await Renewal(cursor, site_no, plan).differences(touched)
    return [await replace(cursor, stamp, one, Cause.DECLARATION) for one in differences]


async def replayed(
    connection: AsyncConnection, site_no: int, plan: Plan, from_at: int, to_at: int
) -> tuple[int, int]:
    """How many documents of amounts touch [from_at, to_at) µs, and how many sources of them come out otherwise."""
    async with connection.cursor() as cursor:
        found = await rows(
            cursor,
            """
            SELECT document_no FROM document
             WHERE site_no = %s AND count IS NOT NULL AND batch_no IS NOT NULL
               AND from_at < to_timestamp(0) + %s * interval '1 microsecond'
               AND to_at > to_timestamp(0) + %s * interval '1 microsecond'
            """,
            [site_no, to_at, from_at],
        )
        documents = [document_no for (document_no,) in found]
        return len(documents), len(await Renewal(cursor, site_no, plan).differences(documents))


async def replace(cursor: AsyncCursor, stamp: Stamp, one: Difference, cause: Cause) -> Changed:
    """Put pieces in the place of those that are stored; of what that says something anew."""
    await cursor.execute(
        """
        UPDATE document_piece SET superseded_batch = %s
         WHERE source_no = %s AND document_no = %s AND superseded_batch IS NULL
        """,
        [stamp.batch_no, one.source_no, one.document_no],
    )
    await cursor.executemany(
        """
        INSERT INTO document_piece (source_no, document_no, from_at, to_at, kg_per_count, analyses, defaulted,
                                    revision, cause, plan_version, known_at, batch_no)
        VALUES (%s, %s, to_timestamp(0) + %s * interval '1 microsecond',
                to_timestamp(0) + %s * interval '1 microsecond', %s, %s::bigint[], %s::text[], %s, %s, %s,
                to_timestamp(0) + %s * interval '1 microsecond', %s)
        """,
        [
            (
                one.source_no, one.document_no, *row.key, one.revision + 1, int(cause), row.plan_version,
                stamp.known_at, stamp.batch_no,
            )
            for row in one.made
        ],
    )  # fmt: skip
    spans = [(row.from_at, row.to_at) for row in (*one.made, *one.current)]
    return Changed(one.source_no, min(a for a, _ in spans), max(b for _, b in spans))
