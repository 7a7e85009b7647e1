"""Emission sources and KPIs of a plant file to sparse weights on points.

A weight carries an amount of a point straight into the unit of the figure's sum:
unit conversion, factors and the term's own weight are multiplied once, here. A sum
only takes what may be added: one dimension, one basis. Standard coal needs its
basis named, since electricity counts 2.4 times as much in one as in the other.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from ingest.errors import InputError
from ingest.methods.figures import KpiKind
from ingest.methods.gwp import GWP100
from ingest.plant.catalogue import Catalogue
from ingest.plant.entries import Kpi, Point, Source, Term
from ingest.plant.factors import Factor
from ingest.plant.plan import PlanSource, Terms
from ingest.plant.plan_doubts import PlanTerm, Steps
from ingest.plant.regimes import compile_regime
from ingest.plant.sentence import Place, absent
from ingest.plant.series import decimal, steps_of
from ingest.unit_names import AXES
from ingest.units import Measure, amount_unit, measure, settle, spoken

Weighed = tuple[int, Fraction, Measure]
"""Plan index of a point, number on its amount, unit that gives."""


def compile_source(catalogue: Catalogue, place: Place, source: Source) -> PlanSource:
    """The weight of an emission source's activity."""
    file = catalogue.file
    assert isinstance(source.activity, str)
    point, number, unit = _weigh(
        catalogue, place, source.activity, source.factors, (*place, "activity"), source.factor_point
    )
    to_kg = carry(catalogue, (*place, "factors" if source.factors else "activity"), unit, measure("kg"))
    number *= to_kg * sign_of(source)
    gwp = GWP100[file.gwp]
    if source.gas not in gwp:
        raise catalogue.fault((*place, "gas"), source.gas, f"a gas that {file.gwp} lists: {', '.join(gwp)}")
    program = catalogue.points[source.activity].computed
    measured = program.method if program else "measured.mass-flow"
    return PlanSource(
        id=f"{file.site}/{source.id}",
        name=source.name or source.id,
        unit=f"{file.site}/{source.unit}" if source.unit else None,
        scope=source.scope,
        category=source.category,
        route=source.route,
        gas=source.gas,
        method=measured if source.route == "measured" else "activity.factor",
        point=point,
        kg_per_amount=float(number),
        co2e_per_kg=gwp[source.gas],
        factors=source.factors,
        formerly=tuple(f"{file.site}/{former}" for former in source.formerly),
        steps=steps_of(catalogue, source, number),
        factor_point=None if source.factor_point is None else catalogue.index[source.factor_point],
        basis=source.basis,
        supply=source.supply,
        account=account_of(catalogue, source),
        regime=compile_regime(catalogue, place, source),
    )


def account_of(catalogue: Catalogue, source: Source) -> str:
    """In which account of the inventory a source stands."""
    if any(source.id in boundary.attributed for boundary in catalogue.file.boundaries):
        return "attributed"
    return source.account or ("fixed" if source.category == "products" else "gross")


def sign_of(source: Source) -> int:
    """-1 for what is told as taken away: captured, fixed, offset."""
    return -1 if source.category == "products" or source.account in ("captured", "fixed", "offset") else 1


def compile_sums(
    catalogue: Catalogue, place: Place, kpi: Kpi, sources: Mapping[str, PlanSource]
) -> tuple[Terms, Terms, str, str]:
    """Weights a and b of a KPI, and the units of their sums."""
    unit = catalogue.measure((*place, "unit"), kpi.unit, kpi.basis)
    _check_coal(catalogue, place, unit)
    a = [_term(catalogue, (*place, "numerator", i), kpi, t, sources) for i, t in enumerate(kpi.numerator)]
    b = [_term(catalogue, (*place, "denominator", i), kpi, t, sources) for i, t in enumerate(kpi.denominator)]
    a_unit, b_unit = _sum_units(catalogue, place, kpi, unit, a, b)
    for key, terms in (("numerator", kpi.numerator), ("denominator", kpi.denominator)):
        _check_one_basis(catalogue, (*place, key), terms)
    return (
        _collect(catalogue, (*place, "numerator"), _fixed(kpi.numerator, a, sources), a_unit),
        _collect(catalogue, (*place, "denominator"), _fixed(kpi.denominator, b, sources), b_unit),
        a_unit.text,
        b_unit.text,
    )


def _fixed(
    terms: Sequence[Term], weighed: Sequence[Weighed], sources: Mapping[str, PlanSource]
) -> list[Weighed | None]:
    """Terms whose weight is the same at all times; None in the place of others."""
    varying = {name for name, source in sources.items() if source.varies}
    return [None if term.source in varying else one for term, one in zip(terms, weighed, strict=True)]


def compile_terms(
    catalogue: Catalogue, place: Place, kpi: Kpi, sources: Mapping[str, PlanSource], units: tuple[str, str]
) -> tuple[tuple[PlanTerm, ...], tuple[PlanTerm, ...]]:
    """The sums of `compile_sums` term by term, each with the factors in its weight; `units` are theirs.

    And the terms whose weight changes with time, which are in none of those sums.
    """
    sides = []
    for key, unit in zip(("numerator", "denominator"), units, strict=True):
        terms = []
        for i, term in enumerate(getattr(kpi, key)):
            point, number, given = _term(catalogue, (*place, key, i), kpi, term, sources)
            ratio = carry(catalogue, (*place, key, i), given, measure(unit))
            source = None if term.source is None else sources[term.source]
            of_source = () if source is None else source.factors
            steps = () if source is None else _steps(source, number * ratio)
            terms.append(PlanTerm(point, float(number * ratio), (*of_source, *term.factors), steps))
        sides.append(tuple(terms))
    return sides[0], sides[1]


def _steps(source: PlanSource, number: Fraction) -> Steps:
    """From when on a term of a source weighs what; `number` is its weight with each series at 1."""
    if not source.steps:
        return ()
    per_kg = number / decimal(source.kg_per_amount) if source.kg_per_amount else Fraction(0)
    return tuple(
        (at, math.nan if math.isnan(value) else float(decimal(value) * per_kg)) for at, value in source.steps
    )


def _sum_units(
    catalogue: Catalogue, place: Place, kpi: Kpi, unit: Measure, a: list[Weighed], b: list[Weighed]
) -> tuple[Measure, Measure]:
    """In which units the sums are kept, so that they combine to the KPI's unit."""
    match kpi.kind:
        case KpiKind.RATIO:
            above, _, below = kpi.unit.rpartition("/")
            if above:
                divisor = measure(below)
                if divisor.same_dimension(b[0][2]):
                    return measure(above), divisor
            return unit * b[0][2], b[0][2]
        case KpiKind.RATE | KpiKind.DEMAND:
            return measure(amount_unit(kpi.unit)), measure("h")
        case KpiKind.TOTAL:
            return unit, measure("h")
        case KpiKind.POWER_FACTOR | KpiKind.LOAD_FACTOR:
            if kpi.unit != "1":
                raise catalogue.fault((*place, "unit"), kpi.unit, f"'1' for a {kpi.kind}")
            if kpi.kind is KpiKind.POWER_FACTOR:
                return measure("kWh"), measure("kvarh")
            return a[0][2], measure("h")


def _check_coal(catalogue: Catalogue, place: Place, unit: Measure) -> None:
    coal = {word for word, axis in AXES.items() if axis == "standard coal"}
    if "[standard_coal]" in unit.unit.dimensionality and not coal & unit.basis:
        expected = f"{' or '.join(sorted(coal))}, since standard coal has both"
        raise absent(catalogue.file.origin, (*place, "basis"), expected)


def _term(
    catalogue: Catalogue, place: Place, kpi: Kpi, term: Term, sources: Mapping[str, PlanSource]
) -> Weighed:
    """A summand; its factors' standard coal must be the KPI's."""
    if term.point is not None:
        point, number, unit = _weigh(catalogue, place, term.point, term.factors, (*place, "point"))
    else:
        assert term.source is not None
        source = sources[term.source]
        point, number, unit = source.point, decimal(source.kg_per_amount), measure("kg")
        number, unit = times(catalogue, place, number, unit, term.factors)
    for i, factor_id in enumerate(term.factors):
        factor = catalogue.factors[factor_id]
        for word in factor.basis:
            if AXES[word] == "standard coal" and word not in kpi.basis:
                expected = f"a factor that is {spoken(kpi.basis)}"
                raise catalogue.fault((*place, "factors", i), factor_id, expected)
    return point, number * decimal(term.weight), unit


def _weigh(
    catalogue: Catalogue,
    place: Place,
    point_id: str,
    factors: Sequence[str],
    where: Place,
    factor_point: str | None = None,
) -> Weighed:
    unit = catalogue.amount(point_id)
    if unit is None:
        raise catalogue.fault(where, point_id, "a point with amounts: counter, delta, gauge or state")
    number, unit = times(catalogue, place, Fraction(1), unit, factors, factor_point)
    return catalogue.index[point_id], number, unit


def times(
    catalogue: Catalogue,
    place: Place,
    number: Fraction,
    unit: Measure,
    factors: Sequence[str],
    factor_point: str | None = None,
) -> tuple[Fraction, Measure]:
    """An amount times its factors; volumes must be of the state the factors are for.

    Values of series and of a factor point are not in it, their units are.
    """
    volume = _on_axis(unit, "state")
    said: set[str] = set()
    named: list[tuple[Place, str, Factor | Point]] = [
        ((*place, "factors", i), factor_id, catalogue.factors[factor_id])
        for i, factor_id in enumerate(factors)
    ]
    if factor_point is not None:
        named.append(((*place, "factor_point"), factor_point, catalogue.points[factor_point]))
    for where, name, factor in named:
        per = catalogue.measure(where, factor.unit, factor.basis)
        said |= _on_axis(per, "state")
        try:
            basis = settle(f"{unit.text} times {name}", (*unit.basis, *per.basis))
        except InputError as refusal:
            raise catalogue.refused(where, refusal) from None
        product = unit * per
        unit = Measure(product.text, product.unit, basis)
        if isinstance(factor, Factor) and not factor.series:
            number *= decimal(factor.number)
    if factors and said != volume:
        expected = f"factors for an amount that is {spoken(volume)}"
        raise catalogue.fault((*place, "factors"), list(factors), expected)
    return number, unit


def _on_axis(unit: Measure, axis: str) -> set[str]:
    return {word for word in unit.basis if AXES[word] == axis}


def _check_one_basis(catalogue: Catalogue, place: Place, terms: Sequence[Term]) -> None:
    """Amounts added without a factor must mean the same: no dry tonne and wet tonne, no two states of gas."""
    first: Measure | None = None
    for i, term in enumerate(terms):
        if term.point is None or term.factors:
            continue
        unit = catalogue.amount(term.point)
        assert unit is not None
        if first is not None and unit.basis != first.basis:
            expected = f"a point that is {spoken(first.basis)}, as the others"
            raise catalogue.fault((*place, i, "point"), term.point, expected)
        first = first or unit


def _collect(catalogue: Catalogue, place: Place, terms: Sequence[Weighed | None], target: Measure) -> Terms:
    """Terms in one unit, each point once, in the order of first mention; None is passed over."""
    sums: dict[int, Fraction] = {}
    for i, term in enumerate(terms):
        if term is None:
            continue
        point, number, unit = term
        sums[point] = sums.get(point, Fraction(0)) + number * carry(catalogue, (*place, i), unit, target)
    return tuple((point, float(number)) for point, number in sums.items())


def carry(catalogue: Catalogue, place: Place, unit: Measure, target: Measure) -> Fraction:
    """What a number in `unit` is multiplied by to be in `target`; PlantError where it cannot be."""
    try:
        return _factor(unit, target)
    except InputError as refusal:
        raise catalogue.refused(place, refusal) from None


@lru_cache(maxsize=4096)
def _factor(unit: Measure, target: Measure) -> Fraction:
    """What a number in `unit` is multiplied by to be in `target`."""
    return decimal(unit.affine(target)[0])
