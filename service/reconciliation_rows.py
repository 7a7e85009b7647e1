"""The hours of emission sources as a reconciliation takes them: whole enough, and at their rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.model import HOUR
from ingest.plant.plan import Plan, PlanSource
from ingest.uncertainty.propagation import Floats
from service import past
from service.as_of import Known
from service.store import Connection, rows
from service.times import to_datetime


@dataclass(frozen=True, slots=True)
class SourceHours:
    """Hours of sources, from a first one on."""

    mass_kg: Mapping[str, Floats]
    """By source id; NaN of an hour that is not valid."""
    scales: Mapping[str, Floats]
    """By the id of a source's point: the hour by the part of it that was used; what masses were multiplied by."""


async def read_hours(
    connection: Connection, plan: Plan, sources: Sequence[PlanSource], begin_at: int, n: int, known: Known
) -> SourceHours:
    """The masses of `n` hours from `begin_at`, µs.

    An hour is valid if so much of it is as its point demands, and nothing in it is substituted. What is
    not covered is taken to have been as what is: else a gap of a minute would be a difference.
    """
    chosen = """
        source_no IN (SELECT source_no FROM source WHERE id = ANY(%(sources)s))
        AND start_at >= %(from)s AND start_at < %(to)s
    """
    columns = "source_no, start_at, mass_kg, valid_us, substituted_us"
    query = f"""
        SELECT s.id, date_bin('1 hour', start_at, '1970-01-01T00:00Z'),
               sum(CASE WHEN abs(e.mass_kg) > 1e290 THEN 'NaN' ELSE e.mass_kg END), sum(e.valid_us)::bigint,
               sum(e.substituted_us)::bigint
          FROM ({past.rows_of("emission", columns, chosen, known)}) e JOIN source s USING (source_no)
         GROUP BY 1, 2
    """  # noqa: S608  fragments of this module
    values = {
        "sources": [source.id for source in sources],
        "from": to_datetime(begin_at),
        "to": to_datetime(begin_at + n * HOUR),
        "batch": known.batch_no,
    }
    made = {source.id: np.full(n, np.nan) for source in sources}
    point = {source.id: plan.points[source.point].id for source in sources}
    scales = {name: np.ones(n) for name in point.values()}
    least = {source.id: float(plan.params["min_valid_share"][source.point]) for source in sources}
    for name, start_at, mass, valid_us, substituted_us in await rows(connection, query, values):
        hour, used_us = (start_at - begin_at) // HOUR, valid_us + substituted_us
        if used_us > 0:
            scales[point[name]][hour] = HOUR / used_us
        if valid_us >= least[name] * HOUR and valid_us > 0 and not substituted_us:
            made[name][hour] = mass * (HOUR / valid_us)
    return SourceHours(made, scales)
