"""How sure masses are whose factor changes with time: by publication, and by the meter that tells it."""

import math

import numpy as np
import pytest

from ingest.methods.figures import KpiKind
from ingest.model import HOUR
from ingest.plant import Plan
from ingest.plant.plan_doubts import source_term
from ingest.uncertainty.contributions import PointRows, contributions, reads, unknown
from ingest.uncertainty.figure import FigureUncertainty, of_figure
from tests.ingest.uncertainty.cement import PLANT, START, plan_of, rows_of

HOURS = 32
MIDNIGHT = START + 16 * HOUR
FACTOR = "value: 0.48, unit: t/t, source: worked example, trust: unconfirmed, uncertainty: {percent: 0.37"
SERIES = """unit: t/t, series: [
      {{since: 2026-01-01, value: 0.48, source: list, trust: P, data_year: {}}},
      {{since: 2026-11-21, value: 0.96, source: list, trust: P, data_year: {}}}], uncertainty: {{percent: 0.37"""
CLINKER_T = 208.333


def mass_of(plan: Plan, name: str, rows: dict[str, PointRows], hours: int = HOURS) -> FigureUncertainty:
    """The uncertainty of what one source emits, kg."""
    source = next(one for one in plan.sources if one.id == f"line/{name}")
    term = source_term(source)
    assert unknown(plan, (term,)) is None
    found = contributions(
        {1: plan}, {1: ((term,), ())}, {point: rows[point] for point in reads(plan, (term,))}
    )
    told = of_figure(found, KpiKind.TOTAL, 0.0, 0.0, START, START + hours * HOUR)
    assert told is not None
    return told


@pytest.mark.parametrize(
    ("years", "combined"),
    [
        ((2025, 2025), lambda before, after: before + after),
        ((2024, 2025), math.hypot),
    ],
    ids=["one publication", "two publications"],
)
def test_steps_of_one_publication_are_one_source(years: tuple[int, int], combined: object) -> None:
    assert FACTOR in PLANT
    plan = plan_of(PLANT.replace(FACTOR, SERIES.format(*years)).replace("{source: process}, ", "")
                   .replace(", {source: process, weight: -1}", ""))  # fmt: skip
    told = mass_of(plan, "process", rows_of(plan, HOURS))
    before, after = 16 * CLINKER_T * 480, 16 * CLINKER_T * 960
    assert callable(combined)
    factor, scale = 0.0037 * combined(before, after), 0.01 * (before + after)
    assert told.u == pytest.approx(math.hypot(factor, scale), rel=1e-9)
    names = {one.name for one in told.dominant}
    assert names == {"instrument clinker-scale", *(f"factor process, {year}, list" for year in years)}


def test_a_series_that_nobody_judges_is_not_known() -> None:
    text = PLANT.replace(FACTOR, SERIES.format(2024, 2025)).replace("{source: process}, ", "")
    text = text.replace(", {source: process, weight: -1}", "")
    plan = plan_of(
        text.replace(", uncertainty: {percent: 0.37, source: worked example, trust: unconfirmed}}", "}")
    )
    source = next(one for one in plan.sources if one.id == "line/process")
    assert unknown(plan, (source_term(source),)) == "factor process has no uncertainty"


METERED = (
    PLANT.replace("factors: [process]", "factors: [process], factor_point: burn")
    .replace("{source: process}, ", "")
    .replace(", {source: process, weight: -1}", "")
    .replace(
        "  - id: co2-flow",
        "  - {id: burn, kind: sample, unit: t/t, period: 1h, max_gap: 2h}\n  - id: co2-flow",
    )
)


def burn(value: float, at: int = START, hours: int = HOURS) -> PointRows:
    none, one = np.full(hours, np.nan), np.ones(hours)
    return PointRows(at + HOUR * np.arange(hours), none, value * one, one, np.ones(hours, np.int64))


def test_a_factor_point_is_as_sure_as_its_instrument() -> None:
    assert METERED.count("burn") == 2
    silent = plan_of(METERED)
    source = next(one for one in silent.sources if one.id == "line/process")
    assert unknown(silent, (source_term(source),)) == "point line/burn has no instrument"
    dates = "calibrated_on: 2026-03-02, due_on: 2036-03-02"
    judged = "uncertainty: {percent: 2.0, random_percent: 1.0, source: x, trust: R}"
    plan = plan_of(METERED + f"  - {{id: probe, points: [burn], kind: probe, {judged}, {dates}}}\n")
    rows = rows_of(plan, HOURS) | {"line/burn": burn(0.5)}
    told = mass_of(plan, "process", rows)
    mass = HOURS * CLINKER_T * 480 * 0.5
    lasting = math.hypot(0.02, 0.01, 0.0037)  # the probe, the scale, the factor
    assert told.u == pytest.approx(math.hypot(lasting * mass, 0.01 * mass / math.sqrt(HOURS)), rel=1e-9)
    # In an hour in which it tells nothing there is no mass, nor anything to be off by.
    part = mass_of(plan, "process", rows | {"line/burn": burn(0.5, MIDNIGHT, HOURS - 16)})
    assert part.u == pytest.approx(math.hypot(lasting / 2 * mass, 0.01 * mass / 2 / math.sqrt(16)), rel=1e-9)


def test_an_absolute_error_of_a_factor_point_is_one_of_the_mean() -> None:
    dates = "calibrated_on: 2026-03-02, due_on: 2036-03-02"
    plan = plan_of(
        METERED
        + f"  - {{id: probe, points: [burn], kind: laboratory, uncertainty_class: xrf-cao, {dates}}}\n"
    )
    told = mass_of(plan, "process", rows_of(plan, HOURS) | {"line/burn": burn(0.5)})
    each = HOURS * CLINKER_T * 480
    absolute = 0.004 / (2 * math.sqrt(2)) * each
    assert told.u == pytest.approx(math.hypot(absolute, 0.01 * 0.5 * each, 0.0037 * 0.5 * each), rel=1e-9)


def test_a_computed_factor_point_is_as_sure_as_its_inputs() -> None:
    """A ratio of two meters: each is off by its own share."""
    computed = METERED.replace(
        "  - {id: burn, kind: sample, unit: t/t, period: 1h, max_gap: 2h}\n",
        "  - {id: up, kind: sample, unit: t, period: 1h, max_gap: 2h}\n"
        "  - {id: down, kind: sample, unit: t, period: 1h, max_gap: 2h}\n"
        "  - {id: burn, kind: sample, unit: t/t, computed: {method: ratio, inputs: {numerator: up, denominator: down}}}\n",
    )
    assert computed != METERED
    meters = "".join(
        f"  - {{id: {name}, points: [{name}], kind: meter, uncertainty: {{percent: {u}, source: x, trust: R}},"
        " calibrated_on: 2026-03-02, due_on: 2036-03-02}\n"
        for name, u in (("up", 3.0), ("down", 4.0))
    )
    plan = plan_of(computed + meters)
    rows = rows_of(plan, HOURS)
    rows |= {"line/burn": burn(0.5), "line/up": burn(2.0), "line/down": burn(4.0)}
    told = mass_of(plan, "process", rows)
    mass = HOURS * CLINKER_T * 480 * 0.5
    assert told.u == pytest.approx(math.hypot(0.03, 0.04, 0.01, 0.0037) * mass, rel=1e-9)
