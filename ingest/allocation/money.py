"""What owners' energy costs: whole counts at the price of their time, exact.

Amounts are spread bin by bin, in each of which no price changes (on a unit that orders share, a bin rounds by itself, so
its counts may be one apart from those of the span). Prices are those of the version that the order is allocated under. Only
counted meters under a tariff have one; demand and carbon are no order's alone, and what is exported is credited apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from ingest.allocation.lines import Stored, is_counted, lines
from ingest.allocation.stretches import Owner
from ingest.mes.model import Book
from ingest.plant.mes_plan import PlanOrderUnit
from ingest.plant.plan import Plan


@dataclass(frozen=True, slots=True)
class Money:
    """What energy cost and brought, in the plant's currency; never netted."""

    bought: Fraction
    sold: Fraction
    unpriced: list[str]
    """Meters with an amount and no price."""


def cost(
    plan: Plan,
    units: Sequence[PlanOrderUnit],
    book: Book,
    span: tuple[int, int],
    stored: Stored,
    chosen: Callable[[str, Owner], bool],
) -> "Money | None":
    """Money for the chosen owners' energy; None: nothing of it has a price.

    As `lines`; `span` in µs on edges of intervals.
    """
    prices = plan.prices
    if prices.currency is None:
        return None
    points = {plan.points[meter.point].id for meter in prices.meters}
    by_point = {
        point: [one for one in prices.meters if plan.points[one.point].id == point] for point in points
    }
    bought, sold, unpriced, any_priced = Fraction(0), Fraction(0), set[str](), False
    begin = span[0] // prices.grain_us * prices.grain_us
    for at in range(begin, span[1], prices.grain_us):
        part = max(at, span[0]), min(at + prices.grain_us, span[1])
        local = datetime.fromtimestamp(at / 1e6, UTC).astimezone(plan.zone)
        for line in lines(plan, units, book, part, stored.within(part)):
            count = sum(one.portion.count for one in line.parts if chosen(one.unit, one.owner))
            if line.is_source or not count:
                continue
            held = [one for one in by_point.get(line.id, []) if one.from_at <= at < one.to_at]
            if not held or not is_counted(plan, line.id):
                unpriced.add(line.id)
                continue
            tariff = prices.tariffs[held[0].tariff]
            money = count * held[0].per_count[tariff.period_at(local)]
            if tariff.direction == "export":
                sold += money
            else:
                bought += money
            any_priced = True
    return Money(bought, sold, sorted(unpriced)) if any_priced else None
