"""Orders, production and machine states as the API tells them: what the statements of a MES come to.

A reader of `ingest.mes.reduction`: nothing here decides what ran when. Orders are listed by the segments that reach into
a span; one of which only a header was told ran nowhere yet, and is found by its id.
"""

from dataclasses import dataclass

from pydantic import Field

from ingest.mes.model import Book, Contradiction, MachineState, Order, Produced, StateSpan, of_id
from ingest.store import mes
from service.as_of import AsOfDocument, Known
from service.documents import Document, Instant
from service.plans import SitePlan
from service.store import Connection


class SegmentDocument(Document):
    """A stretch in which an order ran on a unit, without its pauses."""

    unit: str
    from_: Instant = Field(alias="from")
    to: Instant | None = Field(description="null: as far as has been told it still runs")


class ProducedDocument(Document):
    """A count of production."""

    id: str = Field(description="The MES's own, else of its content")
    site: str
    unit: str
    order: str | None = Field(description="null: of the unit at large")
    product: str | None
    from_: Instant = Field(alias="from")
    to: Instant
    good: float
    scrap: float
    measure: str = Field(description="Unit of both, as told")


class StateDocument(Document):
    """A stretch in which a unit was in a state, as the MES told."""

    site: str
    unit: str
    state: MachineState
    from_: Instant = Field(alias="from")
    to: Instant | None = Field(description="null: until something else is told")


class ContradictionDocument(Document):
    """Statements that cannot both be true; what they claim is in no segment."""

    unit: str
    at: Instant
    sentence: str


class OrderDocument(Document):
    """An order or batch."""

    id: str
    site: str
    product: str | None
    batch: str | None
    planned: float | None
    measure: str | None = Field(description="Unit of `planned`")
    running: bool = Field(description="A segment of it has no end yet")
    closed: bool = Field(description="Stopped on all its units, or told to be finished")
    segments: list[SegmentDocument]
    produced: list[ProducedDocument]
    contradictions: list[ContradictionDocument]


class OrderAnswer(OrderDocument):
    """One order, and what was known."""

    as_of: AsOfDocument


class OfSites(Document):
    """A list of what several sites know."""

    as_of: dict[str, AsOfDocument] = Field(description="By site")
    next: str | None = Field(description="Cursor of the next page; null: this is the last")


class OrdersPage(OfSites):
    """Orders by their first segment."""

    items: list[OrderDocument]


class ProductionPage(OfSites):
    """Production by its begin."""

    items: list[ProducedDocument]


class StatesPage(OfSites):
    """States by unit and begin."""

    items: list[StateDocument]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders."""

    unit: str | None
    product: str | None
    batch: str | None
    running: bool | None

    def unit_of(self, site: SitePlan) -> str | None:
        """Full id; a unit may be asked for relative to its site."""
        known = site.plan.mes.by_unit
        relative = f"{site.plan.site}/{self.unit}"
        return relative if self.unit not in known and relative in known else self.unit


async def read(connection: Connection, site: SitePlan, span: tuple[int, int], known: Known) -> Book:
    """What was known of a site's orders."""
    return await mes.book(connection, site.site_no, span, known.batch_no if known.past else None)


async def one(connection: Connection, site: SitePlan, order: str, known: Known) -> OrderDocument | None:
    """What was known of an order; None: nothing."""
    book = await mes.of_order(connection, site.site_no, order, known.batch_no if known.past else None)
    found = of_id(book, order)
    return None if found is None else told(site, found, book.contradictions)


def listed(site: SitePlan, book: Book, span: tuple[int, int], wanted: Wanted) -> list[OrderDocument]:
    """The orders of a book with a segment in the span (of the unit, where one is wanted), by begin."""
    unit = wanted.unit_of(site)
    found = [
        told(site, order, book.contradictions)
        for order in book.orders
        if (unit is None or any(one.unit == unit for one in order.segments))
        and (wanted.product is None or order.product == wanted.product)
        and (wanted.batch is None or order.batch == wanted.batch)
        and _touches(order, unit, span)
    ]
    found = [order for order in found if wanted.running is None or order.running == wanted.running]
    return sorted(found, key=lambda order: (order.segments[0].from_ if order.segments else 0, order.id))


def _touches(order: Order, unit: str | None, span: tuple[int, int]) -> bool:
    """Whether it ran in the span; one in which nothing holds together is shown for its contradictions."""
    if not order.segments:
        return unit is None
    return any(
        one.start_at < span[1] and (one.end_at is None or one.end_at > span[0])
        for one in order.segments
        if unit is None or one.unit == unit
    )


def production(site: SitePlan, book: Book, span: tuple[int, int], wanted: Wanted) -> list[ProducedDocument]:
    """Production that reaches into the span, of orders and of units at large."""
    unit = wanted.unit_of(site)
    found = [*book.produced, *(one for order in book.orders for one in order.produced)]
    products = {order.id: order.product for order in book.orders}
    documents = [
        _produced(site, one, products.get(one.order or ""))
        for one in found
        if one.start_at < span[1] and one.end_at > span[0] and unit in (None, one.unit)
    ]
    documents = [one for one in documents if wanted.product in (None, one.product)]
    return sorted(documents, key=lambda one: (one.from_, one.id))


def states(site: SitePlan, book: Book, span: tuple[int, int], wanted: Wanted) -> list[StateDocument]:
    """States that reach into the span, whole."""
    unit = wanted.unit_of(site)
    return [
        _state(site, one)
        for one in book.states
        if one.start_at < span[1]
        and (one.end_at is None or one.end_at > span[0])
        and unit in (None, one.unit)
    ]


def told(site: SitePlan, order: Order, contradictions: tuple[Contradiction, ...]) -> OrderDocument:
    """An order as it is told."""
    return OrderDocument(
        id=order.id,
        site=site.plan.site,
        product=order.product,
        batch=order.batch,
        planned=order.planned,
        measure=order.measure,
        running=any(one.end_at is None for one in order.segments),
        closed=order.closed,
        segments=[
            SegmentDocument(unit=one.unit, from_=one.start_at, to=one.end_at) for one in order.segments
        ],
        produced=[_produced(site, one, order.product) for one in order.produced],
        contradictions=[
            ContradictionDocument(unit=one.unit, at=one.at, sentence=one.sentence)
            for one in contradictions
            if one.order == order.id
        ],
    )


def _produced(site: SitePlan, one: Produced, product: str | None) -> ProducedDocument:
    return ProducedDocument(
        id=one.id,
        site=site.plan.site,
        unit=one.unit,
        order=one.order,
        product=one.product or product,
        from_=one.start_at,
        to=one.end_at,
        good=one.good,
        scrap=one.scrap,
        measure=one.measure,
    )


def _state(site: SitePlan, one: StateSpan) -> StateDocument:
    return StateDocument(
        site=site.plan.site, unit=one.unit, state=one.state, from_=one.start_at, to=one.end_at
    )
