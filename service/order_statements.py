"""Statements of a MES that come by HTTP: checked at once, refused by name, else put into the inbox.

The inbox hands them to ingest as a message on the site's own MES topic, so what comes by HTTP and by MQTT is one thing.
A start that cannot be, because another order is known to hold the unit, is refused here: who asks by HTTP can be told.
Known is what ingest has stored; what still waits in the inbox is not.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from ingest.mes.model import Book
from ingest.mes.reduction import reduce
from ingest.mes.statements import Refused, Statement, read_statements
from ingest.store import mes
from service import inbox
from service.bodies import invalid_body
from service.inbox import Receipt
from service.plans import SitePlan
from service.problems import ProblemError, invalid
from service.store import Connection
from service.times import LAST_INSTANT, format_instant

_Overlap = tuple[str, str, str, int, int]
"""Order, the other order, the unit that both would hold, and the other's segment."""


def topic(site: SitePlan) -> str:
    """Where a site's MES tells.

    Raises:
        ProblemError: no orders run at the site.
    """
    if not site.plan.mes.topics:
        raise invalid(
            "Query parameter", "site", site.plan.site, "a site whose plant file has a section `mes`"
        )
    return site.plan.mes.topics[0]


def decoded(payload: bytes) -> Any:
    """A body as JSON.

    Raises:
        ProblemError: it is none.
    """
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid_body("malformed", f"it is not JSON: {error}.") from None


def of_kind(body: Any, kind: str) -> list[Any]:
    """A statement or a list of them, to which the route says the kind.

    Raises:
        ProblemError: one says another.
    """
    found = list[Any]()
    for one in body if isinstance(body, list) else [body]:
        if isinstance(one, dict):
            if one.get("kind", kind) != kind:
                said = str(one["kind"])[:40]
                raise invalid_body(
                    "wrong_form", f"kind is {said!r}; {kind} was expected, or none, at this address"
                )
            found.append({"kind": kind, **one})
        else:
            found.append(one)
    return found


def of_order(body: Any) -> list[Any]:
    """The header of an order and the statements beside it, which are of this order where they name none.

    Raises:
        ProblemError: the body is no such thing.
    """
    if not isinstance(body, dict):
        raise invalid_body("wrong_form", "it is no JSON object with an order.")
    beside = body.get("statements", [])
    if not isinstance(beside, list):
        raise invalid_body("wrong_form", "statements is no list.")
    header = {name: value for name, value in body.items() if name != "statements"}
    named = {"order": header["order"]} if "order" in header else {}
    return [
        *of_kind(header, "order"),
        *({**named, **one} if isinstance(one, dict) else one for one in beside),
    ]


async def checked(site: SitePlan, elements: Sequence[Any], now: int) -> tuple[list[Statement], list[Refused]]:
    """What the contract of statements makes of them.

    Raises:
        ProblemError: none of them is a statement.
    """
    payload = msgspec.json.encode(elements)
    good, refused = await asyncio.to_thread(read_statements, payload, site.plan, now)
    if refused and not good:
        raise invalid_body(refused[0].reason, refused[0].detail)
    return good, refused


async def check_room(connection: Connection, site: SitePlan, told: Sequence[Statement]) -> None:
    """Refuse to start or resume an order on a unit that another one holds and that is not shared.

    Raises:
        ProblemError: the unit is held.
    """
    starting: set[tuple[str | None, str | None]] = {
        (one.order, one.unit)
        for one in told
        if one.body.get("event") in ("start", "resume") and not one.body.get("withdrawn")
        if one.unit is not None and site.plan.mes.by_unit[one.unit].overlap == "refuse"
    }
    if not starting:
        return
    begin = min(one.from_at for one in told if (one.order, one.unit) in starting)
    known = {one.digest: one for one in await mes.statements(connection, site.site_no, (begin, LAST_INSTANT))}
    for order in sorted({one.order for one in told if one.order is not None}):
        own = await mes.statements_of_order(connection, site.site_no, order)
        known |= {one.digest: one for one in own}
    before = _overlaps(reduce(known.values()), starting)
    after = _overlaps(reduce([*known.values(), *told]), starting)
    for order, other, unit, since, until in sorted(after - before):
        end = "" if until == LAST_INSTANT else f", until {format_instant(until)}"
        raise ProblemError(
            "order-conflict",
            f"Order {order!r} cannot run on unit {unit!r}: order {other!r} has run there since "
            f"{format_instant(since)}{end}.",
            order=other,
            unit=unit,
            since=format_instant(since),
        )


def _overlaps(book: Book, starting: set[tuple[str | None, str | None]]) -> set[_Overlap]:
    """Where an order that starts and another hold one unit at one time."""
    found = set[_Overlap]()
    units = {unit for _, unit in starting}
    segments = [one for order in book.orders for one in order.segments if one.unit in units]
    for mine in (one for one in segments if (one.order, one.unit) in starting):
        for other in segments:
            ends = [LAST_INSTANT if one.end_at is None else one.end_at for one in (mine, other)]
            apart = other.order == mine.order or other.unit != mine.unit
            if not apart and max(mine.start_at, other.start_at) < min(ends):
                found.add((mine.order, other.order, mine.unit, other.start_at, ends[1]))
    return found


async def accept(
    connection: Connection, site: SitePlan, elements: Sequence[Any], key: str, author: str
) -> Receipt:
    """Hand statements to ingest; see `service.inbox.accept`."""
    body = inbox.envelope(topic(site), msgspec.json.encode(elements))
    return await inbox.accept(connection, site.site_no, "reading", body, key, author)


def nothing_understood(ignored: Sequence[str]) -> ProblemError:
    """The problem of a document of which no statement came."""
    return invalid_body("wrong_form", ignored[0] if ignored else "it holds no job response.")
