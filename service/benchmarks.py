"""Benchmarks beside figures: what is in force on the day a figure is of, and the band it puts it in."""

from collections.abc import Iterable, Mapping

from pydantic import Field

from ingest.methods.bands import Band, band, in_force
from ingest.plant.plan import Plan
from ingest.plant.plan_benchmark import PlanBenchmark
from service.documents import Document
from service.figures import Figure


class BenchmarkDocument(Document):
    """A value of a standard or of others, beside a KPI."""

    id: str
    kpi: str
    value: float = Field(description="As the standard has it, in `unit`")
    unit: str
    level: str = Field(description="advanced, baseline, limit or own_best")
    better: str = Field(description="lower or higher")
    corrected: float = Field(description="For this plant, in the KPI's unit")
    valid_from: str | None = Field(description="A day of the site's zone; null: always")
    valid_to: str | None = Field(
        description="First day on which it holds no more; null: until another begins"
    )
    source: str
    trust: str


class LiveFigure(Figure):
    """A figure as it is now, beside the benchmarks in force."""

    band: Band | None = Field(
        description="better: as good as the advanced level; worse: not as good as the baseline, without one"
        " the limit; between: neither; null: no value, or nothing to compare it with"
    )
    benchmarks: dict[str, float] = Field(description="Level → value in the figure's unit, those in force")


def benchmark_documents(plan: Plan) -> list[BenchmarkDocument]:
    """All benchmarks of a plan."""
    return [
        BenchmarkDocument(
            id=mark.id,
            kpi=mark.kpi,
            value=given.value,
            unit=given.unit,
            level=mark.level,
            better=mark.better,
            corrected=mark.value,
            valid_from=None if given.valid_from is None else given.valid_from.isoformat(),
            valid_to=None if given.valid_to is None else given.valid_to.isoformat(),
            source=mark.source,
            trust=mark.trust,
        )
        for mark, given in zip(plan.benchmarks, plan.file.benchmarks, strict=True)
    ]


def by_kpi(plans: Iterable[Plan]) -> dict[str, list[PlanBenchmark]]:
    """The benchmarks of each KPI that has any."""
    found: dict[str, list[PlanBenchmark]] = {}
    for plan in plans:
        for mark in plan.benchmarks:
            found.setdefault(mark.kpi, []).append(mark)
    return found


def beside(figure: Figure, marks: Mapping[str, list[PlanBenchmark]]) -> LiveFigure:
    """A figure with its benchmarks; those of the day on which its span ends."""
    held = [] if figure.to is None else in_force(marks.get(figure.id, ()), figure.to)
    return LiveFigure(
        **dict(figure),
        band=None if figure.value is None else band(held, figure.value),
        benchmarks={mark.level: mark.value for mark in held},
    )
