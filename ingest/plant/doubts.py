"""What a plant file says of uncertainty, resolved: instruments, factors, constants.

An entry gives a relative standard uncertainty with its source, or names a row of the
instrument table; either becomes numbers in the unit of what it is of, so that nothing
later knows the table. An instrument of which only a class as printed is told is known to
be there and says nothing (transformers, range and mounting count too).
"""

import math
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from ingest.errors import InputError
from ingest.methods.instruments import InstrumentClass, instrument_classes
from ingest.methods.registry import METHODS
from ingest.model import HOUR
from ingest.plant.activities import Analysis
from ingest.plant.business import Instrument
from ingest.plant.catalogue import Catalogue
from ingest.plant.entries import Point
from ingest.plant.factors import Factor
from ingest.plant.instruments import due_instant
from ingest.plant.plan_doubts import PlanDoubt, PlanDoubts
from ingest.plant.sentence import Place
from ingest.plant.series import instants_of
from ingest.plant.trust import Uncertainty
from ingest.units import Measure, measure

_PERCENT = 100.0
_ROUNDING = 1e-9


def compile_doubts(catalogue: Catalogue) -> PlanDoubts:
    """The uncertainties of a plant file; PlantError for a class that is none or does not fit its unit."""
    file = catalogue.file
    points: dict[int, list[PlanDoubt]] = {}
    for i, instrument in enumerate(file.instruments):
        for point_id in instrument.points:
            found = _of_instrument(catalogue, ("instruments", i), instrument, catalogue.points[point_id])
            points.setdefault(catalogue.index[point_id], []).append(found)
    judged = {one.id: one for one in file.analyses if one.uncertainty or one.uncertainty_class}
    for i, point in enumerate(file.points):
        if point.analysis in judged:
            told_by = judged[point.analysis]
            points.setdefault(catalogue.index[point.id], []).extend(
                _of_analysed(catalogue, ("points", i, "analysis"), told_by, point)
            )
    factors, series = {}, {}
    for i, factor in enumerate(file.factors):
        if factor.uncertainty is None and factor.uncertainty_class is None:
            continue
        if factor.series:
            series[factor.id] = _of_series(catalogue, ("factors", i), factor)
        else:
            name = f"factor {factor.id} {factor.number!r}"
            factors[factor.id] = _of_factor(catalogue, ("factors", i), factor, name, factor.number)
    told: dict[str, list[PlanDoubt]] = {}
    for i, instrument in enumerate(file.instruments):
        for activity in instrument.activities:
            told.setdefault(activity, []).append(_of_bridge(catalogue, ("instruments", i), instrument))
    activities = {activity: tuple(found) for activity, found in told.items()}
    analyses = {
        one.id: _of_analysis(catalogue, ("analyses", i), one, one)
        for i, one in enumerate(file.analyses)
        if one.id in judged
    }
    constants: dict[tuple[int, str], PlanDoubt] = {}
    for i, point in enumerate(file.points):
        constants |= _of_constants(catalogue, ("points", i, "computed"), point)
    held = {point: tuple(found) for point, found in points.items()}
    return PlanDoubts(held, factors, series, constants, activities, analyses, _correlations(catalogue))


def _correlations(catalogue: Catalogue) -> dict[frozenset[str], float]:
    """By the names of two instruments; all of them must be able to hold at once."""
    known = {instrument.id for instrument in catalogue.file.instruments}
    found: dict[frozenset[str], float] = {}
    for i, entry in enumerate(catalogue.file.correlations):
        place = ("correlations", i)
        for j, named in enumerate(entry.instruments):
            if named not in known:
                expected = "the id of an instrument of this file"
                raise catalogue.fault((*place, "instruments", j), named, expected)
        pair = frozenset(f"instrument {named}" for named in entry.instruments)
        if len(pair) != 2 or pair in found:
            raise catalogue.fault(
                (*place, "instruments"), list(entry.instruments), "two instruments, each pair once"
            )
        found[pair] = entry.r
    names = sorted({name for pair in found for name in pair})
    matrix = np.eye(len(names))
    for pair, r in found.items():
        one, other = (names.index(name) for name in pair)
        matrix[one, other] = matrix[other, one] = r
    if found and np.linalg.eigvalsh(matrix)[0] < -_ROUNDING:
        together = [entry.r for entry in catalogue.file.correlations]
        raise catalogue.fault(("correlations",), together, "correlations that can hold together")
    return found


def _row(catalogue: Catalogue, place: Place, named: str) -> InstrumentClass:
    row = instrument_classes().get(named)
    if row is None:
        raise catalogue.fault(place, named, "a row of the instrument table such as belt-weigher-0.5")
    return row


def _of_instrument(catalogue: Catalogue, place: Place, instrument: Instrument, point: Point) -> PlanDoubt:
    zone = ZoneInfo(catalogue.file.time_zone)
    name = f"instrument {instrument.id}"
    calibrated_at, due_at = due_instant(instrument.calibrated_on, zone), due_instant(instrument.due_on, zone)
    if instrument.uncertainty_class is None:
        found = _given(name, instrument.uncertainty)
        return replace(found, calibrated_at=calibrated_at, due_at=due_at)
    where = (*place, "uncertainty_class")
    row = _row(catalogue, where, instrument.uncertainty_class)
    target = catalogue.measure(where, point.unit, point.basis)
    per_sample = row.random is not None and row.random.per == "sample"
    step_us = max(point.period or HOUR, HOUR) if per_sample else HOUR
    found = _listed(catalogue, where, name, row, target)
    return replace(found, step_us=step_us, calibrated_at=calibrated_at, due_at=due_at)


def _of_bridge(catalogue: Catalogue, place: Place, instrument: Instrument) -> PlanDoubt:
    """Of what an instrument says of a documented activity: a share, for a document has no instants to be off at."""
    zone, name = ZoneInfo(catalogue.file.time_zone), f"instrument {instrument.id}"
    found = _given(name, instrument.uncertainty)
    if instrument.uncertainty_class is not None:
        where = (*place, "uncertainty_class")
        row = _row(catalogue, where, instrument.uncertainty_class)
        if row.of != "reading" or (row.random is not None and row.random.of != "reading"):
            expected = "a class in percent of the value, for an instrument of a documented activity"
            raise catalogue.fault(where, instrument.uncertainty_class, expected)
        found = _listed(catalogue, where, name, row, measure("1"))
    return replace(
        found,
        rho=0.0,
        calibrated_at=due_instant(instrument.calibrated_on, zone),
        due_at=due_instant(instrument.due_on, zone),
    )


def _of_analysed(
    catalogue: Catalogue, place: Place, analysis: Analysis, point: Point
) -> tuple[PlanDoubt, PlanDoubt]:
    """Of a point that analyses tell: its laboratory's error, and one of all its samples.

    How long a sample stands for the point is told by documents, not by the plan: so samples are not taken
    to be independent, which makes it rather too unsure than too sure.
    """
    found = _of_analysis(catalogue, place, analysis, point)
    sampled = PlanDoubt(f"{found.name}, sample", found.random, is_relative=found.is_random_relative)
    return replace(found, random=0.0), sampled


def _of_analysis(
    catalogue: Catalogue, place: Place, analysis: Analysis, shown: Analysis | Point
) -> PlanDoubt:
    """Of a property: what the laboratory keeps, and what each document's sample adds; in the unit of `shown`."""
    name = f"analysis {analysis.id}"
    if analysis.uncertainty_class is None:
        return replace(_given(name, analysis.uncertainty), rho=0.0)
    where = (*place, "uncertainty_class")
    row = _row(catalogue, where, analysis.uncertainty_class)
    found = _listed(catalogue, where, name, row, catalogue.measure(where, shown.unit, shown.basis))
    return replace(found, rho=0.0)


def _given(name: str, uncertainty: Uncertainty | None) -> PlanDoubt:
    if uncertainty is None:
        return PlanDoubt(name, math.nan, is_relative=True)
    return PlanDoubt(
        name,
        uncertainty.percent / _PERCENT,
        is_relative=True,
        random=(uncertainty.random_percent or 0.0) / _PERCENT,
        rho=uncertainty.rho,
        observations=uncertainty.observations or math.inf,
    )


def _listed(
    catalogue: Catalogue, place: Place, name: str, row: InstrumentClass, target: Measure
) -> PlanDoubt:
    """A row of the table for a value in the unit `target`."""
    random = row.random
    return PlanDoubt(
        name,
        row.systematic * _scale(catalogue, place, row.of == "reading", row.unit, target),
        is_relative=row.of == "reading",
        random=0.0
        if random is None
        else random.u * _scale(catalogue, place, random.of == "reading", random.unit, target),
        is_random_relative=random is None or random.of == "reading",
        rho=0.0 if random is None else random.rho,
    )


def _scale(catalogue: Catalogue, place: Place, is_relative: bool, unit: str, target: Measure) -> float:
    """From the table's unit to a share, or to the unit of the value; a difference knows no offset."""
    if is_relative:
        return 1.0 / _PERCENT
    try:
        return measure(unit).affine(target)[0]
    except InputError as refusal:
        raise catalogue.refused(place, refusal) from None


def _of_series(catalogue: Catalogue, place: Place, factor: Factor) -> tuple[tuple[int, PlanDoubt], ...]:
    """Per step of a factor that changes with time; steps of one publication are one systematic source."""
    found = []
    for step, at in zip(factor.series, instants_of(catalogue, factor), strict=True):
        said = (step.data_year, step.edition, step.published, step.source)
        name = f"factor {factor.id}, {', '.join(str(word) for word in said if word is not None)}"
        value = 1.0 if step.value is None else step.value  # of none there is no mass, and no doubt
        found.append((at, _of_factor(catalogue, place, factor, name, value)))
    return tuple(found)


def _of_factor(catalogue: Catalogue, place: Place, factor: Factor, name: str, value: float) -> PlanDoubt:
    """A factor's, as a share of its value: what a sample adds lasts as long as the factor made of it."""
    if factor.uncertainty_class is None:
        found = _given(name, factor.uncertainty)
    else:
        where = (*place, "uncertainty_class")
        row = _row(catalogue, where, factor.uncertainty_class)
        found = _listed(catalogue, where, name, row, catalogue.measure(where, factor.unit, factor.basis))
    size = abs(value) or math.nan
    systematic = found.systematic if found.is_relative else found.systematic / size
    random = found.random if found.is_random_relative else found.random / size
    return PlanDoubt(name, math.hypot(systematic, random), is_relative=True, observations=found.observations)


def _of_constants(catalogue: Catalogue, place: Place, point: Point) -> dict[tuple[int, str], PlanDoubt]:
    found: dict[tuple[int, str], PlanDoubt] = {}
    if point.computed is None:
        return found
    method = METHODS[point.computed.method]
    open_names = [constant.name for constant in method.constants if constant.value is None]
    for name, named in point.computed.uncertainty_classes.items():
        where = (*place, "uncertainty_classes", name)
        if name not in open_names:
            raise catalogue.fault(where, named, f"only {', '.join(open_names) or 'no names'}")
        row = _row(catalogue, where, named)
        if row.of != "reading":
            raise catalogue.fault(where, named, "a class in percent of the value")
        found[catalogue.index[point.id], name] = PlanDoubt(
            f"constant {point.id} {name}", row.systematic / _PERCENT, is_relative=True
        )
    return found
