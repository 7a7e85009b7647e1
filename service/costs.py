"""What energy, demand and carbon cost over a span, by site, as the API tells it.

Reckoned when it is asked for, of the stored intervals and the prices of the version that each names, so it follows
every revision and every earlier batch. Sums are exact: the costs of hours add up to that of their day and month.
Documented activities are not in it: an invoice says itself what it costs.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd

from pydantic import Field

from ingest.methods.figures import KpiKind, NoFigure
from ingest.model import HOUR, Quality
from ingest.plant.plan import Plan
from service import cost_rows, cost_versions, month_demand, series
from service.as_of import AsOfDocument, Known
from service.cost_lines import Component, GroupBy, Key, Ledger, Tallies, label_begin, roll_up
from service.cost_rows import Names
from service.cost_tally import Tally
from service.documents import Page
from service.figures import QUALITY_NAMES, Figure, data_age_s, reason_names, with_gap
from service.frontiers import closed_until
from service.local_time import local
from service.money import decimal_text, nearest
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError
from service.store import Connection
from service.uncertainty import because

MOST_INTERVALS = 3_000_000
"""Intervals, of all meters and sources together, that one answer may be summed from."""
MOST_BUCKETS = 300_000
_UNSURE = "not made for costs: how far a meter may be off is told with its energy"


class CostFigure(Figure):
    """What one group costs, in the site's currency; `value` is the nearest float of `exact`."""

    site: str
    group: str = Field(description="The hour, day or month in the site's zone, the unit, carrier or period")
    component: Component = Field(
        description="Apart and never netted: energy, export (below 0), carbon, demand"
    )
    exact: str | None = Field(description="The cost as a decimal that is not rounded: these add up")
    amount: float | None = Field(description="What was bought, sold or emitted; null: of several units")
    amount_unit: str | None
    scope: int | None = Field(
        description="Of carbon; so are route, basis and supply: accounts never to be added"
    )
    route: str | None
    basis: str | None
    supply: str | None
    prices: list[str] = Field(description="Ids of the tariffs and charges it was made with, or carbon_price")
    unconfirmed: list[str] = Field(description="Those of them that nobody has confirmed")


class CostsPage(Page[CostFigure]):
    """The costs of all sites."""

    currency: dict[str, str | None] = Field(description="By site id; null: nothing is priced there")
    as_of: dict[str, AsOfDocument] = Field(description="By site id")


def check_size(asked: Iterable[tuple[Plan, tuple[int, int]]]) -> None:
    """Refuse spans (from, to) in µs whose intervals would be too many.

    Raises:
        ProblemError: with the number and the bound.
    """
    intervals = buckets = 0
    for plan, (from_at, to_at) in asked:
        things = len({meter.point for meter in plan.prices.meters})
        things += len(plan.sources) if plan.prices.carbon is not None else 0
        intervals += things * ((to_at - from_at) // plan.interval_us)
        buckets += max(1, things) * ((to_at - from_at) // plan.prices.grain_us)
    for count, most, what in ((intervals, MOST_INTERVALS, "intervals"), (buckets, MOST_BUCKETS, "prices")):
        if count > most:
            raise ProblemError(
                "too-much-asked",
                f"The costs would be summed from {count} {what}: expected at most {most};"
                " ask for a shorter span or one site.",
            )


async def of_site(
    connection: Connection,
    plans: PlanCache,
    site: SitePlan,
    span: tuple[int, int],
    group_by: GroupBy,
    known: Known,
    now: int,
    least_share: float,
) -> list[CostFigure]:
    """The costs of one site over a span (µs), of what is `known`."""
    plan = site.plan
    from_at, to_at = (at - at % plan.interval_us for at in span)
    versions = await cost_rows.plans_of(connection, plans, site, (from_at, to_at))
    names = Names(plan)
    points = sorted({point for one in versions.values() for point in names.meters(one)})
    grain_us = gcd(HOUR, *(one.prices.grain_us for one in versions.values()))
    has_carbon = any(one.prices.carbon is not None for one in versions.values())
    sources = sorted(
        {one for plan_then in versions.values() for one in names.sources(plan_then)} if has_carbon else ()
    )
    end = await _end(connection, plan, points, (from_at, to_at), known)
    counts = await cost_rows.counts(connection, points, (from_at, end), grain_us, known)
    emitted_end = await _end(connection, plan, _inputs(plan, sources), (from_at, to_at), known)
    masses = await cost_rows.masses(connection, sources, (from_at, emitted_end), grain_us, known)
    lacking = await cost_rows.lacking(
        connection, versions, names, sources, (from_at, emitted_end), grain_us, known
    )
    in_force = await cost_versions.in_force(connection, site)
    versions |= await plans.versions(connection, site, {bucket.version for bucket in (*counts, *masses)})

    def reckoned() -> Tallies:
        ledger = Ledger(plan, versions, group_by, (from_at, end), grain_us, in_force)
        ledger.put_meters(counts)
        tallies = roll_up(plan, ledger.tallies) if group_by == "unit" else ledger.tallies
        if has_carbon:
            emitted = Ledger(plan, versions, group_by, (from_at, emitted_end), grain_us, in_force)
            emitted.put_sources(masses, lacking)
            tallies |= emitted.tallies
        return tallies

    # In a thread: a year of quarters would hold every other client up.
    tallies = await asyncio.to_thread(reckoned)
    made = [_figure(plan, key, tally, now, least_share) for key, tally in _in_order(tallies, group_by)]
    if group_by == "month":
        made += await _demand(connection, plans, site, versions, (from_at, to_at), known, now)
    return made


def _inputs(plan: Plan, sources: Sequence[str]) -> list[str]:
    """The points that sources depend on."""
    chosen = set(sources)
    return [plan.points[point].id for one in plan.sources if one.id in chosen for point in one.points]


async def _end(
    connection: Connection, plan: Plan, points: Sequence[str], span: tuple[int, int], known: Known
) -> int:
    """Up to where points are closed within a span; a sum speaks of one span, and ends where the first of them ends."""
    found = await closed_until(
        connection, plan, [plan.index[one] for one in points if one in plan.index], known
    )
    if not any(one in plan.index for one in points):
        return span[1]  # nothing of today's plan is waited for: rows end where they end
    return max(span[0], min(span[1], *found.values())) if found else span[0]


def _in_order(tallies: Tallies, group_by: GroupBy) -> list[tuple[Key, Tally]]:
    order: dict[Component, int] = {"energy": 0, "export": 1, "carbon": 2, "demand": 3}
    return sorted(
        tallies.items(),
        key=lambda item: (
            label_begin(item[0].group, group_by),
            item[0].group,
            order[item[0].component],
            str(item[0]),
        ),
    )


def _figure(plan: Plan, key: Key, tally: Tally, now: int, least_share: float) -> CostFigure:
    reason = tally.reason(least_share)
    value = nearest(tally.money)
    if value is None:
        reason = reason or NoFigure.NO_DATA
    exact = None if reason is not None else decimal_text(tally.money)
    span = tally.to_at - tally.from_at
    is_one_unit = reason is None and len(tally.units) == 1
    return CostFigure(
        id=f"{plan.site}/costs/{key.group.removeprefix(f'{plan.site}/')}/{key.component}",
        unit=plan.prices.currency or "1",
        window=span or None,
        from_=tally.from_at,
        to=tally.to_at,
        value=None if exact is None else value,
        reason=reason,
        quality=QUALITY_NAMES[tally.quality if reason is None else Quality.BAD],
        reasons=reason_names(with_gap(tally.reasons, int(tally.is_covered), 1)),
        valid_share=tally.valid_share,
        substituted_share=tally.substituted_share,
        uncertainty=None if reason is not None else because(_UNSURE),
        revision=tally.revision if tally.least_revision else 0,
        known_at=tally.known_at or None,
        data_age_s=data_age_s(plan, tally.to_at, now) if span else None,
        method="co2e x price" if key.component == "carbon" else "amount x price of its time",
        plan_version=max(tally.versions, default=plan.version),
        site=plan.site,
        group=key.group,
        component=key.component,
        exact=exact,
        amount=nearest(tally.amount) if is_one_unit else None,
        amount_unit=next(iter(tally.units)) if is_one_unit else None,
        scope=key.scope,
        route=key.route,
        basis=key.basis,
        supply=key.supply,
        prices=sorted(tally.prices),
        unconfirmed=sorted(name for name, trust in tally.prices.items() if trust == "unconfirmed"),
    )


async def _demand(
    connection: Connection,
    plans: PlanCache,
    site: SitePlan,
    versions: Mapping[int, Plan],
    span: tuple[int, int],
    known: Known,
    now: int,
) -> list[CostFigure]:
    """The demand charges of the months that have a part in the span, each of its whole month.

    A charge that only earlier versions have is that of the months they made; the others have none to tell.
    """
    made = []
    for kpi in site.plan.kpis:
        if kpi.kind is not KpiKind.DEMAND:
            continue
        is_charged = month_demand.is_charged(site.plan, kpi)
        if not is_charged and not any(month_demand.is_charged(one, kpi) for one in versions.values()):
            continue
        _, until = await series.closed_span(connection, site.plan, kpi, known)
        end = span[0] if until is None else until
        found = await month_demand.priced_months(connection, plans, site, kpi, span, end, known)
        made += [_month(site.plan, month, now) for month in found if is_charged or month.charge is not None]
    return made


def _month(plan: Plan, month: month_demand.PricedMonth, now: int) -> CostFigure:
    found, money = month.peak, month.money
    group = f"{local(month.begin, plan.zone):%Y-%m}"
    charge = month.charge
    return CostFigure(
        id=f"{plan.site}/costs/{group}/demand",
        unit=plan.prices.currency or "1",
        window=(found.to_at - found.from_at) or None,
        from_=found.from_at,
        to=found.to_at,
        value=None if money is None else nearest(money),
        reason=None if month.reason is None else NoFigure(month.reason),
        quality=QUALITY_NAMES[Quality.BAD if money is None else Quality.GOOD],
        reasons=reason_names(with_gap(0, found.covered_us, found.to_at - found.from_at)),
        valid_share=found.share,
        substituted_share=0.0,
        uncertainty=None if money is None else because(_UNSURE),
        revision=found.revision,
        known_at=found.known_at or None,
        data_age_s=data_age_s(plan, found.to_at, now),
        method="highest block x demand charge",
        plan_version=month.plan.version,
        site=plan.site,
        group=group,
        component="demand",
        exact=None if money is None else decimal_text(money),
        amount=_billed(month),
        amount_unit=None
        if charge is None or money is None
        else next((one.unit for one in plan.kpis if one.id == charge.kpi), None),
        scope=None,
        route=None,
        basis=None,
        supply=None,
        prices=[] if charge is None else [charge.id],
        unconfirmed=[charge.id] if charge is not None and charge.trust == "unconfirmed" else [],
    )


def _billed(month: month_demand.PricedMonth) -> float | None:
    if month.charge is None or month.peak.value is None:
        return None
    return nearest(month.charge.billed(Fraction(month.peak.value), month.earlier))
