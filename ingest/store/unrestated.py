"""Documented sources that other factors would change, and that a restatement does not reach.

A document's pieces stay under the plan version under which it took effect. Where a source
weighs it otherwise in the version asked for, the answer names the source, so that nobody
takes what is restated for all of it. A source that version has no more is not named.
"""

from typing import Any

from psycopg import AsyncCursor

from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan
from ingest.store.document_facts import plan_of, rows, source_numbers


async def not_restated(
    cursor: AsyncCursor, site_no: int, plan: Plan, version: int, span: tuple[int, int]
) -> list[str]:
    """Ids of documented sources with documents in `span` (µs) that weigh otherwise under `plan`.

    `version` is that of which `plan` has its names; of other values of its factors too.
    """
    if not plan.documented:
        return []
    found = await rows(
        cursor,
        """
        SELECT DISTINCT p.source_no, p.plan_version FROM document_piece p JOIN source s USING (source_no)
         WHERE s.site_no = %s AND p.superseded_batch IS NULL
           AND p.from_at < to_timestamp(0) + %s * interval '1 microsecond'
           AND p.to_at > to_timestamp(0) + %s * interval '1 microsecond'
        """,
        [site_no, span[1], span[0]],
    )
    after = await _weights(cursor, site_no, plan, version)
    changed = set()
    for then in sorted({told for _, told in found}):
        before = await _weights(cursor, site_no, await plan_of(cursor, site_no, then), then)
        of_then = {number for number, told in found if told == then}
        changed |= {
            after[number][0].id
            for number in of_then & before.keys() & after.keys()
            if before[number][1] != after[number][1]
        }
    return sorted(changed)


async def _weights(
    cursor: AsyncCursor, site_no: int, plan: Plan, version: int
) -> dict[int, tuple[PlanDocumented, Any]]:
    """By number each documented source of a plan, and what makes its documents weigh what they do."""
    numbers = await source_numbers(cursor, site_no, version)
    defaults = {analysis.id: analysis.default for analysis in plan.analyses}
    return {
        numbers[source.id]: (
            source,
            # By its text, as an unknown value is no number and equals nothing.
            repr((source.kg_per_count, source.steps, [(name, defaults[name]) for name in source.analyses])),
        )
        for source in plan.documented
        if source.id in numbers
    }
