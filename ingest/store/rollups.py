"""Hour and day rollups, kept in the transaction that changes an interval.

An hour is made again from its closed intervals, a day from its hours, so live
view, report and dashboard read one thing. Sums run in the order of time: the
same intervals give the same bits, whatever order they came in. Days (and hours,
where a zone is off by half of one) are the site's. The sub-select per hour keeps the
planner to the primary key: joined by point alone, a first import took minutes.
"""

from collections.abc import Sequence

from psycopg import AsyncCursor, sql

_FIGURES = """
    sum(i.amount ORDER BY i.start_at),
    CASE WHEN count(i.amount_count) = count(i.amount) AND abs(sum(i.amount_count)) <= 9223372036854775807
         THEN sum(i.amount_count)::bigint END,
    sum(i.mean * (i.valid_us + i.substituted_us) ORDER BY i.start_at)
        / NULLIF(sum(i.valid_us + i.substituted_us) FILTER (WHERE i.mean IS NOT NULL), 0)::double precision,
    min(i.min),
    max(i.max),
    sum(i.covered_us)::bigint,
    sum(i.valid_us)::bigint,
    sum(i.substituted_us)::bigint,
    CASE WHEN sum(i.valid_us + i.substituted_us) = 0 THEN 3
         WHEN sum(i.substituted_us) > 0 THEN 2
         WHEN max(i.quality) > 0 THEN 1
         ELSE 0 END,
    bit_or(i.reasons)
"""
_COLUMNS = """(point_no, start_at, amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us,
    quality, reasons, intervals, known_at, batch_no)"""
_REPLACE = """
    ON CONFLICT (point_no, start_at) DO UPDATE
       SET (amount, amount_count, mean, min, max, covered_us, valid_us, substituted_us, quality, reasons, intervals,
            known_at, batch_no)
         = (excluded.amount, excluded.amount_count, excluded.mean, excluded.min, excluded.max, excluded.covered_us,
            excluded.valid_us, excluded.substituted_us, excluded.quality, excluded.reasons, excluded.intervals,
            excluded.known_at, excluded.batch_no)
"""

_HOURS = sql.SQL(
    """
    WITH touched AS (
        SELECT DISTINCT point_no, date_trunc('hour', start_at, %(zone)s) AS start_at
          FROM (SELECT point_no, start_at FROM staged_interval WHERE revision > 0
                UNION ALL
                SELECT p, to_timestamp(0) + s * interval '1 microsecond'
                  FROM unnest(%(points)s::int[], %(starts)s::bigint[]) AS gone (p, s)) changed
    )
    INSERT INTO interval_hour {columns}
    SELECT t.point_no, t.start_at, f.*
      FROM touched t
     CROSS JOIN LATERAL (
           SELECT {figures}, count(*), max(i.known_at), max(i.batch_no)
             FROM interval i
            WHERE i.point_no = t.point_no AND i.revision > 0
              AND i.start_at >= t.start_at AND i.start_at < t.start_at + interval '1 hour'
            HAVING count(*) > 0) f
    {replace}
    """
).format(columns=sql.SQL(_COLUMNS), figures=sql.SQL(_FIGURES), replace=sql.SQL(_REPLACE))

_DAYS = sql.SQL(
    """
    WITH touched AS (
        SELECT DISTINCT point_no, date_trunc('day', start_at, %(zone)s) AS start_at
          FROM (SELECT point_no, start_at FROM staged_interval WHERE revision > 0
                UNION ALL
                SELECT p, to_timestamp(0) + s * interval '1 microsecond'
                  FROM unnest(%(points)s::int[], %(starts)s::bigint[]) AS gone (p, s)) changed
    )
    INSERT INTO interval_day {columns}
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
).format(columns=sql.SQL(_COLUMNS), figures=sql.SQL(_FIGURES), replace=sql.SQL(_REPLACE))


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


async def roll_up(cursor: AsyncCursor, zone: str, gone: Sequence[tuple[int, int]] = ()) -> None:
    """Make the hours and days of the staged intervals again; inside the caller's transaction.

    `gone` are (point_no, start_at in µs) of intervals that were deleted in it.
    """
    values = {"zone": zone, "points": [p for p, _ in gone], "starts": [start for _, start in gone]}
    if gone:
        await cursor.execute(_EMPTIED_HOURS, values)
        await cursor.execute(_EMPTIED_DAYS, values)
    await cursor.execute(_HOURS, values)
    await cursor.execute(_DAYS, values)
