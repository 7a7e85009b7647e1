"""Late readings: stored once, recomputed, revised, in one transaction.

The frontiers cannot tell whether a reading of closed time is already stored, so
here SQL does (an anti-join), which costs too much for every batch; that is why
late readings are gathered for half a second. The rows that differ after folding
again are revisions, equal rows change nothing, and rows that no longer come out (a
counter's only reading was corrected to bad) are deleted. What they said stays in the
history of their tables, and figures that follow carry the cause of what they follow from.
Intervals in gaps that are filled by weights are left out at first: those follow when all
else is merged, with the gaps elsewhere that rest on it (`ingest.store.filling`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER, Cause, Reason
from ingest.pipeline import late
from ingest.pipeline.batch import Batch, Heads, IntArray, Readings, Refigured
from ingest.store.alert_notes import note
from ingest.store.comparison import Comparer
from ingest.store.earlier import Earlier, Reached
from ingest.store.evidence import RETURNED
from ingest.store.facts import Stamp, delete_unstaged, reading_columns, unstage_intervals, write_frontiers
from ingest.store.filling import FillBook
from ingest.store.following import Changed, refigure
from ingest.store.gap_fill import in_shaped_gaps
from ingest.store.hour_book import HourBook
from ingest.store.neighbours import load_readings
from ingest.store.refolding import Refolded, bounds, near_of, refold
from ingest.store.revised import Revised
from ingest.store.rollups import roll_up
from ingest.store.seals import SealBook, Touched
from ingest.store.tables import INTERVAL, STAGED_READING
from ingest.store.writer import FollowUp, Writer
from kernels.rows import COUNTER

NONE: IntArray = np.zeros((0, 2), np.int64)


class LateWriter:
    """Writes late readings of one site through its writer."""

    def __init__(self, writer: Writer, earlier: Earlier, zone: str, seals: SealBook, fills: FillBook) -> None:
        """`earlier` gives the newest version, whose state is read, not changed, and those before it."""
        self._writer = writer
        self._seals = seals
        self.fills = fills
        self.hours = HourBook(writer, earlier.newest.state, earlier.newest.numbers, seals)
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
            await self.hours.update(cursor, stamp)
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
        changed = await self._compared(cursor, await self._recompute(cursor, stored, stamp), stamp)
        kpis = await self._say(cursor, changed, stamp)
        n_late = int(((stored[:, 2] & int(Reason.LATE)) != 0).sum())
        n_changed = len(np.unique(np.concatenate([one.pairs for one in changed]), axis=0))
        return Revised(stored.shape[0], n_late, n_changed, kpis, await self._heads(cursor, readings.point))

    async def _say(self, cursor: AsyncCursor, changed: list[Changed], stamp: Stamp) -> Refigured:
        """Make again what follows from changed intervals, and book what sealed periods come to."""
        self.hours.touched(stamp, changed)
        changed = [await self._as_named(cursor, one) for one in changed]
        made = Refigured.join([await refigure(cursor, one, stamp) for one in changed])
        await note(cursor, self._writer.site_no, self._newest, changed, stamp)
        if any(self._seals.touches(one.pairs[:, 1]) for one in changed):
            await self._seals.book_touched(cursor, stamp, Touched.join([one.touched() for one in changed]))
        return made

    async def _as_named(self, cursor: AsyncCursor, changed: Changed) -> Changed:
        """Changed intervals under the versions their figures name, too: what has been restated stays so."""
        return changed.under(await self._earlier.named(cursor, changed.reached, changed.pairs[:, 1]))

    async def _compared(self, cursor: AsyncCursor, changed: list[Changed], stamp: Stamp) -> list[Changed]:
        """Changed intervals with what they change of compared hours."""
        found = list[Changed]()
        for one in changed:
            more = await self._comparer.follow(cursor, one, stamp)
            found += [more, *(await self._fill_again(cursor, more, stamp) if more is not one else [])]
        return found

    async def _fill_again(self, cursor: AsyncCursor, doubted: Changed, stamp: Stamp) -> list[Changed]:
        """Fill what comparing points has folded again, which is flat."""
        if not self.fills.any:
            return []
        held = await in_shaped_gaps(cursor, doubted.pairs, self._newest.plan.interval_us)
        return await self._fill(cursor, stamp, NONE, held, doubted.why(), Cause.LATE)

    def concerns(self, batch: Batch) -> bool:
        """Whether `closed` has to follow a batch."""
        return self.fills.concerns(batch) or self.hours.due or len(batch.reopening) > 0

    async def closed(self, cursor: AsyncCursor, batch: Batch, stamp: Stamp) -> Refigured:
        """Fill the gaps that a batch has closed, flat, and those that rest on it, and make hours of regimes again.

        To be called within its transaction, when all else of it is written; the KPI rows made again.
        """
        made = Refigured.nothing()
        if self.fills.concerns(batch):
            rows, flat = batch.intervals, await self.fills.flat(cursor, batch.kpi_rows)
            written = np.column_stack([self._numbers.points[rows["segment"]], rows["start_at"]])
            held = self.fills.held_back(self._newest, rows)
            made = await self.fill(cursor, stamp, written, held, Cause.GAP_FILLED, flat)
        await self.hours.update(cursor, stamp)
        return made

    async def fill(
        self,
        cursor: AsyncCursor,
        stamp: Stamp,
        written: IntArray,
        held: IntArray,
        why: Cause,
        flat: IntArray = NONE,
    ) -> Refigured:
        """Fill the gaps that intervals lie in or that rest on them, and say anew what follows.

        (point number, start_at) of `written` are stored as they are to be, of `held` as the fold has
        them, of `flat` KPIs were told as if they were flat; `why` is the cause of what changes.
        """
        changed = await self._fill(cursor, stamp, written, held, {}, why)
        if flat.size:
            reached = await self._earlier.reached(cursor, int(flat[:, 1].min()), int(flat[:, 1].max()))
            changed.append(Changed.of(flat, reached, why))
        return await self._say(cursor, changed, stamp) if changed else Refigured.nothing()

    async def _fill(
        self,
        cursor: AsyncCursor,
        stamp: Stamp,
        written: IntArray,
        held: IntArray,
        why: dict[int, int],
        otherwise: Cause,
        folded: Sequence[tuple[int, late.Spans]] = (),
    ) -> list[Changed]:
        filled = await self.fills.follow(cursor, stamp, written, held, why, otherwise, folded)
        if filled is None:
            return []
        pairs = await self._merge(cursor, [], stamp)
        return [Changed(pairs, filled.reached, filled.causes)] if pairs.size else []

    async def follow(self, cursor: AsyncCursor, closed: IntArray, stamp: Stamp) -> Refigured:
        """Make again what follows from intervals (plan index, start_at) closed behind figures that went on."""
        numbers = self._numbers.points[closed[:, 0]]
        reached = await self._earlier.reached(cursor, int(closed[:, 1].min()), int(closed[:, 1].max()))
        changed = Changed.closed_late(np.column_stack([numbers, closed[:, 1]]), reached)
        return await refigure(cursor, await self._as_named(cursor, changed), stamp)

    async def compare(self, cursor: AsyncCursor, spans: IntArray, stamp: Stamp) -> Refigured:
        """Compare points over hours (comparison, begin, end) that both have closed, with what follows."""
        changed = await self._comparer.closed(cursor, spans, stamp)
        return await self._say(cursor, [changed, *await self._fill_again(cursor, changed, stamp)], stamp)

    async def _store(self, cursor: AsyncCursor, readings: Readings, stamp: Stamp) -> IntArray:
        """Insert what is not stored yet; (point, measured_at, reasons, seq) of it."""
        columns = reading_columns(readings, self._numbers, stamp)
        await STAGED_READING.copy(cursor, len(readings), columns)
        await cursor.execute(
            f"""
            INSERT INTO reading
            SELECT DISTINCT ON (s.point_no, s.measured_at, s.value, s.quality, s.seq) s.*
              FROM staged_reading s
             WHERE NOT EXISTS (
                   SELECT 1 FROM reading r
                    WHERE r.point_no = s.point_no AND r.measured_at = s.measured_at
                      AND r.value = s.value AND r.quality = s.quality AND r.seq = s.seq)
             ORDER BY s.point_no, s.measured_at, s.value, s.quality, s.seq, s.received_at
            RETURNING {RETURNED}
            """.encode()  # noqa: S608  a fragment of evidence
        )
        rows = await cursor.fetchall()
        self._writer.evidence.stored(rows)
        return self._as_plan_indices([row[:4] for row in rows], width=4)

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

    async def _recompute(self, cursor: AsyncCursor, stored: IntArray, stamp: Stamp) -> list[Changed]:
        """Fold what the new readings touch again, each interval under the version in force in it; what changed."""
        if not stored.size:
            return [Changed.closed_late(NONE, Reached([self._newest]))]
        newest = self._newest
        near = await near_of(cursor, newest, stored)
        reached = await self._earlier.reached(cursor, *bounds(newest, stored, near))
        parts: list[Refolded] = []
        for edition in reached.editions:
            mine, beside = stored, near
            if edition is not newest:
                numbers = newest.numbers.points[stored[:, 0]]
                mine = edition.indices(np.column_stack([numbers, stored[:, 1:]]))
                beside = await near_of(cursor, edition, mine)
            parts.append(await refold(cursor, edition, reached, mine, beside, stamp))
        held = np.concatenate([self.fills.held_back(part.edition, part.rows) for part in parts])
        pairs = await self._revise(cursor, [part.spans for part in parts], held, stamp)
        changed = [Changed(pairs, reached, [part.cause for part in parts])]
        if self.fills.any:
            why = {number: cause for part in parts for number, cause in part.why().items()}
            folded = [(part.edition.plan.version, part.spans) for part in parts]
            changed += await self._fill(cursor, stamp, pairs, held, why, Cause.CLOSING, folded)
        return changed

    async def _revise(
        self, cursor: AsyncCursor, spans: list[late.Spans], held: IntArray, stamp: Stamp
    ) -> IntArray:
        """Put staged rows in the place of what is stored in the spans; (point number, start_at) of what differs.

        Rows that are held back stay as they were stored, for now.
        """
        if not any(part.point.size for part in spans):
            return NONE
        gone = [pair for part in spans if part.point.size for pair in await delete_unstaged(cursor, part)]
        await unstage_intervals(cursor, held)
        return await self._merge(cursor, gone, stamp)

    async def _merge(self, cursor: AsyncCursor, gone: list[tuple[int, int]], stamp: Stamp) -> IntArray:
        """Merge what is staged, and roll it up with what is gone; (point number, start_at) of both."""
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
