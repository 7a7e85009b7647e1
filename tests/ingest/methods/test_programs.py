"""What a plant declares, through scales and constants to the kernels' definition, gives the worked examples."""

import numpy as np
import pytest

from ingest.plant import Plan, compile_plan, parse_plant
from kernels.reference import evaluate

HEAD = "site: mill\nname: Mill\ntime_zone: UTC\npoints:\n"
STACK = """
  - {id: co2, kind: sample, unit: "%", basis: dry, period: 5s}
  - {id: velocity, kind: sample, unit: m/s, period: 5s}
  - {id: temperature, kind: sample, unit: K, period: 5s}
  - {id: barometric, kind: sample, unit: hPa(abs), period: 5s}
  - {id: static, kind: sample, unit: mbar, basis: gauge, period: 5s}
  - {id: moisture, kind: sample, unit: "%", period: 5s}
  - id: flow
    kind: gauge
    unit: t/h
    computed:
      method: METHOD
      inputs: {moisture: moisture, static: static, barometric: barometric, temperature: temperature,
               velocity: velocity, co2: co2}
      constants: {kv: 1, area: 15.9}
"""


def _result(plan: Plan, readings: dict[str, float]) -> float:
    (program,) = plan.computed
    values = [
        readings[plan.points[point].id.removeprefix("mill/")] * multiplier + offset
        for point, (multiplier, offset) in zip(program.inputs, program.scales, strict=True)
    ]
    return float(evaluate(program.method, np.array(values), np.array(program.constants)))


@pytest.mark.parametrize(
    ("method", "t_per_h"), [("hj212-2017.annex-d", 161.28764), ("physics.stack-co2", 161.24639)]
)
def test_stack_in_the_units_of_its_instruments(method: str, t_per_h: float) -> None:
    plan = compile_plan(parse_plant(HEAD + STACK.replace("METHOD", method), "mill.yaml"))
    readings = {
        "co2": 19.9792,
        "velocity": 11.0245,
        "temperature": 368.15,
        "barometric": 1000.0,
        "static": -0.5,
        "moisture": 11.0023,
    }
    assert _result(plan, readings) == pytest.approx(t_per_h, abs=5e-6)


@pytest.mark.parametrize(
    ("method", "basis", "extra", "t_per_h"),
    [("40cfr98.c-6", "wet", {}, 124.32), ("40cfr98.c-7", "dry", {"h2o": 10.0}, 111.888)],
)
def test_part98(method: str, basis: str, extra: dict[str, float], t_per_h: float) -> None:
    more = ", moisture: h2o" if extra else ""
    text = f"""
  - {{id: co2, kind: sample, unit: "%", basis: {basis}, period: 5s}}
  - {{id: flow, kind: sample, unit: kscf/h, basis: wet, period: 5s}}
  - {{id: h2o, kind: sample, unit: "%", period: 5s}}
  - {{id: mass, kind: gauge, unit: t/h,
     computed: {{method: {method}, inputs: {{co2: co2, flow: flow{more}}}}}}}
"""
    plan = compile_plan(parse_plant(HEAD + text, "mill.yaml"))
    assert _result(plan, {"co2": 12.0, "flow": 20000.0, **extra}) == pytest.approx(t_per_h, abs=1e-9)


def test_a_parent_minus_its_children() -> None:
    text = """
  - {id: all, kind: gauge, unit: MW, period: 5s}
  - {id: child, kind: gauge, unit: kW, period: 5s}
  - {id: rest, kind: gauge, unit: kW, computed: {method: linear, inputs: {all: all, child: child},
     constants: {all: 1, child: -1, offset: -2}}}
"""
    plan = compile_plan(parse_plant(HEAD + text, "mill.yaml"))
    assert _result(plan, {"all": 1.5, "child": 300.0}) == 1198.0


def test_an_efficiency() -> None:
    text = """
  - {id: heat, kind: gauge, unit: GJ/h, period: 5s}
  - {id: fuel, kind: gauge, unit: MW, period: 5s}
  - {id: efficiency, kind: sample, unit: "%",
     computed: {method: ratio, inputs: {numerator: heat, denominator: fuel}}}
"""
    plan = compile_plan(parse_plant(HEAD + text, "mill.yaml"))
    assert _result(plan, {"heat": 2.7, "fuel": 1.0}) == pytest.approx(75.0)


GAS = """
  - {id: co2, kind: sample, unit: "%", basis: wet, period: 5s}
  - {id: o2, kind: sample, unit: "%", basis: dry, period: 5s}
  - {id: flow, kind: sample, unit: kscf/h, basis: wet, period: 5s}
  - {id: h2o, kind: sample, unit: "%", period: 5s}
  - {id: steam, kind: gauge, unit: t/h, period: 5s}
  - {id: hot, kind: sample, unit: °C, period: 5s}
  - {id: pressure, kind: sample, unit: bar(abs), period: 5s}
"""
READ = {"co2": 12.0, "o2": 6.0, "flow": 20000.0, "h2o": 10.0, "steam": 10.0, "hot": 426.85, "pressure": 300.0}


@pytest.mark.parametrize(
    ("method", "unit", "inputs", "constants", "expected"),
    [
        ("40cfr75.f-11", "short_ton/h", "co2: co2, flow: flow", "", 136.8),
        ("40cfr75.f-14a", "%", "o2: o2", "fc: 1800, fd: 9780", 13.1212023),
        ("40cfr75.f-15", "mmBtu/h", "flow: flow, co2: co2", "fc: 1800", 1333.3333),
        ("40cfr75.f-18", "mmBtu/h", "flow: flow, o2: o2, moisture: h2o", "fd: 9780", 1312.12023),
        ("steam.heat", "GJ/h", "flow: steam, temperature: hot, pressure: pressure", "", 25.4775474),
    ],
)
def test_regimes_as_computed_points(
    method: str, unit: str, inputs: str, constants: str, expected: float
) -> None:
    """Unrounded, in the units of the plant's instruments."""
    kind = "sample" if unit == "%" else "gauge"
    basis = ", basis: dry" if unit == "%" else ""
    text = f"""
  - {{id: result, kind: {kind}, unit: "{unit}"{basis},
     computed: {{method: {method}, inputs: {{{inputs}}}, constants: {{{constants}}}}}}}
"""
    plan = compile_plan(parse_plant(HEAD + GAS + text, "mill.yaml"))
    assert _result(plan, READ) == pytest.approx(expected, rel=1e-6)
