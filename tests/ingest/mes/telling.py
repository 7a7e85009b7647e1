"""A plant on which orders run, and what a MES says of it."""

import json
from typing import Any

from ingest.plant import compile_plan, parse_plant
from ingest.plant.plan import Plan
from ingest.source import Delivery
from tests.ingest.feeding import START

PLANT = """
site: mill
name: Mill
time_zone: Asia/Shanghai
units: [{id: line1, name: Line 1}, {id: line2, name: Line 2}, {id: air, name: Air}]
carriers: [{id: electricity, name: Electricity}, {id: gas, name: Gas}]
products: [{id: meal, name: Meal}]
factors:
  - {id: ef-gas, value: 0.002, unit: t/m3, basis: [0C], source: test, trust: P}
points:
  - {id: line1/energy, kind: counter, unit: kWh, resolution: 0.01, period: 10s, carrier: electricity}
  - {id: line2/energy, kind: counter, unit: kWh, resolution: 0.01, period: 10s, carrier: electricity}
  - {id: line1/gas, kind: delta, unit: m3, basis: [0C], resolution: 0.001, period: 10s, carrier: gas}
  - {id: air/energy, kind: counter, unit: kWh, resolution: 0.01, period: 10s, carrier: electricity}
  - {id: line1/out, kind: delta, unit: t, resolution: 0.001, period: 10s, product: meal}
sources:
  - {id: line1/burner, unit: line1, scope: 1, category: combustion, gas: co2, route: calculated, activity: line1/gas,
     factors: [ef-gas]}
mes:
  topics: [erp/orders]
  units:
    - {unit: line1, meters: [line1/energy, line1/gas], output: line1/out}
    - {unit: line2, meters: [line2/energy], overlap: time}
  shared:
    - {id: air, name: Compressed air, meters: [air/energy], to: [line1, line2], by: energy}
"""


def plan() -> Plan:
    """The plant's plan."""
    return compile_plan(parse_plant(PLANT, "test.yaml"))


def at(minutes: float) -> int:
    """Epoch milliseconds so many minutes after the start."""
    return START // 1000 + round(minutes * 60_000)


def said(
    *statements: dict[str, Any], topic: str = "plant/mill/$mes", received_at: int | None = None
) -> Delivery:
    """A message of a MES."""
    body = json.dumps(list(statements)).encode()
    return Delivery(
        topic=topic,
        payload=body,
        received_at=START + 24 * 3600 * 10**6 if received_at is None else received_at,
    )


def event(kind: str, order: str, minute: float, unit: str = "line1", **more: Any) -> dict[str, Any]:
    """start, pause, resume or stop."""
    return {"kind": kind, "order": order, "unit": unit, "ts": at(minute), **more}
