"""Statements of a MES in the database: added in the transaction of their message, read back as a book."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.types.json import Jsonb

from ingest.mes.model import Book
from ingest.mes.reduction import reduce
from ingest.mes.statements import Statement
from ingest.store.instants import MICROSECONDS

if TYPE_CHECKING:
    from ingest.store.facts import Stamp

_US = "to_timestamp(0) + %s * interval '1 microsecond'"
_INSERT = f"""
    INSERT INTO mes_statement (site_no, said, kind, id, seq, order_id, unit, from_at, to_at, body, received_at, known_at,
                               batch_no)
    VALUES (%s, %s, %s, %s, %s, %s, %s, {_US}, {_US}, %s, {_US}, {_US}, %s)
    ON CONFLICT (site_no, said) DO NOTHING
""".encode()  # noqa: S608  a fragment of this module
_COLUMNS = f"""
    s.kind, s.id, s.seq, s.order_id, s.unit, {MICROSECONDS.format("s.from_at")}, {MICROSECONDS.format("s.to_at")}, s.body
"""


async def write_statements(
    cursor: AsyncCursor, site_no: int, stamp: "Stamp", told: Sequence[tuple[Statement, int]]
) -> None:
    """Add statements with their times of arrival, µs; what was told before is no further fact."""
    await cursor.executemany(
        _INSERT,
        [
            [
                site_no, one.digest, one.kind, one.id, one.seq, one.order, one.unit, one.from_at, one.to_at,
                Jsonb(dict(one.body)), received_at, stamp.known_at, stamp.batch_no,
            ]
            for one, received_at in told
        ],
    )  # fmt: skip
    await mark_told(cursor, site_no, [one for one, _ in told])


async def mark_told(cursor: AsyncCursor, site_no: int, told: Sequence[Statement]) -> None:
    """Mark the orders of statements as due, and finished ones that ran on their units then or later."""
    await cursor.execute(
        """
        INSERT INTO order_due
        SELECT DISTINCT site_no, order_id, '-infinity'::timestamptz, 'statement' FROM mes_statement
         WHERE site_no = %(site)s AND said = ANY(%(said)s) AND order_id IS NOT NULL
        UNION
        SELECT f.site_no, f.order_id, '-infinity', 'statement'
          FROM mes_statement s
          JOIN mes_statement b ON b.site_no = s.site_no AND b.kind = s.kind AND b.id = s.id
          JOIN order_footprint f ON f.site_no = s.site_no AND f.to_at > b.from_at AND s.unit = ANY(f.units)
         WHERE s.site_no = %(site)s AND s.said = ANY(%(said)s) AND s.unit IS NOT NULL
        ON CONFLICT (site_no, order_id) DO UPDATE SET wait_until = excluded.wait_until, cause = excluded.cause
        """,
        {"site": site_no, "said": [one.digest for one in told]},
    )


async def book(
    connection: AsyncConnection[Any], site_no: int, span: tuple[int, int], batch_no: int | None = None
) -> Book:
    """What was known at a batch of the orders, states and quantities that touch a span, µs; None: now.

    All statements of an order come with it. States begin with the last one told before the span.
    An order whose last event on a unit is a stop is left out before it, unless what was told of it was replaced: then
    only the reduction knows.
    """
    return reduce(await statements(connection, site_no, span, batch_no))


async def statements(
    connection: AsyncConnection[Any], site_no: int, span: tuple[int, int], batch_no: int | None = None
) -> list[Statement]:
    """What `book` is made of."""
    from_at, to_at = span
    rows = await connection.execute(
        f"""
        WITH known AS NOT MATERIALIZED (
            SELECT *, coalesce((body ->> 'withdrawn')::boolean, false) AS withdrawn FROM mes_statement
             WHERE site_no = %(site)s AND (%(batch)s::bigint IS NULL OR batch_no <= %(batch)s)
        ), touched AS (
            SELECT DISTINCT order_id FROM known
             WHERE order_id IS NOT NULL AND kind <> 'order'
             GROUP BY order_id, unit
            HAVING min(from_at) < {_named("to")}
               AND (max(to_at) >= {_named("from")}
                    OR (array_agg(body ->> 'event' ORDER BY from_at DESC, body ->> 'event' = 'stop')
                        FILTER (WHERE kind = 'event'))[1] <> 'stop'
                    OR bool_or(withdrawn) OR count(*) > count(DISTINCT (kind, id)))
        ), begun AS (
            SELECT unit, max(from_at) AS at FROM known o
             WHERE kind = 'state' AND from_at <= {_named("from")} AND NOT withdrawn
               AND NOT EXISTS (SELECT FROM known n WHERE n.kind = 'state' AND n.id = o.id
                                  AND (n.seq, n.said COLLATE "C") > (o.seq, o.said COLLATE "C"))
             GROUP BY unit
        )
        SELECT {_COLUMNS} FROM known s
         WHERE s.order_id IN (SELECT order_id FROM touched)
            OR (s.kind = 'state' AND s.from_at < {_named("to")}
                AND s.from_at >= coalesce((SELECT at FROM begun WHERE begun.unit = s.unit), '-infinity'))
            OR (s.kind = 'production' AND s.order_id IS NULL AND s.from_at < {_named("to")} AND s.to_at > {_named("from")})
        """.encode(),  # noqa: S608
        {"site": site_no, "batch": batch_no, "from": from_at, "to": to_at},
    )
    return [Statement(*row) for row in await rows.fetchall()]


async def of_order(
    connection: AsyncConnection[Any], site_no: int, order: str, batch_no: int | None = None
) -> Book:
    """What was known at a batch of one order; None: now."""
    return reduce(await statements_of_order(connection, site_no, order, batch_no))


async def statements_of_order(
    connection: AsyncConnection[Any], site_no: int, order: str, batch_no: int | None = None
) -> list[Statement]:
    """What `of_order` is made of."""
    rows = await connection.execute(
        f"""
        SELECT {_COLUMNS} FROM mes_statement s
         WHERE site_no = %(site)s AND order_id = %(order)s AND (%(batch)s::bigint IS NULL OR batch_no <= %(batch)s)
        """.encode(),  # noqa: S608
        {"site": site_no, "order": order, "batch": batch_no},
    )
    return [Statement(*row) for row in await rows.fetchall()]


def _named(name: str) -> str:
    return f"(to_timestamp(0) + %({name})s * interval '1 microsecond')"
