"""The terms of a KPI or source under each plan version that made a row: weights, steps, factors.

A version's plan is compiled from its stored body, so a weight is the very float the pipeline multiplied by.
Terms stand in the order in which the pipeline adds them: of each side those of constant weight, by point, then
those whose weight changes with time.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from typing import Literal

from ingest.plant.plan import Plan, PlanKpi, PlanSource
from ingest.plant.plan_doubts import PlanTerm, Steps
from service.explaining import TermDocument, WeightStep, not_explained
from service.factor_book import FactorBook
from service.inventory import FactorUsed
from service.plans import PlanCache, SitePlan
from service.store import Connection


class Versions:
    """The plans of the versions that a figure's rows name."""

    def __init__(self, site: SitePlan, plans: Mapping[int, Plan]) -> None:
        """Over compiled plans by version."""
        self._site_plan = site
        self._site = site.plan
        self._plans = plans
        self._now = {old: one.id for one in site.plan.points for old in one.formerly}

    @classmethod
    async def of(
        cls, connection: Connection, plans: PlanCache, site: SitePlan, numbers: Iterable[int]
    ) -> "Versions":
        """The plans of some versions.

        Raises:
            ProblemError: one of them cannot be read by this release.
        """
        wanted = set(numbers)
        found = await plans.versions(connection, site, wanted)
        if missing := sorted(wanted - found.keys()):
            raise not_explained(
                f"Rows of the figure are of plan version {missing[0]}, which this release cannot read."
            )
        return cls(site, found)

    def items(self) -> Iterator[tuple[int, Plan]]:
        """Version and plan, oldest first."""
        return iter(sorted(self._plans.items()))

    def only(self, numbers: Iterable[int]) -> "Versions":
        """Some of them."""
        return Versions(self._site_plan, {one: self._plans[one] for one in numbers})

    def point(self, plan: Plan, place: int) -> str:
        """The id that a point of a version has in the store: that of the plan in force."""
        name = plan.points[place].id
        return name if name in self._site.index else self._now.get(name, name)

    def kpi(self, version: int, kpi: PlanKpi) -> PlanKpi:
        """The KPI as a version has it.

        Raises:
            ProblemError: it has none of that name and kind.
        """
        names = {kpi.id, *kpi.formerly}
        then = next((one for one in self._plans[version].kpis if one.id in names), None)
        if then is None or then.kind is not kpi.kind:
            raise not_explained(
                f"{kpi.id} was another KPI under plan version {version}, which made some of its rows."
            )
        return then

    def source(self, version: int, source: PlanSource) -> PlanSource:
        """The source as a version has it.

        Raises:
            ProblemError: it has none of that name.
        """
        names = {source.id, *source.formerly}
        then = next((one for one in self._plans[version].sources if one.id in names), None)
        if then is None:
            raise not_explained(
                f"{source.id} was no source under plan version {version}, which made some of its rows."
            )
        return then


def kpi_terms(versions: Versions, kpi: PlanKpi) -> dict[int, list[TermDocument]]:
    """Per version the terms of a KPI."""
    made: dict[int, list[TermDocument]] = {}
    for version, plan in versions.items():
        then = versions.kpi(version, kpi)
        mine = made.setdefault(version, [])
        sides: tuple[tuple[Literal["a", "b"], tuple[tuple[int, float], ...], tuple[PlanTerm, ...]], ...] = (
            ("a", then.a, then.a_terms), ("b", then.b, then.b_terms),
        )  # fmt: skip
        for side, constant, terms in sides:
            for point, weight in constant:
                names = [one.factors for one in terms if one.point == point and not one.steps]
                factors = list(dict.fromkeys(name for group in names for name in group))
                mine.append(_term(versions, version, plan, kpi.id, side, point, weight, (), factors))
            for one in terms:
                if one.steps:
                    mine.append(
                        _term(
                            versions,
                            version,
                            plan,
                            kpi.id,
                            side,
                            one.point,
                            None,
                            one.steps,
                            list(one.factors),
                        )
                    )
    return made


def source_terms(versions: Versions, source: PlanSource) -> dict[int, TermDocument]:
    """Per version the one term of a source."""
    made = {}
    for version, plan in versions.items():
        then = versions.source(version, source)
        weight = None if then.steps else then.kg_per_amount
        made[version] = _term(
            versions, version, plan, source.id, "mass_kg", then.point, weight, then.steps, list(then.factors),
            then.factor_point,
        )  # fmt: skip
    return made


def _term(
    versions: Versions,
    version: int,
    plan: Plan,
    row: str,
    side: Literal["a", "b", "mass_kg"],
    point: int,
    weight: float | None,
    steps: Steps,
    factors: list[str],
    factor_point: int | None = None,
) -> TermDocument:
    return TermDocument(
        plan_version=version,
        row=row,
        side=side,
        point=versions.point(plan, point),
        factor_point=None if factor_point is None else versions.point(plan, factor_point),
        weight=weight,
        steps=[WeightStep(since=at, weight=None if isnan(value) else value) for at, value in steps],
        unit=plan.points[point].amount_unit,
        factors=factors,
    )


def points_of(terms: Iterable[TermDocument]) -> tuple[str, ...]:
    """The points whose intervals terms need, each once."""
    both = (name for one in terms for name in (one.point, one.factor_point))
    return tuple(dict.fromkeys(name for name in both if name is not None))


def factors_of(book: FactorBook, terms: Iterable[TermDocument]) -> list[FactorUsed]:
    """The factors that terms name, as frozen in their versions."""
    return [
        found for term in terms for name in term.factors if (found := book.named(term.plan_version, name))
    ]
