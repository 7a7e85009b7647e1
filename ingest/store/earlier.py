"""Versions before the newest, for what reaches back into their time.

A reading may come so late that the intervals it touches were closed under an older
version of the plant file. Recomputation uses the version in force, so they are folded
again, and what follows from them made again, under that one. What is of the newest
version's time, which is nearly everything, is told by one comparison; older versions
are compiled when first needed and kept. Nothing here makes a version in force at
other times than it was: that is a restatement, by command. What has been restated is
told by the figures themselves, which name their version: those are asked (`named`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from psycopg import AsyncConnection, AsyncCursor

from ingest.model import DAY, HOUR, NEVER
from ingest.pipeline.admission import EarlierLimits, Limits
from ingest.pipeline.batch import BoolArray, IntArray, Readings, Rows
from ingest.pipeline.late import Spans
from ingest.plant.fields import parse_span
from ingest.plant.plan import Plan
from ingest.store.drifted import load_drifted
from ingest.store.versions import (
    Edition,
    InForce,
    Versions,
    in_force,
    named_by_figures,
    stored_frontiers,
)


@dataclass(frozen=True, slots=True)
class Reached:
    """The versions that something reaches, in order; the newest is always among them."""

    editions: Sequence[Edition]
    forces: InForce | None = None
    """None: all of it is of the newest version's time."""

    def own(self, edition: Edition, spans: Spans) -> Spans:
        """The parts of spans (plan indices) in which a version is in force at their points."""
        if self.forces is None:
            return spans
        bounds = [
            self.forces.span(number, edition.plan.version)
            for number in edition.numbers.points[spans.point].tolist()
        ]
        since, until = np.array(bounds, np.int64).reshape(-1, 2).T
        begin, end = np.maximum(spans.begin, since), np.minimum(spans.end, until)
        chosen = end > begin
        return Spans(spans.point[chosen], begin[chosen], end[chosen])

    def own_kpis(self, edition: Edition, pairs: IntArray) -> BoolArray:
        """Which (KPI index, start_at) a version is in force in."""
        inputs = [
            {number: kpi.points for number, kpi in zip(one.numbers.kpis.tolist(), one.plan.kpis, strict=True)}
            for one in self.editions
        ]
        return self._own(edition, edition.numbers.kpis, inputs, pairs)

    def own_sources(self, edition: Edition, pairs: IntArray) -> BoolArray:
        """Which (source index, start_at) a version is in force in."""
        inputs: list[dict[int, tuple[int, ...]]] = [
            {
                number: source.points
                for number, source in zip(one.numbers.sources.tolist(), one.plan.sources, strict=True)
            }
            for one in self.editions
        ]
        return self._own(edition, edition.numbers.sources, inputs, pairs)

    def _own(
        self,
        edition: Edition,
        numbers: IntArray,
        inputs: Sequence[dict[int, tuple[int, ...]]],
        pairs: IntArray,
    ) -> BoolArray:
        own = np.ones(len(pairs), np.bool_)
        if self.forces is None:
            return own
        for index in np.unique(pairs[:, 0]).tolist():
            number, mine = int(numbers[index]), pairs[:, 0] == index
            read = {
                one.plan.version: one.numbers.points[list(known[number])].tolist()
                for one, known in zip(self.editions, inputs, strict=True)
                if number in known
            }
            own[mine] = self.forces.of_figure(read, pairs[mine, 1]) == edition.plan.version
        return own


class Earlier:
    """What was in force at a site before its newest version."""

    def __init__(self, site_no: int, newest: Edition) -> None:
        """Nothing, until it is loaded."""
        self._site_no = site_no
        self.newest = newest
        self._versions = Versions(site_no)
        self._forces = InForce({}, newest.plan.version)
        self._from_at = np.full(len(newest.plan.points), NEVER, np.int64)
        self._mixed_until = np.full(len(newest.plan.kpis), NEVER, np.int64)
        self._edge = NEVER
        self._reach_us = 0
        self._alone = True

    async def load(self, connection: AsyncConnection) -> None:
        """Learn what is in force where; the newest version has been taken over."""
        newest, version = self.newest, self.newest.plan.version
        async with connection.cursor() as cursor:
            self._forces = await in_force(cursor, self._site_no, version)
            self._from_at = np.array(
                [self._forces.span(number, version)[0] for number in newest.numbers.points.tolist()], np.int64
            )
            gone = [
                until
                for number, until in (await stored_frontiers(cursor, self._site_no)).items()
                if number not in newest.points
            ]
            for k, kpi in enumerate(newest.plan.kpis):
                taken = self._from_at[list(kpi.points)]
                self._mixed_until[k] = taken.max() if taken.max() > taken.min() else NEVER
            edge = max([int(self._from_at.max(initial=NEVER)), *gone])
            if edge != NEVER:
                self._reach_us = await _reach(cursor, self._site_no)
                self._edge = edge + self._reach_us
            await cursor.execute(
                "SELECT NOT EXISTS (SELECT FROM plan_version WHERE site_no = %s AND version <> %s)",
                [self._site_no, version],
            )
            row = await cursor.fetchone()
            self._alone = row is not None and bool(row[0])

    def span(self, point_no: int, version: int) -> tuple[int, int]:
        """[begin, end) in which a version is in force at a point; see `InForce.span`."""
        return self._forces.span(point_no, version)

    async def plan(self, connection: AsyncConnection, version: int) -> Plan | None:
        """The plan of an applied version; None: there is no such."""
        async with connection.cursor() as cursor:
            await self._versions.refresh(cursor)
            edition = await self._versions.edition(cursor, version)
        return None if edition is None else edition.plan

    async def reached(self, cursor: AsyncCursor, low: int, high: int) -> Reached:
        """The versions in force where a change of readings, or of intervals, over [low, high] µs may reach."""
        if low >= self._edge:
            return Reached([self.newest])
        version = self.newest.plan.version
        await self._versions.refresh(cursor)
        wanted = self._forces.between(max(low - self._reach_us, NEVER), high + self._reach_us) - {version}
        return await self._those(cursor, wanted)

    async def named(self, cursor: AsyncCursor, reached: Reached, starts: IntArray) -> Reached:
        """What is reached and the versions that figures of intervals (start_at) name: some have been restated.

        A site with one version has nothing to ask. Nobody restates while ingest has the site, so
        that others have been applied is learnt in time when it takes it.
        """
        if self._alone or not starts.size:
            return reached
        known = {edition.plan.version for edition in reached.editions}
        starts, found = np.unique(starts), set[int]()
        for run in np.split(starts, np.flatnonzero(np.diff(starts) > HOUR) + 1):
            found |= await named_by_figures(cursor, self._site_no, int(run[0]), int(run[-1]) + 1)
        if found <= known:
            return reached
        await self._versions.refresh(cursor)
        return await self._those(cursor, (known | found) - {self.newest.plan.version})

    async def _those(self, cursor: AsyncCursor, versions: Iterable[int]) -> Reached:
        """Versions and the newest, ready to fold what is closed."""
        found = [await self._versions.edition(cursor, one) for one in sorted(versions)]
        others = [edition for edition in found if edition is not None]
        stored = await stored_frontiers(cursor, self._site_no)
        for edition in others:
            self._place(edition, stored)
            await load_drifted(cursor, edition.state, edition.numbers)
        return Reached([*others, self.newest], self._forces)

    def set_apart(self, rows: Rows) -> tuple[Rows, IntArray]:
        """KPI rows that close, without those over a change of version: some of what they read was closed before it.

        Their sums have to be those of the stored intervals, each as its version made it.

        Returns:
            The other rows, and for each that is left out (a point it reads, start_at).
        """
        mixed = rows["start_at"] < self._mixed_until[rows["kpi"]]
        if not mixed.any():
            return rows, np.zeros((0, 2), np.int64)
        left = rows[mixed]
        reads = np.array([kpi.points[0] for kpi in self.newest.plan.kpis], np.int64)
        return rows[~mixed], np.column_stack([reads[left["kpi"]], left["start_at"]])

    def _place(self, edition: Edition, stored: dict[int, int]) -> None:
        """Say to an earlier version's state how far its points and KPIs are closed."""
        closed_until, live = edition.state.points["closed_until"], self.newest
        for number, p in edition.points.items():
            here = live.points.get(number)
            closed_until[p] = (
                stored.get(number, NEVER) if here is None else live.state.points["closed_until"][here]
            )
        for k, kpi in enumerate(edition.plan.kpis):
            edition.state.kpi_closed[k] = int(closed_until[list(kpi.points)].min())

    def is_touched(self, readings: Readings) -> bool:
        """Whether any of the readings is of an earlier version's time."""
        return bool((readings.measured_at < self._from_at[readings.point]).any())

    async def limits(self, connection: AsyncConnection, readings: Readings) -> list[EarlierLimits]:
        """The limits of the earlier versions that readings may be of the time of, the newest of them first."""
        points, at = self.newest.numbers.points[: self.newest.plan.n_measured].tolist(), readings.measured_at
        versions = self._forces.between(int(at.min()), int(at.max()) + 1) - {self.newest.plan.version}
        found = []
        async with connection.cursor() as cursor:
            await self._versions.refresh(cursor)
            for version in sorted(versions, reverse=True):
                edition = await self._versions.edition(cursor, version)
                if edition is not None:
                    index = [edition.points.get(number, -1) for number in points]
                    until = [self._forces.span(number, version)[1] for number in points]
                    known = Limits.of(edition.plan).take(np.array(index, np.int64))
                    found.append(EarlierLimits(np.array(until, np.int64), known))
        return found


async def _reach(cursor: AsyncCursor, site_no: int) -> int:
    """How far before itself a reading may change anything under any version of the site, µs.

    A line that ends at it begins at most a max_gap before, and as much before that one of a computed
    point that reads it; an amount is of at most its period.
    """
    await cursor.execute(
        """
        SELECT DISTINCT span.value #>> '{}'
          FROM plan_version,
               jsonb_path_query(body, '$.points[*].keyvalue() ? (@.key == "max_gap" || @.key == "period").value')
               AS span (value)
         WHERE site_no = %s AND jsonb_typeof(span.value) = 'string'
        """,
        [site_no],
    )
    return 3 * max([DAY, *(parse_span(span) for (span,) in await cursor.fetchall())])
