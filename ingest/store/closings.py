"""A batch's interval rows on their way into the table, with the rollups that follow.

Rows are staged and merged with what stands there. Where points close several
intervals at once a history is told, or a backlog, and nearly always nothing of them
stands at or after the first: those are copied into the table itself, which costs half.
What stands is asked first, by one probe of the primary key a point; nobody else
writes intervals of the site meanwhile, since the writer holds it.
"""

import numpy as np
from psycopg import AsyncCursor

from ingest.model import HOUR
from ingest.pipeline.batch import Batch, Rows
from ingest.store.facts import Stamp, array_text, figure_columns, stage_intervals
from ingest.store.registry import Numbers
from ingest.store.rollups import extend_hours, roll_up
from ingest.store.tables import INTERVAL, absent

_STANDING = """
    SELECT EXISTS (
        SELECT FROM unnest(%s::text::int[], %s::text::bigint[]) AS f (point_no, us)
         WHERE EXISTS (SELECT FROM interval i
                        WHERE i.point_no = f.point_no
                          AND i.start_at >= to_timestamp(0) + f.us * interval '1 microsecond'))
"""


async def write_intervals(
    cursor: AsyncCursor, batch: Batch, numbers: Numbers, stamp: Stamp, zone: str
) -> None:
    """Write closed and provisional intervals and make their hours and days, days of the zone."""
    closed, provisional = batch.intervals, batch.provisional
    one_each = np.unique(closed["segment"]).size == closed.size
    appended = [] if one_each else await _append(cursor, closed, numbers, stamp)
    if not appended:
        await stage_intervals(cursor, closed, numbers, stamp, revision=1)
    await stage_intervals(cursor, provisional, numbers, stamp, revision=0)
    extended = one_each and closed.size > 0 and await extend_hours(cursor, zone)
    if provisional.size or (closed.size and not appended):
        await cursor.execute(INTERVAL.merge)
    if closed.size:
        await roll_up(cursor, zone, hours=not extended, appended=appended)


async def _append(cursor: AsyncCursor, rows: Rows, numbers: Numbers, stamp: Stamp) -> list[tuple[int, int]]:
    """Copy closed rows, at least one, unless something of their points stands at or after the first of each.

    Returns:
        (point_no, start_at in µs) of the first and last of them in every hour, for the rollups; nothing: it was not done.
    """
    rows = rows[np.lexsort((rows["start_at"], rows["segment"]))]
    point_no, start_at = numbers.points[rows["segment"]], rows["start_at"]
    is_first = np.concatenate([[True], point_no[1:] != point_no[:-1]])
    first = [array_text(column[is_first].tolist()) for column in (point_no, start_at)]
    await cursor.execute(_STANDING, first)
    if await cursor.fetchone() != (False,):
        return []
    columns = figure_columns(INTERVAL, point_no, rows, stamp)
    nulls = {name: absent(rows[name]) for name in INTERVAL.values}
    await INTERVAL.whole.send(cursor, INTERVAL.whole.encode_nulls(rows.size, columns, nulls))
    begins = is_first.copy()
    begins[1:] |= start_at[1:] // HOUR != start_at[:-1] // HOUR
    ends = np.concatenate([begins[1:], [True]])
    at_edge = begins | ends  # an hour of any zone that has rows in this one has one of the two, or holds both
    return list(zip(point_no[at_edge].tolist(), start_at[at_edge].tolist(), strict=True))
