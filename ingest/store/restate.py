"""Restatement: what a replay found to be different, written as revisions.

The rows that come out go the way of recomputed ones (staged, merged where they
differ, revision + 1, rolled up), with the cause restatement and the version that
makes them. A transaction holds all that differs in a stretch of time, so figures
never stand beside intervals of another making, and a restatement that is broken off
is finished by the next. Gaps that rest on restated intervals are filled anew with them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER, Cause
from ingest.pipeline.batch import EMISSION_ROW, KPI_ROW, IntArray, Rows
from ingest.pipeline.drift import COMPARISON_ROW
from ingest.pipeline.state import SiteState
from ingest.store import documents
from ingest.store.alert_notes import note_touched
from ingest.store.audit import Actor, Change, record
from ingest.store.drifted import delete_comparisons, load_drifted, write_comparisons
from ingest.store.earlier import Earlier
from ingest.store.facts import Stamp, delete_rows, stage_intervals, stage_rows, write_steps
from ingest.store.filling import FillBook
from ingest.store.following import FIRST_LATE_REVISION
from ingest.store.late import NONE, LateWriter
from ingest.store.mismatch import Mismatch
from ingest.store.rebuild import last_watermark
from ingest.store.registry import Numbers
from ingest.store.renewal import Difference
from ingest.store.rollups import roll_up
from ingest.store.seals import SealBook, Touched, book, book_documents, sealed_periods
from ingest.store.stored import (
    COMPARISONS,
    DAYS,
    EMISSIONS,
    HOURS,
    INTERVALS,
    KPI_VALUES,
    LEDGER,
    StoredTable,
)
from ingest.store.tables import EMISSION, INTERVAL, KPI_VALUE, FigureTable
from ingest.store.totals import varying
from ingest.store.versions import Edition, stored_frontiers
from ingest.store.writer import Writer
from kernels.rows import INTERVAL_ROW, STEP_ROW

ROWS_PER_TRANSACTION = 5000


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What has to be put right in one table over a stretch of time, `number` beside each row."""

    made: Rows
    number: IntArray
    version: IntArray
    gone: Rows
    """Stored rows that do not come out."""
    gone_number: IntArray

    def pairs(self, at: str) -> list[tuple[int, int]]:
        """(number, instant) of these."""
        return list(zip(self.gone_number.tolist(), self.gone[at].tolist(), strict=True))

    @property
    def touched(self) -> IntArray:
        """int64[n, 2]: (number, start_at) of all that is said anew."""
        gone = np.column_stack([self.gone_number, self.gone["start_at"]])
        return np.concatenate([np.column_stack([self.number, self.made["start_at"]]), gone])


def _restating(site_no: int, found: Sequence[Mismatch], stamp: Stamp, begin: int, end: int) -> Change:
    """The line of one transaction: rows that were said anew in [begin, end), by table."""
    rows: dict[str, int] = {}
    for one in found:
        at = one.made[one.table.at]
        rows[one.table.name] = rows.get(one.table.name, 0) + int(((at >= begin) & (at < end)).sum())
    after = {"batch_no": stamp.batch_no, "from_us": begin, "to_us": end, "rows": rows}
    return Change("figures.restated", f"batch {stamp.batch_no}", site_no, None, after)


def _restated(pairs: IntArray) -> IntArray:
    return np.column_stack([pairs, np.full(len(pairs), int(Cause.RESTATEMENT))])


class Restatement:
    """Writes the differences of replayed days through the site's writer."""

    def __init__(self, writer: Writer, newest: Edition, actor: Actor) -> None:
        """`newest` is the newest version; what is written names the version that made it, the audit log `actor`."""
        self._writer = writer
        self._actor = actor
        # With a state of its own, which says how far points are closed.
        self._newest = Edition.over(SiteState(newest.plan), newest.numbers)
        self._zone = str(newest.plan.zone)

    async def write(self, found: Sequence[Mismatch]) -> int:
        """Write what differs; how many transactions it took.

        Raises as `Writer.commit` does; what is committed by then stands.
        """
        transactions = 0
        connection = await self._writer.connection()
        sealed = await sealed_periods(connection, self._writer.site_no)
        late_writer = await self._late_writer()
        for begin, end in _stretches(found):
            stamp = await self._writer.begin(self._newest.plan.version)
            assert stamp is not None, "a restatement is not tried again within a run"
            async with connection.transaction(), connection.cursor() as cursor:
                watermark = await last_watermark(cursor, self._writer.site_no)
                await self._writer.open(cursor, stamp, watermark, 0)
                touched = await self._write(cursor, found, stamp, begin, end)
                activities = varying(self._newest.plan, self._newest.numbers)
                await book(cursor, stamp, sealed, touched, activities)
                await note_touched(cursor, self._writer.site_no, self._newest, touched, stamp)
                if late_writer.fills.any:
                    # What was written may have changed verdicts.
                    await load_drifted(cursor, self._newest.state, self._newest.numbers)
                    await late_writer.fill(cursor, stamp, touched.points[:, :2], NONE, Cause.RESTATEMENT)
                late_writer.hours.restated(stamp, touched.points[:, :2])
                await late_writer.hours.update(cursor, stamp)
                await record(cursor, self._actor, _restating(self._writer.site_no, found, stamp, begin, end))
                await self._writer.announce(cursor, stamp)
            self._writer.done()
            transactions += 1
        return transactions

    async def write_documents(self, found: Sequence[Difference]) -> None:
        """Write what documents come to, in one transaction, with what sealed periods come to by it.

        Raises as `Writer.commit` does.
        """
        connection = await self._writer.connection()
        sealed = await sealed_periods(connection, self._writer.site_no)
        stamp = await self._writer.begin(self._newest.plan.version)
        assert stamp is not None, "a restatement is not tried again within a run"
        async with connection.transaction(), connection.cursor() as cursor:
            watermark = await last_watermark(cursor, self._writer.site_no)
            await self._writer.open(cursor, stamp, watermark, 0)
            changed = [await documents.replace(cursor, stamp, one, Cause.RESTATEMENT) for one in found]
            for seal in sealed:
                await book_documents(cursor, seal, stamp, changed, Cause.RESTATEMENT)
            await self._writer.announce(cursor, stamp)
        self._writer.done()

    async def write_hours(self, found: Sequence[Mismatch]) -> None:
        """Make hours of regimes again that are not stored as they come out, with their facts; raises as `write`."""
        connection, late_writer = await self._writer.connection(), await self._late_writer()
        stamp = await self._writer.begin(self._newest.plan.version)
        assert stamp is not None, "as above"
        async with connection.transaction(), connection.cursor() as cursor:
            await self._writer.open(cursor, stamp, await last_watermark(cursor, self._writer.site_no), 0)
            for one in found:
                starts = np.concatenate([one.made["start_at"], one.kept["start_at"]])
                late_writer.hours.doubted(stamp, one.number, starts.tolist())
            await late_writer.hours.update(cursor, stamp)
            await self._writer.announce(cursor, stamp)
        self._writer.done()

    async def _late_writer(self) -> LateWriter:
        """What fills gaps anew that rest on restated intervals."""
        connection, newest = await self._writer.connection(), self._newest
        async with connection.cursor() as cursor:
            closed = await stored_frontiers(cursor, self._writer.site_no)
        for number, p in newest.points.items():
            newest.state.points["closed_until"][p] = closed.get(number, NEVER)
        for k, kpi in enumerate(newest.plan.kpis):
            newest.state.kpi_closed[k] = int(newest.state.points["closed_until"][list(kpi.points)].min())
        earlier = Earlier(self._writer.site_no, newest)
        await earlier.load(connection)
        seals = SealBook(self._writer, newest.state, newest.numbers, self._zone)
        await seals.load()
        fills = await FillBook.of(connection, earlier, self._writer.site_no)
        late_writer = LateWriter(self._writer, earlier, self._zone, seals, fills)
        await late_writer.hours.load(connection)
        return late_writer

    async def _write(
        self, cursor: AsyncCursor, found: Sequence[Mismatch], stamp: Stamp, begin: int, end: int
    ) -> Touched:
        intervals = _wrong(found, INTERVALS, begin, end, INTERVAL_ROW)
        await self._revise(cursor, INTERVAL, intervals, stamp)
        rolled_up = intervals.pairs("start_at")
        for table in (HOURS, DAYS):
            rows = _wrong(found, table, begin, end, table.source.dtype)
            rolled_up += zip(rows.number.tolist(), rows.made["start_at"].tolist(), strict=True)
            rolled_up += rows.pairs("start_at")
        await roll_up(cursor, self._zone, rolled_up)
        await self._book(cursor, _wrong(found, LEDGER, begin, end, LEDGER.source.dtype), stamp)
        compared = _wrong(found, COMPARISONS, begin, end, COMPARISON_ROW)
        await write_comparisons(cursor, compared.number, compared.made, compared.version, stamp)
        await delete_comparisons(cursor, compared.pairs("start_at"))
        emitted = _wrong(found, EMISSIONS, begin, end, EMISSION_ROW)
        await self._revise(cursor, EMISSION, emitted, stamp)
        kpis = _wrong(found, KPI_VALUES, begin, end, KPI_ROW)
        await self._revise(cursor, KPI_VALUE, kpis, stamp)
        points = np.concatenate([intervals.touched, np.array(rolled_up, np.int64).reshape(-1, 2)])
        return Touched(*(_restated(pairs) for pairs in (points, kpis.touched, emitted.touched)))

    async def _revise(self, cursor: AsyncCursor, table: FigureTable, wrong: _Wrong, stamp: Stamp) -> None:
        """Put rows in the place of what is stored, each under its version, and take away what does not come out."""
        numbers, place = np.unique(wrong.number, return_inverse=True)
        rows = wrong.made.copy()
        cause = int(Cause.RESTATEMENT)
        for version in np.unique(wrong.version).tolist():
            mine, under = wrong.version == version, replace(stamp, plan_version=version)
            if table is INTERVAL:
                rows["segment"] = place
                by_place = Numbers(numbers, numbers, numbers)
                await stage_intervals(
                    cursor, rows[mine], by_place, under, revision=FIRST_LATE_REVISION, cause=cause
                )
                continue
            key = "kpi" if table is KPI_VALUE else "source"
            rows[key] = place
            await cursor.execute(table.unstage)
            await stage_rows(
                cursor, table, key, numbers, rows[mine], under, revision=FIRST_LATE_REVISION, cause=cause
            )
        if table is INTERVAL and rows.size:
            await cursor.execute(INTERVAL.revise)
        gone, index = np.unique(wrong.gone_number, return_inverse=True)
        await delete_rows(cursor, table, gone, np.stack([index, wrong.gone["start_at"]], axis=1))

    async def _book(self, cursor: AsyncCursor, wrong: _Wrong, stamp: Stamp) -> None:
        """Book steps and strike those that are none."""
        await cursor.execute(
            """
            DELETE FROM ledger l USING unnest(%s::int[], %s::bigint[], %s::int[]) AS step (point_no, at_us, class)
             WHERE l.point_no = step.point_no AND l.class = step.class
               AND l.at = to_timestamp(0) + step.at_us * interval '1 microsecond'
            """,
            [wrong.gone_number.tolist(), wrong.gone["at"].tolist(), wrong.gone["class"].tolist()],
        )
        numbers, place = np.unique(wrong.number, return_inverse=True)
        steps = np.zeros(wrong.made.size, STEP_ROW)
        for name in wrong.made.dtype.names or ():
            steps["step_class" if name == "class" else name] = wrong.made[name]
        steps["segment"] = place
        await write_steps(cursor, steps, Numbers(numbers, numbers, numbers), stamp)


def _stretches(found: Sequence[Mismatch]) -> Iterator[tuple[int, int]]:
    """Cut time so that each stretch [begin, end) holds about `ROWS_PER_TRANSACTION` rows, or one instant."""
    parts = [rows[one.table.at] for one in found for rows in (one.made, one.kept[: one.compared.extra.size])]
    at = np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)
    begin = 0
    while begin < at.size:
        end = int(np.searchsorted(at, at[min(begin + ROWS_PER_TRANSACTION, at.size) - 1], side="right"))
        yield int(at[begin]), int(at[end - 1]) + 1
        begin = end


def _wrong(
    found: Sequence[Mismatch], table: StoredTable, begin: int, end: int, dtype: np.dtype[np.void]
) -> _Wrong:
    made, number, version = [np.zeros(0, dtype)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    gone, gone_number = [np.zeros(0, table.source.dtype)], [np.zeros(0, np.int64)]
    for one in found:
        if one.table is not table:
            continue
        mine = (one.made[table.at] >= begin) & (one.made[table.at] < end)
        made.append(one.made[mine])
        number.append(np.full(made[-1].size, one.number))
        version.append(one.version[mine] if one.version.size else one.version)
        extra = one.kept[: one.compared.extra.size]
        gone.append(extra[(extra[table.at] >= begin) & (extra[table.at] < end)])
        gone_number.append(np.full(gone[-1].size, one.number))
    return _Wrong(
        np.concatenate(made), np.concatenate(number), np.concatenate(version), np.concatenate(gone),
        np.concatenate(gone_number),
    )  # fmt: skip
