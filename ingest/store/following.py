"""Emissions and KPI values that follow from changed intervals, made again.

Each under the version in force in it: its weights, its points, its sources; what has
been restated stays with the version it was restated under. A row that does not come out
any more is taken away. Which intervals changed, and why, is
told by who changed them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from psycopg import AsyncCursor, sql

from ingest.model import Cause
from ingest.pipeline import causes, closing, late
from ingest.pipeline.batch import BoolArray, IntArray, Refigured, Rows
from ingest.store.earlier import Reached
from ingest.store.facts import Stamp, delete_rows, stage_rows
from ingest.store.seals import Touched, touched_by
from ingest.store.stored import INTERVALS_OF_POINTS
from ingest.store.tables import EMISSION, KPI_VALUE, FigureTable
from ingest.store.versions import Edition
from kernels.rows import INTERVAL_ROW

FIRST_LATE_REVISION = 2
"""An interval closed with nothing in it has no row; its first row is the second thing said of it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Which intervals were said anew."""

    pairs: IntArray
    """int64[n, 2]: (point number, start_at)."""
    reached: Reached
    """The versions in force in them."""
    causes: Sequence[IntArray]
    """For each of these the cause of each of its points (plan index)."""

    @staticmethod
    def closed_late(pairs: IntArray, reached: Reached) -> "Changed":
        """Intervals closed behind figures that had gone on without them."""
        return Changed.of(pairs, reached, Cause.LATE)

    @staticmethod
    def of(pairs: IntArray, reached: Reached, cause: Cause) -> "Changed":
        """Intervals all of one cause."""
        causes = [np.full(len(edition.plan.points), int(cause), np.int64) for edition in reached.editions]
        return Changed(pairs, reached, causes)

    def why(self) -> dict[int, int]:
        """By point number the cause of points that something new came to."""
        return {
            number: why
            for edition, cause in zip(self.reached.editions, self.causes, strict=True)
            for number, why in zip(edition.numbers.points.tolist(), cause.tolist(), strict=True)
            if why != Cause.CLOSING
        }

    def under(self, reached: Reached) -> "Changed":
        """The same where other versions are reached too, for the causes that the points have."""
        if reached is self.reached:
            return self
        why = self.why()
        known = {
            edition.plan.version: cause
            for edition, cause in zip(self.reached.editions, self.causes, strict=True)
        }
        for edition in reached.editions:
            numbers = edition.numbers.points.tolist()
            cause = np.array([why.get(number, int(Cause.CLOSING)) for number in numbers], np.int64)
            known.setdefault(edition.plan.version, cause)
        return Changed(self.pairs, reached, [known[edition.plan.version] for edition in reached.editions])

    def touched(self) -> Touched:
        """What follows from them under any of the versions."""
        return Touched.join(
            [
                touched_by(edition.plan, edition.numbers, edition.indices(self.pairs), cause)
                for edition, cause in zip(self.reached.editions, self.causes, strict=True)
            ]
        )


async def refigure(cursor: AsyncCursor, changed: Changed, stamp: Stamp) -> Refigured:
    """Make emissions and KPI values of changed intervals again; the KPI rows that came out, as the newest plan has them.

    `changed` has reached the versions that the stored ones name, too (`Earlier.named`).
    """
    if not changed.pairs.size:
        return Refigured.nothing()
    newest = changed.reached.editions[-1]
    index = {number: k for k, number in enumerate(newest.numbers.kpis.tolist())}
    rows, gone = [Refigured.nothing().rows], [Refigured.nothing().gone]
    for edition, cause in zip(changed.reached.editions, changed.causes, strict=True):
        pairs = edition.indices(changed.pairs)
        if not len(pairs):
            continue
        under = replace(stamp, plan_version=edition.plan.version)
        inputs = await _inputs(cursor, edition, pairs)
        await _emit(cursor, edition, changed.reached, inputs, pairs, cause, under)
        made = await _sum(cursor, edition, changed.reached, inputs, pairs, cause, under)
        place = np.array([index.get(number, -1) for number in edition.numbers.kpis.tolist()], np.int64)
        made.rows["kpi"], made.gone[:, 0] = place[made.rows["kpi"]], place[made.gone[:, 0]]
        rows.append(made.rows[made.rows["kpi"] >= 0])
        gone.append(made.gone[made.gone[:, 0] >= 0])
    return Refigured(np.concatenate(rows), np.concatenate(gone))


async def _emit(
    cursor: AsyncCursor,
    edition: Edition,
    reached: Reached,
    inputs: Rows,
    pairs: IntArray,
    cause: IntArray,
    stamp: Stamp,
) -> None:
    plan, numbers = edition.plan, edition.numbers.sources
    emitted = late.touched(plan, closing.emissions(plan, inputs), pairs)
    gone = late.emissions_gone(plan, emitted, pairs)
    made = np.column_stack([emitted["source"], emitted["start_at"]])
    own = reached.own_sources(edition, made)
    emitted = emitted[await _stays(cursor, EMISSION, edition, reached, numbers[made[:, 0]], made, own)]
    own = reached.own_sources(edition, gone)
    gone = gone[await _stays(cursor, EMISSION, edition, reached, numbers[gone[:, 0]], gone, own)]
    why = causes.of_emissions(plan, emitted, cause)
    await _replace(cursor, EMISSION, "source", numbers, emitted, stamp, why)
    await delete_rows(cursor, EMISSION, numbers, gone)


async def _sum(
    cursor: AsyncCursor,
    edition: Edition,
    reached: Reached,
    inputs: Rows,
    pairs: IntArray,
    cause: IntArray,
    stamp: Stamp,
) -> Refigured:
    plan, numbers = edition.plan, edition.numbers.kpis
    made = late.kpi_rows(edition.state, edition.terms, inputs, pairs)
    rows = np.column_stack([made.rows["kpi"], made.rows["start_at"]])
    own = reached.own_kpis(edition, rows)
    own = await _stays(cursor, KPI_VALUE, edition, reached, numbers[rows[:, 0]], rows, own)
    gone = reached.own_kpis(edition, made.gone)
    gone = await _stays(cursor, KPI_VALUE, edition, reached, numbers[made.gone[:, 0]], made.gone, gone)
    made = Refigured(made.rows[own], made.gone[gone])
    why = causes.of_kpis(plan, made.rows, pairs, cause)
    await _replace(cursor, KPI_VALUE, "kpi", numbers, made.rows, stamp, why)
    await delete_rows(cursor, KPI_VALUE, numbers, made.gone)
    return made


async def _stays(
    cursor: AsyncCursor,
    table: FigureTable,
    edition: Edition,
    reached: Reached,
    number: IntArray,
    pairs: IntArray,
    own: BoolArray,
) -> BoolArray:
    """Which figures are a version's: those it is in force in, but what is stored is that of the version it names.

    So a replay has it too. Both differ only where a restatement has been. Of a figure that was taken away
    what stood last says so.
    """
    if reached.forces is None or not pairs.size:
        return own
    await cursor.execute(
        sql.SQL(
            """
            SELECT place - 1, plan_version
              FROM unnest(%s::int[], %s::bigint[]) WITH ORDINALITY AS asked (n, start_us, place),
                   LATERAL (
                   SELECT plan_version, true AS stands, 0::bigint AS superseded_batch FROM {table} f
                    WHERE f.{key} = asked.n
                          AND f.start_at = to_timestamp(0) + asked.start_us * interval '1 microsecond'
                    UNION ALL
                   SELECT plan_version, false, superseded_batch FROM {history} h
                    WHERE h.{key} = asked.n
                          AND h.start_at = to_timestamp(0) + asked.start_us * interval '1 microsecond'
                    ORDER BY stands DESC, superseded_batch DESC LIMIT 1
                   ) told
             WHERE plan_version = ANY(%s)
            """
        ).format(
            table=sql.Identifier(table.name),
            history=sql.Identifier(f"{table.name}_history"),
            key=sql.Identifier(table.key),
        ),
        [number.tolist(), pairs[:, 1].tolist(), [one.plan.version for one in reached.editions]],
    )
    for place, version in await cursor.fetchall():
        own[place] = version == edition.plan.version
    return own


async def _replace(
    cursor: AsyncCursor,
    table: FigureTable,
    key: str,
    numbers: IntArray,
    rows: Rows,
    stamp: Stamp,
    cause: IntArray,
) -> None:
    # The same transaction may have staged, and merged, rows of the same intervals before.
    await cursor.execute(table.unstage)
    await stage_rows(cursor, table, key, numbers, rows, stamp, revision=FIRST_LATE_REVISION, cause=cause)


async def _inputs(cursor: AsyncCursor, edition: Edition, pairs: IntArray) -> Rows:
    """The closed interval rows of changed points, and of all that readers of any of them read."""
    changed = {int(p) for p in pairs[:, 0]}
    read = [reader.points for reader in edition.plan.readers if changed.intersection(reader.points)]
    index = np.array(sorted(changed.union(*read)), np.int64)
    stored = await INTERVALS_OF_POINTS.fetch(cursor, edition.numbers.points[index], np.unique(pairs[:, 1]))
    order = np.argsort(edition.numbers.points)
    rows = np.zeros(stored.size, INTERVAL_ROW)
    for name in INTERVAL_ROW.names or ():
        if name != "segment":
            rows[name] = stored[name]
    rows["segment"] = order[np.searchsorted(edition.numbers.points[order], stored["point_no"])]
    return rows
