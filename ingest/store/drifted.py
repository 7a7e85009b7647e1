"""The table of verdicts on compared points: which hours have drifted, and how they are written.

Who makes them, and what follows, is `ingest.store.comparison`.
"""

from collections.abc import Sequence

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER
from ingest.pipeline import drift
from ingest.pipeline.batch import IntArray, Rows
from ingest.pipeline.state import SiteState
from ingest.store.facts import Stamp
from ingest.store.instants import MICROSECONDS
from ingest.store.registry import Numbers
from ingest.store.rows import instants


async def load_drifted(cursor: AsyncCursor, state: SiteState, numbers: Numbers) -> None:
    """Let a state know which hours have drifted, and up to where comparisons are made."""
    state.compared_until = drift.reached(state)
    every = np.array([(k, NEVER, -NEVER) for k in range(len(state.plan.comparisons))], np.int64)
    if every.size:
        found = await drifted_hours(cursor, state, numbers, every)
        state.drifted = {point: found.get(point, set()) for point in state.drifted}


async def drifted_hours(
    cursor: AsyncCursor, state: SiteState, numbers: Numbers, spans: IntArray
) -> dict[int, set[int]]:
    """Of the points of comparisons the drifted hours in spans (comparison, begin, end), as stored."""
    points = [state.plan.comparisons[k].point for k in spans[:, 0].tolist()]
    await cursor.execute(
        f"""
        SELECT t.point, {MICROSECONDS.format("start_at")}
          FROM unnest(%s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[]) AS t (point, point_no, begin_at, end_at)
          JOIN comparison c USING (point_no)
         WHERE c.verdict = 1 AND c.start_at >= t.begin_at AND c.start_at < t.end_at
        """,  # noqa: S608  fragments of this package
        [points, numbers.points[points].tolist(), instants(spans[:, 1]), instants(spans[:, 2])],
    )
    found: dict[int, set[int]] = {}
    for point, hour in await cursor.fetchall():
        found.setdefault(point, set()).add(hour)
    return found


async def write_comparisons(
    cursor: AsyncCursor, numbers: IntArray, rows: Rows, version: IntArray, stamp: Stamp
) -> None:
    """Write COMPARISON_ROW of points (numbers), each under its plan version; equal ones change nothing."""
    await cursor.execute(
        """
        INSERT INTO comparison (point_no, start_at, own, other, common_us, verdict, plan_version, batch_no)
        SELECT *, %s FROM unnest(%s::int[], %s::timestamptz[], %s::float8[], %s::float8[], %s::bigint[], %s::smallint[],
                                 %s::int[])
        ON CONFLICT (point_no, start_at) DO UPDATE
           SET own = excluded.own, other = excluded.other, common_us = excluded.common_us,
               verdict = excluded.verdict, plan_version = excluded.plan_version, batch_no = excluded.batch_no
         WHERE (comparison.own, comparison.other, comparison.common_us, comparison.verdict)
               IS DISTINCT FROM (excluded.own, excluded.other, excluded.common_us, excluded.verdict)
        """,
        [
            stamp.batch_no, numbers.tolist(), instants(rows["start_at"]),
            *(rows[name].tolist() for name in ("own", "other", "common_us", "verdict")), version.tolist(),
        ],
    )  # fmt: skip


async def delete_comparisons(cursor: AsyncCursor, pairs: Sequence[tuple[int, int]]) -> None:
    """Take away the verdicts of (point number, hour) pairs."""
    if pairs:
        await cursor.execute(
            """
            DELETE FROM comparison c USING unnest(%s::int[], %s::bigint[]) AS gone (point_no, start_us)
             WHERE c.point_no = gone.point_no AND c.start_at = to_timestamp(0) + gone.start_us * interval '1 microsecond'
            """,
            [[number for number, _ in pairs], [hour for _, hour in pairs]],
        )
