"""A stored version means what the file meant."""

import json
from pathlib import Path

import numpy as np
import pytest

from ingest.errors import PlantError
from ingest.plant import canonical, compile_plan, load_plant, parse_plant, plan_from_body

PLANTS = Path(__file__).parents[3] / "simulator" / "plants"


@pytest.mark.parametrize("name", ["cement", "steel"])
def test_round_trip_through_json(name: str) -> None:
    file = load_plant(PLANTS / f"{name}.yaml")
    digest, body = canonical(file)
    plan, stored = compile_plan(file, 7), plan_from_body(json.loads(json.dumps(body)), 7)
    assert canonical(stored.file)[0] == digest
    assert stored.version == 7
    assert (stored.points, stored.kpis, stored.sources, stored.computed) == (
        plan.points,
        plan.kpis,
        plan.sources,
        plan.computed,
    )
    for column, values in plan.params.items():
        np.testing.assert_array_equal(stored.params[column], values)


def test_every_kind_of_entry_survives() -> None:
    text = """
site: mill
name: Mill
time_zone: Europe/Berlin
calendar: {shifts: [{name: day, start: "06:00"}], holidays: [2026-10-03], day_starts: "06:00"}
currency: EUR
units: [{id: line, name: Line}]
carriers: [{id: electricity, name: Electricity}]
points:
  - {id: line/energy, kind: counter, unit: kWh, period: 250ms, until: "2027-01-01T00:00:00+01:00"}
kpis: [{id: demand, kind: demand, unit: kW, numerator: [{point: line/energy}], block: 15min}]
tariffs:
  - {id: power, carrier: electricity, unit: EUR/kWh, valid_from: 2026-01-01,
     periods: [{name: flat, value: 0.2, hours: ["00:00-24:00"]}]}
contracted_demand: {value: 0.5, unit: MW, kpi: demand}
alerts: [{id: high, kpi: demand, window: 15min, above: 480, hold: 1min}]
webhooks: [{id: mes, url: "https://mes.example/hook", secret_env: MES_SECRET, events: [alert.firing]}]
benchmarks: [{id: best, kpi: demand, value: 400, unit: kW, level: own_best, source: own, trust: unconfirmed}]
targets: [{id: t, kpi: demand, year: 2026, value: 450, unit: kW}]
allowance: [{year: 2026, value: 1000, unit: t}]
instruments: [{id: m1, points: [line/energy], kind: meter, accuracy_class: 0.5S,
  calibrated_on: 2026-02-01, due_on: 2027-02-01}]
retention: {readings_days: 400}
"""
    file = parse_plant(text, "mill.yaml")
    digest, body = canonical(file)
    plan = plan_from_body(json.loads(json.dumps(body)), 1)
    assert canonical(plan.file) == (digest, body)
    assert plan.kpis[0].contract == 500


def test_digest_is_of_the_meaning() -> None:
    head = "site: mill\nname: Mill\ntime_zone: UTC\n"
    same = ["interval: 60s\n", "interval: 1min # a comment\n", "", "clock: live\ninterval: 1min\n"]
    assert len({canonical(parse_plant(head + text, "f"))[0] for text in same}) == 1
    assert canonical(parse_plant(head + "lateness: 6s\n", "f"))[0] != canonical(parse_plant(head, "f"))[0]


def test_a_body_nobody_understands_is_refused_by_name() -> None:
    body = {"site": "mill", "name": "Mill", "time_zone": "UTC", "later": 1}
    with pytest.raises(PlantError, match="plan version 3 of mill: later is not a known key"):
        plan_from_body(body, 3)
