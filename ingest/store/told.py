"""Statements of a MES into the database, in the transaction of their message, and what follows at once.

Marked are the orders whose footprints may come out otherwise (`order_due`), and noted is how far an order reaches
(`order_reach`): from the first to the last instant of anything that its statements come to, without end while it runs.
A row stands from the batch that made it so to the one that made it otherwise, so the past has its own.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import AsyncCursor
from psycopg.types.json import Jsonb

from ingest.mes.model import Book
from ingest.mes.reduction import reduce
from ingest.mes.statements import Statement
from ingest.store.mes import statements_of_orders

if TYPE_CHECKING:
    from ingest.store.facts import Stamp

_US = "to_timestamp(0) + %s * interval '1 microsecond'"
_INSERT = f"""
    INSERT INTO mes_statement (site_no, said, kind, id, seq, order_id, unit, from_at, to_at, body, received_at, known_at,
                               batch_no)
    VALUES (%s, %s, %s, %s, %s, %s, %s, {_US}, {_US}, %s, {_US}, {_US}, %s)
    ON CONFLICT (site_no, said) DO NOTHING
""".encode()  # noqa: S608  a fragment of this module
_INSTANT = "to_timestamp(0) + {0} * interval '1 microsecond'"
_REACH = f"""
    WITH now AS (
        SELECT order_id, {_INSTANT.format("from_us")} AS from_at,
               coalesce({_INSTANT.format("to_us")}, 'infinity') AS to_at
          FROM unnest(%(of)s::text[], %(from)s::bigint[], %(to)s::bigint[]) AS t (order_id, from_us, to_us)
    ), ended AS (
        UPDATE order_reach r SET until_batch = %(batch)s
         WHERE r.site_no = %(site)s AND r.order_id = ANY(%(orders)s) AND r.until_batch IS NULL
           AND NOT EXISTS (SELECT FROM now n WHERE n.order_id = r.order_id AND n.from_at = r.from_at AND n.to_at = r.to_at)
    )
    INSERT INTO order_reach (site_no, order_id, from_at, to_at, since_batch)
    SELECT %(site)s, n.order_id, n.from_at, n.to_at, %(batch)s FROM now n
     WHERE NOT EXISTS (SELECT FROM order_reach r
                        WHERE r.site_no = %(site)s AND r.order_id = n.order_id AND r.until_batch IS NULL
                          AND r.from_at = n.from_at AND r.to_at = n.to_at)
""".encode()  # noqa: S608  fragments of this module


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
    said = [one.digest for one, _ in told]
    await _mark(cursor, site_no, said)
    await _reach(cursor, site_no, stamp.batch_no, said)


async def _mark(cursor: AsyncCursor, site_no: int, said: Sequence[str]) -> None:
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
        {"site": site_no, "said": said},
    )


async def _reach(cursor: AsyncCursor, site_no: int, batch_no: int, said: Sequence[str]) -> None:
    """Note how far the orders reach of which something was told, or taken over by another."""
    await cursor.execute(
        """
        SELECT DISTINCT b.order_id
          FROM mes_statement s
          JOIN mes_statement b ON b.site_no = s.site_no AND b.kind = s.kind AND b.id = s.id
         WHERE s.site_no = %s AND s.said = ANY(%s) AND b.order_id IS NOT NULL
        """,
        [site_no, said],
    )
    orders = [order for (order,) in await cursor.fetchall()]
    if not orders:
        return
    reaches = _reaches(reduce(await statements_of_orders(cursor.connection, site_no, orders)))
    found = [(order, *reaches[order]) for order in orders if order in reaches]
    await cursor.execute(
        _REACH,
        {
            "site": site_no,
            "batch": batch_no,
            "orders": orders,
            "of": [order for order, _, _ in found],
            "from": [begin for _, begin, _ in found],
            "to": [end for _, _, end in found],
        },
    )


def _reaches(book: Book) -> dict[str, tuple[int, int | None]]:
    """From the first to behind the last instant of each order of which anything happened; None: it still runs."""
    spans = dict[str, list[tuple[int, int | None]]]()
    for order in book.orders:
        of = [(one.start_at, one.end_at) for one in order.segments]
        spans[order.id] = of + [(one.start_at, one.end_at + 1) for one in order.produced]
    for one in book.contradictions:
        spans[one.order].append((one.at, one.at + 1))
    return {
        order: (
            min(begin for begin, _ in of),
            None if any(end is None for _, end in of) else max(end for _, end in of if end is not None),
        )
        for order, of in spans.items()
        if of
    }
