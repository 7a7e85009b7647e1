"""Statements of a MES in the database: added in the transaction of their message, read back as a book."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.types.json import Jsonb

from ingest.mes.model import Book
from ingest.mes.reduction import counting, reduce
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
        WITH touched AS (          -- what was told, and what it replaces
            SELECT DISTINCT b.site_no, b.order_id, b.unit, b.from_at
              FROM mes_statement s
              JOIN mes_statement b ON b.site_no = s.site_no AND b.kind = s.kind AND b.id = s.id
             WHERE s.site_no = %(site)s AND s.said = ANY(%(said)s)
        )
        INSERT INTO order_due
        SELECT site_no, order_id, '-infinity'::timestamptz, 'statement' FROM touched WHERE order_id IS NOT NULL
        UNION
        SELECT f.site_no, f.order_id, '-infinity', 'statement'
          FROM touched t
          JOIN order_footprint f ON f.site_no = t.site_no AND f.to_at > t.from_at AND t.unit = ANY(f.units)
        ON CONFLICT (site_no, order_id) DO UPDATE SET wait_until = excluded.wait_until, cause = excluded.cause
        """,
        {"site": site_no, "said": [one.digest for one in told]},
    )


async def book(
    connection: AsyncConnection[Any], site_no: int, span: tuple[int, int], batch_no: int | None = None
) -> Book:
    """What was known at a batch of the orders, states and quantities that touch a span, µs; None: now.

    All that counts of an order comes with it. States begin with the last one told before the span.
    """
    return reduce(await statements(connection, site_no, span, batch_no))


async def statements(
    connection: AsyncConnection[Any], site_no: int, span: tuple[int, int], batch_no: int | None = None
) -> list[Statement]:
    """What `book` is made of: of each id the statement that counts, also if it is a withdrawal."""
    where = f"""
        s.order_id IN (SELECT order_id FROM touched)
        OR (s.kind = 'state' AND s.from_at < {_named("to")}
            AND s.from_at >= coalesce((SELECT at FROM begun WHERE begun.unit = s.unit), '-infinity'))
        OR (s.kind = 'production' AND s.order_id IS NULL AND s.from_at < {_named("to")} AND s.to_at > {_named("from")})
    """  # noqa: S608  fragments of this module, as below
    parts = f"""
        touched AS (
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
        ),
    """  # noqa: S608
    asked = {"site": site_no, "batch": batch_no, "from": span[0], "to": span[1]}
    return await _that_count(connection, parts, where, asked)


async def of_order(
    connection: AsyncConnection[Any], site_no: int, order: str, batch_no: int | None = None
) -> Book:
    """What was known at a batch of one order, and of those that took over what was told of it; None: now."""
    return reduce(await statements_of_order(connection, site_no, order, batch_no))


async def statements_of_order(
    connection: AsyncConnection[Any], site_no: int, order: str, batch_no: int | None = None
) -> list[Statement]:
    """What `of_order` is made of."""
    asked = {"site": site_no, "batch": batch_no, "order": order}
    return await _that_count(connection, "", "s.order_id = %(order)s", asked)


async def _that_count(
    connection: AsyncConnection[Any], parts: str, where: str, asked: Mapping[str, object]
) -> list[Statement]:
    """The statements that count of what a condition finds, and of all orders that any of it was ever told of.

    Which of an id's statements counts is known only from all of them, and the one that does may be of another order; so
    ids are taken whole, and orders that come in only by what was moved away from them are left out, being incomplete.
    """
    rows = await connection.execute(
        f"""
        WITH known AS NOT MATERIALIZED (
            SELECT *, coalesce((body ->> 'withdrawn')::boolean, false) AS withdrawn FROM mes_statement
             WHERE site_no = %(site)s AND (%(batch)s::bigint IS NULL OR batch_no <= %(batch)s)
        ), {parts} chosen AS (
            SELECT DISTINCT kind, id FROM known s WHERE {where}
        ), whole AS (
            SELECT DISTINCT order_id FROM known WHERE (kind, id) IN (SELECT kind, id FROM chosen)
        ), wanted AS (
            SELECT kind, id FROM chosen
            UNION SELECT kind, id FROM known WHERE order_id IN (SELECT order_id FROM whole)
        )
        SELECT {_COLUMNS}, s.order_id IS NULL OR s.order_id IN (SELECT order_id FROM whole)
          FROM known s WHERE (s.kind, s.id) IN (SELECT kind, id FROM wanted)
        """.encode(),  # noqa: S608
        asked,
    )
    found = [(Statement(*row), is_whole) for *row, is_whole in await rows.fetchall()]
    complete = {one.order for one, is_whole in found if is_whole}
    return [one for one in counting(one for one, _ in found) if one.order in complete]


def _named(name: str) -> str:
    return f"(to_timestamp(0) + %({name})s * interval '1 microsecond')"
