"""The interval rows that an uncertainty follows from, summed in the database to buckets.

A year of minutes of ten points is five million rows: what is asked for is grouped by hours,
or by what divides the windows. Rows are those that stand, or stood as of an earlier batch.
"""

import math
from collections.abc import Sequence

from ingest.model import HOUR, Quality
from ingest.uncertainty.contributions import PointRows
from service import past
from service.as_of import Known
from service.store import Connection, rows
from service.times import to_datetime
from service.uncertainty import as_point_rows

_HELD = "CASE WHEN abs({0}) > 1e290 THEN 'Infinity' ELSE {0} END"
"""The database refuses a sum that no float holds; of what is near it nothing is known."""


async def read(
    connection: Connection,
    points: Sequence[str],
    from_at: int,
    to_at: int,
    grain_us: int,
    known: Known,
    *,
    kpi: str | None = None,
    sources: Sequence[str] = (),
) -> dict[str, PointRows]:
    """Intervals of points over [from_at, to_at) µs, joined to buckets of `grain_us` per plan version.

    With `kpi` only those intervals that the KPI has a row for: the figure's own. Without,
    those that are not bad. The version is the figure's, which a restatement may have made of intervals
    of another: that of the KPI's row, or the newest of those of `sources`; the interval's where there is none.
    """
    span = "start_at >= %(from)s AND start_at < %(to)s"
    columns = f"""
        point_no, start_at, {_HELD.format("amount")} AS amount, {_HELD.format("mean")} AS mean, covered_us,
        valid_us + substituted_us AS used_us, plan_version, quality
    """
    chosen = f"point_no IN (SELECT point_no FROM point WHERE id = ANY(%(points)s)) AND {span}"  # noqa: S608  as below
    version = "i.plan_version"
    source = f"({past.rows_of('interval', columns, chosen, known)}) i JOIN point p USING (point_no)"
    where = f"WHERE i.quality < {int(Quality.BAD)}"
    if kpi is not None:
        of_kpi = f"kpi_no = (SELECT kpi_no FROM kpi WHERE id = %(kpi)s) AND {span}"  # noqa: S608  as below
        kpi_rows = past.rows_of("kpi_value", "start_at, plan_version AS under", of_kpi, known)
        source += f" JOIN ({kpi_rows}) f USING (start_at)"
        where, version = "", "f.under"
    elif sources:
        of_sources = f"source_no IN (SELECT source_no FROM source WHERE id = ANY(%(sources)s)) AND {span}"  # noqa: S608
        emitted = past.rows_of("emission", "start_at, plan_version", of_sources, known)
        source += f"""
            LEFT JOIN (SELECT start_at, max(plan_version) AS under FROM ({emitted}) e GROUP BY 1) f USING (start_at)
        """  # noqa: S608  as below
        version = "COALESCE(f.under, i.plan_version)"
    query = f"""
        SELECT p.id, date_bin(%(grain)s * INTERVAL '1 microsecond', start_at, '1970-01-01T00:00Z'), sum(i.amount),
               sum(i.mean * i.used_us) / NULLIF(sum(i.used_us) FILTER (WHERE i.mean IS NOT NULL), 0)::float8,
               sum(i.covered_us)::bigint, {version}
          FROM {source} {where} GROUP BY 1, 2, 6 ORDER BY 1, 2
    """  # noqa: S608  fragments of this module
    values = {
        "points": list(points), "from": to_datetime(from_at), "to": to_datetime(to_at), "grain": grain_us,
        "kpi": kpi, "sources": list(sources), "batch": known.batch_no,
    }  # fmt: skip
    return as_point_rows(await rows(connection, query, values))


def grain_of(*spans_us: int) -> int:
    """The largest bucket of at most an hour that divides all spans and the hour."""
    return math.gcd(HOUR, *spans_us)
