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
computed points from readings, KPIs with their other points' intervals as they are stored.
Nothing is written here; see `ingest.store.restate`.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from psycopg import AsyncConnection, AsyncCursor, IsolationLevel

from ingest.model import HOUR, NEVER
from ingest.pipeline import late
from ingest.pipeline.batch import IntArray, Rows
from ingest.store.figures import Figures, Kept
from ingest.store.mismatch import Mismatch, Tally
from ingest.store.neighbours import load_readings
from ingest.store.recompared import Recompared
from ingest.store.rows import as_signals, from_loaded
from ingest.store.stored import DAYS, HOURS, INTERVALS, LEDGER, StoredTable, rollups_of
from ingest.store.versions import Edition, InForce, Versions, in_force, stored_frontiers
from ingest.store.writer import SITE_LOCK
from kernels.rows import INTERVAL_ROW, STEP_ROW

SETTLE_S = 2.0
"""An ingest commits late readings within half a second of what it closed with them."""


@dataclass(slots=True)
class _Day:
    """One day in one snapshot."""

    cursor: AsyncCursor
    begin: int
    end: int
    whole: bool
    forces: InForce
    closed_until: dict[int, int]
    """Frontiers when the replay began: up to here is compared."""
    closed_since: dict[int, int]
    """Frontiers now: from there on nothing may be closed."""
    editions: dict[int, Edition]
    """Versions that made something in it, and the newest."""
    kept: Kept
    recompared: Recompared

    def settled(self, stored: Rows, number: int) -> Rows:
        """Stored intervals of a point without those that were closed since the replay began."""
        at = stored["start_at"]
        return stored[
            (at < self.closed_until.get(number, NEVER)) | (at >= self.closed_since.get(number, NEVER))
        ]

    def unmoved(self, number: int) -> bool:
        """Whether nothing of the point was closed in the day since the replay began."""
        until = self.closed_until.get(number, NEVER)
        return until >= self.end or until == self.closed_since.get(number, NEVER)

    def whole_hours(self, hours: Rows, number: int) -> Rows:
        """The hours in the day all of whose closed intervals have been looked at."""
        ends = hours["start_at"] + HOUR
        inside = (hours["start_at"] >= self.begin) & (ends <= self.end)
        return hours[inside & (self.unmoved(number) | (ends <= self.closed_until.get(number, NEVER)))]


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
            day = _Day(
                cursor, begin, end, whole, forces, self._closed_until, closed_since, editions, Kept(),
                Recompared(editions, forces, self._closed_until),
            )  # fmt: skip
            await self._know(day, forces.between(begin, end))
            chosen = self.points
            looked_at = chosen | self._readers(day)
            found: list[Mismatch | None] = await self._compared(day, looked_at)
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

    def _readers(self, day: _Day) -> dict[int, str]:
        """Number and name of the points that are made of a chosen one, or doubted by it, under any version of the day."""
        found = set[int]()
        for edition in day.editions.values():
            numbers = edition.numbers.points
            for program in edition.plan.computed:
                if not self.points.keys().isdisjoint(numbers[list(program.reads)].tolist()):
                    found.add(int(numbers[program.point]))
            made = found | self.points.keys()
            for compared in edition.plan.comparisons:
                if not made.isdisjoint(numbers[[compared.point, compared.other]].tolist()):
                    found.update(numbers[list(compared.doubts)].tolist())
        return {number: name for number, name in self.versions.names["point"].items() if number in found}

    async def _compared(self, day: _Day, looked_at: dict[int, str]) -> list[Mismatch | None]:
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

    async def _point(self, day: _Day, number: int, name: str) -> list[Mismatch | None]:
        """Intervals, ledger, hours and days of one point."""
        rows = await INTERVALS.fetch(day.cursor, number, day.begin, day.end)
        stored = day.settled(rows, number)
        rows, version, steps = await self._folded(day, number, stored)
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

    async def _folded(self, day: _Day, number: int, stored: Rows) -> tuple[Rows, IntArray, Rows]:
        """(rows, version of each, steps) of a point's closed intervals, each under its version."""
        parts, versions, steps = [np.zeros(0, INTERVAL_ROW)], [np.zeros(0, np.int64)], [np.zeros(0, STEP_ROW)]
        for version, begin, end in await self._runs(day, number, stored):
            edition = day.editions[version]
            if number in edition.points:
                day.recompared.tell(edition)
                rows, booked = await self._fold(day.cursor, edition, edition.points[number], begin, end)
                parts.append(rows)
                steps.append(booked)
                versions.append(np.full(rows.size, version))
        rows, version_of = np.concatenate(parts), np.concatenate(versions)
        if any(number in edition.read for edition in day.editions.values()):
            day.kept.put(number, rows, version_of)
        return rows, version_of, np.concatenate(steps)

    async def _runs(self, day: _Day, number: int, stored: Rows) -> Sequence[tuple[int, int, int]]:
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

    async def _know(self, day: _Day, versions: Iterable[int]) -> None:
        """Compile versions that the day needs; those that there are not stay unknown."""
        for version in versions:
            edition = await self.versions.edition(day.cursor, version)
            if edition is not None:
                day.editions[version] = edition

    async def _fold(
        self, cursor: AsyncCursor, edition: Edition, point: int, begin: int, end: int
    ) -> tuple[Rows, Rows]:
        """Interval and step rows of one point (plan index) under one version."""
        state, numbers = edition.state, edition.numbers
        if point >= edition.plan.n_measured:
            inputs = np.unique(edition.plan.computed[point - edition.plan.n_measured].reads)
            edges = np.full(inputs.size, begin), np.full(inputs.size, end)
            loaded = await load_readings(cursor, state, numbers, inputs, *edges)
            self.tally.readings += len(loaded)
            return late.recompute(state, from_loaded(loaded), point, begin, end), np.zeros(0, STEP_ROW)
        spans = late.Spans(np.array([point]), np.array([begin]), np.array([end]))
        loaded = await load_readings(cursor, state, numbers, spans.point, spans.begin, spans.end)
        self.tally.readings += len(loaded)
        return late.refold(state, as_signals(loaded, spans.point), spans)


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


def _zone(day: _Day) -> str:
    return str(next(iter(day.editions.values())).plan.zone)


def _no(table: StoredTable) -> Rows:
    return np.zeros(0, table.source.dtype)


def _as_booked(steps: Rows) -> Rows:
    """Counter steps as the ledger has them."""
    rows = np.zeros(steps.size, LEDGER.source.dtype)
    for name in rows.dtype.names or ():
        rows[name] = steps["step_class" if name == "class" else name]
    return rows
