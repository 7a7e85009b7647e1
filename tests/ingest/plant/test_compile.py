"""What the compiler makes of small plants."""

import math
import subprocess
import sys

import numpy as np
import pytest

from ingest.errors import InputError, PlantError
from ingest.methods.registry import LINEAR, RATIO
from ingest.model import DAY, MINUTE, SECOND, Fill, Kind, Reason
from ingest.plant import Plan, compile_plan, parse_plant
from ingest.plant.plan import COLUMNS

HEAD = "site: mill\nname: Mill\ntime_zone: Asia/Shanghai\nunits: [{id: line, name: Line, kind: line}]\n"


def _compile(text: str) -> Plan:
    return compile_plan(parse_plant(HEAD + text, "mill.yaml"))


def test_measured_points_come_first() -> None:
    plan = _compile(
        """
points:
  - {id: line/rest, kind: gauge, unit: kW, computed: {method: linear, inputs: {all: line/all, a: line/a},
     constants: {all: 1, a: -1}}}
  - {id: line/all, kind: gauge, unit: kW, period: 5s, sloped: true}
  - {id: line/a, kind: gauge, unit: MW, period: 10s}
"""
    )
    assert [point.id for point in plan.points] == ["mill/line/all", "mill/line/a", "mill/line/rest"]
    assert plan.n_measured == 2
    (program,) = plan.computed
    assert (program.point, program.inputs, program.method) == (2, (0, 1), LINEAR)
    assert program.constants == (1.0, -1.0, 0.0)
    assert program.scales == ((1.0, 0.0), (1000.0, 0.0))
    assert plan.params["sloped"].tolist() == [1, 0, 1]
    assert plan.params["period_us"].tolist() == [5 * SECOND, 10 * SECOND, 5 * SECOND]
    assert plan.params["max_gap_us"].tolist() == [50 * SECOND, 100 * SECOND, 100 * SECOND]


def test_ratio_scales_the_numerator_to_the_result() -> None:
    plan = _compile(
        """
points:
  - {id: line/heat, kind: gauge, unit: GJ/h, period: 5s}
  - {id: line/fuel, kind: gauge, unit: MW, period: 5s}
  - {id: line/efficiency, kind: sample, unit: "%", computed: {method: ratio,
     inputs: {numerator: line/heat, denominator: line/fuel}}}
"""
    )
    (program,) = plan.computed
    assert program.method == RATIO
    (multiplier, offset), denominator = program.scales
    assert offset == 0
    assert denominator == (1.0, 0.0)
    assert 3.6 * multiplier / 1.0 == pytest.approx(100)  # 3.6 GJ/h of 1 MW is all of it


def test_a_gate_is_one_more_point_that_is_read() -> None:
    plan = _compile(
        """
points:
  - {id: line/co2, kind: sample, unit: "%", basis: dry, period: 5s, max_gap: 1min}
  - {id: line/state, kind: state, period: 1s, states: {measuring: 1, zero: 2, span: 3, broken: 9}}
  - {id: line/true, kind: sample, unit: "%", basis: dry,
     computed: {method: gated, inputs: {value: line/co2},
                gate: {state: line/state, calibration: [zero, span], fault: [broken, 10]}}}
"""
    )
    (program,) = plan.computed
    assert (program.inputs, program.reads) == ((0,), (0, 1))
    assert (program.method, program.constants, program.scales) == (LINEAR, (1.0, 0.0), ((1.0, 0.0),))
    assert program.gate_codes == (2, 3, 9, 10)
    assert program.gate_reasons == (Reason.CALIBRATION, Reason.CALIBRATION, Reason.FAULT, Reason.FAULT)
    # Its spans are those of what it passes on, not of the state.
    assert (plan.params["period_us"][2], plan.params["max_gap_us"][2]) == (5 * SECOND, 60 * SECOND)


def test_columns() -> None:
    plan = _compile(
        """
points:
  - {id: line/energy, kind: counter, unit: kWh, period: 5s, resolution: 0.1, modulus: 99999.9, max_rate: 360,
     on_fall: reset, limits: [0, 99999.9], fill: production, fill_by: line/use}
  - {id: line/use, kind: delta, unit: kWh, period: 1min, stamp: start}
  - {id: line/state, kind: state, period: 5s, states: {stopped: 0, running: 1}}
"""
    )
    assert set(plan.params) == set(COLUMNS)
    for name, kind in COLUMNS.items():
        assert plan.params[name].dtype == (np.int64 if kind is int else np.float64)
    assert plan.params["kind"].tolist() == [Kind.COUNTER, Kind.DELTA, Kind.STATE]
    assert plan.params["modulus_count"].tolist() == [999_999, 0, 0]
    assert plan.params["max_step_count_per_h"].tolist() == [3600, math.inf, math.inf]
    assert plan.params["fall_is_reset"].tolist() == [1, 0, 0]
    assert plan.params["stamp_start"].tolist() == [0, 1, 0]
    assert plan.params["fill"].tolist() == [Fill.PRODUCTION, Fill.FLAT, Fill.FLAT]
    assert plan.params["fill_by"].tolist() == [1, -1, -1]
    assert plan.params["low"].tolist() == [0, -math.inf, -math.inf]
    assert plan.params["high"].tolist() == [99999.9, math.inf, math.inf]
    assert plan.params["max_gap_us"][2] == DAY
    assert plan.points[2].states == {"stopped": 0, "running": 1}
    assert plan.points[2].amount_unit == "h"


def test_weights_convert_units_and_meet_on_points() -> None:
    plan = _compile(
        """
points:
  - {id: line/power, kind: gauge, unit: MW, period: 5s}
  - {id: line/product, kind: counter, unit: kg, period: 5s}
  - {id: line/child, kind: counter, unit: kWh, period: 5s}
kpis:
  - {id: intensity, kind: ratio, unit: kWh/t, numerator: [{point: line/power}, {point: line/child, weight: -1},
     {point: line/power}], denominator: [{point: line/product}]}
  - {id: use, kind: total, unit: GJ, numerator: [{point: line/power}]}
"""
    )
    intensity, use = plan.kpis
    assert intensity.a == ((0, 2000.0), (2, -1.0))
    assert intensity.b == ((1, 0.001),)
    assert (intensity.a_unit, intensity.b_unit) == ("kWh", "t")
    assert intensity.points == (0, 1, 2)
    assert use.a == ((0, 3.6),)


def test_a_ratio_without_a_slash_keeps_the_denominators_unit() -> None:
    plan = _compile(
        """
points:
  - {id: line/own, kind: counter, unit: kWh, period: 5s}
  - {id: line/all, kind: counter, unit: MWh, period: 5s}
kpis: [{id: share, kind: ratio, unit: "%", numerator: [{point: line/own}], denominator: [{point: line/all}]}]
"""
    )
    (share,) = plan.kpis
    a, b = share.a[0][1] * 250.0, share.b[0][1] * 0.5  # 250 kWh of 0.5 MWh
    assert a / b == pytest.approx(50)


def test_sources_multiply_factors_and_deduct_products() -> None:
    plan = _compile(
        """
gwp: AR6
factors:
  - {id: carbon, value: 0.0042, unit: t/t, source: analysis, trust: unconfirmed}
  - {id: co2, value: 3.6666666666666665, unit: t/t, source: 44/12, trust: R}
  - {id: leak, value: 2, unit: g/kg, source: stock, trust: unconfirmed}
points:
  - {id: line/steel, kind: gauge, unit: t/h, period: 5s}
  - {id: line/gas, kind: counter, unit: t, period: 5s}
sources:
  - {id: steel, scope: 1, category: products, gas: co2, route: calculated, activity: line/steel,
     factors: [carbon, co2]}
  - {id: slip, unit: line, scope: 1, category: fugitive, gas: ch4, route: calculated, activity: line/gas,
     factors: [leak]}
kpis: [{id: net, kind: rate, unit: kg/h, numerator: [{source: steel}, {source: slip}]}]
"""
    )
    steel, slip = plan.sources
    assert steel.kg_per_amount == pytest.approx(-15.4)
    assert slip.kg_per_amount == 2.0
    assert (slip.co2e_per_kg, slip.unit, slip.method) == (27.9, "mill/line", "activity.factor")
    assert plan.kpis[0].a == ((0, steel.kg_per_amount), (1, 2.0))


def test_topics_and_ids() -> None:
    plan = _compile(
        """
points:
  - {id: line/energy, kind: counter, unit: kWh, period: 5s, topics: [meters/7, Zähler/8], formerly: [line/kwh],
     until: "2026-10-01T08:00:00+08:00"}
  - {id: total, kind: counter, unit: kWh, period: 5s}
"""
    )
    assert plan.index == {"mill/line/energy": 0, "mill/total": 1}
    assert plan.topics == {"meters/7": 0, "Zähler/8": 0}
    assert plan.points[0].formerly == ("mill/line/kwh",)
    assert plan.points[0].until == 1_790_812_800_000_000
    assert [(unit.id, unit.kind) for unit in plan.units] == [("mill/line", "line")]


def test_convert() -> None:
    plan = _compile(
        """
points:
  - {id: line/power, kind: gauge, unit: kW, period: 5s}
  - {id: line/pressure, kind: sample, unit: kPa, basis: gauge, period: 5s}
"""
    )
    assert plan.convert(0, "kW") == (1.0, 0.0)
    assert plan.convert(0, "MW") == (1000.0, 0.0)
    assert plan.convert(1, "bar(g)") == (100.0, 0.0)
    assert plan.convert(1, "mbar") == (0.1, 0.0)
    with pytest.raises(InputError, match=r"unit 'bar\(a\)' is abs; expected one .* 'kPa', which is gauge"):
        plan.convert(1, "bar(a)")
    with pytest.raises(InputError, match=r"unit 'kWh' is of another dimension; expected one .* 'kW'"):
        plan.convert(0, "kWh")


def test_defaults_of_kpis() -> None:
    plan = _compile(
        """
windows: [5min, 1h]
points: [{id: line/energy, kind: counter, unit: kWh, period: 5s}]
kpis:
  - {id: power, kind: rate, unit: kW, numerator: [{point: line/energy}]}
  - {id: load, kind: load_factor, unit: "1", numerator: [{point: line/energy}], block: 15min, stale_after: 1min}
"""
    )
    power, load = plan.kpis
    assert (power.windows_us, power.stale_after_us) == ((5 * MINUTE, 60 * MINUTE), 5 * MINUTE)
    assert (load.windows_us, load.stale_after_us, load.block_us) == ((60 * MINUTE,), MINUTE, 15 * MINUTE)


def test_a_counter_may_hold_1e12_at_the_default_resolution() -> None:
    plan = _compile("points: [{id: line/energy, kind: counter, unit: kWh, period: 5s, limits: [0, 1e12]}]\n")
    assert plan.params["resolution"][0] == 1e-6
    with pytest.raises(PlantError, match=r"fewer than 2\*\*62 counts"):
        _compile("points: [{id: line/energy, kind: counter, unit: kWh, period: 5s, limits: [0, 1e13]}]\n")


def test_the_plan_loads_no_numba() -> None:
    code = "import sys, ingest.plant; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
