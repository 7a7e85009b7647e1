"""Sources without a meter, and what documents tell of them, compiled.

The weight of a documented activity is exact: one fraction, kg per count, in which every
analysis counts 1 until one is in force. Units and bases are checked as of any source.
"""

from dataclasses import replace
from fractions import Fraction

from ingest.methods.gwp import GWP100
from ingest.plant.activities import Activity, Analysis, Documented
from ingest.plant.catalogue import Catalogue
from ingest.plant.entries import Point, Source
from ingest.plant.factors import Factor
from ingest.plant.papers import PlanActivity, PlanAnalysis, PlanDocumented
from ingest.plant.sentence import Place
from ingest.plant.series import decimal, steps_of
from ingest.plant.weights import account_of, carry, sign_of, times
from ingest.units import measure


def compile_activities(catalogue: Catalogue) -> tuple[PlanActivity, ...]:
    """What documents may tell of."""
    return tuple(
        PlanActivity(
            activity.id,
            activity.name,
            activity.unit,
            tuple(sorted(catalogue.measure(("activities", i, "unit"), activity.unit, activity.basis).basis)),
            activity.resolution,
        )
        for i, activity in enumerate(catalogue.file.activities)
    )


def compile_analyses(catalogue: Catalogue) -> tuple[PlanAnalysis, ...]:
    """What laboratories may determine."""
    return tuple(_analysis(catalogue, ("analyses", i), one) for i, one in enumerate(catalogue.file.analyses))


def _analysis(catalogue: Catalogue, place: Place, analysis: Analysis) -> PlanAnalysis:
    unit = catalogue.measure((*place, "unit"), analysis.unit, analysis.basis)
    default = None
    if analysis.default is not None:
        factor = catalogue.factors[analysis.default]
        given = catalogue.measure((*place, "default"), factor.unit, factor.basis)
        if given.same_dimension(unit) and given.basis != unit.basis:
            expected = f"a factor of the analysis's basis, {' and '.join(sorted(unit.basis)) or 'none'}"
            raise catalogue.fault((*place, "default"), analysis.default, expected)
        ratio = carry(catalogue, (*place, "default"), given, unit)
        default = (factor.id, float(decimal(factor.number) * ratio))
    return PlanAnalysis(analysis.id, analysis.name, analysis.unit, tuple(sorted(unit.basis)), default)


def analysed_point(catalogue: Catalogue, place: Place, point: Point) -> tuple[str, float] | None:
    """The property that analyses give at a point, and what its value is multiplied by; None: it is measured."""
    if point.analysis is None:
        return None
    where = (*place, "analysis")
    analysis = next(one for one in catalogue.file.analyses if one.id == point.analysis)
    own = catalogue.measure((*place, "unit"), point.unit, point.basis)
    given = catalogue.measure(where, analysis.unit, analysis.basis)
    if given.same_dimension(own) and given.basis != own.basis:
        expected = f"an analysis of the point's basis, {' and '.join(sorted(own.basis)) or 'none'}"
        raise catalogue.fault(where, point.analysis, expected)
    return point.analysis, float(carry(catalogue, where, given, own))


def compile_documented(catalogue: Catalogue) -> tuple[PlanDocumented, ...]:
    """The sources whose activity documents tell."""
    return tuple(
        _source(catalogue, ("sources", i), source, source.activity)
        for i, source in enumerate(catalogue.file.sources)
        if isinstance(source.activity, Documented)
    )


def _source(catalogue: Catalogue, place: Place, source: Source, named: Documented) -> PlanDocumented:
    file = catalogue.file
    activity = next(one for one in file.activities if one.id == named.document)
    analyses = {one.id: _as_factor(one) for one in file.analyses}
    counted = replace(catalogue, factors={**catalogue.factors, **analyses})
    number, unit = times(
        counted, place, _size(activity), measure(activity.unit, activity.basis), source.factors
    )
    number *= carry(catalogue, (*place, "factors"), unit, measure("kg")) * sign_of(source)
    gwp = GWP100[file.gwp]
    if source.gas not in gwp:
        raise catalogue.fault((*place, "gas"), source.gas, f"a gas that {file.gwp} lists: {', '.join(gwp)}")
    return PlanDocumented(
        id=f"{file.site}/{source.id}",
        name=source.name or source.id,
        unit=f"{file.site}/{source.unit}" if source.unit else None,
        scope=source.scope,
        category=source.category,
        account=account_of(catalogue, source),
        gas=source.gas,
        method="activity.factor",
        activity=activity.id,
        kg_per_count=number,
        analyses=tuple(factor for factor in source.factors if factor in analyses),
        factors=source.factors,
        formerly=tuple(f"{file.site}/{former}" for former in source.formerly),
        steps=steps_of(counted, source, number),
        basis=source.basis,
        supply=source.supply,
    )


def _as_factor(analysis: Analysis) -> Factor:
    return Factor(
        id=analysis.id, value=1.0, unit=analysis.unit, basis=analysis.basis, source="analysis", trust="R"
    )


def _size(activity: Activity) -> Fraction:
    return decimal(activity.resolution)
