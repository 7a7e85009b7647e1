"""Plants as the API tells them: what the plan in force holds, in the plant file's words.

Built from the plan and its file by name, field by field: what is not listed here
(alert rules, prices, where secrets are) does not leave the service.
"""

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from pydantic import Field

from ingest.model import SECOND, Kind
from ingest.plant.blocks import alignment
from ingest.plant.plan import Plan, PlanKpi, PlanPoint, Terms
from ingest.plant.plan_doubts import PlanTerm
from service.benchmarks import BenchmarkDocument, benchmark_documents
from service.documents import Document, Span
from service.sources import (
    ActivityDocument,
    AnalysisDocument,
    SourceDocument,
    activities_of,
    analyses_of,
    sources_of,
)


class UnitDocument(Document):
    """A piece of equipment."""

    id: str = Field(description="Full id; its parents' ids are its beginning")
    name: str
    kind: str = Field(description="area, line or cell")


class NamedDocument(Document):
    """A carrier or product."""

    id: str
    name: str


class FactorStepDocument(Document):
    """A coefficient from an instant on."""

    since: str = Field(description="An instant, or a day that begins in the site's zone")
    value: float | None = Field(description="null: not known, so nothing is emitted that is known")
    source: str
    trust: str
    data_year: int | None
    published: str | None
    edition: str | None
    look_up: dict[str, Any] | None


class FactorDocument(Document):
    """A coefficient with its source."""

    id: str
    name: str | None
    value: float | None = Field(description="null: it changes with time, see series")
    unit: str
    basis: list[str]
    source: str | None
    trust: str | None = Field(description="R, RF, P or unconfirmed; null: see series")
    kind: str | None = Field(description="Of a grid factor: co2_average, co2_residual, fossil or footprint")
    region: str | None
    data_year: int | None
    published: str | None
    edition: str | None
    look_up: dict[str, Any] | None = Field(
        description="The key of the ledger it was looked up by; null: none"
    )
    series: list[FactorStepDocument]


class PlantDocument(Document):
    """A site under its plan in force."""

    id: str
    name: str
    clock: str = Field(description="live, or replay: its times are those of recorded data")
    time_zone: str
    interval: Span
    lateness_s: float
    currency: str | None
    gwp: str
    plan_version: int
    units: list[UnitDocument]
    carriers: list[NamedDocument]
    products: list[NamedDocument]
    factors: list[FactorDocument]
    activities: list[ActivityDocument]
    analyses: list[AnalysisDocument]
    sources: list[SourceDocument]
    benchmarks: list[BenchmarkDocument]


class PointDocument(Document):
    """One measured or computed quantity."""

    id: str
    site: str
    name: str
    kind: str = Field(description="counter, delta, gauge, sample or state")
    unit: str = Field(description="Of its readings")
    basis: list[str]
    amount_unit: str | None = Field(description="Of its intervals' amounts; null: it has none")
    resolution: float
    sloped: bool
    period_s: float | None = Field(description="Expected time between readings; null: not declared")
    max_gap_s: float
    carrier: str | None
    product: str | None
    computed: bool
    method: str | None = Field(description="Of a computed point; null: it is measured")
    states: dict[str, int] | None = Field(
        description="Names of a state point's values; null: of another kind"
    )
    low: float | None = Field(
        description="Below this a value is impossible and stored as bad; null: no limit"
    )
    high: float | None
    topics: list[str]


class TermDocument(Document):
    """A summand of a KPI."""

    point: str
    weight: float | None = Field(
        description="Per unit of the point's amount; null: of a source whose factor changes with time, see its series"
    )


class KpiDocument(Document):
    """What a KPI is made of."""

    id: str
    site: str
    name: str
    kind: str
    unit: str
    basis: list[str]
    windows: list[Span]
    block: Span | None
    align: str | None = Field(
        description="Where blocks begin: site, by its clock on the wall, or utc; null: it has none"
    )
    load_window: Span | None = Field(description="Over which a demand's present load is taken")
    stale_after_s: float | None = Field(description="null: never stale")
    route: str | None = Field(
        description="measured or calculated, where it rests on emission sources of one route"
    )
    contract: float | None = Field(description="Contracted demand in the KPI's unit")
    benchmarks: list[BenchmarkDocument] = Field(description="Past, in force and to come")
    numerator: list[TermDocument]
    denominator: list[TermDocument] = Field(description="Empty: the covered hours")


def plant_document(plan: Plan) -> PlantDocument:
    """A site."""
    file = plan.file
    return PlantDocument(
        id=plan.site,
        name=plan.name,
        clock=plan.clock,
        time_zone=plan.zone.key,
        interval=plan.interval_us,
        lateness_s=plan.lateness_us / SECOND,
        currency=file.currency,
        gwp=file.gwp,
        plan_version=plan.version,
        units=[UnitDocument(id=unit.id, name=unit.name, kind=unit.kind) for unit in plan.units],
        carriers=[NamedDocument(id=carrier.id, name=carrier.name) for carrier in file.carriers],
        products=[NamedDocument(id=product.id, name=product.name) for product in file.products],
        factors=[
            FactorDocument(
                **factor.model_dump(mode="json", by_alias=False, include=set(FactorDocument.model_fields))
            )
            for factor in file.factors
        ],
        activities=activities_of(plan),
        analyses=analyses_of(plan),
        sources=sources_of(plan),
        benchmarks=benchmark_documents(plan),
    )


def methods_of(plan: Plan) -> dict[int, str]:
    """The method of each computed point, by its place in the plan."""
    return {program.point: program.method_id for program in plan.computed}


def point_row(plan: Plan, point: PlanPoint, methods: Mapping[int, str]) -> tuple[Any, ...]:
    """A point as a row of `PointDocument`'s fields, in their order; `methods` are the plan's."""
    i = plan.index[point.id]
    period_us = int(plan.params["period_us"][i])
    return (
        point.id,
        plan.site,
        point.name,
        Kind(point.kind).name.lower(),
        point.unit,
        list(point.basis),
        point.amount_unit,
        point.resolution,
        bool(plan.params["sloped"][i]),
        period_us / SECOND if period_us > 0 else None,
        int(plan.params["max_gap_us"][i]) / SECOND,
        point.carrier,
        point.product,
        point.computed,
        methods.get(i),
        dict(sorted(point.states.items(), key=itemgetter(1))) if point.kind is Kind.STATE else None,
        _limit(plan, "low", i),
        _limit(plan, "high", i),
        list(point.topics),
    )


def _limit(plan: Plan, name: str, i: int) -> float | None:
    limit = float(plan.params[name][i])
    return limit if math.isfinite(limit) else None


def kpi_document(plan: Plan, kpi: PlanKpi) -> KpiDocument:
    """A KPI."""
    return KpiDocument(
        id=kpi.id,
        site=plan.site,
        name=kpi.name,
        kind=kpi.kind,
        unit=kpi.unit,
        basis=list(kpi.basis),
        windows=sorted(kpi.windows_us),
        block=kpi.block_us,
        align=next(
            (alignment(plan.file, one) for one in plan.file.kpis if f"{plan.site}/{one.id}" == kpi.id), None
        ),
        load_window=kpi.load_us,
        stale_after_s=None if kpi.stale_after_us is None else kpi.stale_after_us / SECOND,
        route=_route(plan, kpi),
        contract=kpi.contract,
        benchmarks=[mark for mark in benchmark_documents(plan) if mark.kpi == kpi.id],
        numerator=_terms(plan, kpi.a, kpi.a_terms),
        denominator=_terms(plan, kpi.b, kpi.b_terms),
    )


def _terms(plan: Plan, fixed: Terms, terms: Sequence[PlanTerm]) -> list[TermDocument]:
    return [
        *(TermDocument(point=plan.points[point].id, weight=weight) for point, weight in fixed),
        *(TermDocument(point=plan.points[term.point].id, weight=None) for term in terms if term.steps),
    ]


def _route(plan: Plan, kpi: PlanKpi) -> str | None:
    """The one route of the emission sources in a KPI's numerator; None without sources, or with both."""
    declared = next((given for given in plan.file.kpis if f"{plan.site}/{given.id}" == kpi.id), None)
    named = {f"{plan.site}/{term.source}" for term in (declared.numerator if declared else ()) if term.source}
    routes = {source.route for source in plan.sources if source.id in named}
    return routes.pop() if len(routes) == 1 else None
