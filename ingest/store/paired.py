"""Emissions that take two points: an activity and its factor, whose intervals close apart.

What was closed first is had from the store when the other follows, within the transaction
that closes it, so nothing waits in memory and a restart forgets nothing. An interval that
already has a mass keeps it: only a late reading, or a restatement, says it anew.
"""

import numpy as np
from psycopg import AsyncCursor

from ingest.pipeline import closing
from ingest.pipeline.batch import EMISSION_ROW, IntArray, Rows
from ingest.plant.plan import Plan
from ingest.store.facts import Stamp, stage_rows
from ingest.store.registry import Numbers
from ingest.store.stored import EMISSIONS, INTERVALS
from ingest.store.tables import EMISSION
from kernels.rows import INTERVAL_ROW


def touches_pairs(plan: Plan, closed: Rows) -> bool:
    """Whether one of the closed intervals is of a point that an emission takes beside another."""
    points = [p for source in plan.sources if source.factor_point is not None for p in source.points]
    return bool(points) and bool(np.isin(closed["segment"], points).any())


async def write_paired(cursor: AsyncCursor, plan: Plan, numbers: Numbers, closed: Rows, stamp: Stamp) -> None:
    """Emissions of intervals of which one point has just been closed and the other is."""
    found = [np.zeros(0, EMISSION_ROW)]
    for number, source in enumerate(plan.sources):
        if source.factor_point is None:
            continue
        starts = np.unique(closed["start_at"][np.isin(closed["segment"], source.points)])
        if not starts.size:
            continue
        begin, end = int(starts[0]), int(starts[-1]) + plan.interval_us
        rows = np.concatenate(
            [await stored_intervals(cursor, numbers, point, begin, end) for point in source.points]
        )
        said = await EMISSIONS.fetch(cursor, int(numbers.sources[number]), begin, end)
        found.append(_new(closing.emissions(plan, rows), number, starts, said["start_at"]))
    if not any(part.size for part in found):
        return
    await cursor.execute(EMISSION.unstage)  # the transaction has staged those of single points before
    await stage_rows(cursor, EMISSION, "source", numbers.sources, np.concatenate(found), stamp)


def _new(emitted: Rows, number: int, starts: IntArray, said: IntArray) -> Rows:
    mine = emitted[emitted["source"] == number]
    found: Rows = mine[np.isin(mine["start_at"], np.setdiff1d(starts, said))]
    return found


async def stored_intervals(cursor: AsyncCursor, numbers: Numbers, point: int, begin: int, end: int) -> Rows:
    """Closed intervals of a point (plan index) that begin in [begin, end) µs, as INTERVAL_ROW."""
    stored = await INTERVALS.fetch(cursor, int(numbers.points[point]), begin, end)
    rows = np.zeros(stored.size, INTERVAL_ROW)
    for name in INTERVAL_ROW.names or ():
        if name != "segment":
            rows[name] = stored[name]
    rows["segment"] = point
    return rows
