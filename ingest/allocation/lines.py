"""Lines of an allocation: each meter and each source of units and of what serves them, by owner.

The pure step between stored rows and what is told: stretches of every unit, utilities cut to units by their key, amounts
spread, masses put on a grid. Of a counted meter parts are whole counts; those of others, and masses, multiples of a power of
two. In both cases Σ parts = total with ==, for a utility over all units and what no key parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ingest.allocation.shared import by_weights, weights_at
from ingest.allocation.spreading import Held, Portion, Rows, on_grid, spread
from ingest.allocation.stretches import NO_KEY, Owner, Stretch, stretches
from ingest.errors import InputError
from ingest.mes.model import Book
from ingest.model import Quality
from ingest.plant.mes_plan import PlanOrderUnit, PlanShared
from ingest.plant.plan import Plan
from ingest.units import conversion


@dataclass(frozen=True, slots=True)
class Part:
    """What one owner on one unit has of a line."""

    unit: str
    """Full id; empty: of no unit."""
    owner: Owner
    amount: Fraction
    """In the line's unit, exact: counts times resolution, or kg."""
    portion: Portion


@dataclass(frozen=True, slots=True)
class Line:
    """A meter or a source, and whose it is."""

    id: str
    """Full id of the point or source."""
    is_source: bool
    shared: str | None
    """The utility it belongs to; None: it is the unit's own."""
    total: Fraction
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """Closed rows of a span, by full id."""

    meters: Mapping[str, Rows]
    sources: Mapping[str, Rows]

    def within(self, span: tuple[int, int]) -> "Stored":
        """Those that begin in a span, µs."""
        return Stored(
            {name: rows.within(span) for name, rows in self.meters.items()},
            {name: rows.within(span) for name, rows in self.sources.items()},
        )


def wanted(plan: Plan, units: Sequence[PlanOrderUnit]) -> tuple[set[str], set[str]]:
    """Ids of the points and of the sources whose rows the lines of units need, keys of utilities among them."""
    served = [one for one in plan.mes.shared if any(unit.id in one.to for unit in units)]
    points = {point for unit in units for point in unit.meters} | {p for one in served for p in one.meters}
    for one in served:
        for unit_id in one.to:
            unit = plan.mes.by_unit[unit_id]
            points |= set(unit.meters) if one.by == "energy" else set()
            points |= {unit.output} if one.by == "output" and unit.output is not None else set()
    points |= {unit.output for unit in units if unit.output is not None}
    sources = {source for unit in units for source in unit.sources} | {
        s for one in served for s in one.sources
    }
    points |= {one.point for one in plan.sources if one.id in sources and one.varies}
    return {plan.points[point].id for point in points}, sources


def lines(
    plan: Plan, units: Sequence[PlanOrderUnit], book: Book, span: tuple[int, int], stored: Stored
) -> list[Line]:
    """Lines of units and of the utilities that serve them.

    Args:
        plan: with `mes`.
        units: of it.
        book: of the span.
        span: µs, on edges of intervals.
        stored: rows of what `wanted` says; what is missing has none.
    """
    served = [one for one in plan.mes.shared if any(unit.id in one.to for unit in units)]
    needed = {unit.id for unit in units} | {unit_id for one in served for unit_id in one.to}
    cuts = {unit_id: stretches(plan.mes.by_unit[unit_id], book, span) for unit_id in sorted(needed)}
    found = []
    for unit in units:
        for name, is_source, rows in _of(plan, unit, stored):
            portions = {
                (unit.id, owner): portion
                for owner, portion in spread(rows, cuts[unit.id], plan.interval_us).items()
            }
            if is_source:
                lacking = spread(_without_mass(plan, name, rows, stored), cuts[unit.id], plan.interval_us)
                for owner, without in lacking.items():
                    portions[unit.id, owner].lacks_factor = without.covered_us > 0
            found.append(_line(plan, name, is_source, None, rows, portions))
    for one in served:
        for name, is_source, rows in _of(plan, one, stored):
            shared = _of_utility(plan, one, rows, cuts, span, stored)
            if is_source and _without_mass(plan, name, rows, stored).start_at.size:
                for portion in shared.values():
                    portion.lacks_factor = True
            found.append(_line(plan, name, is_source, one.id, rows, shared))
    return found


def _of(plan: Plan, owner: PlanOrderUnit | PlanShared, stored: Stored) -> list[tuple[str, bool, Rows]]:
    points = [plan.points[point] for point in owner.meters]
    empty = [Rows.none(np.int64 if is_counted(plan, one.id) else np.float64) for one in points]
    meters = [(p.id, False, stored.meters.get(p.id, none)) for p, none in zip(points, empty, strict=True)]
    return meters + [(one, True, stored.sources.get(one, Rows.none(np.float64))) for one in owner.sources]


def _without_mass(plan: Plan, source_id: str, rows: Rows, stored: Stored) -> Rows:
    """Intervals in which a source was active and no mass of it is known, as it had no factor then."""
    source = next(one for one in plan.sources if one.id == source_id)
    active = stored.meters.get(plan.points[source.point].id)
    if not source.varies or active is None:
        return Rows.none(np.float64)
    return active.chosen((active.quality < Quality.BAD) & ~np.isin(active.start_at, rows.start_at))


def is_counted(plan: Plan, point_id: str) -> bool:
    """Whether a point's amounts are counts of its resolution."""
    return plan.points[plan.index[point_id]].kind.name in ("COUNTER", "DELTA")


def _line(
    plan: Plan, name: str, is_source: bool, shared: str | None, rows: Rows, portions: Mapping[Held, Portion]
) -> Line:
    if not is_source and is_counted(plan, name):
        size = Fraction(repr(plan.points[plan.index[name]].resolution))
        parts = tuple(
            Part(unit, owner, one.count * size, one)
            for (unit, owner), one in sorted(portions.items(), key=_held)
        )
        return Line(name, is_source, shared, int(rows.amount.sum()) * size, parts)
    grid = on_grid(rows.amount.astype(np.float64), portions)
    found = tuple(
        Part(unit, owner, Fraction(value), portions.get((unit, owner), Portion()))
        for (unit, owner), value in sorted(grid.owners.items(), key=_held)
    )
    return Line(name, is_source, shared, Fraction(grid.total), found)


def line_of(plan: Plan, point_id: str, rows: Rows, portions: Mapping[Held, Portion]) -> Line:
    """The line of a point that is no unit's meter."""
    return _line(plan, point_id, False, None, rows, portions)


def _held(one: "tuple[Held, object]") -> Held:
    return one[0]


def _of_utility(
    plan: Plan,
    one: PlanShared,
    rows: Rows,
    cuts: Mapping[str, list[Stretch]],
    span: tuple[int, int],
    stored: Stored,
) -> dict[Held, Portion]:
    weights = [_weights(plan, one, place, rows, cuts, stored) for place in range(len(one.to))]
    rest = None
    if one.by == "shares":
        left = max(0.0, 1.0 - sum(one.shares))
        weights.append(np.full(rows.start_at.size, left))
    given, unkeyed = by_weights(rows, weights)
    if one.by == "shares":
        rest = given.pop()
    portions: dict[Held, Portion] = {}
    for unit_id, of_unit in zip(one.to, given, strict=True):
        for owner, portion in spread(of_unit, cuts[unit_id], plan.interval_us).items():
            portions[unit_id, owner] = portion
    nobodys = [Stretch(*span, ((NO_KEY, 1.0),))]
    for part in (unkeyed, rest):
        if part is not None and part.start_at.size:
            portion = spread(part, nobodys, plan.interval_us)[NO_KEY]
            before = portions.get(("", NO_KEY))
            portions["", NO_KEY] = portion if before is None else _joined(before, portion)
    return portions


def _joined(one: Portion, other: Portion) -> Portion:
    one.count += other.count
    one.parts += other.parts
    return one


def _weights(
    plan: Plan,
    one: PlanShared,
    place: int,
    rows: Rows,
    cuts: Mapping[str, list[Stretch]],
    stored: Stored,
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The key of one unit in each interval of the utility."""
    unit = plan.mes.by_unit[one.to[place]]
    if one.by == "shares":
        return np.full(rows.start_at.size, one.shares[place])
    if one.by == "time":
        return _working_us(rows, cuts[unit.id], plan.interval_us)
    if one.by == "output":
        assert unit.output is not None
        point = plan.points[unit.output].id
        return weights_at(rows.start_at, stored.meters.get(point, Rows.none()), _size(plan, point))
    total = np.zeros(rows.start_at.size)
    for meter in unit.meters:
        point = plan.points[meter].id
        kwh = kwh_per_amount(plan, point)
        if kwh is not None:
            total = total + weights_at(
                rows.start_at, stored.meters.get(point, Rows.none()), kwh * _size(plan, point)
            )
    return total


def _size(plan: Plan, point_id: str) -> float:
    return plan.points[plan.index[point_id]].resolution if is_counted(plan, point_id) else 1.0


def kwh_per_amount(plan: Plan, point_id: str) -> float | None:
    """What a point's amount is multiplied by to be kWh; None: it is no energy."""
    unit = plan.points[plan.index[point_id]].amount_unit
    if unit is None:
        return None
    try:
        return conversion(unit, "kWh", ())[0]
    except InputError:
        return None


def _working_us(
    rows: Rows, cuts: Sequence[Stretch], interval_us: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """For how much of each interval an order runs, or the machine does."""
    found = np.zeros(rows.start_at.size)
    for cut in cuts:
        if not any(owner.kind in ("order", "run") or owner.detail == "overlap" for owner, _ in cut.owners):
            continue
        begin = np.maximum(rows.start_at, cut.start_at)
        end = np.minimum(rows.start_at + interval_us, cut.end_at)
        found += np.maximum(end - begin, 0)
    return found
