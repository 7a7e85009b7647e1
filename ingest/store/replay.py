"""Replay: the stored readings of a day folded again, beside what is stored.

Every row is a function of readings and plan version, so what comes out is what the
live path wrote, whatever happened on the way: the functions that recompute late
readings (`ingest.pipeline.late`) are used as they are. A row names the version that
made it; where there is none, the version in force at its point says whether there should
be one. A day is read in one snapshot and a point at a time, so a running ingest disturbs
nothing and memory holds the readings of one point and the rows of those that KPIs and
sources read. A row that a running ingest has just closed may rest on a reading whose own
row follows with the late ones, so what was closed when the replay began is compared,
and that a moment later. Of some points only these are replayed and what reads them:
computed points and gaps filled by them from readings, KPIs with their other points'
intervals as they are stored. A gap filled by weights rests on rows elsewhere: they are
folded again too, as far as they are closed in the snapshot.
Nothing is written here; see `ingest.store.restate`.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from psycopg import AsyncConnection, AsyncCursor, IsolationLevel

from ingest.model import HOUR, NEVER
from ingest.pipeline import filling, late
from ingest.pipeline.batch import IntArray, Rows
from ingest.store import replayed_hours
from ingest.store.day import Day
from ingest.store.figures import Figures, Kept
from ingest.store.mismatch import Mismatch, Tally
from ingest.store.neighbours import load_readings
from ingest.store.recompared import Recompared
from ingest.store.rows import as_signals, from_loaded
from ingest.store.stored import DAYS, HOURS, INTERVALS, LEDGER, StoredTable, rollups_of
from ingest.store.versions import Edition, Versions, in_force, named_by_figures, stored_frontiers
from ingest.store.writer import SITE_LOCK
from kernels.rows import INTERVAL_ROW, STEP_ROW

SETTLE_S = 2.0
"""An ingest commits late readings within half a second of what it closed with them."""


class Replay:
    """Compares the days of a site with what its readings say."""

    def __init__(self, connection: AsyncConnection, site_no: int, chosen: Callable[[str], bool]) -> None:
        """The connection is this replay's own; `chosen` says of a point's id whether it is looked at."""
        self._connection = connection
        self._site_no = site_no
        self._chosen = chosen
        self.versions = Versions(site_no)
        self.tally = Tally()
        self._closed_until: dict[int, int] = {}

    async def prepare(self) -> Edition | None:
        """Learn of the plan versions; the newest, None if there is none."""
        await self._connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await self._connection.set_read_only(True)
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            await self.versions.refresh(cursor)
            return await self.versions.edition(cursor, self.versions.newest)

    async def begin(self, *, alone: bool) -> None:
        """Note what is closed; unless this is `alone` with the site, let an ingest of it finish what it is at."""
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            self._closed_until = await stored_frontiers(cursor, self._site_no)
            held = not alone and await _is_held(cursor, self._site_no)
        if held:
            await asyncio.sleep(SETTLE_S)

    @property
    def points(self) -> dict[int, str]:
        """Number and id of the chosen points."""
        return {number: name for number, name in self.versions.names["point"].items() if self._chosen(name)}

    async def day(
        self, begin: int, end: int, *, whole: bool, done: Callable[[], None] = lambda: None
    ) -> list[Mismatch]:
        """What is not stored as it comes out in the intervals of [begin, end), at most a day of the site.

        Args:
            begin: µs, an interval edge.
            end: alike.
            whole: whether this is all of a day, which then is compared too; hours are if they lie in it.
            done: called after each point.
        """
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            await self.versions.refresh(cursor)
            newest = await self.versions.edition(cursor, self.versions.newest)
            assert newest is not None
            forces = await in_force(cursor, self._site_no, self.versions.newest)
            closed_since = await stored_frontiers(cursor, self._site_no)
            editions = {newest.plan.version: newest}
            day = Day(
                cursor, begin, end, whole, forces, self._closed_until, closed_since, editions, Kept(),
                Recompared(editions, forces, self._closed_until),
            )  # fmt: skip
            await self._know(day, forces.between(begin, end))
            chosen = self.points
            looked_at = chosen | self._readers(day)
            found: list[Mismatch | None] = await self._compared(day, looked_at)
            await self._know(day, await named_by_figures(cursor, self._site_no, begin, end))
            for number, name in looked_at.items():
                found += await self._point(day, number, name)
                if number in chosen:
                    done()
            for number in {one for edition in day.editions.values() for one in day.kept.lacks(edition)}:
                stored = await INTERVALS.fetch(cursor, number, begin, end)
                day.kept.borrow(number, day.settled(stored, number))
            figures = Figures(cursor, day.editions, day.kept, day.closed_until, day.closed_since, begin, end)
            for table, number, made, version, kept in await figures.replayed(self.versions.names):
                kind = "kpi" if table.name == "kpi_value" else "source"
                self.tally.compared[table.name] += made.size
                found.append(
                    Mismatch.of(table, number, self.versions.names[kind][number], made, version, kept)
                )
        return [one for one in found if one is not None]

    async def hours(self, begin: int, end: int) -> list[Mismatch]:
        """What is not stored as it comes out of the hours of regimes in [begin, end) µs; after the days of it."""
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            await self.versions.refresh(cursor)
            return await replayed_hours.replayed(
                cursor, self.versions, self._chosen, (begin, end), self.tally
            )

    def _readers(self, day: Day) -> dict[int, str]:
        """Number and name of the points that follow from a chosen one under any version of the day.

        Those are made of it, doubted by it, or counters whose gaps are filled by it.
        """
        found = set[int]()
        for edition in day.editions.values():
            numbers, by = edition.numbers.points, edition.plan.params["fill_by"]
            for program in edition.plan.computed:
                if not self.points.keys().isdisjoint(numbers[list(program.reads)].tolist()):
                    found.add(int(numbers[program.point]))
            made = found | self.points.keys()
            for compared in edition.plan.comparisons:
                if not made.isdisjoint(numbers[[compared.point, compared.other]].tolist()):
                    found.update(numbers[list(compared.doubts)].tolist())
            filled = np.flatnonzero(by >= 0)
            weighed = np.isin(numbers[by[filled]], [*self.points, *found])
            found.update(numbers[filled[weighed]].tolist())
        return {number: name for number, name in self.versions.names["point"].items() if number in found}

    async def _compared(self, day: Day, looked_at: dict[int, str]) -> list[Mismatch | None]:
        """Verdicts on compared points, which the folding that follows needs."""
        first = day.begin - day.begin % HOUR - HOUR
        if not day.recompared.points:
            return []
        await self._know(day, day.forces.between(first, day.end))
        before, known = replace(day, begin=first, kept=Kept()), dict[int, Rows]()

        async def folded(number: int) -> Rows:
            if number not in known:
                stored = before.settled(await INTERVALS.fetch(day.cursor, number, first, day.end), number)
                known[number], _, _ = await self._folded(before, number, stored)
            return known[number]

        return await day.recompared.mismatches(day.cursor, day.begin, day.end, folded, looked_at, self.tally)

    async def _point(self, day: Day, number: int, name: str) -> list[Mismatch | None]:
        """Intervals, ledger, hours and days of one point."""
        rows = await INTERVALS.fetch(day.cursor, number, day.begin, day.end)
        stored = day.settled(rows, number)
        rows, version, steps = await self._folded(day, number, stored)
        if any(number in edition.read for edition in day.editions.values()):
            day.kept.put(number, rows, version)
        hours, days = await rollups_of(day.cursor, rows, _zone(day)) if rows.size else (_no(HOURS), _no(DAYS))
        none = np.zeros(0, np.int64)
        until = max(day.begin, min(day.end, day.closed_until.get(number, NEVER)))
        booked = await LEDGER.fetch(day.cursor, number, day.begin + 1, until + 1)
        found: list[tuple[StoredTable, Rows, IntArray, Rows]] = [
            (INTERVALS, rows, version, stored),
            (LEDGER, _as_booked(steps), none, booked),
        ]
        for table, made in ((HOURS, hours), (DAYS, days)):
            kept = await table.fetch(day.cursor, number, day.begin, day.end)
            if table is HOURS:
                found.append((table, day.whole_hours(made, number), none, day.whole_hours(kept, number)))
            elif day.whole and day.unmoved(number):
                found.append((table, made, none, kept))
        for table, made, _, _ in found:
            self.tally.compared[table.name] += made.size
        return [Mismatch.of(table, number, name, made, of, kept) for table, made, of, kept in found]

    async def _folded(
        self, day: Day, number: int, stored: Rows, *, flat: bool = False
    ) -> tuple[Rows, IntArray, Rows]:
        """(rows, version of each, steps) of a point's closed intervals, each under its version.

        With `flat` gaps are left as the fold has them.
        """
        parts, versions, steps = [np.zeros(0, INTERVAL_ROW)], [np.zeros(0, np.int64)], [np.zeros(0, STEP_ROW)]
        for version, begin, end in await self._runs(day, number, stored):
            edition = day.editions[version]
            if number in edition.points:
                day.recompared.tell(edition)
                rows, booked = await self._fold(day, edition, edition.points[number], (begin, end), flat=flat)
                parts.append(rows)
                steps.append(booked)
                versions.append(np.full(rows.size, version))
        return np.concatenate(parts), np.concatenate(versions), np.concatenate(steps)

    async def _runs(self, day: Day, number: int, stored: Rows) -> Sequence[tuple[int, int, int]]:
        """(version, begin, end): the point's closed time, cut where the version changes."""
        interval_us = next(iter(day.editions.values())).plan.interval_us
        until = min(day.end, day.closed_until.get(number, NEVER))
        starts = np.arange(day.begin, until, interval_us)
        if not starts.size:
            return []
        version = day.forces.at(number, starts)
        await self._know(day, np.unique(stored["plan_version"]).tolist())
        said = stored[(stored["start_at"] < until) & np.isin(stored["plan_version"], list(day.editions))]
        place, astray = np.divmod(said["start_at"] - day.begin, interval_us)
        version[place[astray == 0]] = said["plan_version"][astray == 0]
        cuts = np.flatnonzero(np.diff(version, prepend=-1))
        edges = [*starts[cuts].tolist(), until]
        return [
            (one, begin, end)
            for one, begin, end in zip(version[cuts].tolist(), edges[:-1], edges[1:], strict=True)
            if one in day.editions
        ]

    async def _know(self, day: Day, versions: Iterable[int]) -> None:
        """Compile versions that the day needs; those that there are not stay unknown."""
        for version in versions:
            edition = await self.versions.edition(day.cursor, version)
            if edition is not None:
                day.editions[version] = edition

    async def _fold(
        self, day: Day, edition: Edition, point: int, span: tuple[int, int], *, flat: bool
    ) -> tuple[Rows, Rows]:
        """Interval and step rows of one point (plan index) under one version; see `_folded`."""
        cursor, state, numbers, (begin, end) = day.cursor, edition.state, edition.numbers, span
        if point >= edition.plan.n_measured:
            inputs = np.unique(edition.plan.computed[point - edition.plan.n_measured].reads)
            edges = np.full(inputs.size, begin), np.full(inputs.size, end)
            loaded = await load_readings(cursor, state, numbers, inputs, *edges)
            self.tally.readings += len(loaded)
            return late.recompute(state, from_loaded(loaded), point, begin, end), np.zeros(0, STEP_ROW)
        spans = late.Spans(np.array([point]), np.array([begin]), np.array([end]))
        loaded = await load_readings(cursor, state, numbers, spans.point, spans.begin, spans.end)
        self.tally.readings += len(loaded)
        signals = as_signals(loaded, spans.point)
        rows, steps = late.refold(state, signals, spans)
        if not flat:
            fills = filling.gaps_of(state, signals, spans)
            sources = [await self._source(day, edition, one) for one in fills]
            held = [day.forces.span(int(numbers.points[point]), edition.plan.version)] * len(fills)
            filling.fill(edition.plan, rows, fills, sources, held)
        return rows, steps

    async def _source(self, day: Day, edition: Edition, fill_row: np.void) -> Rows:
        """The closed rows that a gap rests on, as they come out.

        Ingest fills a gap anew in the transaction that closes one of them, so what is closed is asked now.
        """
        number = int(edition.numbers.points[fill_row["source"]])
        begin, end = int(fill_row["source_from"]), int(fill_row["source_to"])
        there = replace(day, begin=begin, end=end, closed_until=day.closed_since, editions=dict(day.editions))
        await self._know(there, there.forces.between(begin, end))
        stored = await INTERVALS.fetch(day.cursor, number, begin, end)
        rows, _, _ = await self._folded(there, number, stored, flat=True)
        return rows


async def _is_held(cursor: AsyncCursor, site_no: int) -> bool:
    """Whether anybody has the site's writer lock."""
    await cursor.execute(
        """
        SELECT FROM pg_locks
         WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
        [SITE_LOCK, site_no],
    )
    return await cursor.fetchone() is not None


def _zone(day: Day) -> str:
    return str(next(iter(day.editions.values())).plan.zone)


def _no(table: StoredTable) -> Rows:
    return np.zeros(0, table.source.dtype)


def _as_booked(steps: Rows) -> Rows:
    """Counter steps as the ledger has them."""
    rows = np.zeros(steps.size, LEDGER.source.dtype)
    for name in rows.dtype.names or ():
        rows[name] = steps["step_class" if name == "class" else name]
    return rows
