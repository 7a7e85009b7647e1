"""A small plant with a point of every kind."""

import pytest

from ingest.plant.compile import compile_plan
from ingest.plant.parse import parse_plant
from ingest.plant.plan import Plan

PLANT = """
site: works
name: Works
time_zone: Europe/Berlin
clock: live
interval: 1min
lateness: 5s
topic_prefix: plant
units:
  - {id: line1, name: Line 1, kind: line, units: [{id: press, name: Press}]}
points:
  - {id: line1/power, kind: gauge, unit: kW, period: 1s, max_gap: 60s, topics: [meters/7/power]}
  - {id: line1/energy, kind: counter, unit: kWh, period: 1s, max_gap: 60s}
  - {id: line1/press/state, kind: state, states: {stopped: 0, running: 1, fault: 7}, period: 1s, max_gap: 60s}
  - {id: line1/press/temperature, kind: sample, unit: °C, period: 1s, max_gap: 60s}
  - {id: line1/press/pressure, kind: sample, unit: bar(g), period: 1s, max_gap: 60s}
  - {id: meter, kind: delta, unit: kWh, period: 15min, stamp: end}
  - id: line1/twice
    kind: gauge
    unit: kW
    computed: {method: linear, inputs: {power: line1/power}, constants: {power: 2}}
"""


@pytest.fixture(scope="session")
def plan() -> Plan:
    return compile_plan(parse_plant(PLANT, "works.yaml"))
