"""The uncertainty of figures: the worked examples, by the plan, and what shares a source."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ingest.errors import PlantError
from ingest.methods.figures import KpiKind
from ingest.methods.registry import METHODS, NO_KERNEL
from ingest.model import HOUR
from ingest.plant import Plan, compile_plan, load_plant
from ingest.plant.plan import PlanKpi
from ingest.uncertainty.contributions import PointRows, contributions, reads, unknown
from ingest.uncertainty.figure import KINDS, FigureUncertainty, of_figure
from ingest.uncertainty.slopes import SLOPES
from kernels import methods
from tests.ingest.uncertainty.cement import AT_REST, PLANT, START, plan_of, rows_of


def kpi_of(plan: Plan, name: str) -> PlanKpi:
    return next(kpi for kpi in plan.kpis if kpi.id == f"line/{name}")


def sums(plan: Plan, kpi: PlanKpi, rows: Mapping[str, PointRows]) -> tuple[float, float]:
    a, b = (
        sum(term.weight * float(np.nansum(rows[plan.points[term.point].id].amount)) for term in terms)
        for terms in (kpi.a_terms, kpi.b_terms)
    )
    return a, b


def told(
    name: str, hours: int, text: str = PLANT, from_at: int = START, to_at: int | None = None
) -> tuple[float, FigureUncertainty]:
    """A figure and its uncertainty."""
    plan = plan_of(text)
    kpi, rows = kpi_of(plan, name), rows_of(plan, hours)
    assert unknown(plan, (*kpi.a_terms, *kpi.b_terms)) is None
    found = contributions({1: plan}, {1: (kpi.a_terms, kpi.b_terms)}, rows)
    a, b = sums(plan, kpi, rows)
    result = of_figure(found, kpi.kind, a, b, from_at, to_at or START + hours * HOUR)
    assert result is not None
    return (a / b if kpi.kind is KpiKind.RATIO else a), result


@pytest.mark.parametrize(
    ("hours", "random", "expanded"),
    [(1, 1.745, 6.98), (24, 0.965, 6.35), (720, 0.194, 6.06), (8000, 0.059, 6.05)],
)
def test_stack_of_the_cement_line(hours: int, random: float, expanded: float) -> None:
    value, found = told("measured", hours)
    assert 100 * found.random_u / value == pytest.approx(random, abs=1.5e-3)
    # The table gives the duct area 0.29 %, the worked example 0.3 %.
    assert 100 * found.expanded / value == pytest.approx(expanded, abs=6e-3)
    assert found.k == 2.0
    assert found.dominant[0].name == "instrument pitot"


def test_calculated_route_of_the_cement_line() -> None:
    value, found = told("calculated", 1)
    assert value == pytest.approx(161.246, abs=2e-3)
    # Clinker mass is in the process and in the raw-meal carbon: 1.0 % of 101.136.
    right = math.hypot(0.501, 1.01136, 0.37, 0.328)
    assert found.u == pytest.approx(right, abs=2e-3)
    assert found.random_u == 0.0


def test_what_is_in_numerator_and_denominator_cancels() -> None:
    value, found = told("intensity", 24)
    assert value == pytest.approx(773.98, abs=0.02)
    assert found.u == pytest.approx(4.4424, abs=5e-3)
    assert 100 * found.u / value == pytest.approx(0.574, abs=1e-3)
    shares = {one.name: one.share for one in found.dominant}
    assert shares["instrument clinker-scale"] == pytest.approx((2.886 / 4.4424) ** 2, abs=2e-3)
    # More clinker than there is makes the figure too low.
    assert next(one.u for one in found.dominant if one.name == "instrument clinker-scale") < 0


def test_the_difference_of_two_routes() -> None:
    _, found = told("gap", 720)
    measured, calculated = told("measured", 720)[1], told("calculated", 720)[1]
    assert found.u == pytest.approx(math.hypot(measured.u, calculated.u), rel=1e-9)


def test_an_overdue_instrument_counts_twice_from_its_day_on() -> None:
    overdue = PLANT.replace(
        "id: pitot, points: [velocity]", "id: pitot, points: [velocity], note: late"
    ).replace(
        "uncertainty_class: stack-velocity, calibrated_on: 2026-03-02, due_on: 2036-03-02",
        "uncertainty_class: stack-velocity, calibrated_on: 2026-03-02, due_on: 2026-11-21",
    )
    assert overdue.count("due_on: 2026-11-21") == 1
    at_midnight = START + 16 * HOUR
    before = told("measured", 32, overdue, START, at_midnight)[1].dominant[0].u
    after = told("measured", 32, overdue, at_midnight)[1].dominant[0].u
    plain = told("measured", 32, PLANT, at_midnight)[1].dominant[0].u
    assert after == pytest.approx(2 * before) == pytest.approx(2 * plain)


def test_two_calibration_epochs_are_two_sources() -> None:
    renewed = PLANT.replace(
        "uncertainty: {percent: 1.0, source: worked example, trust: unconfirmed}, calibrated_on: 2026-03-02",
        "uncertainty: {percent: 1.0, source: worked example, trust: unconfirmed}, calibrated_on: 2026-11-21",
    )
    assert renewed != PLANT
    old, new = plan_of(PLANT, 1), plan_of(renewed, 2)
    kpi = kpi_of(old, "calculated")
    first = rows_of(old, 16, version=1)
    second = rows_of(old, 16, START + 16 * HOUR, 2)
    rows = {
        point: PointRows(
            *(
                np.concatenate([getattr(first[point], name), getattr(second[point], name)])
                for name in ("start_at", "amount", "mean", "hours", "plan_version")
            )
        )
        for point in first
    }
    terms = (kpi.a_terms, kpi.b_terms)
    found = contributions({1: old, 2: new}, {1: terms, 2: terms}, rows)
    scales = [one for one in found if one.name == "instrument clinker-scale"]
    assert len(scales) == 2
    a, b = sums(old, kpi, rows)
    both = of_figure(found, kpi.kind, a, b, START, START + 32 * HOUR)
    whole = told("calculated", 32)[1]
    assert both is not None
    mass, other = 32 * 1.01136, math.sqrt(whole.u**2 - (32 * 1.01136) ** 2)
    assert both.u == pytest.approx(math.hypot(mass / math.sqrt(2), other), rel=1e-3)
    # Factors and instruments that were not touched stay one source.
    assert sum(one.name == "instrument coal-scale" for one in found) == 1
    assert sum(one.name.startswith("factor carbon") for one in found) == 1


@pytest.mark.parametrize(
    ("old", "new", "kpi", "reason"),
    [
        ("points: [clinker], kind: scale", "points: [coal], kind: scale", "intensity",
         "point line/clinker has no instrument"),
        (", uncertainty_class: exact}", "}", "calculated", "factor co2-per-carbon has no uncertainty"),
        ("uncertainty_classes: {area: duct-area, kv: exact}", "uncertainty_classes: {kv: exact}", "measured",
         "constant area of line/co2-flow has no uncertainty"),
        ("uncertainty_class: moisture-analyser", 'accuracy_class: "2"', "measured", "instrument wet has no uncertainty"),
    ],
)  # fmt: skip
def test_what_nobody_says_is_not_known(old: str, new: str, kpi: str, reason: str) -> None:
    assert old in PLANT
    plan = plan_of(PLANT.replace(old, new))
    found = kpi_of(plan, kpi)
    assert unknown(plan, (*found.a_terms, *found.b_terms)) == reason


@pytest.mark.parametrize("r", [1.0, 0.5, -1.0])
def test_instruments_that_are_calibrated_with_one_standard(r: float) -> None:
    """Coal and clinker scales: their parts of the calculated mass add with the correlation declared."""
    declared = f"correlations: [{{instruments: [coal-scale, clinker-scale], r: {r}, source: x, trust: R}}]\n"
    plan = plan_of(PLANT + declared)
    kpi, rows = kpi_of(plan, "calculated"), rows_of(plan, 1)
    found = contributions({1: plan}, {1: (kpi.a_terms, kpi.b_terms)}, rows)
    span = START, START + HOUR
    joint = of_figure(found, kpi.kind, 161.0, 0.0, *span, plan.doubts.correlations)
    apart = of_figure(found, kpi.kind, 161.0, 0.0, *span)
    assert joint is not None
    assert apart is not None
    assert joint.u**2 - apart.u**2 == pytest.approx(2 * r * 0.005 * 60.110 * 0.01 * 101.136, rel=1e-3)


TRIANGLE = """[
  {instruments: [wet, ndir], r: 1, source: x, trust: R},
  {instruments: [ndir, pitot], r: 1, source: x, trust: R},
  {instruments: [wet, pitot], r: -1, source: x, trust: R}]"""


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ("[{instruments: [wet, scales], r: 1, source: x, trust: R}]", "is 'scales'; expected the id of an instrument"),
        ("[{instruments: [wet, wet], r: 1, source: x, trust: R}]", "expected two instruments"),
        (TRIANGLE, r"correlations is \[1.0, 1.0, -1.0\]; expected correlations that can hold together"),
    ],
)  # fmt: skip
def test_correlations_that_cannot_be(declared: str, sentence: str) -> None:
    with pytest.raises(PlantError, match=sentence):
        plan_of(f"{PLANT}correlations: {declared}\n")


def test_every_figure_of_the_shipped_line_has_an_uncertainty() -> None:
    plan = compile_plan(load_plant(Path(__file__).parents[3] / "simulator" / "plants" / "cement.yaml"))
    asked = [kpi for kpi in plan.kpis if kpi.kind in KINDS]
    assert len(asked) >= 10
    assert [unknown(plan, (*kpi.a_terms, *kpi.b_terms)) for kpi in asked] == [None] * len(asked)


def test_few_observations_make_a_wider_interval() -> None:
    few = PLANT.replace("percent: 1.0, source", "percent: 1.0, observations: 4, source")
    _, found = told("intensity", 24, few)
    _, plain = told("intensity", 24)
    assert (plain.k, plain.u) == pytest.approx((2.0, found.u))
    freedom = plain.u**4 / (2.886**4 / 3)
    assert 2.0 < found.k < 3.31
    assert 16 < freedom < 17.5


def test_rows_that_are_needed() -> None:
    plan = plan_of()
    assert reads(plan, kpi_of(plan, "measured").a_terms) == [
        f"line/{name}"
        for name in ("co2", "velocity", "temperature", "barometric", "static", "moisture", "co2-flow")
    ]


def test_no_product_no_uncertainty() -> None:
    plan = plan_of()
    kpi, rows = kpi_of(plan, "intensity"), rows_of(plan, 2)
    found = contributions({1: plan}, {1: (kpi.a_terms, kpi.b_terms)}, rows)
    assert of_figure(found, kpi.kind, 100.0, 0.0, START, START + HOUR) is None
    assert of_figure(found, kpi.kind, 1.0, 1.0, START - HOUR, START) is None


@pytest.mark.parametrize(
    "method", [one for one in METHODS.values() if one.number in SLOPES], ids=lambda m: m.id
)
def test_derivatives_are_those_of_the_kernel(method: object) -> None:
    """Central differences of the kernel that makes the value, at several places."""
    assert hasattr(method, "number")
    random = np.random.default_rng(3)
    names = len(method.inputs) or 2  # type: ignore[attr-defined]
    constants = tuple(c.value or 1.7 for c in method.constants) or (0.5, -0.25, 3.0)  # type: ignore[attr-defined]
    if method.id == "gated":  # type: ignore[attr-defined]
        names = 1
    for _ in range(5):
        x = random.uniform(0.05, 0.9, names)
        value = methods.evaluate(method.number, x, np.array(constants))
        slopes = SLOPES[method.number].inputs(x[:, None], constants, np.array([value]), np.ones(1))[:, 0]
        for i in range(names):
            step = 1e-6 * x[i]
            high, low = x.copy(), x.copy()
            high[i] += step
            low[i] -= step
            difference = methods.evaluate(method.number, high, np.array(constants)) - methods.evaluate(
                method.number, low, np.array(constants)
            )
            assert slopes[i] == pytest.approx(difference / (2 * step), rel=1e-6)


def test_a_stopped_stack_has_no_infinite_slope() -> None:
    assert set(SLOPES) <= {one.number for one in METHODS.values() if one.number != NO_KERNEL}
    plan = plan_of()
    rows = rows_of(plan, 2)
    still = {
        point: PointRows(one.start_at, 0 * one.amount, 0 * one.mean, one.hours, one.plan_version)
        for point, one in rows.items()
    }
    kpi = kpi_of(plan, "measured")
    found = contributions({1: plan}, {1: (kpi.a_terms, kpi.b_terms)}, still)
    assert all(np.isfinite(one.a).all() for one in found)
    assert AT_REST["co2-flow"] > 0
