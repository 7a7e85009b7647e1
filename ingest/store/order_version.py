"""Under which version of the plant file the energy of some units is allocated and priced over a span.

The newest that any closed row under it names: the version in force where the span ended, as a KPI is under the newest
version that a point it reads is folded by, or the one it was restated under since. So a finished order keeps its key, its
meters and its prices when a new version is taken. What has another name now is read under that, and told by the old one.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from psycopg import AsyncConnection

from ingest.allocation.lines import Stored, wanted
from ingest.plant.mes_plan import PlanOrderUnit
from ingest.plant.plan import Plan
from ingest.store.allocated import stored_rows

PlanOf = Callable[[int], Awaitable[Plan | None]]
"""The plan of an applied version; None: it cannot be read any more."""
UnitsOf = Callable[[Plan], Sequence[PlanOrderUnit]]


async def under(
    connection: AsyncConnection[Any],
    newest: Plan,
    plan_of: PlanOf,
    units_of: UnitsOf,
    span: tuple[int, int],
    batch_no: int | None,
) -> tuple[Plan, Sequence[PlanOrderUnit], Stored]:
    """The version, its units, and the rows under them, µs, as known at a batch; None: now.

    Args:
        connection: to the store.
        newest: the plan that gives names their numbers.
        plan_of: for versions before it.
        units_of: those that are asked of, in a version; empty where it has none of them.
        span: on edges of intervals.
        batch_no: of which batch.
    """
    version, found = newest.version, None
    while version > 0:
        plan = newest if version == newest.version else await plan_of(version)
        units = () if plan is None else units_of(plan)
        if plan is None or not units:
            version -= 1
            continue
        stored = await stored_rows(
            connection, plan, wanted(plan, units), span, batch_no, _names(newest, plan)
        )
        found = plan, units, stored
        named = _named(stored)
        if named >= version or named == 0:
            break
        version = named
    return found or (newest, units_of(newest), Stored({}, {}))


def _named(stored: Stored) -> int:
    rows = [*stored.meters.values(), *stored.sources.values()]
    return max((int(one.plan_version.max()) for one in rows if one.plan_version.size), default=0)


def _names(newest: Plan, plan: Plan) -> dict[str, str]:
    """What points and sources of an earlier version are called now, where that differs."""
    if plan is newest:
        return {}
    known = {former: one.id for one in newest.points for former in one.formerly}
    return known | {former: one.id for one in newest.sources for former in one.formerly}
