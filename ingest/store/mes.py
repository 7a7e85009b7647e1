"""Statements of a MES in the database, read back as a book.

What is asked of a span costs what touches it, however much was told before: orders are found by their reach
(`ingest/store/told.py`), states and quantities of no order by their indexes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from ingest.mes.model import Book
from ingest.mes.reduction import counting, reduce
from ingest.mes.statements import Statement
from ingest.store.instants import MICROSECONDS

_COLUMNS = f"""
    s.kind, s.id, s.seq, s.order_id, s.unit, {MICROSECONDS.format("s.from_at")}, {MICROSECONDS.format("s.to_at")}, s.body
"""

_KNOWN = "(%(batch)s::bigint IS NULL OR {0}.batch_no <= %(batch)s)"
_FROM, _TO = (f"(to_timestamp(0) + %({name})s * interval '1 microsecond')" for name in ("from", "to"))
_IN_SPAN = f"""
    unit_of AS (                   -- each unit by one step along the index
        SELECT min(unit) AS unit FROM mes_statement WHERE site_no = %(site)s
        UNION ALL
        SELECT (SELECT min(unit) FROM mes_statement n WHERE n.site_no = %(site)s AND n.unit > u.unit)
          FROM unit_of u WHERE u.unit IS NOT NULL
    ), begun AS (                  -- the last state before the span that counts
        SELECT u.unit, b.from_at
          FROM unit_of u LEFT JOIN LATERAL (
            SELECT o.from_at FROM mes_statement o
             WHERE o.site_no = %(site)s AND o.unit = u.unit AND o.kind = 'state' AND o.from_at <= {_FROM}
               AND {_KNOWN.format("o")} AND NOT o.body ? 'withdrawn'
               AND NOT EXISTS (SELECT FROM mes_statement n
                                WHERE n.site_no = %(site)s AND n.kind = 'state' AND n.id = o.id AND {_KNOWN.format("n")}
                                  AND (n.seq, n.said COLLATE "C") > (o.seq, o.said COLLATE "C"))
             ORDER BY o.from_at DESC LIMIT 1
          ) b ON true
         WHERE u.unit IS NOT NULL
    ), chosen AS MATERIALIZED (
        SELECT s.kind, s.id
          FROM order_reach r JOIN mes_statement s ON s.site_no = %(site)s AND s.order_id = r.order_id
         WHERE r.site_no = %(site)s AND tstzrange(r.from_at, r.to_at) && tstzrange({_FROM}, {_TO})
           AND coalesce(r.since_batch <= %(batch)s, true) AND coalesce(r.until_batch > %(batch)s, r.until_batch IS NULL)
           AND {_KNOWN.format("s")}
        UNION
        SELECT s.kind, s.id
          FROM begun b JOIN mes_statement s ON s.site_no = %(site)s AND s.unit = b.unit AND s.kind = 'state'
         WHERE s.from_at >= coalesce(b.from_at, '-infinity') AND s.from_at < {_TO} AND {_KNOWN.format("s")}
        UNION
        SELECT s.kind, s.id FROM mes_statement s
         WHERE s.site_no = %(site)s AND s.kind = 'production' AND s.order_id IS NULL
           AND tstzrange(s.from_at, s.to_at) && tstzrange({_FROM}, {_TO}) AND {_KNOWN.format("s")}
    )
"""  # noqa: S608  fragments of this module, as below
_OF_ORDERS = f"""
    chosen AS MATERIALIZED (
        SELECT DISTINCT s.kind, s.id FROM mes_statement s
         WHERE s.site_no = %(site)s AND s.order_id = ANY(%(orders)s) AND {_KNOWN.format("s")}
    )
"""  # noqa: S608


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
    asked = {"site": site_no, "batch": batch_no, "from": span[0], "to": span[1]}
    return await _that_count(connection, _IN_SPAN, asked)


async def of_order(
    connection: AsyncConnection[Any], site_no: int, order: str, batch_no: int | None = None
) -> Book:
    """What was known at a batch of one order, and of those that took over what was told of it; None: now."""
    return reduce(await statements_of_order(connection, site_no, order, batch_no))


async def statements_of_order(
    connection: AsyncConnection[Any], site_no: int, order: str, batch_no: int | None = None
) -> list[Statement]:
    """What `of_order` is made of."""
    return await statements_of_orders(connection, site_no, [order], batch_no)


async def statements_of_orders(
    connection: AsyncConnection[Any], site_no: int, orders: Sequence[str], batch_no: int | None = None
) -> list[Statement]:
    """What several orders are made of, with those that took over what was told of them."""
    asked = {"site": site_no, "batch": batch_no, "orders": list(orders)}
    return await _that_count(connection, _OF_ORDERS, asked)


async def _that_count(
    connection: AsyncConnection[Any], chosen: str, asked: Mapping[str, object]
) -> list[Statement]:
    """The statements that count of what a query chooses, and of all orders that any of it was ever told of.

    Which of an id's statements counts is known only from all of them, and the one that does may be of another order; so
    ids are taken whole, and orders that come in only by what was moved away from them are left out, being incomplete.
    """
    rows = await connection.execute(
        f"""
        WITH RECURSIVE {chosen}, whole AS MATERIALIZED (
            SELECT DISTINCT o.order_id
              FROM chosen c JOIN mes_statement o ON o.site_no = %(site)s AND o.kind = c.kind AND o.id = c.id
             WHERE {_KNOWN.format("o")}
        ), wanted AS MATERIALIZED (
            SELECT kind, id FROM chosen
            UNION
            SELECT o.kind, o.id
              FROM whole w JOIN mes_statement o ON o.site_no = %(site)s AND o.order_id = w.order_id
             WHERE {_KNOWN.format("o")}
        )
        SELECT {_COLUMNS}, s.order_id IS NULL OR s.order_id IN (SELECT order_id FROM whole)
          FROM wanted w JOIN mes_statement s ON s.site_no = %(site)s AND s.kind = w.kind AND s.id = w.id
         WHERE {_KNOWN.format("s")}
        """.encode(),  # noqa: S608
        asked,
    )
    found = [(Statement(*row), is_whole) for *row, is_whole in await rows.fetchall()]
    complete = {one.order for one, is_whole in found if is_whole}
    return [one for one in counting(one for one, _ in found) if one.order in complete]
