"""What an alert rule watches, resolved: which point, KPI, source or reconciliation, in which window and unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.model import DAY
from ingest.plant.activities import Documented
from ingest.plant.alerts import Alert
from ingest.plant.catalogue import Catalogue, amount_text
from ingest.plant.fields import format_span
from ingest.plant.plan import PlanKpi, PlanSource
from ingest.plant.plan_alerts import PlanSubject
from ingest.plant.sentence import Place


@dataclass(slots=True)
class Known:
    """What rules may name."""

    catalogue: Catalogue
    kpis: Sequence[PlanKpi]
    sources: Mapping[str, PlanSource]
    """By their ids in the file; those with a meter."""
    units: frozenset[str]
    """Paths, relative to the site."""


LONGEST_FLOW = 7 * DAY
"""So far back emissions are kept in memory for rules."""


def subject_of(known: Known, place: Place, alert: Alert) -> PlanSubject:
    """The subject of a rule; PlantError for what the file does not have."""
    match alert.subject:
        case "point":
            return _point(known, place, alert)
        case "kpi" | "demand" | "benchmark":
            return _kpi(known, place, alert)
        case "source":
            return _source(known, place, alert)
        case _:
            return _reconciliation(known, place, alert)


def _point(known: Known, place: Place, alert: Alert) -> PlanSubject:
    catalogue = known.catalogue
    point = catalogue.points.get(alert.point or "")
    if point is None:
        raise catalogue.fault((*place, "point"), alert.point, "the id of a point of this file")
    unit = point.unit
    if alert.figure == "amount":
        if point.kind == "sample":
            raise catalogue.fault((*place, "figure"), "amount", "no amount of a sample, which has none")
        unit = amount_text(point)
    elif alert.figure != "latest" and point.kind in ("counter", "delta", "state"):
        expected = f"latest or amount of a {point.kind}"
        raise catalogue.fault((*place, "figure"), alert.figure, expected)
    observed = "point" if alert.figure == "latest" else "interval"
    return PlanSubject(
        "point" if observed == "point" else "interval",
        f"{catalogue.file.site}/{point.id}",
        catalogue.index[point.id],
        None if observed == "point" else catalogue.file.interval,
        alert.figure,
        unit,
    )


def _kpi(known: Known, place: Place, alert: Alert) -> PlanSubject:
    catalogue, key = known.catalogue, alert.subject
    named = getattr(alert, key)
    if key == "benchmark":
        mark = next((one for one in catalogue.file.benchmarks if one.id == named), None)
        if mark is None:
            raise catalogue.fault((*place, key), named, "the id of a benchmark of this file")
        if mark.level == "own_best":
            raise catalogue.fault((*place, key), named, "a benchmark that makes a band; own_best makes none")
        named = mark.kpi
    full = f"{catalogue.file.site}/{named}"
    number = next((k for k, kpi in enumerate(known.kpis) if kpi.id == full), None)
    if number is None:
        raise catalogue.fault((*place, key), named, "the id of a KPI of this file")
    kpi = known.kpis[number]
    if key == "demand":
        if kpi.kind != "demand":
            raise catalogue.fault((*place, key), named, "the id of a KPI of kind demand")
        if kpi.contract is None and alert.condition == "threshold" and alert.above is alert.below is None:
            raise catalogue.fault((*place, key), named, "a limit, as the file has no contracted demand of it")
        return PlanSubject("demand", kpi.id, number, kpi.block_us, "latest", kpi.unit)
    assert alert.window is not None
    if alert.window not in kpi.windows_us:
        expected = f"a live window of {named}"
        raise catalogue.fault((*place, "window"), format_span(alert.window), expected)
    return PlanSubject("kpi", kpi.id, number, alert.window, "latest", kpi.unit)


def _source(known: Known, place: Place, alert: Alert) -> PlanSubject:
    catalogue, where = known.catalogue, (*place, "source")
    source = known.sources.get(alert.source or "")
    if source is None:
        entry = next((one for one in catalogue.file.sources if one.id == alert.source), None)
        documented = entry is not None and isinstance(entry.activity, Documented)
        expected = "a source with a meter, for documents have no live flow"
        raise catalogue.fault(
            where, alert.source, expected if documented else "the id of a source of this file"
        )
    if source.factor_point is not None:
        expected = "a source without a factor_point, whose intervals close apart"
        raise catalogue.fault(where, alert.source, expected)
    _check_window(known, place, alert)
    number = list(known.sources).index(alert.source or "")
    return PlanSubject("emission", source.id, number, alert.window, "latest", "t/h")


def _reconciliation(known: Known, place: Place, alert: Alert) -> PlanSubject:
    catalogue = known.catalogue
    entries = [one.id for one in catalogue.file.reconciliations]
    if alert.reconciliation not in entries:
        where = (*place, "reconciliation")
        raise catalogue.fault(where, alert.reconciliation, "the id of a reconciliation of this file")
    _check_window(known, place, alert)
    number = entries.index(alert.reconciliation)
    return PlanSubject(
        "residual", f"{catalogue.file.site}/{alert.reconciliation}", number, alert.window, "latest", "%"
    )


def _check_window(known: Known, place: Place, alert: Alert) -> None:
    interval = known.catalogue.file.interval
    window = alert.window or 0
    if window <= 0 or window % interval or window > LONGEST_FLOW:
        expected = f"a multiple of the interval, {format_span(interval)}, of at most 7d"
        raise known.catalogue.fault((*place, "window"), format_span(window), expected)
