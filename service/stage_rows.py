"""What a chain is walked over: counts and masses of the days of the site's zone, exact, from stored rows.

A day is a step; the span's own edges cut days. Counts are the int64 of `interval`; masses the float64 of
`emission`, as integers on a common power of two, so nothing is rounded before the answer. A day of a point
that is not covered whole, has a bad interval, or was counted in another resolution has a gap: None.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.model import Quality
from ingest.plant.plan import Plan, PlanSource
from service import past
from service.as_of import Known
from service.frontiers import closed_until
from service.local_time import days
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError
from service.source_ends import closed_ends, lacks_factor
from service.store import Connection, chunks, rows
from service.times import to_datetime

MOST_INTERVALS = 400_000
"""Intervals, of all points and sources together, one answer may read."""
MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class StageRows:
    """Of the days between `edges`: counts by point and masses by source, and what of them is missing."""

    from_at: int
    to_at: int
    edges: Sequence[int]
    """µs, ascending; `from_at` is one of them, step i is [edges[i], edges[i + 1])."""
    counts: Mapping[tuple[int, int], int | None]
    """(plan index, step) → counts; None: a gap."""
    masses: Mapping[tuple[str, int], Sequence[float]]
    """(source, step) → kg of its intervals."""
    short: frozenset[tuple[str, int]]
    """(source, step) of which not all mass is known."""


async def read_rows(
    connection: Connection, plans: PlanCache, site: SitePlan, from_at: int, to_at: int, known: Known
) -> StageRows:
    """What is closed of [from_at, to_at) µs, and of what lies between it and the opening of the books.

    Raises:
        ProblemError: too much would be read.
    """
    plan = site.plan
    chain, length = plan.stages, plan.interval_us
    from_at, to_at = from_at - from_at % length, to_at - to_at % length
    sources = [one for one in plan.sources if one.route == "calculated" and one.account == "gross"]
    ends = await closed_ends(connection, plan, known)
    closed = await closed_until(connection, plan, chain.points, known)
    until = [*(closed.get(point, 0) for point in chain.points), *(ends[one.id][1] for one in sources)]
    to_at = max(from_at, min([to_at, *(one for one in until if one)]))
    opened_at = chain.opened_at
    begin = from_at if opened_at is None or opened_at > from_at else opened_at
    _check_size(plan, len(sources), begin, to_at)
    edges = sorted({begin, from_at, to_at, *(day for day, _ in days(begin, to_at, plan.zone) if day > begin)})
    counts = await _counts(connection, plans, site, edges, known)
    masses, covered = await _masses(connection, {ends[one.id][0]: one for one in sources}, edges, known)
    short = {
        (one.id, step)
        for one in sources
        for step, (start, end) in enumerate(pairwise(edges))
        if covered.get((one.id, step), 0) < end - start
    }
    for one in sources:
        if one.varies:
            for step, span in enumerate(pairwise(edges)):
                if await lacks_factor(connection, plan, one, ends[one.id][0], span, known):
                    short.add((one.id, step))
    return StageRows(from_at, to_at, edges, counts, masses, frozenset(short))


def _check_size(plan: Plan, sources: int, begin: int, to_at: int) -> None:
    count = (len(plan.stages.points) + sources) * ((to_at - begin) // plan.interval_us)
    n_days = sum(1 for _ in days(begin, to_at, plan.zone))
    if count > MOST_INTERVALS or n_days > MOST_DAYS:
        raise ProblemError(
            "too-much-asked",
            f"The chain would be walked over {n_days} days and {count} intervals since its books begin: expected at"
            f" most {MOST_DAYS} and {MOST_INTERVALS}; ask for a shorter span, or declare a later opening.",
        )


async def _counts(
    connection: Connection, plans: PlanCache, site: SitePlan, edges: Sequence[int], known: Known
) -> dict[tuple[int, int], int | None]:
    plan = site.plan
    ids = {plan.points[point].id: point for point in plan.stages.points}
    where = """
        point_no IN (SELECT point_no FROM point WHERE id = ANY(%(ids)s))
        AND start_at >= %(from)s AND start_at < %(to)s
    """
    stood = past.rows_of(
        "interval", "point_no, start_at, amount_count, covered_us, quality, plan_version", where, known
    )
    found = await rows(
        connection,
        f"""
        SELECT p.id, width_bucket(i.start_at, %(edges)s::timestamptz[]) - 1, i.plan_version,
               sum(i.amount_count)::text, sum(i.covered_us)::bigint, max(i.quality), bool_or(i.amount_count IS NULL)
          FROM ({stood}) i JOIN point p USING (point_no) GROUP BY 1, 2, 3
        """,  # noqa: S608  fragments of `past`
        {
            "ids": list(ids),
            "from": to_datetime(edges[0]),
            "to": to_datetime(edges[-1]),
            "edges": [to_datetime(edge) for edge in edges],
            "batch": known.batch_no,
        },
    )
    versions = await plans.versions(connection, site, {one[2] for one in found})
    total: dict[tuple[int, int], int] = defaultdict(int)
    covered: dict[tuple[int, int], int] = defaultdict(int)
    wrong: set[tuple[int, int]] = set()
    for point_id, step, version, count, covered_us, quality, lacks in found:
        key = ids[point_id], step
        total[key] += int(count or 0)
        covered[key] += covered_us
        if lacks or quality >= Quality.BAD or not _alike(plan, versions.get(version), point_id):
            wrong.add(key)
    every = [(point, step) for point in ids.values() for step in range(len(edges) - 1)]
    return {
        key: total[key]
        if key not in wrong and total[key] >= 0 and covered[key] >= edges[key[1] + 1] - edges[key[1]]
        else None
        for key in every
    }


def _alike(plan: Plan, then: Plan | None, point_id: str) -> bool:
    """Whether a point was counted under an earlier plan as it is now."""
    place = None if then is None else then.index.get(point_id)
    if then is None or place is None:
        return False
    was, now = then.points[place], plan.points[plan.index[point_id]]
    return (was.unit, was.resolution) == (now.unit, now.resolution)


async def _masses(
    connection: Connection, sources: Mapping[int, PlanSource], edges: Sequence[int], known: Known
) -> tuple[dict[tuple[str, int], list[float]], dict[tuple[str, int], int]]:
    """Masses by source and step, and how much of the step they cover, µs; the rows `/v1/emissions` sums."""
    where = "source_no = ANY(%(sources)s) AND start_at >= %(from)s AND start_at < %(to)s"
    query = past.rows_of("emission", "source_no, start_at, mass_kg, covered_us", where, known)
    values = {
        "sources": list(sources),
        "from": to_datetime(edges[0]),
        "to": to_datetime(edges[-1]),
        "batch": known.batch_no,
    }
    masses: dict[tuple[str, int], list[float]] = defaultdict(list)
    covered: dict[tuple[str, int], int] = defaultdict(int)
    async for part in chunks(connection, f"{query} ORDER BY source_no, start_at", values):
        for number, start_at, mass_kg, covered_us in part:
            key = sources[number].id, bisect_right(edges, start_at) - 1
            if math.isfinite(mass_kg):
                masses[key].append(mass_kg)
                covered[key] += covered_us
    return masses, covered


def grid_of(values: Iterable[float]) -> int:
    """The k for which every value is a whole number of 2^-k."""
    return max((value.as_integer_ratio()[1].bit_length() - 1 for value in values), default=0)


def on_grid(value: float, k: int) -> int:
    """A value as a whole number of 2^-k; exact for those `grid_of` has seen."""
    number, denominator = value.as_integer_ratio()
    return number << (k - denominator.bit_length() + 1)
