"""The statements by which facts are written, each inside the caller's transaction.

Columns come in as plan indices and leave as the store's numbers. Who may write,
and when a transaction begins and ends, is the writer's business.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from psycopg import AsyncCursor, sql

from ingest.pipeline.batch import Batch, BoolArray, IntArray, Readings, Rows
from ingest.pipeline.late import Spans
from ingest.store.registry import Numbers
from ingest.store.tables import INTERVAL, READING, FigureTable


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every row of one transaction carries."""

    batch_no: int
    known_at: int
    plan_version: int


async def write_readings(cursor: AsyncCursor, readings: Readings, numbers: Numbers, stamp: Stamp) -> None:
    """COPY readings, those of a point together: so its index entries go to one page, not to one of each point."""
    if len(readings):
        order = np.argsort(readings.point, kind="stable")
        await READING.copy(cursor, len(readings), reading_columns(readings.take(order), numbers, stamp))


def reading_columns(readings: Readings, numbers: Numbers, stamp: Stamp) -> dict[str, np.ndarray | int]:
    """The columns of `reading` for COPY."""
    return {
        "point_no": numbers.points[readings.point],
        "measured_at": readings.measured_at,
        "received_at": readings.received_at,
        "value": readings.value,
        "quality": readings.quality,
        "reasons": readings.reasons,
        "seq": readings.seq,
        "batch_no": stamp.batch_no,
    }


async def stage_intervals(
    cursor: AsyncCursor,
    rows: Rows,
    numbers: Numbers,
    stamp: Stamp,
    *,
    revision: int,
    cause: int | IntArray = 0,
) -> None:
    """COPY interval rows into the staging table; the caller merges."""
    await _stage(cursor, INTERVAL, numbers.points[rows["segment"]], rows, stamp, revision, cause)


async def stage_rows(
    cursor: AsyncCursor,
    table: FigureTable,
    key: str,
    numbers: np.ndarray,
    rows: Rows,
    stamp: Stamp,
    *,
    revision: int = 1,
    cause: int | IntArray = 0,
) -> None:
    """COPY figure rows and merge them; a `revision` above 1 is that of what was recomputed."""
    if rows.size:
        await _stage(cursor, table, numbers[rows[key]], rows, stamp, revision, cause)
        await cursor.execute(table.merge if revision == 1 else table.revise)


async def _stage(
    cursor: AsyncCursor,
    table: FigureTable,
    keys: np.ndarray,
    rows: Rows,
    stamp: Stamp,
    revision: int,
    cause: int | IntArray,
) -> None:
    if rows.size:
        await table.staged.copy(
            cursor, rows.size, figure_columns(table, keys, rows, stamp, revision=revision, cause=cause)
        )


def figure_columns(
    table: FigureTable,
    keys: np.ndarray,
    rows: Rows,
    stamp: Stamp,
    *,
    revision: int = 1,
    cause: int | IntArray = 0,
) -> dict[str, np.ndarray | int]:
    """The columns of figure rows of `keys` for COPY."""
    figures = {name: rows[name] for name in table.staged.columns if name in (rows.dtype.names or ())}
    return {
        **figures,
        table.key: keys,
        "revision": revision,
        "cause": cause,
        "plan_version": stamp.plan_version,
        "known_at": stamp.known_at,
        "batch_no": stamp.batch_no,
    }


async def unstage_intervals(cursor: AsyncCursor, pairs: IntArray) -> None:
    """Take interval rows of (point number, start_at) out of the staging table again."""
    if pairs.size:
        await cursor.execute(
            """
            DELETE FROM staged_interval s USING unnest(%s::int[], %s::bigint[]) AS held (point_no, start_us)
             WHERE s.point_no = held.point_no
               AND s.start_at = to_timestamp(0) + held.start_us * interval '1 microsecond'
            """,
            [pairs[:, 0].tolist(), pairs[:, 1].tolist()],
        )


async def delete_rows(
    cursor: AsyncCursor,
    table: FigureTable,
    numbers: np.ndarray,
    pairs: IntArray,
    *,
    revision: int | None = None,
) -> None:
    """Delete the rows of (plan index, start_at) pairs; with `revision` only those that have it."""
    if not pairs.size:
        return
    await cursor.execute(
        sql.SQL(
            """
            DELETE FROM {table} f USING unnest(%s::int[], %s::bigint[]) AS gone (n, start_us)
             WHERE f.{key} = gone.n AND f.start_at = to_timestamp(0) + gone.start_us * interval '1 microsecond'
               AND f.revision = coalesce(%s, f.revision)
            """
        ).format(table=sql.Identifier(table.name), key=sql.Identifier(table.key)),
        [numbers[pairs[:, 0]].tolist(), pairs[:, 1].tolist(), revision],
    )


async def delete_unstaged(cursor: AsyncCursor, spans: Spans) -> list[tuple[int, int]]:
    """Delete interval rows in spans of point numbers that are not staged; their (point_no, start_at in µs)."""
    # EXCEPT compares two sets in one pass each; an anti-join of a table without statistics may be a nested loop.
    await cursor.execute(
        """
        SELECT point_no, (extract(epoch FROM start_at) * 1000000)::bigint
          FROM (SELECT i.point_no, i.start_at
                  FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS span (point_no, begin_us, end_us)
                  JOIN interval i ON i.point_no = span.point_no
                       AND i.start_at >= to_timestamp(0) + span.begin_us * interval '1 microsecond'
                       AND i.start_at < to_timestamp(0) + span.end_us * interval '1 microsecond'
                EXCEPT
                SELECT point_no, start_at FROM staged_interval) gone
        """,
        [spans.point.tolist(), spans.begin.tolist(), spans.end.tolist()],
    )
    gone: list[tuple[int, int]] = await cursor.fetchall()
    if gone:
        await cursor.execute(
            """
            DELETE FROM interval i USING unnest(%s::int[], %s::bigint[]) AS gone (point_no, start_us)
             WHERE i.point_no = gone.point_no
               AND i.start_at = to_timestamp(0) + gone.start_us * interval '1 microsecond'
            """,
            [[point for point, _ in gone], [start for _, start in gone]],
        )
    return gone


async def replace_steps(
    cursor: AsyncCursor, spans: Spans, steps: Rows, numbers: Numbers, stamp: Stamp
) -> None:
    """Book the steps of spans folded again, and strike those that are no more."""
    await cursor.execute(
        """
        DELETE FROM ledger l
         USING unnest(%s::int[], %s::bigint[], %s::bigint[]) AS span (point_no, begin_us, end_us)
         WHERE l.point_no = span.point_no
           AND l.at > to_timestamp(0) + span.begin_us * interval '1 microsecond'
           AND l.at <= to_timestamp(0) + span.end_us * interval '1 microsecond'
           AND NOT EXISTS (
               SELECT FROM unnest(%s::int[], %s::bigint[], %s::int[]) AS step (point_no, at_us, class)
                WHERE step.point_no = l.point_no AND step.class = l.class
                  AND l.at = to_timestamp(0) + step.at_us * interval '1 microsecond')
        """,
        [
            numbers.points[spans.point].tolist(), spans.begin.tolist(), spans.end.tolist(),
            numbers.points[steps["segment"]].tolist(), steps["at"].tolist(),
            steps["step_class"].tolist(),
        ],
    )  # fmt: skip
    await write_steps(cursor, steps, numbers, stamp)


async def write_steps(cursor: AsyncCursor, steps: Rows, numbers: Numbers, stamp: Stamp) -> None:
    """Book counter steps that were not normal; at one time a replacement and the step to it may stand."""
    for step in steps:
        await cursor.execute(
            """
            INSERT INTO ledger (point_no, at, previous_at, class, increment, correction, batch_no)
            VALUES (%s, to_timestamp(0) + %s * interval '1 microsecond',
                    to_timestamp(0) + %s * interval '1 microsecond', %s, %s, %s, %s)
            ON CONFLICT (point_no, at, class) DO UPDATE
               SET previous_at = excluded.previous_at, increment = excluded.increment,
                   correction = excluded.correction, batch_no = excluded.batch_no
             WHERE (ledger.previous_at, ledger.increment, ledger.correction)
                   IS DISTINCT FROM (excluded.previous_at, excluded.increment, excluded.correction)
            """,
            [
                int(numbers.points[step["segment"]]),
                int(step["at"]),
                int(step["previous_at"]),
                int(step["step_class"]),
                int(step["increment"]),
                int(step["correction"]),
                stamp.batch_no,
            ],
        )


async def write_frontiers(
    cursor: AsyncCursor, point_no: IntArray, closed_until: IntArray, silent: BoolArray, stamp: Stamp
) -> None:
    """Move the checkpoint of points forward; where no row of theirs ends there, history notes it."""
    if not point_no.size:
        return
    await cursor.execute(
        """
        INSERT INTO point_state (point_no, closed_until, batch_no)
        SELECT p, to_timestamp(0) + c * interval '1 microsecond', %s
          FROM unnest(%s::text::int[], %s::text::bigint[]) AS t (p, c)
        ON CONFLICT (point_no) DO UPDATE SET closed_until = excluded.closed_until, batch_no = excluded.batch_no
        """,
        [stamp.batch_no, array_text(point_no.tolist()), array_text(closed_until.tolist())],
    )
    if silent.any():
        await cursor.execute(
            """
            INSERT INTO frontier_history (point_no, closed_until, batch_no)
            SELECT p, to_timestamp(0) + c * interval '1 microsecond', %s
              FROM unnest(%s::int[], %s::bigint[]) AS t (p, c)
            ON CONFLICT DO NOTHING
            """,
            [stamp.batch_no, point_no[silent].tolist(), closed_until[silent].tolist()],
        )


async def write_latest(cursor: AsyncCursor, batch: Batch, numbers: Numbers, stamp: Stamp) -> None:
    """Replace the changed rows of `kpi_latest`."""
    if not batch.latest:
        return
    rows = batch.latest
    names = (
        "window_us", "from_at", "to_at", "a", "b", "value", "reason", "covered_us", "valid_us", "substituted_us",
        "quality", "reasons",
    )  # fmt: skip
    await cursor.execute(
        """
        INSERT INTO kpi_latest
        SELECT kpi_no, window_us, to_timestamp(0) + from_us * interval '1 microsecond',
               to_timestamp(0) + to_us * interval '1 microsecond', a, b, value, reason, covered_us, valid_us,
               substituted_us, quality, reasons, %(plan_version)s, to_timestamp(0) + %(known_at)s * interval '1 microsecond',
               %(batch_no)s
          FROM unnest(%(kpi_no)s::text::int[], %(window_us)s::text::bigint[], %(from_at)s::text::bigint[],
                      %(to_at)s::text::bigint[], %(a)s::text::float8[], %(b)s::text::float8[], %(value)s::text::float8[],
                      %(reason)s::text::text[], %(covered_us)s::text::bigint[], %(valid_us)s::text::bigint[],
                      %(substituted_us)s::text::bigint[], %(quality)s::text::smallint[], %(reasons)s::text::int[])
               AS t (kpi_no, window_us, from_us, to_us, a, b, value, reason, covered_us, valid_us, substituted_us,
                     quality, reasons)
        ON CONFLICT (kpi_no, window_us) DO UPDATE
           SET (from_at, to_at, a, b, value, reason, covered_us, valid_us, substituted_us, quality, reasons,
                plan_version, known_at, batch_no)
             = (excluded.from_at, excluded.to_at, excluded.a, excluded.b, excluded.value, excluded.reason,
                excluded.covered_us, excluded.valid_us, excluded.substituted_us, excluded.quality, excluded.reasons,
                excluded.plan_version, excluded.known_at, excluded.batch_no)
        """,
        {
            "kpi_no": array_text(numbers.kpis[[row.kpi for row in rows]].tolist()),
            **{name: array_text([getattr(row, name) for row in rows]) for name in names},
            "plan_version": stamp.plan_version,
            "known_at": stamp.known_at,
            "batch_no": stamp.batch_no,
        },
    )


def array_text(values: Iterable[float | str | None]) -> str:
    """An array as PostgreSQL reads it, of numbers and plain words; a list costs psycopg 1 µs an element."""
    return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}"
