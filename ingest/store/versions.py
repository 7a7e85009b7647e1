"""The versions of a site's plant file, and which of them is in force where.

A version is taken by ingest at its points' frontiers, which differ: one that was
waiting for its next reading closes its last intervals under the new version. So what
is in force is a fact of each point (`plan_in_force`), written when a version is
taken. Names lead to numbers as they did then: a point that was renamed since is
found under both names.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from psycopg import AsyncConnection, AsyncCursor, sql

from ingest.model import NEVER
from ingest.pipeline.batch import IntArray
from ingest.pipeline.kpis import Terms
from ingest.pipeline.state import SiteState
from ingest.plant import plan_from_body
from ingest.plant.plan import Plan
from ingest.store.names import numbers_then
from ingest.store.registry import Numbers
from ingest.store.tables import EMISSION, KPI_VALUE

KINDS = {"point": "points", "kpi": "kpis", "source": "sources"}
"""What has numbers, and under which key of a plant file it stands."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One version, ready to fold."""

    plan: Plan
    state: SiteState
    terms: Terms
    numbers: Numbers
    points: dict[int, int]
    """Plan index of each point number."""
    read: frozenset[int]
    """Numbers of the points that KPIs and sources read."""

    @staticmethod
    def of(plan: Plan, known: dict[str, dict[str, int]]) -> "Edition":
        """Of a plan; `known` gives its names numbers."""
        numbers = Numbers(
            *(
                np.array([known[kind].get(one.id, -1) for one in named], np.int64)
                for kind, named in (("point", plan.points), ("kpi", plan.kpis), ("source", plan.sources))
            )
        )
        return Edition.over(SiteState(plan), numbers)

    @staticmethod
    def over(state: SiteState, numbers: Numbers) -> "Edition":
        """Of a state's plan, over that state."""
        plan = state.plan
        points = {number: p for p, number in enumerate(numbers.points.tolist()) if number >= 0}
        readers = (reader.points for reader in plan.readers)
        read = frozenset(int(numbers.points[p]) for some in readers for p in some)
        return Edition(plan, state, Terms(plan), numbers, points, read)

    def indices(self, rows: IntArray) -> IntArray:
        """Rows that begin with a point's number with its plan index instead; those of other points are left out."""
        order = np.argsort(self.numbers.points)
        known = self.numbers.points[order]
        place = np.minimum(np.searchsorted(known, rows[:, 0]), known.size - 1)
        mine = known[place] == rows[:, 0]
        found: IntArray = np.column_stack([order[place[mine]], rows[mine, 1:]])
        return found


class Versions:
    """All applied versions of a site, compiled when they are asked for."""

    def __init__(self, site_no: int) -> None:
        """Empty; see `refresh`."""
        self.site_no = site_no
        self._numbers: dict[int, dict[str, dict[str, int]]] = {}
        self._editions: dict[int, Edition] = {}
        self.names: dict[str, dict[int, str]] = {kind: {} for kind in KINDS}
        """Today's name of each number, by kind; in the order of their numbers."""

    @property
    def newest(self) -> int:
        """The newest version that has been applied; 0: none."""
        return max(self._numbers, default=0)

    async def refresh(self, cursor: AsyncCursor) -> None:
        """Learn of versions applied since, and of names given since."""
        for kind in KINDS:
            await cursor.execute(
                sql.SQL("SELECT {}, id FROM {} WHERE site_no = %s ORDER BY 1").format(
                    sql.Identifier(f"{kind}_no"), sql.Identifier(kind)
                ),
                [self.site_no],
            )
            self.names[kind] = dict(await cursor.fetchall())
        await cursor.execute(
            """
            SELECT version, body->>'site', body->'points', body->'kpis', body->'sources' FROM plan_version
             WHERE site_no = %s AND %s < (SELECT max(version) FROM plan_version WHERE site_no = %s)
             ORDER BY version
            """,
            [self.site_no, self.newest, self.site_no],
        )
        found = await cursor.fetchall()
        for place, kind in enumerate(KINDS, start=2):
            known = {name: number for number, name in self.names[kind].items()}
            ids = numbers_then([(row[0], row[1], row[place]) for row in found], known)
            for version, mine in ids.items():
                self._numbers.setdefault(version, {})[kind] = mine

    async def edition(self, cursor: AsyncCursor, version: int) -> Edition | None:
        """A version; None if there is no such."""
        if version not in self._numbers:
            return None
        if version not in self._editions:
            await cursor.execute(
                "SELECT body FROM plan_version WHERE site_no = %s AND version = %s", [self.site_no, version]
            )
            row = await cursor.fetchone()
            assert row is not None
            plan = await asyncio.to_thread(plan_from_body, row[0], version)
            self._editions[version] = Edition.of(plan, self._numbers[version])
        return self._editions[version]


@dataclass(frozen=True, slots=True)
class InForce:
    """Per point number the edges from which versions are in force, ascending."""

    edges: dict[int, tuple[IntArray, IntArray]]
    newest: int

    def at(self, point_no: int, starts: IntArray) -> IntArray:
        """The version in force in each of the intervals; 0: none."""
        if point_no not in self.edges:
            return np.full(starts.size, self.newest)
        from_at, version = self.edges[point_no]
        found: IntArray = np.concatenate([[0], version])[np.searchsorted(from_at, starts, side="right")]
        return found

    def span(self, point_no: int, version: int) -> tuple[int, int]:
        """[begin, end) in which a version is in force at a point; empty where it never is."""
        if point_no not in self.edges:
            return (NEVER, -NEVER) if version == self.newest else (NEVER, NEVER)
        from_at, versions = self.edges[point_no]
        place = int(np.searchsorted(versions, version))
        if place == versions.size or versions[place] != version:
            return NEVER, NEVER
        return int(from_at[place]), int(from_at[place + 1]) if place + 1 < versions.size else -NEVER

    def of_figure(self, inputs: Mapping[int, Sequence[int]], starts: IntArray) -> IntArray:
        """The version in force in a KPI or source: the newest that one of the points it reads is folded by; 0: none.

        That is where ingest took the figure up under a version: at the least of its points' frontiers.

        Args:
            inputs: by version the numbers of the points that it has it read.
            starts: of intervals, µs.
        """
        found = np.zeros(starts.size, np.int64)
        for version in sorted(inputs):
            newest = np.max([self.at(number, starts) for number in inputs[version]], axis=0)
            found[newest == version] = version
        return found

    def between(self, begin: int, end: int) -> set[int]:
        """The versions that are in force at any point in [begin, end)."""
        found: set[int] = set()
        for from_at, version in self.edges.values():
            first = max(int(np.searchsorted(from_at, begin, side="right")) - 1, 0)
            found.update(version[first : int(np.searchsorted(from_at, end))].tolist())
        return found


async def in_force(cursor: AsyncCursor, site_no: int, newest: int) -> InForce:
    """What is in force at every point of a site; `newest` where nobody has written it down."""
    await cursor.execute(
        """
        SELECT point_no, array_agg(version ORDER BY version),
               array_agg(CASE WHEN from_at = '-infinity' THEN %s
                              ELSE (extract(epoch FROM from_at) * 1000000)::bigint END ORDER BY version)
          FROM plan_in_force JOIN point USING (point_no) WHERE site_no = %s GROUP BY point_no
        """,
        [NEVER, site_no],
    )
    return InForce(
        {
            point: (np.array(from_at, np.int64), np.array(version, np.int64))
            for point, version, from_at in await cursor.fetchall()
        },
        newest,
    )


async def named_by_figures(cursor: AsyncCursor, site_no: int, begin: int, end: int) -> set[int]:
    """The versions that closed emissions and KPI values of a site name, of intervals that begin in [begin, end) µs.

    Beside those in force in them these are the ones somebody has restated them under. What was taken away counts, too.
    """
    found = set[int]()
    for table, owner in ((EMISSION, "source"), (KPI_VALUE, "kpi")):
        await cursor.execute(
            sql.SQL(
                """
                WITH own AS MATERIALIZED (SELECT {key} FROM {owner} WHERE site_no = %(site)s)
                SELECT DISTINCT plan_version FROM {table}
                 WHERE {key} = ANY(ARRAY(SELECT {key} FROM own)) AND revision > 0
                   AND start_at >= to_timestamp(0) + %(begin)s * interval '1 microsecond'
                   AND start_at < to_timestamp(0) + %(end)s * interval '1 microsecond'
                UNION
                SELECT plan_version FROM {history}
                 WHERE {key} = ANY(ARRAY(SELECT {key} FROM own)) AND revision > 0
                   AND start_at >= to_timestamp(0) + %(begin)s * interval '1 microsecond'
                   AND start_at < to_timestamp(0) + %(end)s * interval '1 microsecond'
                """
            ).format(
                table=sql.Identifier(table.name),
                history=sql.Identifier(f"{table.name}_history"),
                key=sql.Identifier(table.key),
                owner=sql.Identifier(owner),
            ),
            {"site": site_no, "begin": begin, "end": end},
        )
        found.update(version for (version,) in await cursor.fetchall())
    return found


async def stored_frontiers(cursor: AsyncCursor, site_no: int) -> dict[int, int]:
    """Up to where each point of a site is closed (µs), as far as it is stored."""
    await cursor.execute(
        """
        SELECT point_no, (extract(epoch FROM closed_until) * 1000000)::bigint
          FROM point_state JOIN point USING (point_no) WHERE site_no = %s
        """,
        [site_no],
    )
    return dict(await cursor.fetchall())


async def take_over(connection: AsyncConnection, state: SiteState, numbers: Numbers) -> None:
    """Note that the state's plan is in force from its points' frontiers on, unless it was before."""
    closed_until = state.points["closed_until"].copy()
    for program in state.plan.computed:
        if closed_until[program.point] == NEVER:  # it will begin where its inputs are closed
            closed_until[program.point] = closed_until[list(program.reads)].max()
    await connection.execute(
        """
        INSERT INTO plan_in_force (point_no, version, from_at)
        SELECT p, %s, CASE WHEN c = %s THEN '-infinity' ELSE to_timestamp(0) + c * interval '1 microsecond' END
          FROM unnest(%s::int[], %s::bigint[]) AS t (p, c)
        ON CONFLICT DO NOTHING
        """,
        [state.plan.version, NEVER, numbers.points.tolist(), closed_until.tolist()],
    )
