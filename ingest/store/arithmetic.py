"""What interval rows of a point come to together, in the database's words.

Hours, days and whatever else is made of them, now or as of an earlier batch, are made
by the one expression here. Sums run in the order of time, so that the same rows give
the same bits; counts are exact, or none where they leave int64.
"""

from typing import LiteralString

from psycopg import sql


def quality_of(used_us: LiteralString, substituted_us: LiteralString, worst: LiteralString) -> sql.Composed:
    """Quality of a span from its sums and the worst of its parts."""
    return sql.SQL(
        """
        CASE WHEN {used_us} = 0 THEN 3 WHEN {substituted_us} > 0 THEN 2 WHEN {worst} > 0 THEN 1 ELSE 0 END
        """
    ).format(used_us=sql.SQL(used_us), substituted_us=sql.SQL(substituted_us), worst=sql.SQL(worst))


FIGURES = sql.SQL(
    """
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
    {quality},
    bit_or(i.reasons)
"""
).format(
    quality=quality_of("sum(i.valid_us + i.substituted_us)", "sum(i.substituted_us)", "max(i.quality)"),
)
"""What rows `i` of one point come to together, from amount to reasons; of hours and days alike."""
