"""What an order cost in energy and carbon, made when it is asked for, as known then or now.

The same pure functions make the figures that ingest tells in `order.footprint.ready|revised` (`ingest.store.footprints`),
and a test holds them against each other. Closed intervals only. Lines are never netted; what may be added up is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ingest.allocation.figures import (
    Quantity,
    Share,
    energy_kwh,
    of_units,
    outputs_of,
    per,
    quantity_of,
    shares_of,
    span_of,
)
from ingest.allocation.lines import Line, Stored, lines
from ingest.allocation.money import Money, cost
from ingest.allocation.stretches import Owner
from ingest.mes.model import Book, Order, of_id
from ingest.methods.gwp import GWP100
from ingest.plant.mes_plan import PlanOrderUnit
from ingest.plant.plan import Plan, PlanSource
from ingest.store.mes import book, of_order
from ingest.store.order_version import UnitsOf, under
from service.as_of import Known
from service.figures import QUALITY_NAMES, reason_names
from service.footprint_documents import (
    Co2eDocument,
    CostDocument,
    FootprintDocument,
    QuantityDocument,
    ShareDocument,
    ToldDocument,
)
from service.footprint_uncertainty import FootprintSureness, account_of, sums_of, with_uncertainty
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError
from service.store import Connection, rows

METHOD = "amounts of intervals by time of segments; shared utilities by their key"


@dataclass(frozen=True, slots=True)
class Allocated:
    """What the energy and emissions of some units over a span are made of, and whose they are."""

    plan: Plan
    """The version they are allocated under."""
    units: Sequence[PlanOrderUnit]
    book: Book
    stored: Stored
    lines: Sequence[Line]


async def of(
    connection: Connection, plans: PlanCache, site: SitePlan, order_id: str, known: Known, now: int
) -> FootprintDocument:
    """The footprint of an order as known then.

    Raises:
        ProblemError: no statement of such an order was known.
    """
    batch_no = known.batch_no if known.past else None
    alone = await of_order(connection, site.site_no, order_id, batch_no)
    order = of_id(alone, order_id)
    if order is None:
        raise ProblemError(
            "unknown-order", f"The MES has told of no order {order_id!r} at site {site.plan.site}."
        )
    horizon = min(known.at(now), now if known.watermark is None else known.watermark)
    span = span_of(order, horizon, site.plan.interval_us)
    told = await _told(connection, site.site_no, order_id, known)
    if span is None:
        none = quantity_of(order.produced, [])
        return _document(site.plan, order, None, of_units(site.plan, order), [], none, None, told, known)
    found = await allocated(connection, plans, site, lambda plan: of_units(plan, order), span, batch_no)
    plan, units = found.plan, found.units

    def mine(_: str, owner: Owner) -> bool:
        return owner.kind == "order" and owner.order == order.id

    shares = shares_of(plan, found.lines, mine)
    outputs = outputs_of(plan, [one.id for one in units], found.book, span, found.stored, order.id)
    priced = cost(plan, units, found.book, span, found.stored, mine)
    quantity = quantity_of(order.produced, outputs)
    made = _document(plan, order, span, units, shares, quantity, priced, told, known)
    sums = sums_of(plan, shares, made)
    sure = await FootprintSureness(plan, found.lines, span).read(connection, plans, site, sums, known)
    return with_uncertainty(made, sure)


async def allocated(
    connection: Connection,
    plans: PlanCache,
    site: SitePlan,
    units_of: UnitsOf,
    span: tuple[int, int],
    batch_no: int | None,
) -> Allocated:
    """Lines of units over a span, µs, under the version that holds at its end, with what they are made of."""

    async def plan_of(version: int) -> Plan | None:
        return (await plans.versions(connection, site, [version])).get(version)

    plan, units, stored = await under(connection, site.plan, plan_of, units_of, span, batch_no)
    every = await book(connection, site.site_no, span, batch_no)
    return Allocated(plan, units, every, stored, lines(plan, units, every, span, stored))


def _document(
    plan: Plan,
    order: Order,
    span: tuple[int, int] | None,
    units: Sequence[PlanOrderUnit],
    shares: Sequence[Share],
    quantity: Quantity,
    priced: Money | None,
    told: list[ToldDocument],
    known: Known,
) -> FootprintDocument:
    documents = [share_document(plan, one, quantity) for one in shares]
    currency = plan.prices.currency
    return FootprintDocument(
        id=order.id,
        site=plan.site,
        product=order.product,
        batch=order.batch,
        closed=order.closed,
        from_=None if span is None else span[0],
        to=None if span is None else span[1],
        units=[one.id for one in units],
        quantity=QuantityDocument(
            good=quantity.good,
            scrap=quantity.scrap,
            measure=quantity.measure,
            told_by=quantity.told_by,
            reason=quantity.reason,
        ),
        shares=documents,
        energy_kwh=energy_kwh(plan, shares),
        co2e=co2e_of(documents, quantity),
        cost=None
        if priced is None or currency is None
        else CostDocument(
            value=float(priced.bought),
            exact=str(priced.bought),
            export=float(priced.sold),
            currency=currency,
            without=priced.unpriced,
        ),
        left_out=[one for unit in units for one in unit.documented],
        energy_uncertainty={},
        method=METHOD,
        told=told,
        plan_version=plan.version,
        as_of=known.document,
    )


def share_document(plan: Plan, share: Share, quantity: Quantity) -> ShareDocument:
    """A share as it is told."""
    source: PlanSource | None = None
    if share.is_source:
        source = next(one for one in plan.sources if one.id == share.id)
    value, is_whole = share.amount, share.covered_us == share.span_us
    potential = None if source is None else GWP100[plan.file.gwp].get(source.gas)
    return ShareDocument(
        kind="energy" if source is None else "emission",
        id=share.id,
        shared=share.shared,
        unit=share.unit,
        value=value,
        reason=share.reason,
        idle=None if value is None else share.idle,
        per_quantity=per(value, quantity, is_whole=is_whole),
        carrier=plan.points[plan.index[share.id]].carrier if source is None else None,
        scope=source.scope if source else None,
        category=source.category if source else None,
        route=source.route if source else None,
        gas=source.gas if source else None,
        account=source.account if source else None,
        basis=source.basis if source else None,
        supply=source.supply if source else None,
        co2e_kg=None if value is None or potential is None else value * potential,
        quality=QUALITY_NAMES[share.quality],
        reasons=list(reason_names(share.reasons)),
        covered_share=share.covered_us / share.span_us if share.span_us else 0.0,
        valid_share=share.valid_us / share.span_us if share.span_us else 0.0,
        substituted_share=share.substituted_us / share.span_us if share.span_us else 0.0,
        revision=share.revision,
        known_at=share.known_at,
        plan_versions=list(share.versions),
        uncertainty=None,
    )


def co2e_of(shares: Sequence[ShareDocument], quantity: Quantity) -> list[Co2eDocument]:
    """Sums over gases, each account by itself."""
    groups: dict[tuple[object, ...], list[ShareDocument]] = {}
    for one in shares:
        if one.kind == "emission":
            groups.setdefault(account_of(one), []).append(one)
    found = []
    for members in groups.values():
        first = members[0]
        known = [Fraction(one.co2e_kg) for one in members if one.co2e_kg is not None]
        total = float(sum(known, Fraction(0))) if len(known) == len(members) else None
        assert first.scope is not None
        assert first.account is not None
        assert first.route is not None
        found.append(
            Co2eDocument(
                scope=first.scope,
                account=first.account,
                route=first.route,
                basis=first.basis,
                supply=first.supply,
                co2e_kg=total,
                per_quantity=per(total, quantity, is_whole=all(one.covered_share == 1.0 for one in members)),
                uncertainty=None,
            )
        )
    return found


async def _told(connection: Connection, site_no: int, order_id: str, known: Known) -> list[ToldDocument]:
    found = await rows(
        connection,
        """
        SELECT revision, cause, known_at, batch_no FROM order_footprint
         WHERE site_no = %(site)s AND order_id = %(order)s AND (NOT %(past)s OR batch_no <= %(batch)s)
         ORDER BY revision
        """,
        {"site": site_no, "order": order_id, "past": known.past, "batch": known.batch_no},
    )
    return [ToldDocument(revision=a, cause=b, known_at=c, batch_no=d) for a, b, c, d in found]
