"""The hours of regimes: made anew in whatever transaction changes what they rest on.

    intervals closed, revised → facts of their hours ┐
    tests told ──────────────────────────────────────┴→ all hours of the source again → what differs is written

All hours are made of all facts each time (a year of one stack took 6 ms), so nothing is
remembered that could be wrong: order does not matter, and a replay gives what live gave.
What was written last is kept in memory to tell what differs; it counts once its
transaction has committed. Hours are of the newest plan: one that says something else of
a regime restates its hours, cause restatement, when the site is next taken.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import DAY, HOUR, NEVER, Cause
from ingest.pipeline.batch import IntArray
from ingest.pipeline.causes import weightiest
from ingest.pipeline.state import SiteState
from ingest.plant.regime_plan import PlanRegime
from ingest.regimes.hour_mass import hours_of
from ingest.regimes.hour_rows import HourRows
from ingest.regimes.records import HOUR_FACT, hour_begin, hour_facts
from ingest.store import hour_tables
from ingest.store.analyser_tests import TestAsked, book, tests_of
from ingest.store.facts import Stamp
from ingest.store.following import Changed
from ingest.store.paired import stored_intervals
from ingest.store.registry import Numbers
from ingest.store.writer import Writer
from kernels.rows import Records

Facts = dict[str, Records]
FOUND = -1
"""In place of a batch: found changed when the site was taken, for whichever update comes first."""
CHUNK = 31 * DAY
"""Intervals are read for so long a time at once."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is stored of a source."""

    facts: Facts
    rows: HourRows
    end: int
    """Up to where facts are there; NEVER: none are."""


class _Source:
    """One source with a regime."""

    def __init__(self, place: int, regime: PlanRegime) -> None:
        self.place = place
        self.regime = regime
        self.points = {one.name: one.point for one in regime.components}
        others = {"operating": regime.operating, "load": regime.load, "cap": regime.cap}
        self.points |= {name: point for name, point in others.items() if point is not None}
        self.kept = _Kept({}, HourRows.none(regime), NEVER)
        self.pending: tuple[int, _Kept] | None = None
        self.stale = False
        """Whether all of it has to be made again: another version of the plan made it."""
        self.tested = 0
        """The batch in which a test of its instruments came."""
        self.touched: dict[str, set[int]] = {}
        self.touched_by = 0
        self.cause = int(Cause.CLOSING)

    def before(self, batch_no: int) -> _Kept:
        """What was stored before a batch; what an attempt at the same batch kept is forgotten."""
        self._settle(batch_no)
        self.pending = None
        return self.kept

    def _settle(self, batch_no: int) -> None:
        """Whoever has come to a batch has committed the one before."""
        if self.pending is not None and self.pending[0] != batch_no:
            self.kept, self.stale, self.pending = self.pending[1], False, None
            if self.touched_by == FOUND:
                self.touched, self.touched_by = {}, 0

    def touch(self, batch_no: int, point: int, starts: list[int], cause: int) -> None:
        """Note that intervals of a point were said anew in a batch."""
        self._settle(batch_no)
        if self.touched_by not in (batch_no, FOUND):
            self.touched, self.touched_by, self.cause = {}, batch_no, cause
        for name, mine in self.points.items():
            if mine == point:
                hours = {hour_begin(at, self.regime.offset_us) for at in starts}
                self.touched.setdefault(name, set()).update(hours)
                self.cause = weightiest(np.array([self.cause, cause]))


class HourBook:
    """The regimes' hours of one site under one plan."""

    def __init__(self, writer: Writer, state: SiteState, numbers: Numbers) -> None:
        """`state` gives frontiers and plan; it is read, not changed."""
        self._writer = writer
        self._state = state
        self._numbers = numbers
        self._instruments = {f"{state.plan.site}/{one.id}" for one in state.plan.file.instruments}
        self._sources = [
            _Source(place, source.regime)
            for place, source in enumerate(state.plan.sources)
            if source.regime is not None
        ]

    async def load(self, connection: AsyncConnection) -> None:
        """Learn what is stored, and what has changed beneath it; to be called before anything else."""
        async with connection.transaction(), connection.cursor() as cursor:
            for source in self._sources:
                number = self._number(source)
                facts = await hour_tables.read_facts(cursor, number, list(source.points))
                rows, version = await hour_tables.read_hours(cursor, number, source.regime)
                end = await hour_tables.frontier(cursor, number)
                source.kept = _Kept(facts, rows, end)
                source.stale = version not in (0, self._state.plan.version)
                for name, point in source.points.items():
                    of_point = int(self._numbers.points[point])
                    starts = await hour_tables.changed_since(cursor, number, of_point, end)
                    if starts:
                        source.touch(FOUND, source.points[name], starts, int(Cause.RESTATEMENT))

    @property
    def due(self) -> bool:
        """Whether an hour has closed since the last update, or something else is to be made again."""
        return any(
            source.stale
            or (bool(source.touched) and not 0 <= source.touched_by <= self._writer.batch_no)
            or self._frontier(source) > (source.pending[1] if source.pending else source.kept).end
            for source in self._sources
        )

    def touched(self, stamp: Stamp, changes: Sequence[Changed]) -> None:
        """Note which intervals a transaction has said anew; `update` follows."""
        for changed in changes:
            cause = changed.causes[-1]
            for source, point, starts in self._read(changed.pairs):
                source.touch(stamp.batch_no, point, starts, int(cause[point]) or int(Cause.LATE))

    def restated(self, stamp: Stamp, pairs: IntArray) -> None:
        """The same of (point number, start_at) that a restatement has said anew."""
        for source, point, starts in self._read(pairs):
            source.touch(stamp.batch_no, point, starts, int(Cause.RESTATEMENT))

    def _read(self, pairs: IntArray) -> Iterator[tuple[_Source, int, list[int]]]:
        for source in self._sources:
            for point in source.points.values():
                starts = pairs[pairs[:, 0] == self._numbers.points[point], 1].tolist()
                if starts:
                    yield source, point, starts

    async def update(self, cursor: AsyncCursor, stamp: Stamp) -> None:
        """Make hours again whose inputs have changed or closed by this batch, and write what differs."""
        for source in self._sources:
            await self._update(cursor, stamp, source)

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
            await self.update(cursor, stamp)
            await self._writer.announce(cursor, stamp)
        self._writer.done()

    def _number(self, source: _Source) -> int:
        return int(self._numbers.sources[source.place])

    def _frontier(self, source: _Source) -> int:
        """Up to which hour all points of a source are closed."""
        least = int(self._state.points["closed_until"][list(source.points.values())].min())
        return least if least == NEVER else hour_begin(least, source.regime.offset_us)

    async def _update(self, cursor: AsyncCursor, stamp: Stamp, source: _Source) -> None:
        kept = source.before(stamp.batch_no)
        touched = source.touched if source.touched_by in (stamp.batch_no, FOUND) else {}
        tested = source.tested == stamp.batch_no
        end = max(kept.end, self._frontier(source))
        if end == NEVER or not (touched or tested or source.stale or end > kept.end):
            return
        if source.stale:
            await hour_tables.drop_others(cursor, self._number(source), list(source.points))
            kept = _Kept({}, kept.rows, NEVER)
        facts = {
            name: await self._facts(cursor, source, name, kept, touched.get(name, set()), end)
            for name in source.points
        }
        cause = (
            int(Cause.RESTATEMENT)
            if source.stale
            else int(Cause.TEST)
            if tested
            else source.cause
            if touched
            else 0
        )
        number = self._number(source)
        old = source.kept.facts
        for name, of_name in facts.items():
            await hour_tables.write_facts(cursor, number, name, of_name, old.get(name), cause, stamp)
        rows = source.kept.rows
        begin = _begin(source.regime, facts)
        if begin is not None:
            tests = await tests_of(cursor, self._writer.site_no, source.regime)
            rows = await asyncio.to_thread(hours_of, source.regime, facts, tests, begin, max(begin, end))
            await hour_tables.write_hours(cursor, number, rows, source.kept.rows, cause, stamp)
        source.pending = (stamp.batch_no, _Kept(facts, rows, end))

    async def _facts(
        self, cursor: AsyncCursor, source: _Source, name: str, kept: _Kept, touched: set[int], end: int
    ) -> Records:
        """All facts of a point of a source up to `end`: those kept, but of touched hours and new ones."""
        point, regime = source.points[name], source.regime
        begin = kept.end
        if begin == NEVER:
            first = await hour_tables.first_interval(cursor, int(self._numbers.points[point]))
            if first is None:
                return np.zeros(0, HOUR_FACT)
            begin = hour_begin(first, regime.offset_us)
        spans = [(at, min(at + CHUNK, end)) for at in range(begin, end, CHUNK)]
        spans += [(hour, hour + HOUR) for hour in sorted(touched) if hour < begin]
        known = kept.facts.get(name, np.zeros(0, HOUR_FACT))
        parts = [known[~np.isin(known["start_at"], np.array(sorted(touched), np.int64))]]
        for low, high in spans:
            parts.append(await self._made(cursor, point, regime, low, high))
        found = np.concatenate(parts)
        return found[np.argsort(found["start_at"], kind="stable")]

    async def _made(
        self, cursor: AsyncCursor, point: int, regime: PlanRegime, begin: int, end: int
    ) -> Records:
        plan = self._state.plan
        rows = await stored_intervals(cursor, self._numbers, point, begin, end)
        return hour_facts(
            rows,
            offset_us=regime.offset_us,
            interval_us=plan.interval_us,
            least_valid_us=float(plan.params["min_valid_share"][point]) * plan.interval_us,
            is_state=point in {regime.operating, regime.cap},
        )


def _begin(regime: PlanRegime, facts: Facts) -> int | None:
    """Begin of the first hour: as declared, else the first that is covered from when every point was heard."""
    if regime.since is not None:
        return regime.since
    begins = []
    for of_name in facts.values():
        if not of_name.size:
            return None
        first = of_name[0]
        begins.append(int(first["start_at"]) + (HOUR if first["covered_us"] < HOUR else 0))
    return max(begins)
