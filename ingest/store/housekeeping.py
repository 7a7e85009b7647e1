"""What is let go by age, as the plant file's `retention` says.

Raw readings and figures are kept: pruning them needs a sealed period. What goes
is what only serves operation: refusals (their counts stay), consumed inbox rows,
old commit rows if the file asks for it, and live figures that no plan asks for.
"""

from psycopg import AsyncConnection

from ingest.plant.plan import Plan
from ingest.store.registry import Numbers

INBOX_DAYS = 30
"""Consumed inbox rows keep their Idempotency-Key so long."""


async def let_go(
    connection: AsyncConnection, site_no: int, *, rejected_days: int | None, commits_days: int | None
) -> None:
    """Drop what has outlived its use; safe to run at any time."""
    if rejected_days is not None:
        await connection.execute(
            "DELETE FROM rejected WHERE site_no = %s AND received_at < now() - %s * interval '1 day'",
            [site_no, rejected_days],
        )
    await connection.execute(
        """
        DELETE FROM inbox
         WHERE site_no = %s AND batch_no IS NOT NULL AND received_at < now() - %s * interval '1 day'
        """,
        [site_no, INBOX_DAYS],
    )
    if commits_days is not None:
        await connection.execute(
            """
            DELETE FROM ingest_commit c
             WHERE site_no = %(site)s AND known_at < now() - %(days)s * interval '1 day'
               AND batch_no < (SELECT max(batch_no) FROM ingest_commit WHERE site_no = %(site)s)
            """,
            {"site": site_no, "days": commits_days},
        )


async def drop_live_figures(connection: AsyncConnection, site_no: int, plan: Plan, numbers: Numbers) -> None:
    """Delete the rows of `kpi_latest` that are of no KPI and window of the plan: nobody would renew them."""
    windows = [
        (int(numbers.kpis[k]), us)
        for k, kpi in enumerate(plan.kpis)
        for us in (*kpi.windows_us, kpi.load_us)
        if us is not None
    ]
    await connection.execute(
        """
        DELETE FROM kpi_latest l USING kpi k
         WHERE k.kpi_no = l.kpi_no AND k.site_no = %s
           AND NOT EXISTS (SELECT FROM unnest(%s::int[], %s::bigint[]) AS t (kpi_no, window_us)
                            WHERE t.kpi_no = l.kpi_no AND t.window_us = l.window_us)
        """,
        [site_no, [number for number, _ in windows], [us for _, us in windows]],
    )
