"""What documents in force say, and under which version of the plant file they do: read, not written."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncCursor

from ingest.methods.documented import Analysed, Quantity
from ingest.plant.body import plan_from_body
from ingest.plant.plan import Plan
from ingest.store.names import numbers_then

MICROS = "(extract(epoch FROM {}) * 1000000)::bigint"

TAKEN = """
    d.kind <> 'withdrawal' AND d.batch_no IS NOT NULL
    AND NOT EXISTS (SELECT FROM document w WHERE w.withdraws = d.document_no AND w.batch_no IS NOT NULL)
    AND NOT EXISTS (SELECT FROM document s WHERE s.supersedes = d.document_no AND s.batch_no IS NOT NULL
                    AND NOT EXISTS (SELECT FROM document w
                                     WHERE w.withdraws = s.document_no AND w.batch_no IS NOT NULL))
"""
"""Whether document `d` is in force: taken up, and neither withdrawn nor superseded by one that is not withdrawn."""


async def plan_of(cursor: AsyncCursor, site_no: int, version: int) -> Plan:
    """An applied version, compiled."""
    [(body,)] = await rows(
        cursor, "SELECT body FROM plan_version WHERE site_no = %s AND version = %s", [site_no, version]
    )
    return plan_from_body(body, version)


async def quantities_of(cursor: AsyncCursor, documents: Sequence[int]) -> dict[int, tuple[Quantity, str]]:
    """The amount that each of some documents tells, and of which activity; of those that are in force."""
    found = await rows(
        cursor,
        f"""
        SELECT d.document_no, {MICROS.format("d.from_at")}, {MICROS.format("d.to_at")}, d.count, d.lot, d.subject
          FROM document d WHERE d.document_no = ANY(%s) AND {TAKEN}
        """,  # noqa: S608  fragments of this module
        [list(documents)],
    )
    return {number: (Quantity(number, *said), subject) for number, *said, subject in found}


async def analyses_in_force(cursor: AsyncCursor, site_no: int) -> list[Analysed]:
    """What approved analyses give, of any property."""
    found = await rows(
        cursor,
        f"""
        SELECT d.document_no, d.batch_no, d.subject, d.value, {MICROS.format("d.from_at")}, {MICROS.format("d.to_at")}, d.lot
          FROM document d WHERE d.site_no = %s AND d.kind = 'analysis' AND {TAKEN}
        """,  # noqa: S608  fragments of this module
        [site_no],
    )
    return [Analysed(*row) for row in found]


async def concerned(cursor: AsyncCursor, site_no: int, own: Sequence[int]) -> list[int]:
    """The documents of amounts whose pieces may change with some documents that take effect or lose it.

    Those of amounts themselves; of an analysis every amount that it may be in force for, of an activity
    of which some version has a source with that analysis among its factors.
    """
    found = await rows(
        cursor,
        """
        WITH own AS (
             SELECT * FROM document WHERE document_no = ANY(%(own)s) OR document_no IN
                    (SELECT supersedes FROM document WHERE document_no = ANY(%(own)s))),
        taking AS (
             SELECT DISTINCT s.body->'activity'->>'document' AS activity, f.id AS analysis
               FROM plan_version v, jsonb_array_elements(v.body->'sources') s (body),
                    jsonb_array_elements_text(s.body->'factors') f (id)
              WHERE v.site_no = %(site)s AND jsonb_typeof(s.body->'activity') = 'object')
        SELECT q.document_no FROM document q
         WHERE q.site_no = %(site)s AND q.count IS NOT NULL AND q.batch_no IS NOT NULL
           AND (q.document_no IN (SELECT document_no FROM own) OR EXISTS (
                SELECT FROM own a JOIN taking t ON t.analysis = a.subject AND t.activity = q.subject
                 WHERE a.kind = 'analysis' AND (a.lot IS NULL OR a.lot = q.lot)
                   AND (a.from_at IS NULL OR (a.from_at < q.to_at AND q.from_at < a.to_at))))
         ORDER BY q.document_no
        """,
        {"site": site_no, "own": list(own)},
    )
    return [no for (no,) in found]


async def source_numbers(cursor: AsyncCursor, site_no: int, version: int) -> dict[str, int]:
    """The number of each source under its name in a version; a source may have been renamed since."""
    known = dict(await rows(cursor, "SELECT id, source_no FROM source WHERE site_no = %s", [site_no]))
    versions = await rows(
        cursor,
        """
        SELECT version, body->>'site', body->'sources' FROM plan_version WHERE site_no = %s ORDER BY version
        """,
        [site_no],
    )
    return numbers_then(versions, known)[version]


async def rows(cursor: AsyncCursor, query: str, values: Any) -> list[Any]:
    """All rows of a query."""
    await cursor.execute(query.encode(), values)
    return await cursor.fetchall()
