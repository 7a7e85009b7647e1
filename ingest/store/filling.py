"""Gaps filled by weights, in the transaction that changes what they rest on.

`gap_fill` says of every such gap how it is filled and which rows of which point that
rests on. Whoever has written closed intervals hands over which; the gaps they lie in and
those that rest on them are folded again from what is stored, each under the versions in
force in it, and filled. A row in a gap is never a weight, so that ends there. What comes
out is staged for the caller to merge; nothing of the interval table is written here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import Cause, Fill
from ingest.pipeline import filling, late
from ingest.pipeline.batch import Batch, IntArray, Rows
from ingest.pipeline.causes import weightiest
from ingest.pipeline.late import Spans
from ingest.store.earlier import Earlier, Reached
from ingest.store.facts import Stamp, stage_intervals
from ingest.store.following import FIRST_LATE_REVISION
from ingest.store.gap_fill import Entry, book, in_shaped_gaps, of_other_versions, resting_on
from ingest.store.neighbours import load_readings
from ingest.store.rows import as_signals
from ingest.store.stored import INTERVALS
from ingest.store.tables import INTERVAL
from ingest.store.versions import Edition

Pairs = IntArray
"""int64[n, 2]: (point number, start_at) of intervals."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling gaps anew has staged."""

    reached: Reached
    """The versions in force there."""
    causes: Sequence[IntArray]
    """For each of these the cause of each of its points (plan index)."""


class FillBook:
    """The gaps of one site that are filled by weights."""

    def __init__(self, earlier: Earlier, site_no: int) -> None:
        """`earlier` gives the versions; see `of`."""
        self._earlier = earlier
        self._site_no = site_no
        plan, numbers = earlier.newest.plan, earlier.newest.numbers
        shaped = filling.is_shaped(plan)
        by = plan.params["fill_by"][plan.params["fill"] == Fill.PRODUCTION]
        self._points = set(numbers.points[shaped].tolist())
        """Numbers of points of which there are, or may be, such gaps."""
        self._watched = {*self._points, *numbers.points[by].tolist()}
        """Those and what they rest on."""
        self._kpis = np.array([bool(shaped[list(kpi.points)].any()) for kpi in plan.kpis], np.bool_)
        self._shaped = shaped
        self.any = False
        """Whether there may be such gaps; where there are none, filling costs nothing."""

    @staticmethod
    async def of(connection: AsyncConnection, earlier: Earlier, site_no: int) -> "FillBook":
        """Of a site, knowing whether any version of its plan wants gaps filled so, and what they rest on."""
        found = FillBook(earlier, site_no)
        cursor = await connection.execute(
            """
            SELECT EXISTS (SELECT FROM plan_version
                            WHERE site_no = %(site)s AND jsonb_path_exists(
                                  body, '$.points[*].fill ? (@ == "same_hour" || @ == "production")')),
                   (SELECT array_agg(DISTINCT ARRAY[point_no, source_no]) FROM gap_fill JOIN point USING (point_no)
                     WHERE site_no = %(site)s AND superseded_batch IS NULL)
            """,
            {"site": site_no},
        )
        row = await cursor.fetchone()
        assert row is not None
        found.any = row[0]
        for point_no, source_no in row[1] or ():
            found._note(point_no, source_no)
        return found

    def _note(self, point_no: int, source_no: int) -> None:
        self._points.add(point_no)
        self._watched.update((point_no, source_no))

    def concerns(self, batch: Batch) -> bool:
        """Whether something that a batch closes lies in such a gap, or may be what one rests on."""
        if not self.any:
            return False
        closed = self._earlier.newest.numbers.points[np.unique(batch.intervals["segment"])].tolist()
        return not self._watched.isdisjoint(closed) or bool(self._kpis[batch.kpi_rows["kpi"]].any())

    def held_back(self, edition: Edition, rows: Rows) -> Pairs:
        """Of rows folded under a version those not to be stored as they are: they may have something of a gap."""
        rows = rows[rows["substituted_us"] > 0] if self.any else rows[:0]
        numbers = edition.numbers.points[rows["segment"]]
        mine = np.isin(numbers, list(self._points)) | filling.is_shaped(edition.plan)[rows["segment"]]
        return np.column_stack([numbers[mine], rows["start_at"][mine]])

    async def follow(
        self,
        cursor: AsyncCursor,
        stamp: Stamp,
        written: Pairs,
        held: Pairs,
        why: Mapping[int, int],
        otherwise: Cause,
        folded: Sequence[tuple[int, Spans]] = (),
    ) -> Filled | None:
        """Stage the gaps that intervals lie in or that rest on them, filled anew; None: there are none.

        Args:
            cursor: of the transaction.
            stamp: its stamp.
            written: intervals that are stored as they are to be.
            held: intervals of which only the flat fold was made; what is stored of them is out of date.
            why: by point number the cause of what is said anew of it; what rests on a point follows it.
            otherwise: that of points not in there.
            folded: (version, spans of point numbers) folded again from new readings: gaps in there may be none any more.
        """
        newest = self._earlier.newest.plan
        causes, spans = dict(why), list(filling.runs(held, newest.interval_us))
        others = await of_other_versions(cursor, spans, newest.version)
        spans += [(entry.point_no, entry.from_at, entry.to_at) for entry in others]
        for entry in await resting_on(cursor, np.concatenate([written, held])):
            spans.append((entry.point_no, entry.from_at, entry.to_at))
            both = [causes.get(number, int(otherwise)) for number in (entry.point_no, entry.source_no)]
            causes[entry.point_no] = weightiest(np.array(both))
        if not spans:
            await book(cursor, stamp, folded, [])
            return None
        low, high = min(begin for _, begin, _ in spans), max(end for _, _, end in spans)
        reached = await self._earlier.reached(cursor, low, high)
        found = [_causes(edition, causes, otherwise) for edition in reached.editions]
        looked_at, entries = list(folded), list[Entry]()
        await cursor.execute(INTERVAL.unstage)
        for edition, cause in zip(reached.editions, found, strict=True):
            own = reached.own(edition, self._joined(edition, spans))
            looked_at.append((edition.plan.version, _numbered(edition, own)))
            for part in _one_each(own):
                entries += await self._stage(cursor, stamp, edition, part, held, cause)
        await book(cursor, stamp, looked_at, entries)
        for entry in entries:
            self._note(entry.point_no, entry.source_no)
        return Filled(reached, found)

    def _joined(self, edition: Edition, spans: Iterable[tuple[int, int, int]]) -> Spans:
        """Spans (plan indices) on edges, as far as they are closed, each instant of a point once."""
        interval_us, closed_until = edition.plan.interval_us, edition.state.points["closed_until"]
        found = []
        for number, begin, end in spans:
            point = edition.points.get(number)
            if point is not None:
                until = min(end + (-end) % interval_us, int(closed_until[point]))
                found.append((point, begin - begin % interval_us, until))
        array = np.array(list(_merged(found)), np.int64).reshape(-1, 3)
        return Spans(*(array[:, i].copy() for i in range(3)))

    async def _stage(
        self, cursor: AsyncCursor, stamp: Stamp, edition: Edition, spans: Spans, held: Pairs, cause: IntArray
    ) -> list[Entry]:
        """Stage the rows of spans, of each point one, filled; how the gaps in them are filled."""
        state, numbers = edition.state, edition.numbers
        loaded = await load_readings(cursor, state, numbers, spans.point, spans.begin, spans.end)
        signals = as_signals(loaded, spans.point)
        rows, _ = late.refold(state, signals, spans)
        fills = filling.gaps_of(state, signals, spans)
        sources = await self._sources(cursor, edition, fills, held)
        in_force = [
            self._earlier.span(number, edition.plan.version)
            for number in numbers.points[fills["point"]].tolist()
        ]
        filling.fill(edition.plan, rows, fills, sources, in_force)
        under = replace(stamp, plan_version=edition.plan.version)
        await stage_intervals(
            cursor, rows, numbers, under, revision=FIRST_LATE_REVISION, cause=cause[rows["segment"]]
        )
        return [Entry.of(edition, one) for one in fills]

    async def _sources(self, cursor: AsyncCursor, edition: Edition, fills: Rows, held: Pairs) -> list[Rows]:
        """What is closed of that on which each gap rests; a row that is held back is in a gap and no weight.

        What several gaps rest on is fetched once.
        """
        found: dict[int, list[Rows]] = {}
        spans = fills[["source", "source_from", "source_to"]].tolist()
        for source, begin, end in _merged(spans):
            number = int(edition.numbers.points[source])
            rows = await INTERVALS.fetch(cursor, number, begin, end)
            mine = held[held[:, 0] == number, 1]
            found.setdefault(source, []).append(rows[~np.isin(rows["start_at"], mine)])
        whole = {source: np.concatenate(parts) for source, parts in found.items()}
        cuts = ((source, np.searchsorted(whole[source]["start_at"], edges)) for source, *edges in spans)
        return [whole[source][first:last] for source, (first, last) in cuts]

    async def flat(self, cursor: AsyncCursor, kpi_rows: Rows) -> Pairs:
        """Intervals of shaped gaps that KPI rows were summed over, as the tail has them: flat."""
        newest = self._earlier.newest
        chosen = kpi_rows[self._kpis[kpi_rows["kpi"]]]
        pairs = [
            (int(newest.numbers.points[point]), start_at)
            for k, start_at in zip(chosen["kpi"].tolist(), chosen["start_at"].tolist(), strict=True)
            for point in newest.plan.kpis[k].points
            if self._shaped[point]
        ]
        return await in_shaped_gaps(cursor, np.array(pairs, np.int64).reshape(-1, 2), newest.plan.interval_us)


def _causes(edition: Edition, why: Mapping[int, int], otherwise: Cause) -> IntArray:
    known = [why.get(number, int(otherwise)) for number in edition.numbers.points.tolist()]
    return np.array(known, np.int64)


def _numbered(edition: Edition, spans: Spans) -> Spans:
    return Spans(edition.numbers.points[spans.point], spans.begin, spans.end)


def _merged(spans: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """(point, begin, end) in order, those of a point that touch as one and empty ones as none."""
    last: tuple[int, int, int] | None = None
    for point, begin, end in sorted(spans):
        if last is not None and last[0] == point and begin <= last[2]:
            last = point, last[1], max(last[2], end)
        elif begin < end:
            if last is not None:
                yield last
            last = point, begin, end
    if last is not None:
        yield last


def _one_each(spans: Spans) -> Iterator[Spans]:
    """Spans in parts that hold each point once."""
    begins = np.flatnonzero(np.diff(spans.point, prepend=-1))
    rank = np.arange(spans.point.size) - np.repeat(begins, np.diff(np.append(begins, spans.point.size)))
    for one in range(int(rank.max(initial=-1)) + 1):
        yield Spans(*(column[rank == one] for column in (spans.point, spans.begin, spans.end)))
