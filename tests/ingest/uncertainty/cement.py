"""A clinker line with the uncertainties of the worked examples, its hours as interval rows."""

import numpy as np

from ingest.model import HOUR, SECOND
from ingest.plant import Plan, compile_plan, parse_plant
from ingest.uncertainty.contributions import PointRows

START = 1_795_161_600 * SECOND
"""2026-11-20T08:00:00Z."""

_DATES = "calibrated_on: 2026-03-02, due_on: 2036-03-02"
_WHY = "source: worked example, trust: unconfirmed"
PLANT = f"""\
site: line
name: Clinker line
time_zone: UTC
clock: replay
interval: 1h
windows: [1h]
products: [{{id: clinker, name: Clinker}}]
factors:
  - {{id: carbon, value: 0.605, unit: t/t, {_WHY}, uncertainty: {{percent: 0.6, {_WHY}}}}}
  - {{id: oxidation, value: 0.99, unit: "1", {_WHY}, uncertainty: {{percent: 0.29, {_WHY}}}}}
  - {{id: co2-per-carbon, value: 3.6666666666666665, unit: t/t, {_WHY}, uncertainty_class: exact}}
  - {{id: process, value: 0.48, unit: t/t, {_WHY}, uncertainty: {{percent: 0.37, {_WHY}}}}}
  - {{id: meal-carbon, value: 0.0054537, unit: t/t, {_WHY}, uncertainty: {{percent: 28.9, {_WHY}}}}}
points:
  - {{id: coal, kind: delta, unit: t, period: 1h}}
  - {{id: clinker, kind: delta, unit: t, product: clinker, period: 1h}}
  - {{id: co2, kind: sample, unit: "%", basis: dry, period: 1h, max_gap: 2h}}
  - {{id: velocity, kind: sample, unit: m/s, period: 1h, max_gap: 2h}}
  - {{id: temperature, kind: sample, unit: °C, period: 1h, max_gap: 2h}}
  - {{id: barometric, kind: sample, unit: Pa, basis: abs, period: 1h, max_gap: 2h}}
  - {{id: static, kind: sample, unit: Pa, basis: gauge, period: 1h, max_gap: 2h}}
  - {{id: moisture, kind: sample, unit: "%", period: 1h, max_gap: 2h}}
  - id: co2-flow
    kind: gauge
    unit: t/h
    sloped: false
    computed:
      method: physics.stack-co2
      inputs: {{co2: co2, velocity: velocity, temperature: temperature, barometric: barometric, static: static, moisture: moisture}}
      constants: {{area: 15.9, kv: 1.0}}
      uncertainty_classes: {{area: duct-area, kv: exact}}
sources:
  - {{id: fuel, scope: 1, category: combustion, gas: co2, route: calculated, activity: coal, factors: [carbon, oxidation, co2-per-carbon]}}
  - {{id: process, scope: 1, category: process, gas: co2, route: calculated, activity: clinker, factors: [process]}}
  - {{id: meal, scope: 1, category: process, gas: co2, route: calculated, activity: clinker, factors: [meal-carbon]}}
  - {{id: stack, scope: 1, category: combined, gas: co2, route: measured, activity: co2-flow}}
kpis:
  - {{id: calculated, kind: total, unit: t, numerator: [{{source: fuel}}, {{source: process}}, {{source: meal}}]}}
  - {{id: measured, kind: total, unit: t, numerator: [{{source: stack}}]}}
  - {{id: intensity, kind: ratio, unit: kg/t, numerator: [{{source: fuel}}, {{source: process}}, {{source: meal}}], denominator: [{{point: clinker}}]}}
  - {{id: gap, kind: total, unit: t, numerator: [{{source: stack}}, {{source: fuel, weight: -1}}, {{source: process, weight: -1}}, {{source: meal, weight: -1}}]}}
instruments:
  - {{id: coal-scale, points: [coal], kind: scale, uncertainty: {{percent: 0.5, {_WHY}}}, {_DATES}}}
  - {{id: clinker-scale, points: [clinker], kind: scale, uncertainty: {{percent: 1.0, {_WHY}}}, {_DATES}}}
  - {{id: ndir, points: [co2], kind: analyser, uncertainty_class: co2-ndir, {_DATES}}}
  - {{id: pitot, points: [velocity], kind: pitot, uncertainty_class: stack-velocity, {_DATES}}}
  - {{id: thermometer, points: [temperature], kind: thermometer, uncertainty: {{percent: 0.2716, {_WHY}}}, {_DATES}}}
  - {{id: barometer, points: [barometric, static], kind: barometer, uncertainty_class: pressure-compensation, {_DATES}}}
  - {{id: wet, points: [moisture], kind: analyser, uncertainty_class: moisture-analyser, {_DATES}}}
"""  # noqa: E501
AT_REST = {
    "coal": 27.3706, "clinker": 208.333, "co2": 19.9792, "velocity": 11.0245, "temperature": 95.0,
    "barometric": 100_000.0, "static": -50.0, "moisture": 11.0023, "co2-flow": 161.24639,
}  # fmt: skip
AMOUNTS = {"coal", "clinker", "co2-flow"}


def plan_of(text: str = PLANT, version: int = 1) -> Plan:
    return compile_plan(parse_plant(text, "line.yaml"), version)


def rows_of(plan: Plan, hours: int, begin_at: int = START, version: int = 1) -> dict[str, PointRows]:
    """A plant that stands at its worked example for some hours."""
    start_at = begin_at + HOUR * np.arange(hours)
    one, none = np.ones(hours), np.full(hours, np.nan)
    return {
        f"{plan.site}/{name}": PointRows(
            start_at,
            value * one if name in AMOUNTS else none,
            none if name in AMOUNTS else value * one,
            one,
            np.full(hours, version),
        )
        for name, value in AT_REST.items()
    }
