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

from ingest.allocation.figures import of_units, outputs_of, quantity_of, rests_on, shares_of, span_of, summary
from ingest.allocation.lines import Stored, lines, wanted
from ingest.mes.model import Book, Order, of_id
from ingest.model import DAY
from ingest.pipeline.episodes import instant
from ingest.pipeline.state import SiteState
from ingest.plant.mes_plan import PlanOrderUnit
from ingest.plant.plan import Plan
from ingest.store.earlier import Earlier
from ingest.store.facts import Stamp
from ingest.store.instants import MICROSECONDS
from ingest.store.mes import book, of_order
from ingest.store.order_version import under
from ingest.store.writer import Writer

AT_ONCE = 20
_US = "to_timestamp(0) + %s * interval '1 microsecond'"


MOST_US = 366 * DAY
"""An order that ran for longer is told of by nobody: most likely its start was told wrongly."""


@dataclass(frozen=True, slots=True)
class Made:
    """What an order comes to; without figures where it no longer comes to anything."""

    order_id: str
    order: Order | None
    span: tuple[int, int]
    units: list[str]
    """Whose statements its figures rest on."""
    figures: dict[str, Any] | None
    plan_version: int
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


async def look(writer: Writer, earlier: Earlier, state: SiteState) -> None:
    """Make the footprints that are due and can be made. Raises as `Writer.commit` does."""
    plan = earlier.newest.plan
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
    looked = [await _look(connection, writer.site_no, earlier, state, *one) for one in due]
    if looked:
        await _tell(writer, plan, state, looked)


async def _look(
    connection: AsyncConnection[Any],
    site_no: int,
    earlier: Earlier,
    state: SiteState,
    order_id: str,
    cause: str,
) -> Looked:
    newest = earlier.newest.plan
    order = of_id(await of_order(connection, site_no, order_id), order_id)
    span = None if order is None else span_of(order, state.watermark.at, newest.interval_us)
    if order is None or span is None or not order.closed or span[1] - span[0] > MOST_US:
        return Looked(order_id, made=await _taken_back(connection, site_no, order_id, order))

    async def plan_of(version: int) -> Plan | None:
        return await earlier.plan(connection, version)

    plan, units, stored = await under(
        connection, newest, plan_of, lambda plan: of_units(plan, order), span, None
    )
    if not units:
        return Looked(order_id)
    if _frontier(plan, newest, state, units) < span[1]:
        return Looked(order_id, wait_until=max(span[1], state.watermark.at + plan.interval_us))
    known = await book(connection, site_no, span)
    figures = figures_of(plan, order, units, known, span, stored)
    rests = rests_on(plan, [one.id for one in units])
    return Looked(order_id, made=Made(order_id, order, span, rests, figures, plan.version, cause))


async def _taken_back(
    connection: AsyncConnection[Any], site_no: int, order_id: str, order: Order | None
) -> Made | None:
    """That an order of which figures were told has none now: it runs on, or what was told of it was withdrawn."""
    cursor = await connection.execute(
        f"""
        SELECT {MICROSECONDS.format("from_at")}, {MICROSECONDS.format("to_at")}, units, figures, plan_version
          FROM order_footprint WHERE site_no = %s AND order_id = %s ORDER BY revision DESC LIMIT 1
        """.encode(),  # noqa: S608
        [site_no, order_id],
    )
    row = await cursor.fetchone()
    if row is None or row[3] is None:
        return None
    runs = order is not None and bool(order.segments) and not order.closed
    return Made(order_id, order, (row[0], row[1]), row[2], None, row[4], "reopened" if runs else "withdrawn")


def figures_of(
    plan: Plan,
    order: Order,
    units: Sequence[PlanOrderUnit],
    known: Book,
    span: tuple[int, int],
    stored: Stored,
) -> dict[str, Any]:
    """What an order comes to, in the words of its events.

    Args:
        plan: the version it is allocated under.
        order: with its segments.
        units: of the plan, on which it ran.
        known: the book of the span.
        span: µs.
        stored: the rows under it.
    """
    found = lines(plan, units, known, span, stored)
    shares = shares_of(plan, found, lambda _, owner: owner.order == order.id and owner.kind == "order")
    outputs = outputs_of(plan, [one.id for one in units], known, span, stored, order.id)
    return summary(plan, span, shares, quantity_of(order.produced, outputs))


def _frontier(plan: Plan, newest: Plan, state: SiteState, units: Sequence[PlanOrderUnit]) -> int:
    """Up to where all that an order's figures rest on is closed, µs; what the newest version has no more closes nothing."""
    points, sources = wanted(plan, units)
    points |= {plan.points[point].id for one in plan.sources if one.id in sources for point in one.points}
    known = dict(newest.index) | {
        former: newest.index[one.id] for one in newest.points for former in one.formerly
    }
    places = {known[one] for one in points if one in known}
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
        [site_no, made.order_id],
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
            site_no, made.order_id, revision + 1, *made.span, made.units, Jsonb(made.figures), cause, made.plan_version,
            stamp.known_at, stamp.batch_no,
        ],
    )  # fmt: skip
    data = {
        "site": plan.site,
        "order": made.order_id,
        "product": None if order is None else order.product,
        "batch": None if order is None else order.batch,
        "revision": revision + 1,
        "cause": cause,
        "from": instant(made.span[0]),
        "to": instant(made.span[1]),
        "old": old,
        "new": made.figures,
        "plan_version": made.plan_version,
        "link": f"/v1/orders/{made.order_id}/footprint?site={plan.site}",
    }
    word = "revised" if revision else "ready"
    await cursor.execute(
        f"""
        INSERT INTO event (site_no, id, type, stream, occurred_at, batch_no, historical, data)
        VALUES (%s, %s, %s, %s, {_US}, %s, %s, %s) ON CONFLICT (id) DO NOTHING
        """.encode(),  # noqa: S608
        [
            site_no, f"{plan.site}.order.{made.order_id}.{revision + 1}", f"order.footprint.{word}",
            f"order/{made.order_id}",
            made.span[1], stamp.batch_no, plan.clock == "replay", Jsonb(data),
        ],
    )  # fmt: skip
