"""What new readings touch, folded again under one version and staged.

All of it is loaded from stored readings; which version is in force where, and what
becomes of what is staged, is the business of `ingest.store.late`.
"""

from dataclasses import dataclass, replace

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER, Cause
from ingest.pipeline import causes, late
from ingest.pipeline.batch import IntArray, Rows
from ingest.store.earlier import Reached
from ingest.store.facts import Stamp, replace_steps, stage_intervals
from ingest.store.following import FIRST_LATE_REVISION
from ingest.store.neighbours import load_readings, neighbours
from ingest.store.rows import as_signals, from_loaded
from ingest.store.versions import Edition
from kernels.rows import COUNTER, INTERVAL_ROW


@dataclass(frozen=True, slots=True)
class Refolded:
    """What was folded again and staged under one version."""

    edition: Edition
    spans: late.Spans
    """Of point numbers."""
    rows: Rows
    """INTERVAL_ROWs, `segment` the plan index under the version."""
    cause: IntArray
    """Of each point of the version's plan."""

    def why(self) -> dict[int, int]:
        """By point number the cause of points that something new came to."""
        numbers = self.edition.numbers.points
        return {int(numbers[p]): int(self.cause[p]) for p in np.flatnonzero(self.cause != Cause.CLOSING)}


async def near_of(cursor: AsyncCursor, edition: Edition, stored: IntArray) -> late.Near:
    """What stands around new readings (point, measured_at, reasons, seq) of each point of a version."""
    return await neighbours(cursor, edition.state, edition.numbers, *_extent(stored))


def bounds(edition: Edition, stored: IntArray, near: late.Near) -> tuple[int, int]:
    """Between which instants new readings stand; of a counter, from where its steps may be others."""
    point, first, last = _extent(stored)
    turned = near.since[(edition.state.params["kind"][point] == COUNTER) & (near.since != NEVER)]
    return int(turned.min(initial=first.min())), int(last.max())


async def refold(
    cursor: AsyncCursor, edition: Edition, reached: Reached, stored: IntArray, near: late.Near, stamp: Stamp
) -> Refolded:
    """Stage what comes out where a version is in force."""
    state, numbers, (point, first, last) = edition.state, edition.numbers, _extent(stored)
    filled = point[late.fills_gap(state, point, first, near.before)]
    cause = causes.of_points(edition.plan, stored, filled)
    spans = reached.own(edition, late.affected(state, point, first, last, near))
    parts = [np.zeros(0, INTERVAL_ROW)]
    if spans.point.size:
        loaded = await load_readings(cursor, state, numbers, spans.point, spans.begin, spans.end)
        rows, steps = late.refold(state, as_signals(loaded, spans.point), spans)
        await replace_steps(cursor, spans, steps, numbers, stamp)
        parts.append(rows)
    low, high = late.changed_signal(state, point, first, last, near)
    computed = reached.own(edition, late.computed_spans(state, point, low, high))
    parts += await _recompute_computed(cursor, edition, computed)
    rows, under = np.concatenate(parts), replace(stamp, plan_version=edition.plan.version)
    why = cause[rows["segment"]]
    await stage_intervals(cursor, rows, numbers, under, revision=FIRST_LATE_REVISION, cause=why)
    folded = late.Spans.join(spans, computed)
    spans = late.Spans(numbers.points[folded.point], folded.begin, folded.end)
    return Refolded(edition, spans, rows, cause)


async def _recompute_computed(cursor: AsyncCursor, edition: Edition, spans: late.Spans) -> list[Rows]:
    state, parts = edition.state, []
    for point, begin, end in zip(spans.point.tolist(), spans.begin.tolist(), spans.end.tolist(), strict=True):
        needed = np.unique(state.plan.computed[point - state.plan.n_measured].reads)
        loaded = await load_readings(
            cursor, state, edition.numbers, needed, np.full(needed.size, begin), np.full(needed.size, end)
        )
        parts.append(late.recompute(state, from_loaded(loaded), point, begin, end))
    return parts


def _extent(stored: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Per point the first and the last of its new readings."""
    if not stored.size:
        return stored[:, 0], stored[:, 0], stored[:, 0]
    ordered = stored[np.lexsort((stored[:, 1], stored[:, 0]))]
    begins = np.flatnonzero(np.diff(ordered[:, 0], prepend=-1))
    ends = np.append(begins[1:], len(ordered)) - 1
    return ordered[begins, 0], ordered[begins, 1], ordered[ends, 1]
