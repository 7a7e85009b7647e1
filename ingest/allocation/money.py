"""What owners' energy costs: whole counts at the price of their time, exact.

Amounts are spread bin by bin, in each of which no price changes; bins are whole intervals, so their counts add up to
those of the span with ==. Only counted meters under a tariff have a price; demand and carbon are no order's alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np

from ingest.allocation.lines import Stored, is_counted, lines
from ingest.allocation.spreading import Rows
from ingest.allocation.stretches import Owner
from ingest.mes.model import Book
from ingest.plant.mes_plan import PlanOrderUnit
from ingest.plant.plan import Plan


def cost(
    plan: Plan,
    units: Sequence[PlanOrderUnit],
    book: Book,
    span: tuple[int, int],
    stored: Stored,
    chosen: Callable[[str, Owner], bool],
) -> tuple[Fraction, list[str]] | None:
    """Money for the chosen owners' energy, and the meters that have no price; None: nothing has one.

    As `lines`; `span` in µs on edges of intervals.
    """
    prices = plan.prices
    if prices.currency is None:
        return None
    points = {plan.points[meter.point].id for meter in prices.meters}
    by_point = {
        point: [one for one in prices.meters if plan.points[one.point].id == point] for point in points
    }
    money, unpriced, any_priced = Fraction(0), set[str](), False
    begin = span[0] // prices.grain_us * prices.grain_us
    for at in range(begin, span[1], prices.grain_us):
        part = max(at, span[0]), min(at + prices.grain_us, span[1])
        local = datetime.fromtimestamp(at / 1e6, UTC).astimezone(plan.zone)
        for line in lines(plan, units, book, part, _within(stored, part)):
            count = sum(one.portion.count for one in line.parts if chosen(one.unit, one.owner))
            if line.is_source or not count:
                continue
            held = [one for one in by_point.get(line.id, []) if one.from_at <= at < one.to_at]
            if not held or not is_counted(plan, line.id):
                unpriced.add(line.id)
                continue
            tariff = prices.tariffs[held[0].tariff]
            sign = -1 if tariff.direction == "export" else 1
            money += sign * count * held[0].per_count[tariff.period_at(local)]
            any_priced = True
    return (money, sorted(unpriced)) if any_priced else None


def _within(stored: Stored, span: tuple[int, int]) -> Stored:
    return Stored({name: _cut(rows, span) for name, rows in stored.meters.items()}, {})


def _cut(rows: Rows, span: tuple[int, int]) -> Rows:
    i, j = np.searchsorted(rows.start_at, span).tolist()
    return replace(rows, **{name: getattr(rows, name)[i:j] for name in Rows.__dataclass_fields__})
