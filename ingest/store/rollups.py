"""Hour and day rollups, kept in the transaction that changes an interval.

An hour says what its closed intervals say, a day what its hours say, so live view,
report and dashboard read one thing. Sums run in the order of time: the same
intervals give the same bits, whatever order they came in. So an interval that
follows all others of its hour may simply be added to it (`extend_hours`), which is
what nearly always happens; anything else makes the hour again from all its
intervals (`roll_up`), some 50 µs of scattered rows. Days (and hours, where a zone is
off by half of one) are the site's. The sub-select per hour keeps the planner to the
primary key: joined by point alone, a first import took minutes.
"""

from collections.abc import Sequence
from typing import LiteralString

from psycopg import AsyncCursor, sql

from ingest.store.arithmetic import FIGURES, quality_of
from ingest.store.facts import array_text
from kernels.rows import NO_COUNT

_COLUMNS = (
    "amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us, quality, reasons, intervals,"
    " known_at, batch_no"
)
_SUMS = """
    sum(i.mean * (i.valid_us + i.substituted_us) ORDER BY i.start_at),
    sum(i.valid_us + i.substituted_us) FILTER (WHERE i.mean IS NOT NULL)
"""


def _sum_of(column: LiteralString) -> sql.Composed:
    """The hour's and the interval's together, as sum() would have it: what is NULL is nothing."""
    return sql.SQL(
        "CASE WHEN h.{0} IS NULL THEN excluded.{0} WHEN excluded.{0} IS NULL THEN h.{0} ELSE h.{0} + excluded.{0} END"
    ).format(sql.Identifier(column))


def _replacing(columns: LiteralString) -> sql.Composed:
    """What stands there gives way to the new row."""
    return sql.SQL(
        "ON CONFLICT (point_no, start_at) DO UPDATE SET ({columns}) = ROW(excluded.{excluded})"
    ).format(columns=sql.SQL(columns), excluded=sql.SQL(columns.replace(", ", ", excluded.")))


_EXTENDED = sql.SQL(
    """
    WITH fresh AS MATERIALIZED (
        SELECT point_no, start_at, date_trunc('hour', start_at, %(zone)s) AS hour_at,
               NULLIF(amount, 'NaN') AS amount, NULLIF(amount_count, {no_count}) AS amount_count,
               NULLIF(mean, 'NaN') AS mean, NULLIF(min, 'NaN') AS min, NULLIF(max, 'NaN') AS max, covered_us,
               valid_us, substituted_us, valid_us + substituted_us AS used_us, quality, reasons, known_at, batch_no
          FROM staged_interval WHERE revision > 0
    ), barred AS (
        SELECT FROM fresh f
         WHERE EXISTS (SELECT FROM interval i
                        WHERE i.point_no = f.point_no AND i.revision > 0 AND i.start_at >= f.start_at
                          AND i.start_at < f.hour_at + interval '1 hour')
            OR (f.amount_count IS NOT NULL  -- the hour's may have left bigint, and come back
                AND (SELECT h.amount IS NOT NULL AND h.amount_count IS NULL FROM interval_hour h
                      WHERE h.point_no = f.point_no AND h.start_at = f.hour_at))
    )
    INSERT INTO interval_hour AS h (point_no, start_at, {columns}, mean_sum, mean_us)
    SELECT point_no, hour_at, amount, amount_count, mean * used_us / NULLIF(used_us, 0)::double precision, min, max,
           covered_us, valid_us, substituted_us, {quality_of_one}, reasons, 1, known_at, batch_no,
           mean * used_us, CASE WHEN mean IS NOT NULL THEN used_us END
      FROM fresh WHERE NOT EXISTS (SELECT FROM barred)
    ON CONFLICT (point_no, start_at) DO UPDATE
       SET amount = {amount},
           amount_count = CASE WHEN excluded.amount IS NULL THEN h.amount_count
                               WHEN h.amount IS NULL THEN excluded.amount_count
                               WHEN abs(h.amount_count::numeric + excluded.amount_count) <= {most}
                               THEN h.amount_count + excluded.amount_count END,
           mean_sum = {mean_sum},
           mean_us = {mean_us},
           mean = {mean_sum} / NULLIF({mean_us}, 0)::double precision,
           min = LEAST(h.min, excluded.min),
           max = GREATEST(h.max, excluded.max),
           covered_us = h.covered_us + excluded.covered_us,
           valid_us = h.valid_us + excluded.valid_us,
           substituted_us = h.substituted_us + excluded.substituted_us,
           quality = {quality_of_both},
           reasons = h.reasons | excluded.reasons,
           intervals = h.intervals + 1,
           known_at = GREATEST(h.known_at, excluded.known_at),
           batch_no = GREATEST(h.batch_no, excluded.batch_no)
    """
).format(
    columns=sql.SQL(_COLUMNS),
    no_count=sql.Literal(int(NO_COUNT)),
    most=sql.Literal(2**63 - 1),
    amount=_sum_of("amount"),
    mean_sum=_sum_of("mean_sum"),
    mean_us=_sum_of("mean_us"),
    quality_of_one=quality_of("used_us", "substituted_us", "quality"),
    quality_of_both=quality_of(
        "h.valid_us + h.substituted_us + excluded.valid_us + excluded.substituted_us",
        "h.substituted_us + excluded.substituted_us",
        "GREATEST(h.quality, excluded.quality)",
    ),
)

_HOURS = sql.SQL(
    """
    WITH touched AS (
        SELECT DISTINCT point_no, date_trunc('hour', start_at, %(zone)s) AS start_at
          FROM (SELECT point_no, start_at FROM staged_interval WHERE revision > 0
                UNION ALL
                SELECT p, to_timestamp(0) + s * interval '1 microsecond'
                  FROM unnest(%(points)s::text::int[], %(starts)s::text::bigint[]) AS other (p, s)) changed
    )
    INSERT INTO interval_hour (point_no, start_at, {columns}, mean_sum, mean_us)
    SELECT t.point_no, t.start_at, f.*
      FROM touched t
     CROSS JOIN LATERAL (
           SELECT {figures}, count(*), max(i.known_at), max(i.batch_no), {sums}
             FROM interval i
            WHERE i.point_no = t.point_no AND i.revision > 0
              AND i.start_at >= t.start_at AND i.start_at < t.start_at + interval '1 hour'
            HAVING count(*) > 0) f
    {replace}
    """
).format(
    columns=sql.SQL(_COLUMNS),
    figures=FIGURES,
    sums=sql.SQL(_SUMS),
    replace=_replacing(f"{_COLUMNS}, mean_sum, mean_us"),
)

_DAYS = sql.SQL(
    """
    WITH touched AS (
        SELECT DISTINCT point_no, date_trunc('day', start_at, %(zone)s) AS start_at
          FROM (SELECT point_no, start_at FROM staged_interval WHERE revision > 0
                UNION ALL
                SELECT p, to_timestamp(0) + s * interval '1 microsecond'
                  FROM unnest(%(points)s::text::int[], %(starts)s::text::bigint[]) AS other (p, s)) changed
    )
    INSERT INTO interval_day (point_no, start_at, {columns})
    SELECT t.point_no, t.start_at, f.*
      FROM touched t
     CROSS JOIN LATERAL (
           SELECT {figures}, sum(i.intervals), max(i.known_at), max(i.batch_no)
             FROM interval_hour i
            WHERE i.point_no = t.point_no AND i.start_at >= t.start_at
              AND i.start_at < (t.start_at AT TIME ZONE %(zone)s + interval '1 day') AT TIME ZONE %(zone)s
            HAVING count(*) > 0) f
    {replace}
    """
).format(
    columns=sql.SQL(_COLUMNS),
    figures=FIGURES,
    replace=_replacing(_COLUMNS),
)

_MADE = sql.SQL(
    """
    SELECT date_trunc({span}, i.start_at, {zone}), {figures}, {intervals}, {sums} FROM {parts} i GROUP BY 1
    """
)

_EMPTIED = sql.SQL(
    """
    DELETE FROM {table} r
     USING (SELECT DISTINCT p, date_trunc({span}, to_timestamp(0) + s * interval '1 microsecond', %(zone)s) AS start_at
              FROM unnest(%(points)s::int[], %(starts)s::bigint[]) AS gone (p, s)) t
     WHERE r.point_no = t.p AND r.start_at = t.start_at
       AND NOT EXISTS (
           SELECT FROM interval i
            WHERE i.point_no = t.p AND i.revision > 0 AND i.start_at >= t.start_at
              AND i.start_at < (t.start_at AT TIME ZONE %(zone)s + interval {length}) AT TIME ZONE %(zone)s)
    """
)
_EMPTIED_HOURS = _EMPTIED.format(table=sql.Identifier("interval_hour"), span="hour", length="1 hour")
_EMPTIED_DAYS = _EMPTIED.format(table=sql.Identifier("interval_day"), span="day", length="1 day")


async def extend_hours(cursor: AsyncCursor, zone: str) -> bool:
    """Add the staged intervals, at most one of a point, to their hours; to be called before they are merged.

    Returns:
        Whether it could be done; else the hours have to be made again after merging.
    """
    await cursor.execute(_EXTENDED, {"zone": zone})
    return cursor.rowcount > 0


async def roll_up(
    cursor: AsyncCursor,
    zone: str,
    gone: Sequence[tuple[int, int]] = (),
    *,
    hours: bool = True,
    appended: Sequence[tuple[int, int]] = (),
) -> None:
    """Make the hours and days of the staged intervals again; inside the caller's transaction.

    `gone` are (point_no, start_at in µs) of intervals that were deleted in it, `appended` at
    least one in each hour of those that were stored without being staged. `hours` is False
    where they have been extended.
    """
    if gone:
        deleted = {"zone": zone, "points": [p for p, _ in gone], "starts": [start for _, start in gone]}
        await cursor.execute(_EMPTIED_HOURS, deleted)
        await cursor.execute(_EMPTIED_DAYS, deleted)
    others = [*gone, *appended]
    values = {
        "zone": zone,
        "points": array_text(point for point, _ in others),
        "starts": array_text(start for _, start in others),
    }
    if hours:
        await cursor.execute(_HOURS, values)
    await cursor.execute(_DAYS, values)


def hours_of(intervals: sql.Composable, zone: str) -> sql.Composed:
    """The hours of a relation of intervals, as `roll_up` makes them; start_at, figures, intervals, sums of means."""
    return _MADE.format(
        span="hour",
        zone=zone,
        figures=FIGURES,
        intervals=sql.SQL("count(*)"),
        sums=sql.SQL(_SUMS),
        parts=intervals,
    )


def days_of(hours: sql.Composable, zone: str) -> sql.Composed:
    """The days of a relation of hours, alike."""
    return _MADE.format(
        span="day",
        zone=zone,
        figures=FIGURES,
        intervals=sql.SQL("sum(i.intervals)"),
        sums=sql.SQL(_SUMS),
        parts=hours,
    )
