"""What emissions of a past span would be under other factors; nothing is written.

Made of the stored closed intervals by the function that ingest uses
(`ingest.methods.mass`), so it equals what `stackwatt restate` would write. What the
other factors give no mass for is left as it was said.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.errors import InputError
from ingest.methods.changes import Changes
from ingest.methods.mass import masses
from ingest.plant import compile_plan, plan_from_body
from ingest.plant.plan import Plan, PlanSource
from service.plans import SitePlan
from service.problems import ProblemError, invalid
from service.store import Connection, chunks, row, rows
from service.times import to_datetime

MOST_INTERVALS = 400_000
"""Rows, of all points and sources together, one preview may read."""

MOST_DOCUMENTS = 20_000
"""Documents of amounts one preview may weigh again."""

Columns = dict[int, npt.NDArray[np.float64]]
"""By number of a point or source: start in µs, then its figures; ascending in time."""


async def of_version(connection: Connection, site: SitePlan, version: int) -> Plan:
    """A version of a site's plan.

    Raises:
        ProblemError: there is no such.
    """
    found = await row(
        connection,
        "SELECT body FROM plan_version WHERE site_no = %s AND version = %s",
        [site.site_no, version],
    )
    if found is None:
        raise invalid(
            "Query parameter", "plan_version", version, f"a version of {site.plan.site} that was applied"
        )
    return await asyncio.to_thread(plan_from_body, found[0], version)


async def with_values(plan: Plan, values: Mapping[str, float]) -> Plan:
    """A plan with other values of some of its factors.

    Raises:
        ProblemError: it has no such factor, or not of one value.
    """
    factors = {factor.id: factor for factor in plan.file.factors}
    for name in values:
        if name not in factors or factors[name].series:
            known = ", ".join(one.id for one in plan.file.factors if not one.series) or "none"
            raise invalid(
                "Query parameter", "values", name, f"a factor of {plan.site} with one value: {known}"
            )
    changed = tuple(
        factor.model_copy(update={"value": values[factor.id]}) if factor.id in values else factor
        for factor in plan.file.factors
    )
    try:
        return await asyncio.to_thread(compile_plan, plan.file.model_copy(update={"factors": changed}))
    except InputError as error:  # a number that no source can be made of
        raise ProblemError("invalid-parameter", f"Query parameter 'values' makes no plan: {error}.") from None


async def preview(connection: Connection, site: SitePlan, plan: Plan, span: tuple[int, int]) -> Changes:
    """What each metered source of `plan` was over `span` and would be, by month.

    Raises:
        ProblemError: the span holds too many intervals, or documents.
    """
    from_at, to_at = span
    wanted = {point for source in plan.sources for point in source.points}
    count = (len(wanted) + len(plan.sources)) * ((to_at - from_at) // plan.interval_us)
    if count > MOST_INTERVALS:
        raise ProblemError(
            "too-much-asked",
            f"The preview would be made of {count} intervals: expected at most {MOST_INTERVALS}; ask for a shorter span.",
        )
    documents = await row(connection, _DOCUMENTS, [site.site_no, to_datetime(to_at), to_datetime(from_at)])
    if documents is not None and documents[0] > MOST_DOCUMENTS:
        raise ProblemError(
            "too-much-asked",
            f"The preview would be made of {documents[0]} documents: expected at most {MOST_DOCUMENTS};"
            " ask for a shorter span.",
        )
    points = await _numbers(connection, "point", site, [plan.points[point] for point in sorted(wanted)])
    sources = await _numbers(connection, "source", site, plan.sources)
    span_of = {"from": to_datetime(from_at), "to": to_datetime(to_at)}
    intervals = await _columns(connection, _INTERVALS, {**span_of, "numbers": list(points.values())}, 2)
    emitted = await _columns(connection, _EMISSIONS, {**span_of, "numbers": list(sources.values())}, 1)
    changes = Changes(plan.zone)
    for source in plan.sources:
        numbers = [points.get(plan.points[point].id, -1) for point in source.points]
        _count(
            changes,
            source,
            [_of(intervals, n, 2) for n in numbers],
            _of(emitted, sources.get(source.id, -1), 1),
        )
    return changes


_DOCUMENTS = """
    SELECT count(*) FROM document WHERE site_no = %s AND count IS NOT NULL AND from_at < %s AND to_at > %s
"""
_INTERVALS = """
    SELECT point_no, start_at, coalesce(amount, 'NaN'), coalesce(mean, 'NaN') FROM interval
     WHERE point_no = ANY(%(numbers)s) AND start_at >= %(from)s AND start_at < %(to)s AND revision > 0 AND quality < 3
     ORDER BY start_at
"""
_EMISSIONS = """
    SELECT source_no, start_at, mass_kg FROM emission
     WHERE source_no = ANY(%(numbers)s) AND start_at >= %(from)s AND start_at < %(to)s AND revision > 0
     ORDER BY start_at
"""


async def _numbers(connection: Connection, table: Any, site: SitePlan, named: Any) -> dict[str, int]:
    """The store's number of each id, under its present name or one it had before."""
    query = {
        "point": "SELECT id, point_no FROM point WHERE site_no = %s",
        "source": "SELECT id, source_no FROM source WHERE site_no = %s",
    }
    known: dict[str, int] = dict(await rows(connection, query[table], [site.site_no]))
    found = {}
    for one in named:
        for name in (one.id, *one.formerly):
            if name in known:
                found[one.id] = known[name]
                break
    return found


async def _columns(connection: Connection, query: Any, values: dict[str, Any], figures: int) -> Columns:
    gathered: dict[int, list[tuple[float, ...]]] = {}
    async for part in chunks(connection, query, values):
        for number, *rest in part:
            gathered.setdefault(number, []).append(tuple(rest))
    return {number: np.array(found).reshape(-1, 1 + figures).T for number, found in gathered.items()}


def _of(columns: Columns, number: int, figures: int) -> npt.NDArray[np.float64]:
    return columns.get(number, np.zeros((1 + figures, 0)))


def _count(
    changes: Changes,
    source: PlanSource,
    points: list[npt.NDArray[np.float64]],
    emitted: npt.NDArray[np.float64],
) -> None:
    activity = points[0][:, ~np.isnan(points[0][1])]
    factor = None
    if len(points) > 1:
        others = points[1][:, ~np.isnan(points[1][2])]
        _, mine, theirs = np.intersect1d(activity[0], others[0], return_indices=True)
        activity, factor = activity[:, mine], others[2, theirs]
    made_at = activity[0].astype(np.int64)
    made = masses(source, made_at, activity[1], factor)
    known = ~np.isnan(made)
    said_at = emitted[0].astype(np.int64)
    starts = np.union1d(made_at[known], said_at)
    before = np.full(starts.size, np.nan)
    before[np.searchsorted(starts, said_at)] = emitted[1]
    after = before.copy()
    after[np.searchsorted(starts, made_at[known])] = made[known]
    changes.add(source.id, starts, before, after)
