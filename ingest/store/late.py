"""Late readings: stored once, recomputed, revised, in one transaction.

The frontiers cannot tell whether a reading of closed time is already stored, so
here SQL does (an anti-join), which costs too much for every batch; that is why
late readings are gathered for half a second. The rows that differ after folding
again are revisions, equal rows change nothing, and rows that no longer come out (a
counter's only reading was corrected to bad) are deleted. What they said stays in the
history of their tables, and figures that follow carry the cause of what they follow from.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER, Cause, Reason
from ingest.pipeline import causes, closing, late
from ingest.pipeline.batch import Heads, IntArray, Readings, Refigured, Rows
from ingest.pipeline.kpis import Terms
from ingest.pipeline.state import SiteState
from ingest.store.facts import (
    Stamp,
    delete_rows,
    delete_unstaged,
    reading_columns,
    replace_steps,
    stage_intervals,
    stage_rows,
    write_frontiers,
)
from ingest.store.neighbours import load_readings, neighbours
from ingest.store.registry import Numbers
from ingest.store.rollups import roll_up
from ingest.store.rows import as_signals, from_loaded
from ingest.store.seals import SealBook
from ingest.store.tables import EMISSION, INTERVAL, KPI_VALUE, STAGED_READING, FigureTable
from ingest.store.writer import FollowUp, Writer
from kernels.rows import COUNTER, INTERVAL_ROW, NO_COUNT

FIRST_LATE_REVISION = 2
"""An interval closed with nothing in it has no row; its first row is the second thing said of it."""


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

    def __init__(
        self, writer: Writer, state: SiteState, numbers: Numbers, zone: str, seals: SealBook
    ) -> None:
        """`state` gives frontiers and plan; it is read, not changed."""
        self._writer = writer
        self._seals = seals
        self._state = state
        self._numbers = numbers
        self._zone = zone
        self._terms = Terms(state.plan)
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
        changed, cause = await self._recompute(cursor, stored, stamp)
        kpis = await self.refigure(cursor, changed, stamp, cause)
        await self._seals.book(cursor, stamp, changed, cause)
        n_late = int(((stored[:, 2] & int(Reason.LATE)) != 0).sum())
        return Revised(
            stored.shape[0], n_late, changed.shape[0], kpis, await self._heads(cursor, readings.point)
        )

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

    async def _recompute(
        self, cursor: AsyncCursor, stored: IntArray, stamp: Stamp
    ) -> tuple[IntArray, IntArray]:
        """Fold what the new readings touch again.

        Returns:
            (point, start_at) of the intervals that changed, and the cause of each point of the plan.
        """
        state, (point, first, last) = self._state, _extent(stored)
        if not stored.size:
            return NONE, causes.of_points(state.plan, stored, point)
        near = await neighbours(cursor, state, self._numbers, point, first, last)
        spans = late.affected(state, point, first, last, near)
        parts = [np.zeros(0, INTERVAL_ROW)]
        if spans.point.size:
            loaded = await load_readings(cursor, state, self._numbers, spans.point, spans.begin, spans.end)
            rows, steps = late.refold(state, as_signals(loaded, spans.point), spans)
            await replace_steps(cursor, spans, steps, self._numbers, stamp)
            parts.append(rows)
        low, high = late.changed_signal(state, point, first, last, near)
        computed = late.computed_spans(state, point, low, high)
        parts += await self._recompute_computed(cursor, computed)
        cause = causes.of_points(state.plan, stored, point[late.fills_gap(state, point, first, near.before)])
        return await self._revise(
            cursor, np.concatenate(parts), cause, late.Spans.join(spans, computed), stamp
        ), cause

    async def _recompute_computed(self, cursor: AsyncCursor, spans: late.Spans) -> list[Rows]:
        state, parts = self._state, []
        for point, begin, end in zip(
            spans.point.tolist(), spans.begin.tolist(), spans.end.tolist(), strict=True
        ):
            needed = np.unique(state.plan.computed[point - state.plan.n_measured].reads)
            loaded = await load_readings(
                cursor, state, self._numbers, needed, np.full(needed.size, begin), np.full(needed.size, end)
            )
            parts.append(late.recompute(state, from_loaded(loaded), point, begin, end))
        return parts

    async def _revise(
        self, cursor: AsyncCursor, rows: Rows, cause: IntArray, spans: late.Spans, stamp: Stamp
    ) -> IntArray:
        """Put the rows of the spans in the place of what is stored; (point, start_at) of what differs."""
        if not spans.point.size:
            return NONE
        await stage_intervals(
            cursor, rows, self._numbers, stamp, revision=FIRST_LATE_REVISION, cause=cause[rows["segment"]]
        )
        gone = await delete_unstaged(cursor, spans, self._numbers)
        merged = await cursor.execute(INTERVAL.revise)
        pairs = [(p, round(at.timestamp() * 1_000_000)) for p, at in await merged.fetchall()]
        changed = self._as_plan_indices(pairs + gone)
        if changed.size:
            await roll_up(cursor, self._zone, gone)
            await self._store_frontiers(cursor, np.unique(changed[:, 0]), stamp)
        return changed

    async def _store_frontiers(self, cursor: AsyncCursor, points: IntArray, stamp: Stamp) -> None:
        """What a silent point has closed is stored once an hour, but before any row of it."""
        closed_until = self._state.points["closed_until"]
        points = points[closed_until[points] > self._state.stored_until[points]]
        silent = np.ones(points.size, np.bool_)
        await write_frontiers(cursor, self._numbers.points[points], closed_until[points], silent, stamp)

    async def refigure(
        self, cursor: AsyncCursor, changed: IntArray, stamp: Stamp, cause: IntArray | None = None
    ) -> Refigured:
        """Make emissions and KPI values of changed intervals again; the KPI rows that came out.

        `cause` is that of each point of the plan; None: they have been closed late.
        """
        if not changed.size:
            return Refigured.nothing()
        state, plan, numbers = self._state, self._state.plan, self._numbers
        if cause is None:
            cause = np.full(len(plan.points), int(Cause.LATE), np.int64)
        wanted = {int(p) for p in changed[:, 0]}
        for kpi in plan.kpis:
            if wanted.intersection(kpi.points):
                wanted.update(kpi.points)
        rows = await self._interval_rows(cursor, sorted(wanted), np.unique(changed[:, 1]))
        pairs = {(int(p), int(at)) for p, at in changed}
        touched = [(int(row["segment"]), int(row["start_at"])) in pairs for row in rows]
        emitted = closing.emissions(plan, rows[np.array(touched, bool)])
        why = causes.of_emissions(plan, emitted, cause)
        await self._replace(cursor, EMISSION, "source", numbers.sources, emitted, stamp, why)
        await delete_rows(cursor, EMISSION, numbers.sources, late.emissions_gone(plan, emitted, changed))
        made = late.kpi_rows(state, self._terms, rows, changed)
        why = causes.of_kpis(plan, made.rows, changed, cause)
        await self._replace(cursor, KPI_VALUE, "kpi", numbers.kpis, made.rows, stamp, why)
        await delete_rows(cursor, KPI_VALUE, numbers.kpis, made.gone)
        return made

    async def _replace(
        self,
        cursor: AsyncCursor,
        table: FigureTable,
        key: str,
        numbers: IntArray,
        rows: Rows,
        stamp: Stamp,
        cause: IntArray,
    ) -> None:
        # The same transaction may have staged, and merged, rows of the same intervals before.
        await cursor.execute(table.unstage)
        await stage_rows(cursor, table, key, numbers, rows, stamp, revision=FIRST_LATE_REVISION, cause=cause)

    async def _interval_rows(self, cursor: AsyncCursor, points: list[int], starts: IntArray) -> Rows:
        index = np.array(points, np.int64)
        await cursor.execute(
            """
            SELECT point_no, (extract(epoch FROM start_at) * 1000000)::bigint,
                   coalesce(amount, 'NaN'), coalesce(amount_count, %(no_count)s),
                   coalesce(mean, 'NaN'), coalesce(min, 'NaN'), coalesce(max, 'NaN'),
                   covered_us, valid_us, substituted_us, quality, reasons
              FROM interval
             WHERE point_no = ANY(%(points)s) AND revision > 0
               AND start_at = ANY(SELECT to_timestamp(0) + s * interval '1 microsecond'
                                    FROM unnest(%(starts)s::bigint[]) s)
             ORDER BY point_no, start_at
            """,
            {
                "points": self._numbers.points[index].tolist(),
                "starts": starts.tolist(),
                "no_count": int(NO_COUNT),
            },
        )
        found = await cursor.fetchall()
        plan_index = (
            self._as_plan_indices([(row[0], 0) for row in found])[:, 0] if found else np.zeros(0, np.int64)
        )
        rows = np.array([tuple(row) for row in found], INTERVAL_ROW) if found else np.zeros(0, INTERVAL_ROW)
        rows["segment"] = plan_index
        return rows


def _extent(stored: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Per point the first and the last of its new readings."""
    if not stored.size:
        return stored[:, 0], stored[:, 0], stored[:, 0]
    ordered = stored[np.lexsort((stored[:, 1], stored[:, 0]))]
    begins = np.flatnonzero(np.diff(ordered[:, 0], prepend=-1))
    ends = np.append(begins[1:], len(ordered)) - 1
    return ordered[begins, 0], ordered[begins, 1], ordered[ends, 1]
