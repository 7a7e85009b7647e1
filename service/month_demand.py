"""What the demand of months came to and costs: the highest block, what is billed of it, and its charge.

The charge is that of the version of the plant file by which the month's intervals were made, the newest of them, and
of the tariff that holds on the month's first day. A month with gaps has the least it can have cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pydantic import Field

from ingest.methods.figures import NoFigure
from ingest.plant.plan import Plan, PlanKpi
from ingest.plant.plan_prices import PlanCharge
from service import peaks
from service.as_of import Known
from service.documents import Document, Instant
from service.local_time import months
from service.money import decimal_text, nearest
from service.plans import PlanCache, SitePlan
from service.store import Connection


class MonthDemand(Document):
    """The demand of one month of the site's zone."""

    from_: Instant = Field(alias="from")
    to: Instant = Field(description="Its end, or how far it is closed")
    value: float | None = Field(description="The highest block, in the KPI's unit")
    at: Instant | None = Field(description="Begin of the block")
    reason: str | None = Field(description="Why value is null: gap")
    valid_share: float = Field(description="How much of the span is known; below 1 all figures are the least")
    contract: float | None
    is_exceeded: bool | None = Field(
        description="Whether the highest block is above the contract; null: no contract"
    )
    billed: float | None = Field(description="The demand that is paid for")
    cost: str | None = Field(description="The demand charge, exactly")
    cost_reason: str | None = Field(description="Why it is null: gap, or no_price")
    currency: str | None
    charge: str | None = Field(description="Id of the demand charge")
    trust: str | None


@dataclass(frozen=True, slots=True)
class PricedMonth:
    """A month's peak and what it costs."""

    begin: int
    end: int
    """Of the month, µs."""
    peak: peaks.Peak
    plan: Plan
    """The version it is billed by."""
    charge: PlanCharge | None
    earlier: Fraction

    @property
    def money(self) -> Fraction | None:
        """The charge; None: nothing is known of the month, or it has no price."""
        if self.charge is None or self.peak.value is None:
            return None
        return self.charge.money(Fraction(self.peak.value), self.earlier)

    @property
    def reason(self) -> NoFigure | None:
        """Why there is no money."""
        if self.peak.value is None:
            return NoFigure.GAP
        return NoFigure.NO_PRICE if self.charge is None else None


async def priced_months(
    connection: Connection,
    plans: PlanCache,
    site: SitePlan,
    kpi: PlanKpi,
    span: tuple[int, int],
    until: int,
    known: Known,
) -> list[PricedMonth]:
    """The months that have a part in a span (µs), each as a whole up to `until`."""
    made = []
    for begin, end in months(*span, site.plan.zone):
        found = await peaks.peak(connection, kpi, begin, max(begin, min(end, until)), known)
        versions = await plans.versions(connection, site, found.versions)
        plan = versions[max(versions)] if versions else site.plan
        charge = plan.prices.charge(_name_in(plan, kpi), begin)
        earlier = Fraction(0)
        if charge is not None:
            earlier = await peaks.earlier_peak(connection, plan, kpi, charge, begin, known)
        made.append(PricedMonth(begin, end, found, plan, charge, earlier))
    return made


def is_charged(plan: Plan, kpi: PlanKpi) -> bool:
    """Whether a version of the plant file has a charge on a demand of today."""
    name = _name_in(plan, kpi)
    return any(one.kpi == name for one in plan.prices.charges)


def documents(kpi: PlanKpi, months_found: Sequence[PricedMonth]) -> list[MonthDemand]:
    """Months as they are told."""
    return [_document(kpi, one) for one in months_found]


def _document(kpi: PlanKpi, month: PricedMonth) -> MonthDemand:
    found, money = month.peak, month.money
    then = next((one for one in month.plan.kpis if one.id == _name_in(month.plan, kpi)), kpi)
    billed = None
    if month.charge is not None and found.value is not None:
        billed = nearest(month.charge.billed(Fraction(found.value), month.earlier))
    has_both = then.contract is not None and found.value is not None
    return MonthDemand(
        from_=found.from_at,
        to=found.to_at,
        value=found.value,
        at=found.at,
        reason=NoFigure.GAP if found.value is None else None,
        valid_share=found.share,
        contract=then.contract,
        is_exceeded=(found.value or 0.0) > (then.contract or 0.0) if has_both else None,
        billed=billed,
        cost=None if money is None else decimal_text(money),
        cost_reason=month.reason,
        currency=month.plan.prices.currency,
        charge=None if month.charge is None else month.charge.id,
        trust=None if month.charge is None else month.charge.trust,
    )


def _name_in(plan: Plan, kpi: PlanKpi) -> str:
    """The id a KPI has in a version of the plan."""
    names = {kpi.id, *kpi.formerly}
    return next((one.id for one in plan.kpis if one.id in names), kpi.id)
