"""Names to numbers: sites, points, KPIs, sources, and the versions of the plant file.

A number, once given, is never given again and survives a rename (`formerly`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from ingest.plant.body import plan_from_body
from ingest.plant.commands import changes
from ingest.plant.continuity import check_continuity
from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan, PlanKpi, PlanPoint, PlanSource
from ingest.store.audit import INGEST, Actor, Change, record

MOST_CHANGES = 1000
"""Lines of an applied plan's changes that its audit line keeps; both bodies are stored whole."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The store's number of each point, KPI and source of a plan, by plan index."""

    points: npt.NDArray[np.int64]
    kpis: npt.NDArray[np.int64]
    sources: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One applied version of a plant file."""

    version: int
    effective_at: datetime
    digest: str
    body: dict[str, Any]


async def ensure_site(connection: AsyncConnection, site: str) -> int:
    """The number of a site, given now if it has none."""
    await connection.execute("INSERT INTO site (id) VALUES (%s) ON CONFLICT DO NOTHING", [site])
    cursor = await connection.execute("SELECT site_no FROM site WHERE id = %s", [site])
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def ensure_numbers(connection: AsyncConnection, site_no: int, plan: Plan) -> Numbers:
    """The numbers of everything in a plan; new names get new ones, what was renamed keeps its own."""
    await _numbers(connection, "source", site_no, plan.documented)
    return Numbers(
        points=await _numbers(connection, "point", site_no, plan.points),
        kpis=await _numbers(connection, "kpi", site_no, plan.kpis),
        sources=await _numbers(connection, "source", site_no, plan.sources),
    )


async def _numbers(
    connection: AsyncConnection,
    table: str,
    site_no: int,
    named: Sequence[PlanPoint | PlanKpi | PlanSource | PlanDocumented],
) -> npt.NDArray[np.int64]:
    names = {"table": sql.Identifier(table), "number": sql.Identifier(f"{table}_no")}
    for one in named:
        for formerly in one.formerly:
            await connection.execute(
                sql.SQL(
                    """
                    UPDATE {table} SET id = %(id)s
                     WHERE id = %(formerly)s AND NOT EXISTS (SELECT 1 FROM {table} WHERE id = %(id)s)
                    """
                ).format(**names),
                {"id": one.id, "formerly": formerly},
            )
    ids = [one.id for one in named]
    # A row that is only then found to be there would use up a number all the same.
    await connection.execute(
        sql.SQL(
            """
            INSERT INTO {table} (site_no, id)
            SELECT %s, id FROM unnest(%s::text[]) WITH ORDINALITY AS t (id, place)
             WHERE NOT EXISTS (SELECT FROM {table} known WHERE known.id = t.id)
             ORDER BY place
            ON CONFLICT (id) DO NOTHING
            """
        ).format(**names),
        [site_no, ids],
    )
    cursor = await connection.execute(
        sql.SQL("SELECT id, {number} FROM {table} WHERE site_no = %s").format(**names), [site_no]
    )
    known: dict[str, int] = dict(await cursor.fetchall())
    return np.array([known[name] for name in ids], np.int64)


async def newest_plan(
    connection: AsyncConnection, site_no: int, *, after_version: int = 0
) -> StoredPlan | None:
    """The newest applied version, in force or to come; None if there is none after `after_version`."""
    cursor = await connection.execute(
        """
        SELECT version, effective_at, digest, body FROM plan_version
         WHERE site_no = %s AND version > %s ORDER BY version DESC LIMIT 1
        """,
        [site_no, after_version],
    )
    row = await cursor.fetchone()
    return None if row is None else StoredPlan(*row)


async def apply_plan(
    connection: AsyncConnection,
    site_no: int,
    digest: str,
    body: dict[str, Any],
    effective_at: datetime,
    actor: Actor = INGEST,
) -> StoredPlan:
    """Store a plant file as the newest version, unless it equals that; tells a running ingest and the audit log.

    Raises:
        InputError: it would give stored facts another meaning.
    """
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM site WHERE site_no = %s FOR UPDATE", [site_no])
        newest = await newest_plan(connection, site_no)
        if newest is not None and newest.digest == digest:
            return newest
        plan = StoredPlan((newest.version if newest else 0) + 1, effective_at, digest, body)
        if newest is not None and await _has_facts(connection, site_no):
            check_continuity(plan_from_body(newest.body, newest.version), plan_from_body(body, plan.version))
        await connection.execute(
            """
            INSERT INTO plan_version (site_no, version, effective_at, digest, body) VALUES (%s, %s, %s, %s, %s)
            """,
            [site_no, plan.version, plan.effective_at, plan.digest, Jsonb(plan.body)],
        )
        await connection.execute("SELECT pg_notify('stackwatt_plan', %s)", [str(site_no)])
        await record(connection, actor, _applied(site_no, newest, plan))
    return plan


def _applied(site_no: int, newest: StoredPlan | None, plan: StoredPlan) -> Change:
    """The line of an applied version, with what it changes: factors, weights, limits and all."""
    lines = [] if newest is None else changes(newest.body, plan.body)
    after = {"version": plan.version, "digest": plan.digest, "effective_at": plan.effective_at.isoformat()}
    return Change(
        "plan.applied",
        str(plan.body["site"]),
        site_no,
        None if newest is None else {"version": newest.version, "digest": newest.digest},
        {**after, "changes": lines[:MOST_CHANGES], "more": max(0, len(lines) - MOST_CHANGES)},
    )


async def _has_facts(connection: AsyncConnection, site_no: int) -> bool:
    cursor = await connection.execute("SELECT 1 FROM ingest_commit WHERE site_no = %s LIMIT 1", [site_no])
    return await cursor.fetchone() is not None
