"""What the same hours of past days came to, for rules that compare the present hour with them.

Of what is stored now, revisions and all: means over covered time of points, Σ/Σ of KPIs, mass over
covered time of sources. An hour without anything usable has no value.
"""

from collections.abc import Mapping, Sequence

from psycopg import AsyncConnection, sql

from ingest.methods.figures import combine
from ingest.model import HOUR
from ingest.pipeline.alerts import AlertBoard
from ingest.plant.plan_alerts import PlanSubject
from ingest.store.registry import Numbers

_POINT = """
    SELECT sum(mean * covered_us) / nullif(sum(covered_us), 0), 0.0, sum(covered_us)
      FROM {hours} JOIN interval f ON f.point_no = %(number)s AND {inside} AND f.mean IS NOT NULL GROUP BY place
"""
_KPI = """
    SELECT sum(a), sum(b), sum(covered_us) FROM {hours} JOIN kpi_value f ON f.kpi_no = %(number)s AND {inside} GROUP BY place
"""
_SOURCE = """
    SELECT sum(mass_kg) / 1000, 0.0, sum(covered_us)
      FROM {hours} JOIN emission f ON f.source_no = %(number)s AND {inside} GROUP BY place
"""
_HOURS = "unnest(%(begin)s::bigint[], %(end)s::bigint[]) WITH ORDINALITY AS h (begin_us, end_us, place)"
_INSIDE = """
    f.start_at >= to_timestamp(0) + h.begin_us * interval '1 microsecond'
    AND f.start_at < to_timestamp(0) + h.end_us * interval '1 microsecond' AND f.quality < 3 AND f.revision > 0
"""
_QUERIES = {"point": _POINT, "interval": _POINT, "kpi": _KPI, "emission": _SOURCE}


async def look_back(connection: AsyncConnection, board: AlertBoard, numbers: Numbers) -> None:
    """Tell the board what it wants to compare the present hour with."""
    wanted = board.wanted()
    if wanted is not None:
        board.compare_with(await _usual(connection, board, numbers, wanted))


async def _usual(
    connection: AsyncConnection,
    board: AlertBoard,
    numbers: Numbers,
    wanted: Mapping[int, Sequence[tuple[int, int]]],
) -> dict[int, list[float]]:
    """Of each rule the values of its wanted hours [begin, end), those there are."""
    found = {}
    for rule, hours in wanted.items():
        subject = board.alerts.subjects[board.alerts.rules[rule].subject]
        query = sql.SQL(_QUERIES[subject.observed]).format(hours=sql.SQL(_HOURS), inside=sql.SQL(_INSIDE))
        number = _number(subject, numbers)
        parameters = {"number": number, "begin": [b for b, _ in hours], "end": [e for _, e in hours]}
        cursor = await connection.execute(query, parameters)
        values = [_value(board, subject, *row) for row in await cursor.fetchall()]
        found[rule] = [value for value in values if value is not None]
    return found


def _number(subject: PlanSubject, numbers: Numbers) -> int:
    of = {"kpi": numbers.kpis, "emission": numbers.sources}.get(subject.observed, numbers.points)
    return int(of[subject.place])


def _value(
    board: AlertBoard, subject: PlanSubject, a: float | None, b: float, covered_us: int
) -> float | None:
    if a is None or not covered_us:
        return None
    match subject.observed:
        case "kpi":
            return combine(board.plan.kpis[subject.place].kind, a, b, int(covered_us))[0]
        case "emission":
            return a / (float(covered_us) / HOUR)
        case _:
            return a
