"""What emits, as `/v1/plant` tells it: metered and documented sources, and what documents tell of them."""

from fractions import Fraction

from pydantic import Field

from ingest.plant.plan import Plan
from service.documents import Document


class SourceDocument(Document):
    """A source of emissions."""

    id: str
    name: str
    unit: str | None = Field(description="Full id of the unit that emits; null: the site")
    scope: int
    category: str
    route: str = Field(description="measured or calculated: two accounts of the same gas, never to be added")
    gas: str
    method: str
    account: str = Field(description="gross, biogenic, captured, fixed or offset: never netted")
    evidence: str = Field(description="metered or documented")
    point: str | None = Field(description="Full id of the point whose amount drives it; null: documents do")
    activity: str | None = Field(description="The activity that documents tell of; null: a point drives it")
    kg_per_amount: float | None = Field(
        description="kg of the gas per unit of that amount, without what changes with time; null: analyses are"
        " among its factors"
    )
    factors: list[str]
    factor_point: str | None = Field(description="Full id of the point whose mean is a further factor")
    basis: str | None = Field(description="location or market: two accounts, never to be added")
    supply: str | None = Field(description="grid, green, own or export, told apart")
    regime: str | None = Field(
        description="The regime whose rule makes its hours, see `/v1/sources/{id}/hours`; null: none"
    )


class ActivityDocument(Document):
    """A quantity of which documents tell."""

    id: str
    name: str
    unit: str
    basis: list[str]
    resolution: float


class AnalysisDocument(Document):
    """A property that a laboratory determines."""

    id: str
    name: str
    unit: str
    basis: list[str]
    default: str | None = Field(description="The factor that stands in where no approved analysis covers")


def activities_of(plan: Plan) -> list[ActivityDocument]:
    """What documents may tell of."""
    return [
        ActivityDocument(
            id=one.id, name=one.name, unit=one.unit, basis=list(one.basis), resolution=one.resolution
        )
        for one in plan.activities
    ]


def analyses_of(plan: Plan) -> list[AnalysisDocument]:
    """What laboratories may determine."""
    return [
        AnalysisDocument(
            id=one.id,
            name=one.name,
            unit=one.unit,
            basis=list(one.basis),
            default=None if one.default is None else one.default[0],
        )
        for one in plan.analyses
    ]


def sources_of(plan: Plan) -> list[SourceDocument]:
    """Every source of emissions, those with a meter first."""
    return [*_metered(plan), *_documented(plan)]


_SAME_OF_SOURCE = ("id", "name", "unit", "scope", "category", "gas", "method", "account", "basis", "supply")


def _metered(plan: Plan) -> list[SourceDocument]:
    return [
        SourceDocument(
            **{name: getattr(source, name) for name in _SAME_OF_SOURCE},
            route=source.route,
            evidence="metered",
            point=plan.points[source.point].id,
            activity=None,
            kg_per_amount=source.kg_per_amount,
            factors=list(source.factors),
            factor_point=None if source.factor_point is None else plan.points[source.factor_point].id,
            regime=None if source.regime is None else source.regime.rule,
        )
        for source in plan.sources
    ]


def _documented(plan: Plan) -> list[SourceDocument]:
    sizes = {activity.id: Fraction(repr(activity.resolution)) for activity in plan.activities}
    return [
        SourceDocument(
            **{name: getattr(source, name) for name in _SAME_OF_SOURCE},
            route="calculated",
            evidence="documented",
            point=None,
            activity=source.activity,
            kg_per_amount=None if source.analyses else float(source.kg_per_count / sizes[source.activity]),
            factors=list(source.factors),
            factor_point=None,
            regime=None,
        )
        for source in plan.documented
    ]
