"""Emissions and KPI values of a day that follow from replayed intervals.

A stored figure is made again under the version it names; one that is not stored,
under the newest version among the intervals it follows from, as ingest would have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from psycopg import AsyncCursor

from ingest.model import NEVER
from ingest.pipeline import closing, late
from ingest.pipeline.batch import EMISSION_ROW, KPI_ROW, IntArray, Rows
from ingest.store.stored import EMISSIONS, KPI_VALUES, StoredTable
from ingest.store.versions import Edition
from kernels.rows import INTERVAL_ROW

Replayed = tuple[StoredTable, int, Rows, IntArray, Rows]
"""(table, number, rows that come out, version of each, stored rows)."""


@dataclass(slots=True)
class Kept:
    """Intervals of points that KPIs and sources read."""

    rows: dict[int, tuple[Rows, IntArray]] = field(default_factory=dict)
    """By point number: rows in order of time, and the version of each."""
    replayed: set[int] = field(default_factory=set)
    """Of which points they have come out; of others they are as they are stored."""

    def put(self, number: int, rows: Rows, version: IntArray) -> None:
        """Keep what came out of a point, be it nothing."""
        self.rows[number] = (rows, version)
        self.replayed.add(number)

    def borrow(self, number: int, stored: Rows) -> None:
        """Take intervals of a point that is not replayed as they are stored."""
        rows = np.zeros(stored.size, INTERVAL_ROW)
        for name in rows.dtype.names or ():
            if name != "segment":
                rows[name] = stored[name]
        self.rows[number] = (rows, stored["plan_version"].astype(np.int64))

    def lacks(self, edition: Edition) -> set[int]:
        """The points that are read beside replayed ones by the KPIs and sources of a version."""
        numbers = [set(edition.numbers.points[list(one.points)].tolist()) for one in edition.plan.readers]
        return {one for some in numbers if some & self.replayed for one in some} - self.rows.keys()

    def segments(self, edition: Edition, points: tuple[int, ...]) -> Rows:
        """Rows of points (plan indices), `segment` their index; those that are not kept have none."""
        parts = [np.zeros(0, INTERVAL_ROW)]
        for p in points:
            rows, _ = self.rows.get(int(edition.numbers.points[p]), (parts[0], None))
            parts.append(rows.copy())
            parts[-1]["segment"] = p
        return np.concatenate(parts)

    def newest(self, edition: Edition, points: tuple[int, ...], starts: IntArray) -> IntArray:
        """The newest version among the points' rows of each interval."""
        found = np.zeros(starts.size, np.int64)
        for p in points:
            rows, version = self.rows[int(edition.numbers.points[p])]
            _, mine, theirs = np.intersect1d(starts, rows["start_at"], return_indices=True)
            found[mine] = np.maximum(found[mine], version[theirs])
        return found

    def has(self, edition: Edition, points: tuple[int, ...]) -> bool:
        """Whether all of the points are here and any of them was replayed."""
        numbers = set(edition.numbers.points[list(points)].tolist())
        return numbers <= self.rows.keys() and not numbers.isdisjoint(self.replayed)


class Figures:
    """The figures of one day in one snapshot."""

    def __init__(
        self,
        cursor: AsyncCursor,
        editions: dict[int, Edition],
        kept: Kept,
        closed_until: dict[int, int],
        closed_since: dict[int, int],
        begin: int,
        end: int,
    ) -> None:
        """Of the intervals in `kept` under the versions that made them.

        What is stored of intervals between `closed_until` and `closed_since` is not looked at.
        """
        self._cursor = cursor
        self._editions = editions
        self._kept = kept
        self._closed_until = closed_until
        self._closed_since = closed_since
        self._span = begin, end

    async def replayed(self, names: dict[str, dict[int, str]]) -> list[Replayed]:
        """What comes out of every source and KPI that reads a replayed point, and what is stored."""
        emitted = {version: self._emissions(edition) for version, edition in self._editions.items()}
        summed = {version: self._kpis(edition) for version, edition in self._editions.items()}
        found = []
        for number in names["source"]:
            uses = dict(self._uses("source", number))
            if self._replayed(uses):
                found.append(await self._chosen(EMISSIONS, number, uses, emitted))
        for number in names["kpi"]:
            uses = dict(self._uses("kpi", number))
            if self._replayed(uses):
                found.append(await self._chosen(KPI_VALUES, number, uses, summed))
        return found

    def _uses(self, kind: str, number: int) -> Iterator[tuple[int, tuple[int, tuple[int, ...]]]]:
        """(version, (plan index, points it reads)) in the versions that have it."""
        for version, edition in self._editions.items():
            numbers = edition.numbers.kpis if kind == "kpi" else edition.numbers.sources
            for index in np.flatnonzero(numbers == number).tolist():
                plan = edition.plan
                points = plan.kpis[index].points if kind == "kpi" else plan.sources[index].points
                yield version, (index, points)

    def _replayed(self, uses: dict[int, tuple[int, tuple[int, ...]]]) -> bool:
        return bool(uses) and all(
            self._kept.has(self._editions[version], points) for version, (_, points) in uses.items()
        )

    async def _chosen(
        self,
        table: StoredTable,
        number: int,
        uses: dict[int, tuple[int, tuple[int, ...]]],
        made: dict[int, Rows],
    ) -> Replayed:
        """Of what comes out under each version the rows that are that version's."""
        stored = await table.fetch(self._cursor, number, *self._span)
        numbers = {
            int(self._editions[version].numbers.points[p])
            for version, (_, points) in uses.items()
            for p in points
        }
        until = min(self._closed_until.get(one, NEVER) for one in numbers)
        since = min(self._closed_since.get(one, NEVER) for one in numbers)
        stored = stored[(stored["start_at"] < until) | (stored["start_at"] >= since)]
        key = "kpi" if table is KPI_VALUES else "source"
        parts = [np.zeros(0, KPI_ROW if key == "kpi" else EMISSION_ROW)]
        versions = [np.zeros(0, np.int64)]
        for version, (index, points) in uses.items():
            rows = made[version][made[version][key] == index]
            wanted = self._kept.newest(self._editions[version], points, rows["start_at"])
            _, mine, theirs = np.intersect1d(rows["start_at"], stored["start_at"], return_indices=True)
            named = stored["plan_version"][theirs]
            known = np.isin(named, list(uses))
            wanted[mine[known]] = named[known]
            parts.append(rows[wanted == version])
            versions.append(np.full(parts[-1].size, version))
        rows, version_of = np.concatenate(parts), np.concatenate(versions)
        order = np.argsort(rows["start_at"], kind="stable")
        return table, number, rows[order], version_of[order], stored

    def _emissions(self, edition: Edition) -> Rows:
        points = tuple(sorted({point for source in edition.plan.sources for point in source.points}))
        return closing.emissions(edition.plan, self._kept.segments(edition, points))

    def _kpis(self, edition: Edition) -> Rows:
        plan, state = edition.plan, edition.state
        for k, kpi in enumerate(plan.kpis):
            numbers = edition.numbers.points[list(kpi.points)].tolist()
            state.kpi_closed[k] = min(self._closed_until.get(number, NEVER) for number in numbers)
        points = tuple(sorted({point for kpi in plan.kpis for point in kpi.points}))
        rows = self._kept.segments(edition, points)
        if not rows.size:
            return np.zeros(0, KPI_ROW)
        every = np.stack([rows["segment"], rows["start_at"]], axis=1)
        return late.kpi_rows(state, edition.terms, rows, every).rows
