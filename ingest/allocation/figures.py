"""What an order, or any other set of owners, comes to: figures of energy and emissions, and how complete they are.

Sums of lines' parts. Energy is told by meter and, where it is energy, in kWh by carrier; masses by source, and by what may
be added up of them: scope, route, gas, account, basis and supply each apart (`service.inventory`). Per quantity is Σ/Σ.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ingest.allocation.lines import Line, Part, Stored, kwh_per_amount, line_of
from ingest.allocation.spreading import Rows, spread
from ingest.allocation.stretches import Owner, stretches
from ingest.errors import InputError
from ingest.mes.model import Book, Order, Produced
from ingest.model import Quality
from ingest.plant.mes_plan import PlanOrderUnit
from ingest.plant.plan import Plan
from ingest.units import conversion


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one meter or source that some owners have."""

    id: str
    is_source: bool
    shared: str | None
    amount: float | None
    """In the meter's amount unit, or kg; the nearest float to the exact part. None: `reason` says why."""
    reason: str | None
    """gap: there is no data at all in its time; no_factor: some of a source has no mass."""
    exact: Fraction
    idle: float
    """Of it while the machine idled."""
    unit: str
    span_us: int
    covered_us: int
    valid_us: int
    substituted_us: int
    quality: int
    reasons: int
    revision: int
    known_at: int | None
    versions: tuple[int, ...]


def shares_of(plan: Plan, lines: Sequence[Line], chosen: Callable[[str, Owner], bool]) -> list[Share]:
    """What the chosen (unit, owner) have of each line of which they have anything."""
    found = []
    for line in lines:
        parts = [part for part in line.parts if chosen(part.unit, part.owner)]
        if parts:
            found.append(_share(plan, line, parts))
    return found


def _share(plan: Plan, line: Line, parts: Sequence[Part]) -> Share:
    exact = sum((part.amount for part in parts), Fraction(0))
    idle = sum((part.amount for part in parts if _idles(part.owner)), Fraction(0))
    portions = [part.portion for part in parts]
    known = [one.known_at for one in portions if one.known_at is not None]
    point = None if line.is_source else plan.points[plan.index[line.id]]
    span_us, covered_us = sum(one.span_us for one in portions), sum(one.covered_us for one in portions)
    reason = "gap" if span_us and not covered_us else None
    if any(one.lacks_factor for one in portions):
        reason = "no_factor"
    return Share(
        id=line.id,
        is_source=line.is_source,
        shared=line.shared,
        amount=float(exact) if reason is None else None,
        reason=reason,
        exact=exact,
        idle=float(idle),
        unit="kg" if point is None else point.amount_unit or "1",
        span_us=span_us,
        covered_us=covered_us,
        valid_us=sum(one.valid_us for one in portions),
        substituted_us=sum(one.substituted_us for one in portions),
        quality=max((one.quality for one in portions), default=int(Quality.GOOD)),
        reasons=_union(one.reasons for one in portions),
        revision=max((one.revision for one in portions), default=0),
        known_at=max(known, default=None),
        versions=tuple(sorted({version for one in portions for version in one.versions})),
    )


def _idles(owner: Owner) -> bool:
    return owner.kind == "idle" or owner.detail == "idle"


def _union(bits: Iterable[int]) -> int:
    found = 0
    for one in bits:
        found |= one
    return found


def outputs_of(
    plan: Plan, units: Sequence[str], book: Book, span: tuple[int, int], stored: Stored, order: str
) -> list[Share]:
    """What the output points of units counted while an order ran."""
    found = []
    for unit_id in units:
        unit = plan.mes.by_unit[unit_id]
        if unit.output is None:
            continue
        point = plan.points[unit.output].id
        rows = stored.meters.get(point, Rows.none())
        portions = spread(rows, stretches(unit, book, span), plan.interval_us)
        held = {(unit_id, owner): one for owner, one in portions.items()}
        parts = [part for part in line_of(plan, point, rows, held).parts if part.owner.order == order]
        if parts:
            found.append(_share(plan, line_of(plan, point, rows, held), parts))
    return found


def energy_kwh(plan: Plan, shares: Sequence[Share]) -> dict[str, float | None]:
    """By carrier, of those that are measured as energy; None where one of them has no data at all."""
    found: dict[str, list[tuple[Share, float]]] = {}
    for one in shares:
        kwh = None if one.is_source else kwh_per_amount(plan, one.id)
        if kwh is not None:
            found.setdefault(plan.points[plan.index[one.id]].carrier or "", []).append((one, kwh))
    return {
        carrier: None
        if any(one.amount is None for one, _ in members)
        else float(sum((one.exact * Fraction(kwh) for one, kwh in members), Fraction(0)))
        for carrier, members in sorted(found.items())
    }


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much was made."""

    good: float | None
    scrap: float | None
    measure: str | None
    told_by: str | None
    """statements, output, or None: nothing tells it."""
    reason: str | None
    """Why good is None: no_production, gap (the output was not counted throughout), units (they do not convert), serial
    (several units of the order count output, perhaps the same)."""


def quantity_of(produced: Sequence[Produced], outputs: Sequence[Share]) -> Quantity:
    """What statements tell, else what the units' output points counted."""
    if produced:
        return _told(produced)
    if len(outputs) != 1:
        return Quantity(None, None, None, None, "serial" if outputs else "no_production")
    (one,) = outputs
    if one.covered_us < one.span_us:
        return Quantity(None, None, one.unit, "output", "gap")
    return Quantity(float(one.exact), None, one.unit, "output", None)


def _told(produced: Sequence[Produced]) -> Quantity:
    measure = produced[0].measure
    good = scrap = Fraction(0)
    for one in produced:
        try:
            factor = (
                Fraction(conversion(one.measure, measure, ())[0]) if one.measure != measure else Fraction(1)
            )
        except InputError:
            return Quantity(None, None, None, None, "units")
        good += Fraction(one.good) * factor
        scrap += Fraction(one.scrap) * factor
    return Quantity(float(good), float(scrap), measure, "statements", None)


def per(amount: float | None, quantity: Quantity, *, is_whole: bool) -> float | None:
    """Σ/Σ; None where nothing was made, or some of the amount is not known."""
    return amount / quantity.good if amount is not None and is_whole and quantity.good else None


def span_of(order: Order, horizon: int, interval_us: int) -> tuple[int, int] | None:
    """The intervals, µs, that an order's segments touch up to a horizon; None: it has not run."""
    begins = [one.start_at for one in order.segments]
    ends = [horizon if one.end_at is None else one.end_at for one in order.segments]
    if not begins or max(ends) <= min(begins):
        return None
    return min(begins) // interval_us * interval_us, -(-max(ends) // interval_us) * interval_us


def of_units(plan: Plan, order: Order) -> list[PlanOrderUnit]:
    """Units of the plan on which an order ran."""
    ran = {one.unit for one in order.segments}
    return [plan.mes.by_unit[one] for one in sorted(ran & set(plan.mes.by_unit))]


def rests_on(plan: Plan, units: Sequence[str]) -> list[str]:
    """The units whose statements the figures of an order on some units rest on: those that share a utility with them too."""
    beside = {other for one in plan.mes.shared if set(one.to) & set(units) for other in one.to}
    return sorted({*units, *beside})


def summary(
    plan: Plan, span: tuple[int, int], shares: Sequence[Share], quantity: Quantity
) -> dict[str, object]:
    """Figures as an event tells them: every part by its own name, nothing netted; None has a gap or lacks a factor."""
    masses: dict[str, list[Share]] = {}
    sources = {one.id: one for one in plan.sources}
    for one in shares:
        source = sources.get(one.id) if one.is_source else None
        if source is not None:
            named = [
                f"scope{source.scope}",
                source.route,
                source.gas,
                source.account,
                source.basis,
                source.supply,
            ]
            key = "/".join(part for part in named if part is not None)
            masses.setdefault(key, []).append(one)
    return {
        "good": quantity.good,
        "scrap": quantity.scrap,
        "measure": quantity.measure,
        "energy_kwh": energy_kwh(plan, shares),
        "amounts": {_name(one): one.amount for one in shares if not one.is_source},
        "mass_kg": {
            key: None
            if any(one.amount is None for one in members)
            else float(sum((one.exact for one in members), Fraction(0)))
            for key, members in sorted(masses.items())
        },
        "gaps_us": {
            _name(one): one.span_us - one.covered_us for one in shares if one.covered_us < one.span_us
        },
        "span_us": list(span),
    }


def _name(share: Share) -> str:
    return share.id + (f"@{share.shared}" if share.shared else "")
