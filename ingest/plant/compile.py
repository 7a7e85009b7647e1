"""A plant file to a plan.

Everything that can be decided once is decided here: full ids, the order of points,
parameter columns, weights and programs. A file that compiles is a plant that can
run; there is no second check later. Deterministic: the same file gives the same plan.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ingest.errors import InputError
from ingest.model import MINUTE, NEVER, SECOND, Kind
from ingest.plant.activities import Documented
from ingest.plant.alert_subjects import Known
from ingest.plant.benchmarks import Benchmark
from ingest.plant.blocks import load_window, phase_of
from ingest.plant.catalogue import Catalogue, amount_text
from ingest.plant.comparison import compile_comparisons
from ingest.plant.documented import analysed_point, compile_activities, compile_analyses, compile_documented
from ingest.plant.doubts import compile_doubts
from ingest.plant.entries import Kpi, Point
from ingest.plant.file import PlantFile
from ingest.plant.gaps import fill_columns, max_gap_of
from ingest.plant.instruments import NOT_DUE, due_at, due_instant
from ingest.plant.mes_links import compile_mes
from ingest.plant.plan import (
    COLUMNS,
    Plan,
    PlanComputed,
    PlanKpi,
    PlanPoint,
    PlanSource,
    PlanUnit,
    PlanValidity,
)
from ingest.plant.plan_benchmark import PlanBenchmark
from ingest.plant.points import DEFAULT_RESOLUTION
from ingest.plant.pricing import compile_prices
from ingest.plant.programs import compile_program
from ingest.plant.reconciliations import compile_reconciliations
from ingest.plant.references import check_references, live_windows, unit_paths
from ingest.plant.rules import compile_alerts
from ingest.plant.screening import rate_per_h, screening_columns
from ingest.plant.stages import compile_stages
from ingest.plant.weights import compile_source, compile_sums, compile_terms
from ingest.units import spoken

STALE_AFTER_LIVE = 5 * MINUTE
"""Default of a live plant's KPIs; a replay's time does not pass."""


def compile_plan(file: PlantFile, version: int = 0) -> Plan:
    """Check a plant file against itself and compile it.

    Args:
        file: as `load_plant` or `parse_plant` gave it.
        version: of the plan in the store; 0: not applied.

    Raises PlantError, one sentence, for the first fault.
    """
    check_references(file)
    catalogue = Catalogue.of(file)
    points = tuple(_point(catalogue, position) for position in catalogue.order)
    programs = tuple(_program(catalogue, position) for position in catalogue.order[catalogue.n_measured :])
    sources = _metered(catalogue)
    kpis = tuple(_kpi(catalogue, i, kpi, sources) for i, kpi in enumerate(file.kpis))
    _check_priced_units(catalogue)
    units = unit_paths(file)
    return Plan(
        site=file.site,
        name=file.name,
        version=version,
        zone=ZoneInfo(file.time_zone),
        clock=file.clock,
        interval_us=file.interval,
        lateness_us=file.lateness,
        topic_prefix=file.topic_prefix,
        file=file,
        units=tuple(PlanUnit(f"{file.site}/{path}", unit.name, unit.kind) for path, unit in units.items()),
        points=points,
        n_measured=catalogue.n_measured,
        index={point.id: number for number, point in enumerate(points)},
        topics={topic: number for number, point in enumerate(points) for topic in point.topics},
        params=_columns(catalogue, programs),
        computed=programs,
        kpis=kpis,
        sources=tuple(sources.values()),
        comparisons=compile_comparisons(catalogue, programs),
        doubts=compile_doubts(catalogue),
        reconciliations=compile_reconciliations(catalogue, sources),
        prices=compile_prices(catalogue),
        activities=compile_activities(catalogue),
        analyses=compile_analyses(catalogue),
        documented=compile_documented(catalogue),
        benchmarks=tuple(_benchmark(catalogue, i, mark) for i, mark in enumerate(file.benchmarks)),
        alerts=compile_alerts(Known(catalogue, kpis, sources, frozenset(units))),
        mes=compile_mes(catalogue, frozenset(units)),
        stages=compile_stages(catalogue, sources, frozenset(units)),
    )


def _metered(catalogue: Catalogue) -> dict[str, PlanSource]:
    """The sources with a meter, by id."""
    return {
        source.id: compile_source(catalogue, ("sources", i), source)
        for i, source in enumerate(catalogue.file.sources)
        if not isinstance(source.activity, Documented)
    }


def _point(catalogue: Catalogue, position: int) -> PlanPoint:
    file = catalogue.file
    point = file.points[position]
    unit = catalogue.measure(("points", position, "unit"), point.unit, point.basis)
    return PlanPoint(
        id=f"{file.site}/{point.id}",
        name=point.name or point.id.rpartition("/")[2],
        kind=Kind[point.kind.upper()],
        unit=point.unit,
        basis=tuple(sorted(unit.basis)),
        context=tuple(point.basis),
        amount_unit=None if point.kind == "sample" else amount_text(point),
        resolution=point.resolution or DEFAULT_RESOLUTION,
        states=dict(point.states),
        carrier=point.carrier,
        product=point.product,
        topics=tuple(point.topics),
        formerly=tuple(f"{file.site}/{former}" for former in point.formerly),
        until=None if point.until is None else _micros(point),
        computed=point.computed is not None,
        validity=_validity(catalogue, point),
        analysis=analysed_point(catalogue, ("points", position), point),
    )


def _validity(catalogue: Catalogue, point: Point) -> PlanValidity | None:
    declared = point.validity
    if declared is None:
        return None
    running = None if declared.running is None else catalogue.index[declared.running]
    return PlanValidity(declared.regime, running)


def _micros(point: Point) -> int:
    """The instant a point retires, µs since the epoch, without a detour through float."""
    assert point.until is not None
    instant = point.until.astimezone(UTC)
    return int(instant.replace(microsecond=0).timestamp()) * SECOND + instant.microsecond


def _program(catalogue: Catalogue, position: int) -> PlanComputed:
    point = catalogue.file.points[position]
    assert point.computed is not None
    return compile_program(catalogue, ("points", position, "computed"), point, point.computed)


def _kpi(catalogue: Catalogue, i: int, kpi: Kpi, sources: Mapping[str, PlanSource]) -> PlanKpi:
    file = catalogue.file
    place = ("kpis", i)
    a, b, a_unit, b_unit = compile_sums(catalogue, place, kpi, sources)
    a_terms, b_terms = compile_terms(catalogue, place, kpi, sources, (a_unit, b_unit))
    default = STALE_AFTER_LIVE if file.clock == "live" else None
    return PlanKpi(
        id=f"{file.site}/{kpi.id}",
        name=kpi.name or kpi.id.rpartition("/")[2],
        kind=kpi.kind,
        unit=kpi.unit,
        basis=tuple(sorted(catalogue.measure((*place, "unit"), kpi.unit, kpi.basis).basis)),
        windows_us=live_windows(file, kpi),
        block_us=kpi.block,
        phase_us=phase_of(file, kpi),
        load_us=load_window(kpi),
        stale_after_us=default if kpi.stale_after is None else kpi.stale_after,
        a=a,
        b=b,
        a_terms=a_terms,
        b_terms=b_terms,
        a_unit=a_unit,
        b_unit=b_unit,
        contract=_contract(catalogue, kpi),
        caution=0.0 if file.contracted_demand is None else file.contracted_demand.caution,
        formerly=tuple(f"{file.site}/{former}" for former in kpi.formerly),
    )


def _benchmark(catalogue: Catalogue, i: int, mark: Benchmark) -> PlanBenchmark:
    file, place = catalogue.file, ("benchmarks", i)
    kpi = next(one for one in file.kpis if one.id == mark.kpi)
    if not set(mark.basis) <= set(kpi.basis):
        raise catalogue.fault((*place, "basis"), list(mark.basis), f"{spoken(kpi.basis)}, as its KPI is")
    for other in file.benchmarks[:i]:
        if (other.kpi, other.level, other.begins()) == (mark.kpi, mark.level, mark.begins()):
            expected = f"another day than {other.id} of the same KPI and level"
            raise catalogue.fault((*place, "valid_from"), str(mark.valid_from), expected)
    zone = ZoneInfo(file.time_zone)
    return PlanBenchmark(
        id=f"{file.site}/{mark.id}",
        kpi=f"{file.site}/{mark.kpi}",
        level=mark.level,
        value=mark.corrected * _ratio(catalogue, (*place, "unit"), mark.unit, kpi),
        better=mark.better,
        from_at=NEVER if mark.valid_from is None else due_instant(mark.valid_from, zone),
        to_at=NOT_DUE if mark.valid_to is None else due_instant(mark.valid_to, zone),
        source=mark.source,
        trust=mark.trust,
    )


def _contract(catalogue: Catalogue, kpi: Kpi) -> float | None:
    """The contracted demand in the KPI's unit, where it is about this KPI."""
    contract = catalogue.file.contracted_demand
    if contract is None or contract.kpi != kpi.id:
        return None
    return contract.value * _ratio(catalogue, ("contracted_demand", "unit"), contract.unit, kpi)


def _ratio(catalogue: Catalogue, place: tuple[str | int, ...], unit: str, kpi: Kpi) -> float:
    """What a value in `unit` is multiplied by to be in the KPI's."""
    given = catalogue.measure(place, unit, kpi.basis)
    try:
        return given.affine(catalogue.measure(place, kpi.unit, kpi.basis))[0]
    except InputError as refusal:
        raise catalogue.refused(place, refusal) from None


def _check_priced_units(catalogue: Catalogue) -> None:
    """Units of what stands beside the figures: targets in their KPI's dimension."""
    file = catalogue.file
    kpis = {kpi.id: kpi for kpi in file.kpis}
    for i, target in enumerate(file.targets):
        _ratio(catalogue, ("targets", i, "unit"), target.unit, kpis[target.kpi])
    for i, allowance in enumerate(file.allowance):
        catalogue.measure(("allowance", i, "unit"), allowance.unit)


def _columns(catalogue: Catalogue, programs: tuple[PlanComputed, ...]) -> dict[str, NDArray[Any]]:
    """Parameter columns in plan order; a computed point takes its spans from its inputs."""
    points = [catalogue.file.points[position] for position in catalogue.order]
    period = [point.period or 0 for point in points]
    max_gap = [max_gap_of(point) for point in points]
    for program in programs:
        period[program.point] = min(period[i] for i in program.inputs)
        declared = points[program.point].max_gap
        max_gap[program.point] = declared or max(max_gap[i] for i in program.inputs)
    resolution = [point.resolution or DEFAULT_RESOLUTION for point in points]
    rates = [
        rate_per_h(catalogue, ("points", position), point)
        for position, point in zip(catalogue.order, points, strict=True)
    ]
    values: dict[str, Sequence[float]] = {
        "kind": [Kind[point.kind.upper()] for point in points],
        "sloped": [
            int(point.computed is not None if point.sloped is None else point.sloped) for point in points
        ],
        "max_gap_us": max_gap,
        "period_us": period,
        "stamp_start": [int(point.stamp == "start") for point in points],
        "resolution": resolution,
        "modulus_count": [
            round((point.modulus or 0) / size) for point, size in zip(points, resolution, strict=True)
        ],
        "max_step_count_per_h": [rate / size for rate, size in zip(rates, resolution, strict=True)],
        "fall_is_reset": [int(point.on_fall == "reset") for point in points],
        "fill_at_most_us": [point.fill_at_most or 0 for point in points],
        "low": [float("-inf") if point.limits is None else point.limits[0] for point in points],
        "high": [float("inf") if point.limits is None else point.limits[1] for point in points],
        "min_valid_share": [point.min_valid_share for point in points],
        **screening_columns(points, rates, max_gap),
        "due_at": due_at(catalogue, programs),
        **fill_columns(points, catalogue.index),
    }
    return {
        name: np.array(values[name], dtype=np.int64 if kind is int else np.float64)
        for name, kind in COLUMNS.items()
    }
