"""The blocks of a report as things stand now: each is what its route answers for the span, from the same functions.

Of a span that is too long for a route the block says the route's own refusal. Gaps and alerts are bounded; what was
left out is said.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ingest.methods.figures import KpiKind
from ingest.model import HOUR
from ingest.plant.plan import PlanKpi
from service import (
    alarm_quality,
    alerts,
    allocations,
    point_totals,
    routes_costs,
    routes_demand,
    routes_emissions,
    routes_gaps,
    series,
)
from service.access import Access
from service.as_of import Known
from service.context import Service
from service.documents import Document
from service.inventory import GroupBy
from service.plans import SitePlan
from service.problems import ProblemError
from service.reports.document import Block, BlockId, address, failed
from service.store import Connection
from service.tabular import Table
from service.times import format_span

MOST_GAPS, MOST_ALERTS, MOST_POINTS = 200, 200, 200


@dataclass(frozen=True, slots=True)
class Asked:
    """Of what a report is made; instants in µs."""

    service: Service
    connection: Connection
    access: Access
    site: SitePlan
    known: Known
    from_at: int
    until: int
    now: int

    @property
    def hours_until(self) -> int:
        """End of the last whole hour of the span, µs; points are told by hours."""
        return self.until - (self.until - self.from_at) % HOUR

    @property
    def totals_href(self) -> str:
        """The route of what points come to."""
        return address("/v1/points/totals", site=self.site.plan.site, from_=self.from_at, to=self.hours_until)

    def span(self, path: str, **more: str) -> str:
        """A route asked for the site and the span."""
        return address(path, site=self.site.plan.site, from_=self.from_at, to=self.until, **more)


async def blocks(asked: Asked) -> list[Block]:
    """All of them, in the order in which they are printed."""
    made = [await _tried("energy", asked.totals_href, energy, asked)]
    made.append(await _tried("intensity", None, intensity, asked))
    named: list[tuple[BlockId, GroupBy]] = [
        ("inventory", "scope"), ("category", "category"), ("gas", "gas"), ("account", "account")
    ]  # fmt: skip
    for name, group in named:
        made.append(await inventory(asked, name, group))
    return made + await beside(asked)


async def beside(asked: Asked) -> list[Block]:
    """Those that a seal does not freeze."""
    made = [await _tried("demand", None, demand, asked)]
    if asked.site.plan.prices.currency is not None:
        made.append(await _tried("costs", asked.span("/v1/costs", group_by="carrier"), costs, asked))
    if asked.site.plan.mes.units:
        made.append(await _tried("orders", None, orders, asked))
    made.append(await _tried("quality", asked.totals_href, quality, asked))
    made.append(await _tried("gaps", asked.span("/v1/gaps", limit=str(MOST_GAPS)), gaps, asked))
    made.append(await episodes(asked))
    made.append(await alarms(asked))
    return made


async def _tried(
    name: BlockId, href: str | None, make: Callable[[Asked], Awaitable[Block]], asked: Asked
) -> Block:
    try:
        return await make(asked)
    except ProblemError as refused:
        return failed(name, href, str(refused))


async def energy(asked: Asked) -> Block:
    """What each point of a carrier counted, by carrier; never added up, for meters lie behind meters."""
    totals = await _totals(asked)
    chosen = sorted((one for one in totals if one.carrier is not None), key=lambda one: str(one.carrier))
    return _block("energy", asked.totals_href, items=[told(one) for one in chosen])


async def _totals(asked: Asked) -> list[point_totals.PointTotal]:
    if asked.hours_until <= asked.from_at:
        raise ProblemError("invalid-parameter", "There is no whole hour of the period yet.")
    return await point_totals.of_site(asked.connection, asked.site, asked.from_at, asked.hours_until)


async def quality(asked: Asked) -> Block:
    """How much of each point is valid, the worst first."""
    totals = await _totals(asked)
    names = ("id", "from", "to", "quality", "reasons", "covered_share", "valid_share", "substituted_share")
    worst = sorted(totals, key=lambda one: (one.valid_share, one.id))
    items = [{name: told(one)[name] for name in names} for one in worst[:MOST_POINTS]]
    reason = None
    if len(worst) > MOST_POINTS:
        reason = f"There are {len(worst)} points: these are the worst {MOST_POINTS}."
    return _block("quality", asked.totals_href, reason, items)


async def intensity(asked: Asked) -> Block:
    """Each KPI over the whole span, or as far as its inputs are closed."""
    items = [await figure(asked, kpi) for kpi in asked.site.plan.kpis if kpi.kind is not KpiKind.DEMAND]
    return _block("intensity", None, items=items)


async def figure(asked: Asked, kpi: PlanKpi) -> dict[str, Any]:
    """One window of a KPI's series, and where that is."""
    plan = asked.site.plan
    _, until = await series.closed_span(asked.connection, plan, kpi, asked.known)
    end = asked.until if until is None else max(asked.from_at, min(asked.until, until))
    end -= (end - asked.from_at) % plan.interval_us
    head = {"id": kpi.id, "name": kpi.name, "unit": kpi.unit, "method": str(kpi.kind)}
    if end <= asked.from_at:
        return {**head, "value": None, "reason": "no_data", "href": None}
    window = end - asked.from_at
    href = address(f"/v1/kpis/{kpi.id}/series", from_=asked.from_at, to=end, window=format_span(window))
    try:
        wanted = series.checked(plan, kpi, asked.from_at, end, window, window)
    except ProblemError as refused:
        return {**head, "value": None, "reason": str(refused), "href": href}
    closed = await series.read(asked.connection, asked.service.plans, asked.site, kpi, wanted, asked.known)
    found = told(await series.series_of(plan, kpi, wanted, closed, asked.now))
    columns = {name: column[0] for name, column in found["columns"].items() if column}
    if not columns:
        columns = {"value": None, "reason": "no_data"}
    return {**head, **columns, "uncertainty": found["uncertainty"], "href": href}


async def inventory(asked: Asked, name: BlockId, group: GroupBy) -> Block:
    """Emissions by a group: gross, and beside it what is never netted with it."""

    async def made(asked: Asked) -> Block:
        question = routes_emissions.EmissionsAsked(
            site=asked.site.plan.site, from_=asked.from_at, to=asked.until, group_by=group
        )
        found = await routes_emissions.table_of(asked.connection, asked.service, asked.access, question)
        return _of_table(name, href, found)

    href = asked.span("/v1/emissions", group_by=group)
    return await _tried(name, href, made, asked)


async def demand(asked: Asked) -> Block:
    """The months of each demand with a part in the span, each as a whole."""
    items = []
    for kpi in asked.site.plan.kpis:
        if kpi.kind is not KpiKind.DEMAND:
            continue
        href = address(f"/v1/demand/{kpi.id}/series", from_=asked.from_at, to=asked.until)
        question = routes_demand.DemandSeriesAsked(from_=asked.from_at, to=asked.until)
        head = {"id": kpi.id, "name": kpi.name, "unit": kpi.unit, "href": href}
        try:
            read = await routes_demand.read_series(
                asked.connection, asked.service, asked.access, kpi.id, question
            )
        except ProblemError as refused:
            items.append({**head, "value": None, "reason": str(refused)})
            continue
        items += [{**head, **month} for month in told(await read.told())["months"]]
    return _block("demand", None, items=items)


async def costs(asked: Asked) -> Block:
    """What energy and carbon cost, by carrier."""
    question = routes_costs.CostsAsked(
        site=asked.site.plan.site, from_=asked.from_at, to=asked.until, group_by="carrier"
    )
    found = await routes_costs.table_of(asked.connection, asked.service, asked.access, question)
    return _of_table("costs", asked.span("/v1/costs", group_by="carrier"), found)


async def orders(asked: Asked) -> Block:
    """Whose the energy and emissions of each unit on which orders run were: orders, idling, nobody's, and the total."""
    items = []
    for unit in asked.site.plan.mes.units:
        what = allocations.checked(asked.site.plan, unit.id, (asked.from_at, asked.until), "order")
        href = asked.span("/v1/allocations", unit=unit.id, group_by="order")
        found = await allocations.rows_of(asked.connection, asked.service.plans, asked.site, what, None)
        items += [{"of_unit": unit.id, **told(one), "href": href} for one in found]
    return _block("orders", None, items=items)


async def gaps(asked: Asked) -> Block:
    """Gaps that reach into the span, open ones first."""
    question = routes_gaps.GapsAsked(
        site=asked.site.plan.site, from_=asked.from_at, to=asked.until, limit=MOST_GAPS
    )
    found = await routes_gaps.table_of(asked.connection, asked.service, asked.access, question)
    return _of_table("gaps", asked.span("/v1/gaps", limit=str(MOST_GAPS)), found)


async def episodes(asked: Asked) -> Block:
    """Alerts that fired before the span's end and were not over before it, the newest first."""
    most = str(MOST_ALERTS)
    href = address(
        "/v1/alerts", site=asked.site.plan.site, since=asked.from_at, until=asked.until, limit=most
    )
    page = await alerts.page(
        asked.connection, [asked.site], state=None, severity=None, rule=None, since=asked.from_at,
        until=asked.until, limit=MOST_ALERTS, cursor=None,
    )  # fmt: skip
    reason = None if page.next is None else f"There are more: these are the newest {MOST_ALERTS}."
    return _block("alerts", href, reason, [told(one) for one in page.items])


async def alarms(asked: Asked) -> Block:
    """How good the alarms of the span were."""
    found = await alarm_quality.alarm_quality(asked.connection, [asked.site], asked.from_at, asked.until)
    return _block("alarm_quality", asked.span("/v1/alerts/quality"), items=[told(found)])


def told(document: Document) -> dict[str, Any]:
    """A document as its route writes it."""
    return document.model_dump(by_alias=True)


def _block(
    name: BlockId, href: str | None, reason: str | None = None, items: list[dict[str, Any]] | None = None
) -> Block:
    return Block(id=name, basis="current", href=href, reason=reason, head={}, items=items or [])


def _of_table(name: BlockId, href: str, found: Table) -> Block:
    items = [dict(zip(found.columns, values, strict=True)) for values in found.rows]
    reason = None if found.next is None else f"There are more: these are the first {len(items)}."
    return Block(id=name, basis="current", href=href, reason=reason, head=dict(found.head), items=items)
