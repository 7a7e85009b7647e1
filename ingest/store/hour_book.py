"""The hours of regimes: made anew in whatever transaction changes what they rest on.

    intervals closed, revised → facts of their hours ┐
    tests told ──────────────────────────────────────┴→ hours that can change (`SourceHours`) → what differs is written

Of all sources at once: one query for the intervals of an hour, one statement for facts and
one for hours. Hours are of the newest plan: one that says something else of a regime
restates its hours, cause restatement, when the site is next taken; so does a program that
makes other hours of the stored facts than are stored.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import HOUR, NEVER, Cause
from ingest.pipeline.batch import IntArray
from ingest.pipeline.state import SiteState
from ingest.regimes.records import hour_begin
from ingest.regimes.source_hours import SourceHours
from ingest.store import hour_tables
from ingest.store.analyser_tests import TestAsked, book, tests_of
from ingest.store.facts import Stamp
from ingest.store.following import Changed
from ingest.store.hour_sources import FOUND, HourSource, Work, first_hour
from ingest.store.hour_writes import NO_KEYS, SaidFacts, SaidHours, write_facts, write_hours
from ingest.store.registry import Numbers
from ingest.store.seals import SealBook
from ingest.store.stored import INTERVALS_OF_POINTS
from ingest.store.writer import Writer
from kernels.hours import HOUR_FACT
from kernels.rows import INTERVAL_ROW, Records

ROWS_AT_ONCE = 200_000
"""About so many intervals are read at once."""

Span = tuple[int, int]
Job = tuple[HourSource, Work]


class HourBook:
    """The regimes' hours of one site under one plan."""

    def __init__(self, writer: Writer, state: SiteState, numbers: Numbers, seals: SealBook) -> None:
        """`state` gives frontiers and plan; it is read, not changed."""
        self._writer = writer
        self._seals = seals
        self._state = state
        self._numbers = numbers
        self._instruments = {f"{state.plan.site}/{one.id}" for one in state.plan.file.instruments}
        self._sources = [
            HourSource(place, int(numbers.sources[place]), source.regime)
            for place, source in enumerate(state.plan.sources)
            if source.regime is not None
        ]
        points = [list(source.points.values()) for source in self._sources]
        self._reads = np.array([point for some in points for point in some], np.int64)
        self._begins = np.cumsum([0, *(len(some) for some in points[:-1])])
        self._offset_us = np.array([source.regime.offset_us for source in self._sources], np.int64)

    async def load(self, connection: AsyncConnection) -> None:
        """Learn what is stored, and what has changed beneath it; to be called before anything else."""
        async with connection.transaction(), connection.cursor() as cursor:
            for source in self._sources:
                await self._load(cursor, source)
                for point in source.points.values():
                    of_point = int(self._numbers.points[point])
                    starts = await hour_tables.changed_since(cursor, source.number, of_point, source.end)
                    if starts:
                        source.touch(FOUND, starts, int(Cause.RESTATEMENT))

    async def _load(self, cursor: AsyncCursor, source: HourSource) -> None:
        stored, version = await hour_tables.read_hours(cursor, source.number, source.regime)
        source.end = await hour_tables.frontier(cursor, source.number)
        source.firsts = await hour_tables.first_facts(cursor, source.number)
        source.tests = await tests_of(cursor, self._writer.site_no, source.regime)
        source.stale = version not in (0, self._state.plan.version)
        begin = first_hour(source.regime, source.firsts)
        if not source.stale and begin is not None and source.end != NEVER:
            facts = await hour_tables.read_facts(cursor, source.number, list(source.points))
            source.hours = SourceHours(source.regime, begin)
            source.hours.advance(facts, source.tests, source.end, tested=True)
        rows = source.rows()
        if rows.hours.size != stored.hours.size or rows.differs(stored).any():
            source.stored = stored

    @property
    def due(self) -> bool:
        """Whether an hour has closed since the last update, or something else is to be made again."""
        return any(
            source.waits
            or (bool(source.touched) and not 0 <= source.touched_by <= self._writer.batch_no)
            or until > source.end
            for source, until in zip(self._sources, self._closed_until(), strict=True)
        )

    def touched(self, stamp: Stamp, changes: Sequence[Changed]) -> None:
        """Note which intervals a transaction has said anew; `update` follows."""
        for changed in changes:
            cause = changed.causes[-1]
            for source, point, starts in self._read_by(changed.pairs):
                source.touch(stamp.batch_no, starts, int(cause[point]) or int(Cause.LATE))

    def restated(self, stamp: Stamp, pairs: IntArray) -> None:
        """The same of (point number, start_at) that a restatement has said anew."""
        for source, _, starts in self._read_by(pairs):
            source.touch(stamp.batch_no, starts, int(Cause.RESTATEMENT))

    def doubted(self, stamp: Stamp, source_no: int, starts: list[int]) -> None:
        """Note that hours of a source (by their begins) or their facts are not stored as they come out."""
        for source in self._sources:
            if source.number == source_no:
                source.touch(stamp.batch_no, starts, int(Cause.RESTATEMENT))

    def _read_by(self, pairs: IntArray) -> Iterator[tuple[HourSource, int, list[int]]]:
        for source in self._sources:
            for point in source.points.values():
                starts = pairs[pairs[:, 0] == self._numbers.points[point], 1].tolist()
                if starts:
                    yield source, point, starts

    async def examine(self, asked: TestAsked, plan_version: int) -> None:
        """Keep a test in a transaction of its own, with what follows from it; raises as `Writer.commit` does."""
        stamp = await self._writer.begin(plan_version)
        if stamp is None:
            return
        connection = await self._writer.connection()
        async with connection.transaction(), connection.cursor() as cursor:
            await self._writer.open(cursor, stamp, self._state.watermark.at, 0)
            tested = await book(cursor, self._writer.site_no, stamp, asked, self._instruments)
            for source in self._sources:
                if any(tested in component.instruments for component in source.regime.components):
                    source.tested = stamp.batch_no
                    source.tests = await tests_of(cursor, self._writer.site_no, source.regime)
            await self.update(cursor, stamp)
            await self._writer.announce(cursor, stamp)
        self._writer.done()

    async def update(self, cursor: AsyncCursor, stamp: Stamp) -> None:
        """Make hours again whose inputs have changed or closed by this batch, and write what differs."""
        works = [
            (source, source.work(stamp.batch_no, until))
            for source, until in zip(self._sources, self._closed_until(), strict=True)
        ]
        jobs = [(source, work) for source, work in works if work is not None]
        if not jobs:
            return
        await self._learn(cursor, jobs)
        await write_facts(cursor, [one for job in jobs for one in await self._said(cursor, *job)], stamp)
        firsts = [await self._firsts(cursor, source, work) for source, work in jobs]

        def make() -> list[SaidHours]:
            made = [
                source.make(stamp.batch_no, work, first)
                for (source, work), first in zip(jobs, firsts, strict=True)
            ]
            return [one for one in made if one is not None]

        said = await asyncio.to_thread(make)
        await write_hours(cursor, said, stamp)
        await self._seals.book_hours(
            cursor, stamp, np.concatenate([one.changed for one in said] or [NO_KEYS])
        )

    def _closed_until(self) -> list[int]:
        """Up to which hour all points of each source are closed."""
        if not self._sources:
            return []
        least = np.minimum.reduceat(self._state.points["closed_until"][self._reads], self._begins)
        found: list[int] = np.where(least == NEVER, NEVER, least - (least + self._offset_us) % HOUR).tolist()
        return found

    async def _learn(self, cursor: AsyncCursor, jobs: Sequence[Job]) -> None:
        """Make the facts of the hours that are new or touched of their intervals."""
        spans: dict[Span, list[tuple[HourSource, Work, str]]] = defaultdict(list)
        for source, work in jobs:
            hours = _spans(work.touched)
            for name in source.points:
                begin = work.begin if work.begin != NEVER else await self._first(cursor, source, name)
                for span in (*hours, (min(begin, work.end), work.end)):
                    spans[span].append((source, work, name))
        for (begin, end), asking in spans.items():
            numbers = np.unique([self._numbers.points[source.points[name]] for source, _, name in asking])
            most = ROWS_AT_ONCE // numbers.size * self._state.plan.interval_us
            chunk = max(most - most % HOUR, HOUR)
            for low in range(begin, end, chunk):
                high = min(low + chunk, end)
                rows = await INTERVALS_OF_POINTS.between(cursor, numbers, low, high)
                for source, work, name in asking:
                    made = self._facts(source, name, rows)
                    known = work.facts.get(name)
                    work.facts[name] = made if known is None else np.concatenate([known, made])

    async def _first(self, cursor: AsyncCursor, source: HourSource, name: str) -> int:
        """Begin of the hour of a point's first interval; a time far ahead if there is none."""
        first = await hour_tables.first_interval(cursor, int(self._numbers.points[source.points[name]]))
        return -NEVER if first is None else hour_begin(first, source.regime.offset_us)

    def _facts(self, source: HourSource, name: str, rows: Records) -> Records:
        plan, point = self._state.plan, source.points[name]
        low, high = np.searchsorted(rows["point_no"], self._numbers.points[point] + np.arange(2))
        mine = np.zeros(high - low, INTERVAL_ROW)
        for column in INTERVAL_ROW.names or ():
            if column != "segment":
                mine[column] = rows[column][low:high]
        return hour_tables.facts_of(plan, source.regime, point, mine)

    async def _said(self, cursor: AsyncCursor, source: HourSource, work: Work) -> list[SaidFacts]:
        """What is to be said of the facts of a source."""
        stood = dict[str, Records]()
        if source.stale:
            await hour_tables.drop_others(cursor, source.number, list(source.points))
            stood = await hour_tables.read_facts(cursor, source.number, list(source.points))
        found = []
        for name in source.points:
            facts = work.facts.get(name, np.zeros(0, HOUR_FACT))
            old = stood[name]["start_at"] if source.stale else work.touched
            gone = np.setdiff1d(old, facts["start_at"])
            found.append(SaidFacts(source.number, name, work.cause, facts, gone))
        return found

    async def _firsts(
        self, cursor: AsyncCursor, source: HourSource, work: Work
    ) -> dict[str, tuple[int, int]]:
        """The first facts of a source, once those of an update are written; where they move it is made whole."""
        firsts = source.firsts
        earliest = int(work.touched[0]) if work.touched.size else -NEVER
        if source.hours is None or source.waits or any(earliest <= at for at, _ in firsts.values()):
            firsts = await hour_tables.first_facts(cursor, source.number)
        begin = first_hour(source.regime, firsts)
        if begin is not None and (source.hours is None or source.waits or begin != source.hours.begin):
            work.whole = await hour_tables.read_facts(cursor, source.number, list(source.points))
        return firsts


def _spans(hours: IntArray) -> list[Span]:
    """Begins of hours, in order, as spans."""
    pieces = np.split(hours, np.flatnonzero(np.diff(hours) != HOUR) + 1)
    return [(int(piece[0]), int(piece[-1]) + HOUR) for piece in pieces if piece.size]
