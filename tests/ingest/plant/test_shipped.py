"""The two plants that ship: they compile, and their arithmetic lands where it must."""

from pathlib import Path

import pytest

from ingest.methods.figures import combine
from ingest.methods.registry import HJ212_STACK_CO2
from ingest.model import HOUR, MINUTE, Kind
from ingest.plant import Plan, compile_plan, load_plant

PLANTS = Path(__file__).parents[3] / "simulator" / "plants"

# Preset A of the cement balance, amounts of one hour.
CLINKER_T, COAL_T, RAW_MEAL_T, ENERGY_KWH, STACK_T = 208.333, 27.3706, 309.8685, 11458.315, 161.246


def _plan(name: str) -> Plan:
    return compile_plan(load_plant(PLANTS / f"{name}.yaml"))


def _hour(plan: Plan) -> dict[int, float]:
    amounts = {
        "kiln/clinker": CLINKER_T,
        "kiln/coal": COAL_T,
        "kiln/raw-meal": RAW_MEAL_T,
        "substation/energy": ENERGY_KWH,
        "substation/reactive-energy": ENERGY_KWH * 0.3,
        "kiln/stack/co2-flow": STACK_T,
    }
    return {plan.index[f"cement/{name}"]: amount for name, amount in amounts.items()}


def _figure(plan: Plan, kpi_id: str) -> float:
    kpi = next(kpi for kpi in plan.kpis if kpi.id == f"cement/{kpi_id}")
    amounts = _hour(plan)
    a = sum(weight * amounts[point] for point, weight in kpi.a)
    b = sum(weight * amounts[point] for point, weight in kpi.b) if kpi.b else 1.0
    value, reason = combine(kpi.kind, a, b, HOUR)
    assert reason is None
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("kpi", "low", "high"),
    [
        ("electricity-intensity", 48, 61),
        ("coal-intensity", 94, 109),
        ("energy-intensity-calorific", 100, 117),
        ("co2-intensity", 757, 803),
        ("kiln/co2-flow-measured", 154, 163),
        ("kiln/co2-flow-calculated", 154, 163),
        ("kiln/co2-intensity-measured", 0.741, 0.782),
    ],
)
def test_cement_is_in_its_bands(kpi: str, low: float, high: float) -> None:
    assert low <= _figure(_plan("cement"), kpi) <= high


@pytest.mark.parametrize(
    ("kpi", "value"),
    [
        ("coal-intensity", 104.0),
        ("energy-intensity-calorific", 110.76),
        ("energy-intensity-equal-value", 120.67),
        ("kiln/co2-flow-calculated", 161.246),
        ("co2-intensity", 792.7),
        ("electricity-intensity", 55.0),
        ("power", 11458.315),
        ("demand", 11458.315),
    ],
)
def test_cement_balance(kpi: str, value: float) -> None:
    assert _figure(_plan("cement"), kpi) == pytest.approx(value, rel=2e-4)


def test_cement_stack_program() -> None:
    plan = _plan("cement")
    (program,) = plan.computed
    assert program.method == HJ212_STACK_CO2
    names = [plan.points[i].id.rpartition("/")[2] for i in program.inputs]
    assert names == ["co2", "velocity", "temperature", "barometric-pressure", "static-pressure", "moisture"]
    assert program.constants == (15.9, 1.0, 44.0, 22.4, 273.0, 101325.0)
    assert program.scales == ((0.01, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0), (0.01, 0.0))
    assert program.point == plan.n_measured == len(plan.points) - 1


def test_cement_spans() -> None:
    plan = _plan("cement")
    assert (plan.interval_us, plan.lateness_us, plan.clock) == (MINUTE, 5_000_000, "live")
    demand = next(kpi for kpi in plan.kpis if kpi.id == "cement/demand")
    assert demand.windows_us == (15 * MINUTE,)
    assert demand.contract == 13000
    assert {kpi.stale_after_us for kpi in plan.kpis} == {5 * MINUTE}


def test_steel() -> None:
    plan = _plan("steel")
    assert (plan.site, plan.zone.key, plan.clock, plan.interval_us) == (
        "steel",
        "Asia/Seoul",
        "replay",
        15 * MINUTE,
    )
    assert [point.kind for point in plan.points] == [Kind.DELTA] * 3
    assert plan.params["resolution"].tolist() == [0.01] * 3
    assert plan.params["period_us"].tolist() == [15 * MINUTE] * 3
    assert plan.params["stamp_start"].tolist() == [0, 0, 0]
    assert all(kpi.stale_after_us is None for kpi in plan.kpis)
    assert not any(kpi.kind == "ratio" for kpi in plan.kpis), "the data set has no production"


def test_steel_figures_of_one_row() -> None:
    plan = _plan("steel")
    kpis = {kpi.id: kpi for kpi in plan.kpis}
    flow, factor = kpis["steel/co2-flow"], kpis["steel/power-factor"]
    ((_, t_per_kwh),) = flow.a
    largest, _ = combine(flow.kind, 157.18 * t_per_kwh, 0.25, 15 * MINUTE)
    assert largest == pytest.approx(0.2892112)
    value, _ = combine(factor.kind, 3.17, 2.95, 15 * MINUTE)  # the first row; its own column says 73.21 %
    assert value == pytest.approx(0.7321, abs=5e-5)
