"""Stored readings near a span, as columns.

Folding [begin, end) again needs the readings from the last one at or before `begin`
to the first one at or after `end`; a bad one ends what came before it as well. Of a
counter only usable ones count (not bad, and the winner among readings of equal time),
the first has to be an anchor and of those after there must be two: see
`kernels.fold_counter`. Of a time that counts all readings are loaded, for those that lost
may be in conflict with the winner (`kernels.conflict`).
"""

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER
from ingest.pipeline.batch import IntArray, Readings
from ingest.pipeline.late import Near
from ingest.pipeline.state import SiteState
from ingest.store.instants import MICROSECONDS
from ingest.store.registers import Registers
from ingest.store.registry import Numbers
from ingest.store.rows import ORDER, as_readings, beside, instants, usable
from kernels.rows import COUNTER, DELTA, Records

FAR = -NEVER

_MATTERS = f"(NOT t.counter OR {usable('r')})"


async def neighbours(
    cursor: AsyncCursor, state: SiteState, numbers: Numbers, point: IntArray, first: IntArray, last: IntArray
) -> Near:
    """What of each point (plan index) stands around its new readings of [first, last], all of them stored."""
    counter = state.params["kind"][point] == COUNTER
    await cursor.execute(
        f"""
        SELECT {MICROSECONDS.format("b.at")}, {MICROSECONDS.format("n.at")}
          FROM unnest(%s::int[], %s::bool[], %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY
               AS t (point_no, counter, first_at, last_at, place)
          LEFT JOIN LATERAL (
               SELECT r.measured_at AS at FROM reading r
                WHERE r.point_no = t.point_no AND r.measured_at < t.first_at AND {_MATTERS}
                ORDER BY r.measured_at DESC LIMIT 1) b ON true
          LEFT JOIN LATERAL (
               SELECT r.measured_at AS at FROM reading r
                WHERE r.point_no = t.point_no AND r.measured_at > t.last_at AND {_MATTERS}
                ORDER BY r.measured_at LIMIT 1) n ON true
         ORDER BY t.place
        """,  # noqa: S608  fragments of this package
        [numbers.points[point].tolist(), counter.tolist(), instants(first), instants(last)],
    )
    rows = [(NEVER if b is None else b, NEVER if n is None else n) for b, n in await cursor.fetchall()]
    array = np.array(rows, np.int64).reshape(-1, 2)
    near = Near(array[:, 0].copy(), array[:, 1].copy(), array[:, 0].copy(), array[:, 1].copy())
    registers = Registers(cursor, state, numbers)
    near.since[counter], near.till[counter] = await registers.turns(
        point[counter], first[counter], last[counter]
    )
    return near


async def load_readings(
    cursor: AsyncCursor,
    state: SiteState,
    numbers: Numbers,
    point: IntArray,
    begin: IntArray,
    end: IntArray | None,
) -> Readings:
    """Readings around [begin, end) of each point (plan indices, each once), in the order of the tail.

    What the rules of a point look back to is loaded as well. With `end` None all readings
    from the last one at or before `begin`, where the tail is to begin, are loaded; a `begin`
    of NEVER loads from the first.
    """
    params = state.params[point]
    if end is not None:
        begin = begin - params["lookback_us"]
    period = np.where(params["kind"] == DELTA, params["period_us"], 0)
    at_start = params["stamp_start"] != 0
    begin = np.where(begin == NEVER, NEVER, begin - np.where(at_start, period, 0))
    until = np.full(point.size, FAR) if end is None else end + np.where(at_start, 0, period)
    since, till = await _reach(Registers(cursor, state, numbers), params, point, begin, until)
    counter = params["kind"] == COUNTER
    await cursor.execute(
        f"""
        SELECT t.place - 1, {MICROSECONDS.format("r.measured_at")}, {MICROSECONDS.format("r.received_at")},
               r.value, r.quality, r.reasons, r.seq
          FROM unnest(%s::int[], %s::bool[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
               WITH ORDINALITY AS t (point_no, counter, begin_at, since, end_at, till, place)
         CROSS JOIN LATERAL (
               SELECT CASE WHEN t.counter THEN t.since
                           ELSE coalesce((SELECT r.measured_at FROM reading r
                                           WHERE r.point_no = t.point_no AND r.measured_at <= t.begin_at
                                           ORDER BY r.measured_at DESC LIMIT 1), t.begin_at) END AS since,
                      CASE WHEN t.counter THEN t.till
                           ELSE coalesce((SELECT r.measured_at FROM reading r
                                           WHERE r.point_no = t.point_no AND r.measured_at >= t.end_at
                                           ORDER BY r.measured_at LIMIT 1), 'infinity') END AS till
               OFFSET 0) span
          JOIN reading r ON r.point_no = t.point_no AND r.measured_at BETWEEN span.since AND span.till
                        AND (r.measured_at = span.since OR r.measured_at >= t.begin_at
                             OR t.counter AND ({usable("r")} OR {beside("r")}))
         ORDER BY t.place, r.measured_at, {ORDER.format("r")}
        """,  # noqa: S608  fragments of this package
        [
            numbers.points[point].tolist(), counter.tolist(), instants(begin), instants(since), instants(until),
            instants(till),
        ],
    )  # fmt: skip
    return as_readings(state, point, await cursor.fetchall())


async def _reach(
    registers: Registers, params: Records, point: IntArray, begin: IntArray, until: IntArray
) -> tuple[IntArray, IntArray]:
    """From and up to which reading a counter's are needed; of other points what was asked for."""
    since, till = begin.copy(), until.copy()
    counter = params["kind"] == COUNTER
    if counter.any():
        found = await registers.anchors(point[counter], begin[counter])
        since[counter] = np.where(found == NEVER, begin[counter], found)
    counter &= until != FAR
    if counter.any():
        found = await registers.seconds(point[counter], until[counter])
        till[counter] = np.where(found == NEVER, FAR, found)
    return since, till
