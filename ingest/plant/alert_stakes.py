"""What it comes to when a figure is above its limit: kWh, t CO2, money, as far as that follows from the file.

A rate above its limit for a time is an amount; so is a ratio, times what it is counted by
(kWh/t above 35 times the tonnes made). Energy costs what the tariff of its carrier says when it happens
(`ingest.pipeline.stakes`). Nothing is guessed: what has no amount in energy or CO2 says why.
"""

from ingest.errors import InputError
from ingest.methods.figures import KpiKind
from ingest.plant.alert_subjects import Known
from ingest.plant.alerts import Alert
from ingest.plant.entries import Kpi
from ingest.plant.plan_alerts import PlanStake, PlanSubject
from ingest.units import Measure, measure


def stake_of(known: Known, alert: Alert, subject: PlanSubject) -> PlanStake:
    """How the amount above a rule's limit converts."""
    if alert.condition not in ("threshold", "deviation"):
        return PlanStake(None, None, None, f"a condition of {alert.condition} adds up to no amount")
    match subject.observed:
        case "emission":
            gas = next(one.gas for one in known.sources.values() if one.id == subject.id)
            if gas != "co2":
                return PlanStake(None, None, None, f"{gas} is no CO2")
            return PlanStake(None, 1.0, _price(known), None)
        case "residual":
            return PlanStake(None, None, None, "two accounts of one emission differ: nothing more is emitted")
        case "kpi" | "demand":
            return _of_kpi(known, subject)
        case _:
            point = known.catalogue.points[subject.id.partition("/")[2]]
            if point.kind != "gauge" or subject.figure not in ("latest", "mean"):
                return PlanStake(None, None, None, "the figure is no rate, it adds up to nothing")
            amount = measure(point.unit, tuple(point.basis)) * measure("h")
            return _of(known, amount, is_co2=False, carrier=point.carrier)


def _of_kpi(known: Known, subject: PlanSubject) -> PlanStake:
    kpi = known.kpis[subject.place]
    entry = known.catalogue.file.kpis[subject.place]
    gases = {known.sources[term.source].gas if term.source else "" for term in entry.numerator}
    is_co2, carrier = gases == {"co2"}, _carrier(known, entry)
    if kpi.kind is KpiKind.RATIO:
        return _of(known, measure(kpi.a_unit), is_co2=is_co2, carrier=carrier)
    if kpi.kind in (KpiKind.RATE, KpiKind.DEMAND):
        amount = measure(kpi.unit, tuple(entry.basis)) * measure("h")
        return _of(known, amount, is_co2=is_co2, carrier=carrier)
    return PlanStake(None, None, None, f"a {kpi.kind} above its limit is no amount a time")


def _carrier(known: Known, entry: Kpi) -> str | None:
    """What a KPI counts as it is metered; what is weighed, or has a basis, is no energy that a meter bills."""
    found: set[str | None] = set()
    for term in entry.numerator:
        point = known.catalogue.points.get(term.point or "")
        is_metered = point is not None and not term.factors and term.weight == 1
        found.add(point.carrier if point is not None and is_metered else None)
    return found.pop() if len(found) == 1 and not entry.basis else None


def _of(known: Known, amount: Measure, *, is_co2: bool, carrier: str | None) -> PlanStake:
    kwh, mass = _multiplier(amount, "kWh"), _multiplier(amount, "t")
    if is_co2 and mass is not None:
        return PlanStake(None, mass, _price(known), None)
    if kwh is None:
        return PlanStake(None, None, None, "the figure counts neither energy nor CO2")
    return PlanStake(kwh, None, None, None, carrier)


def _price(known: Known) -> float | None:
    """Of a tonne of CO2, in the file's currency."""
    file = known.catalogue.file
    if file.carbon_price is None or file.currency is None:
        return None
    per_t = _multiplier(measure(file.carbon_price.unit), f"{file.currency}/t")
    return None if per_t is None else file.carbon_price.value * per_t


def _multiplier(given: Measure, wanted: str) -> float | None:
    try:
        return given.affine(measure(wanted))[0]
    except InputError:
        return None
