"""Late readings: stored once, recomputed, revised, in one transaction.

The frontiers cannot tell whether a reading of closed time is already stored, so
here SQL does (an anti-join), which costs too much for every batch; that is why
late readings are gathered for half a second. The rows that differ after folding
again are revisions, equal rows change nothing, and rows that no longer come out (a
counter's only reading was corrected to bad) are deleted. What they said stays in the
history of their tables, and figures that follow carry the cause of what they follow from.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER, Reason
from ingest.pipeline import causes, late
from ingest.pipeline.batch import Heads, IntArray, Readings, Refigured, Rows
from ingest.store.comparison import Comparer
from ingest.store.earlier import Earlier, Reached
from ingest.store.facts import (
    Stamp,
    delete_unstaged,
    reading_columns,
    replace_steps,
    stage_intervals,
    write_frontiers,
)
from ingest.store.following import FIRST_LATE_REVISION, Changed, refigure
from ingest.store.neighbours import load_readings, neighbours
from ingest.store.rollups import roll_up
from ingest.store.rows import as_signals, from_loaded
from ingest.store.seals import SealBook
from ingest.store.tables import INTERVAL, STAGED_READING
from ingest.store.versions import Edition
from ingest.store.writer import FollowUp, Writer
from kernels.rows import COUNTER, INTERVAL_ROW


@dataclass(slots=True)
class Revised:
    """What a late transaction did."""

    stored: int
    """Readings that were new."""
    late: int
    """Of these, those that came after their interval should have closed."""
    changed: int
    """Intervals that got a new revision or are no more."""
    kpis: Refigured
    """KPI rows made again, for the ring of the windows."""
    heads: Heads
    """With what the lists of late counters begin now."""


NONE: IntArray = np.zeros((0, 2), np.int64)


class LateWriter:
    """Writes late readings of one site through its writer."""

    def __init__(self, writer: Writer, earlier: Earlier, zone: str, seals: SealBook) -> None:
        """`earlier` gives the newest version, whose state is read, not changed, and those before it."""
        self._writer = writer
        self._seals = seals
        self._earlier = earlier
        self._newest = earlier.newest
        self._state, self._numbers = self._newest.state, self._newest.numbers
        self._zone = zone
        self._comparer = Comparer(earlier, zone)
        self._under_way = Revised(0, 0, 0, Refigured.nothing(), Heads.none())

    async def commit(
        self, readings: Readings, plan_version: int, follow_up: FollowUp | None = None
    ) -> Revised:
        """Store and recompute in one transaction, `follow_up` inside it; raises as `Writer.commit` does."""
        stamp = await self._writer.begin(plan_version)
        if stamp is None:
            return self._under_way
        connection = await self._writer.connection()
        await self._writer.ensure_months(readings)
        async with connection.transaction(), connection.cursor() as cursor:
            await self._writer.open(cursor, stamp, self._state.watermark.at, 0)
            self._under_way = await self.within(cursor, readings, stamp)
            if follow_up is not None:
                await follow_up(cursor, stamp)
            await self._writer.announce(cursor, stamp)
        self._writer.done()
        return self._under_way

    async def within(self, cursor: AsyncCursor, readings: Readings, stamp: Stamp) -> Revised:
        """The same within a transaction whose other readings and figures are written."""
        await cursor.execute(INTERVAL.unstage)
        stored = await self._store(cursor, readings, stamp)
        await cursor.execute(
            "UPDATE ingest_commit SET readings = readings + %s WHERE site_no = %s AND batch_no = %s",
            [stored.shape[0], self._writer.site_no, stamp.batch_no],
        )
        changed = await self._comparer.follow(cursor, await self._recompute(cursor, stored, stamp), stamp)
        kpis = await refigure(cursor, changed, stamp)
        if self._seals.touches(changed.pairs[:, 1]):
            await self._seals.book_touched(cursor, stamp, changed.touched())
        n_late = int(((stored[:, 2] & int(Reason.LATE)) != 0).sum())
        return Revised(
            stored.shape[0], n_late, len(changed.pairs), kpis, await self._heads(cursor, readings.point)
        )

    async def follow(self, cursor: AsyncCursor, closed: IntArray, stamp: Stamp) -> Refigured:
        """Make again what follows from intervals (plan index, start_at) closed behind figures that went on."""
        numbers = self._numbers.points[closed[:, 0]]
        reached = await self._earlier.reached(cursor, int(closed[:, 1].min()), int(closed[:, 1].max()))
        changed = Changed.closed_late(np.column_stack([numbers, closed[:, 1]]), reached)
        return await refigure(cursor, changed, stamp)

    async def compare(self, cursor: AsyncCursor, spans: IntArray, stamp: Stamp) -> Refigured:
        """Compare points over hours (comparison, begin, end) that both have closed, with what follows."""
        changed = await self._comparer.closed(cursor, spans, stamp)
        made = await refigure(cursor, changed, stamp)
        await self._seals.book_touched(cursor, stamp, changed.touched())
        return made

    async def _store(self, cursor: AsyncCursor, readings: Readings, stamp: Stamp) -> IntArray:
        """Insert what is not stored yet; (point, measured_at, reasons, seq) of it."""
        columns = reading_columns(readings, self._numbers, stamp)
        await STAGED_READING.copy(cursor, len(readings), columns)
        await cursor.execute(
            """
            INSERT INTO reading
            SELECT DISTINCT ON (s.point_no, s.measured_at, s.value, s.quality, s.seq) s.*
              FROM staged_reading s
             WHERE NOT EXISTS (
                   SELECT 1 FROM reading r
                    WHERE r.point_no = s.point_no AND r.measured_at = s.measured_at
                      AND r.value = s.value AND r.quality = s.quality AND r.seq = s.seq)
             ORDER BY s.point_no, s.measured_at, s.value, s.quality, s.seq, s.received_at
            RETURNING point_no, (extract(epoch FROM measured_at) * 1000000)::bigint, reasons, seq
            """
        )
        return self._as_plan_indices(await cursor.fetchall(), width=4)

    async def _heads(self, cursor: AsyncCursor, point: IntArray) -> Heads:
        """What the lists of counters begin with now: a late reading may have made usable what was, or undone it."""
        state = self._state
        counters = np.unique(point[state.params["kind"][point] == COUNTER])
        retain_from = state.points["retain_from"][counters]
        counters, retain_from = counters[retain_from != NEVER], retain_from[retain_from != NEVER]
        if not counters.size:
            return Heads.none()
        return Heads(
            counters, await load_readings(cursor, state, self._numbers, counters, retain_from, retain_from)
        )

    def _as_plan_indices(self, rows: list[Any], width: int = 2) -> IntArray:
        """Rows of integers that begin with the store's number of a point, as an array."""
        array = np.array(rows, np.int64).reshape(-1, width)
        order = np.argsort(self._numbers.points)
        array[:, 0] = order[np.searchsorted(self._numbers.points[order], array[:, 0])]
        return array

    async def _recompute(self, cursor: AsyncCursor, stored: IntArray, stamp: Stamp) -> Changed:
        """Fold what the new readings touch again, each interval under the version in force in it."""
        if not stored.size:
            return Changed.closed_late(NONE, Reached([self._newest]))
        newest = self._newest
        near = await _near(cursor, newest, stored)
        reached = await self._earlier.reached(cursor, *_bounds(newest, stored, near))
        spans, found = [], []
        for edition in reached.editions:
            mine, beside = stored, near
            if edition is not newest:
                numbers = newest.numbers.points[stored[:, 0]]
                mine = edition.indices(np.column_stack([numbers, stored[:, 1:]]))
                beside = await _near(cursor, edition, mine)
            part, cause = await _refold(cursor, edition, reached, mine, beside, stamp)
            spans.append(part)
            found.append(cause)
        return Changed(await self._revise(cursor, spans, stamp), reached, found)

    async def _revise(self, cursor: AsyncCursor, spans: list[late.Spans], stamp: Stamp) -> IntArray:
        """Put staged rows in the place of what is stored in the spans; (point number, start_at) of what differs."""
        if not any(part.point.size for part in spans):
            return NONE
        gone = [pair for part in spans if part.point.size for pair in await delete_unstaged(cursor, part)]
        merged = await cursor.execute(INTERVAL.revise)
        pairs = [(p, round(at.timestamp() * 1_000_000)) for p, at in await merged.fetchall()]
        changed = np.array(pairs + gone, np.int64).reshape(-1, 2)
        if changed.size:
            await roll_up(cursor, self._zone, gone)
            await self._store_frontiers(cursor, np.unique(self._newest.indices(changed)[:, 0]), stamp)
        return changed

    async def _store_frontiers(self, cursor: AsyncCursor, points: IntArray, stamp: Stamp) -> None:
        """What a silent point has closed is stored once an hour, but before any row of it."""
        closed_until = self._state.points["closed_until"]
        points = points[closed_until[points] > self._state.stored_until[points]]
        silent = np.ones(points.size, np.bool_)
        await write_frontiers(cursor, self._numbers.points[points], closed_until[points], silent, stamp)


async def _near(cursor: AsyncCursor, edition: Edition, stored: IntArray) -> late.Near:
    return await neighbours(cursor, edition.state, edition.numbers, *_extent(stored))


def _bounds(edition: Edition, stored: IntArray, near: late.Near) -> tuple[int, int]:
    """Between which instants new readings stand; of a counter, from where its steps may be others."""
    point, first, last = _extent(stored)
    turned = near.since[(edition.state.params["kind"][point] == COUNTER) & (near.since != NEVER)]
    return int(turned.min(initial=first.min())), int(last.max())


async def _refold(
    cursor: AsyncCursor, edition: Edition, reached: Reached, stored: IntArray, near: late.Near, stamp: Stamp
) -> tuple[late.Spans, IntArray]:
    """Stage what comes out where a version is in force.

    Returns:
        The spans that were folded, of point numbers, and the cause of each point of the version's plan.
    """
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
    return late.Spans(numbers.points[folded.point], folded.begin, folded.end), cause


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
