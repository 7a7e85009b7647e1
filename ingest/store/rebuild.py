"""A site's state from the store: at start, and after a batch the database refused.

Frontiers come from `point_state`, the watermark from the last commit, the tail
from `reading`, the windows from `kpi_value`. Whatever the frontiers say too little
of is closed again by the same code and equals what is stored.
"""

import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import NEVER
from ingest.pipeline.closing import settle
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan
from ingest.store.drifted import load_drifted
from ingest.store.neighbours import load_readings
from ingest.store.registry import Numbers
from kernels.ring import SLOT, remember
from kernels.rows import INTERVAL_ROW


async def rebuild(connection: AsyncConnection, site_no: int, plan: Plan, numbers: Numbers) -> SiteState:
    """The state after the last committed batch."""
    state = SiteState(plan)
    async with connection.cursor() as cursor:
        state.watermark.at = await last_watermark(cursor, site_no)
        await cursor.execute(
            """
            SELECT point_no, (extract(epoch FROM closed_until) * 1000000)::bigint FROM point_state
             WHERE point_no = ANY(%s)
            """,
            [numbers.points.tolist()],
        )
        closed: dict[int, int] = dict(await cursor.fetchall())
        for p, number in enumerate(numbers.points.tolist()):
            state.points["closed_until"][p] = closed.get(number, NEVER)
        state.stored_until[:] = state.points["closed_until"]
        for k, kpi in enumerate(plan.kpis):
            state.kpi_closed[k] = int(state.points["closed_until"][list(kpi.points)].min())
        state.trim()
        measured = np.arange(plan.n_measured)
        begin = state.points["retain_from"][measured]
        readings = await load_readings(cursor, state, numbers, measured, begin, None)
        state.insert(readings, adopt=True)
        await _note_provisional(cursor, state, numbers)
        await load_drifted(cursor, state, numbers)
    for program in plan.computed:
        settle(state, program)
    await _load_ring(connection, state, numbers)
    return state


async def last_watermark(cursor: AsyncCursor, site_no: int) -> int:
    """How far the site's data have come, µs; NEVER before the first reading."""
    await cursor.execute(
        """
        SELECT (extract(epoch FROM watermark) * 1000000)::bigint FROM ingest_commit
         WHERE site_no = %s AND watermark IS NOT NULL ORDER BY batch_no DESC LIMIT 1
        """,
        [site_no],
    )
    row = await cursor.fetchone()
    return NEVER if row is None else int(row[0])


async def _note_provisional(cursor: AsyncCursor, state: SiteState, numbers: Numbers) -> None:
    """What was told provisionally and may have to be taken back."""
    await cursor.execute(
        """
        SELECT place - 1, (extract(epoch FROM start_at) * 1000000)::bigint
          FROM unnest(%s::int[]) WITH ORDINALITY AS t (point_no, place)
          LEFT JOIN point_state s USING (point_no)
          JOIN interval i ON i.point_no = t.point_no AND i.start_at >= coalesce(s.closed_until, '-infinity')
                         AND i.revision = 0
        """,
        [numbers.points.tolist()],
    )
    found = await cursor.fetchall()
    rows = np.zeros(len(found), INTERVAL_ROW)
    rows["segment"], rows["start_at"] = [row[0] for row in found], [row[1] for row in found]
    state.tell(rows)


async def _load_ring(connection: AsyncConnection, state: SiteState, numbers: Numbers) -> None:
    """The closed slots of every KPI, as far back as its longest window."""
    plan = state.plan
    for k, kpi in enumerate(plan.kpis):
        if state.kpi_closed[k] == NEVER:
            continue
        cursor = await connection.execute(
            """
            SELECT (extract(epoch FROM start_at) * 1000000)::bigint, a, b, covered_us, valid_us, substituted_us,
                   quality, reasons, %s
              FROM kpi_value
             WHERE kpi_no = %s AND start_at >= to_timestamp(0) + %s * interval '1 microsecond'
                   AND start_at < to_timestamp(0) + %s * interval '1 microsecond'
             ORDER BY start_at
            """,
            [
                len(kpi.a) + len(kpi.b) + sum(bool(term.steps) for term in (*kpi.a_terms, *kpi.b_terms)),
                int(numbers.kpis[k]),
                int(state.kpi_closed[k]) - state.ring.shape[1] * plan.interval_us,
                int(state.kpi_closed[k]),
            ],
        )
        rows = [tuple(row) for row in await cursor.fetchall()]
        if rows:
            remember(state.ring[k], np.array(rows, SLOT), plan.interval_us)
