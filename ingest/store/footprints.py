"""Footprints of finished orders: made when they can be, made anew when something under them changed, and told.

Whatever transaction takes statements or revises intervals marks the orders it may touch (`order_due`) in itself. A step
behind it, with a transaction of its own, makes their figures: the first are `order.footprint.ready`, others are
`order.footprint.revised` and say old and new; where nothing came out otherwise nobody is told. A mark goes with the
transaction that looked, so a crash loses none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.types.json import Jsonb

from ingest.allocation.figures import outputs_of, quantity_of, rests_on, shares_of, span_of, summary, units_of
from ingest.allocation.lines import lines, wanted
from ingest.mes.model import Order, of_id
from ingest.model import DAY
from ingest.pipeline.episodes import instant
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan
from ingest.store.allocated import stored_rows
from ingest.store.facts import Stamp
from ingest.store.mes import book, of_order
from ingest.store.writer import Writer

AT_ONCE = 20
_US = "to_timestamp(0) + %s * interval '1 microsecond'"


MOST_US = 366 * DAY
"""An order that ran for longer is told of by nobody: most likely its start was told wrongly."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a finished order comes to."""

    order: Order
    span: tuple[int, int]
    units: list[str]
    """Whose statements its figures rest on."""
    figures: dict[str, Any]
    cause: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of a mark: figures, an instant before which it need not be looked at again, or neither."""

    order_id: str
    made: Made | None = None
    wait_until: int | None = None


async def mark_changed(cursor: AsyncCursor, site_no: int, first: int, last: int, cause: str) -> None:
    """Mark the finished orders over intervals that begin in [first, last] µs; most come out as they were."""
    await cursor.execute(
        f"""
        INSERT INTO order_due
        SELECT DISTINCT site_no, order_id, '-infinity'::timestamptz, %s FROM order_footprint
         WHERE site_no = %s AND from_at <= {_US} AND to_at > {_US}
        ON CONFLICT (site_no, order_id) DO UPDATE SET wait_until = excluded.wait_until, cause = excluded.cause
        """.encode(),  # noqa: S608
        [cause, site_no, last, first],
    )


async def look(writer: Writer, plan: Plan, state: SiteState) -> None:
    """Make the footprints that are due and can be made. Raises as `Writer.commit` does."""
    if writer.in_doubt and await writer.begin(plan.version) is None:
        return  # a COMMIT of before turns out to have happened; its marks may be gone, so nothing else would ask
    if state.watermark.at <= 0:
        return  # no reading has come yet: nothing is closed, and no database knows the instant
    connection = await writer.connection()
    cursor = await connection.execute(
        f"SELECT order_id, cause FROM order_due WHERE site_no = %s AND wait_until <= {_US} LIMIT %s".encode(),  # noqa: S608
        [writer.site_no, state.watermark.at, AT_ONCE],
    )
    due = await cursor.fetchall()
    looked = [await _look(connection, writer.site_no, plan, state, *one) for one in due]
    if looked:
        await _tell(writer, plan, state, looked)


async def _look(
    connection: AsyncConnection[Any], site_no: int, plan: Plan, state: SiteState, order_id: str, cause: str
) -> Looked:
    order = of_id(await of_order(connection, site_no, order_id), order_id)
    span = None if order is None else span_of(order, state.watermark.at, plan.interval_us)
    units = [] if order is None else units_of(plan, order)
    if order is None or span is None or not units or not order.closed or span[1] - span[0] > MOST_US:
        return Looked(order_id)
    if _frontier(plan, state, units) < span[1]:
        return Looked(order_id, wait_until=max(span[1], state.watermark.at + plan.interval_us))
    figures = await figures_of(connection, site_no, plan, order, span, None)
    return Looked(order_id, made=Made(order, span, rests_on(plan, units), figures, cause))


async def figures_of(
    connection: AsyncConnection[Any],
    site_no: int,
    plan: Plan,
    order: Order,
    span: tuple[int, int],
    batch_no: int | None,
) -> dict[str, Any]:
    """What an order comes to, in the words of its events, as known at a batch; None: now."""
    units = [plan.mes.by_unit[one] for one in units_of(plan, order)]
    known = await book(connection, site_no, span, batch_no)
    stored = await stored_rows(connection, plan, wanted(plan, units), span, batch_no)
    found = lines(plan, units, known, span, stored)
    shares = shares_of(plan, found, lambda _, owner: owner.order == order.id and owner.kind == "order")
    outputs = outputs_of(plan, units_of(plan, order), known, span, stored, order.id)
    return summary(plan, span, shares, quantity_of(order.produced, outputs))


def _frontier(plan: Plan, state: SiteState, units: Sequence[str]) -> int:
    """Up to where all that an order's figures rest on is closed, µs."""
    points, sources = wanted(plan, [plan.mes.by_unit[one] for one in units])
    places = {plan.index[one] for one in points}
    places |= {point for one in plan.sources if one.id in sources for point in one.points}
    if not places:
        return state.watermark.at
    return int(state.points["closed_until"][sorted(places)].min())


async def _tell(writer: Writer, plan: Plan, state: SiteState, looked: Sequence[Looked]) -> None:
    """In one transaction, which a writer that has lost the site cannot make: else it would take away newer marks."""
    stamp = await writer.begin(plan.version)
    if stamp is None:
        return
    connection = await writer.connection()
    async with connection.transaction(), connection.cursor() as cursor:
        await writer.open(cursor, stamp, state.watermark.at, 0)
        for one in looked:
            if one.made is not None:
                await _write(cursor, writer.site_no, plan, one.made, stamp)
            if one.wait_until is None:
                await cursor.execute(
                    "DELETE FROM order_due WHERE site_no = %s AND order_id = %s",
                    [writer.site_no, one.order_id],
                )
            else:
                await cursor.execute(
                    f"UPDATE order_due SET wait_until = {_US} WHERE site_no = %s AND order_id = %s".encode(),  # noqa: S608
                    [one.wait_until, writer.site_no, one.order_id],
                )
        await cursor.execute("SELECT pg_notify('stackwatt_event', %s)", [str(writer.site_no)])
        await writer.announce(cursor, stamp)
    writer.done()


async def _write(cursor: AsyncCursor, site_no: int, plan: Plan, made: Made, stamp: Stamp) -> None:
    order = made.order
    await cursor.execute(
        """
        SELECT revision, figures FROM order_footprint WHERE site_no = %s AND order_id = %s
         ORDER BY revision DESC LIMIT 1
        """,
        [site_no, order.id],
    )
    revision, old = await cursor.fetchone() or (0, None)
    if old == made.figures:
        return
    cause = made.cause if revision else "ready"
    await cursor.execute(
        f"""
        INSERT INTO order_footprint (site_no, order_id, revision, from_at, to_at, units, figures, cause, plan_version,
                                     known_at, batch_no)
        VALUES (%s, %s, %s, {_US}, {_US}, %s, %s, %s, %s, {_US}, %s)
        """.encode(),  # noqa: S608
        [
            site_no, order.id, revision + 1, *made.span, made.units, Jsonb(made.figures), cause, stamp.plan_version,
            stamp.known_at, stamp.batch_no,
        ],
    )  # fmt: skip
    data = {
        "site": plan.site,
        "order": order.id,
        "product": order.product,
        "batch": order.batch,
        "revision": revision + 1,
        "cause": cause,
        "from": instant(made.span[0]),
        "to": instant(made.span[1]),
        "old": old,
        "new": made.figures,
        "plan_version": stamp.plan_version,
        "link": f"/v1/orders/{order.id}/footprint?site={plan.site}",
    }
    word = "revised" if revision else "ready"
    await cursor.execute(
        f"""
        INSERT INTO event (site_no, id, type, stream, occurred_at, batch_no, historical, data)
        VALUES (%s, %s, %s, %s, {_US}, %s, %s, %s) ON CONFLICT (id) DO NOTHING
        """.encode(),  # noqa: S608
        [
            site_no, f"{plan.site}.order.{order.id}.{revision + 1}", f"order.footprint.{word}", f"order/{order.id}",
            made.span[1], stamp.batch_no, plan.clock == "replay", Jsonb(data),
        ],
    )  # fmt: skip
