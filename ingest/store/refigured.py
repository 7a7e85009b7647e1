"""Emissions and KPI values of a day as one plan version makes them of the stored intervals.

For restating under changed factors: intervals stay what they are (a replay makes those
again), figures of every version are made by the version asked. A figure it does not
make, as its source has no factor there or is no more, is left as it was said.
"""

from dataclasses import dataclass, field

import numpy as np
from psycopg import AsyncCursor

from ingest.methods.changes import Changes
from ingest.pipeline.batch import IntArray, Rows
from ingest.store.figures import Figures, Kept
from ingest.store.mismatch import Mismatch
from ingest.store.paired import stored_intervals
from ingest.store.stored import EMISSIONS
from ingest.store.versions import Edition


@dataclass(slots=True)
class Refigured:
    """What one day comes to."""

    found: list[Mismatch] = field(default_factory=list)
    """Figures that come out otherwise, or have not been there."""
    left: int = 0
    """Figures that the version does not make."""


async def refigured(
    cursor: AsyncCursor,
    edition: Edition,
    names: dict[str, dict[int, str]],
    closed_until: dict[int, int],
    span: tuple[int, int],
    changes: Changes,
) -> Refigured:
    """Figures of the intervals of `span` (µs) under a version; their masses are counted in `changes`.

    Args:
        cursor: in a snapshot.
        edition: the version.
        names: numbers of KPIs and sources, as `Versions` has them.
        closed_until: frontiers of points by number.
        span: [begin, end), at most a day.
        changes: takes what emissions were and would be.
    """
    begin, end = span
    version, kept, result = edition.plan.version, Kept(), Refigured()
    for number in edition.read:
        if number >= 0:
            rows = await stored_intervals(cursor, edition.numbers, edition.points[number], begin, end)
            kept.put(number, rows, np.full(rows.size, version))
    figures = Figures(cursor, {version: edition}, kept, closed_until, closed_until, begin, end)
    for table, number, made, versions, stored in await figures.replayed(names):
        kind = "source" if table is EMISSIONS else "kpi"
        name = names[kind][number]
        if table is EMISSIONS:
            _count(changes, name, made, stored)
        still = np.isin(stored["start_at"], made["start_at"])
        result.left += int((~still).sum())
        mismatch = Mismatch.of(table, number, name, made, versions, stored[still])
        if mismatch is not None:
            result.found.append(mismatch)
    return result


def _count(changes: Changes, name: str, made: Rows, stored: Rows) -> None:
    starts: IntArray = np.union1d(made["start_at"], stored["start_at"])
    before, after = np.full(starts.size, np.nan), np.full(starts.size, np.nan)
    before[np.searchsorted(starts, stored["start_at"])] = stored["mass_kg"]
    after[:] = before  # what is not made is left
    after[np.searchsorted(starts, made["start_at"])] = made["mass_kg"]
    changes.add(name, starts, before, after)
