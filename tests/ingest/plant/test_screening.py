"""Rules for readings as they are written, and the columns they become."""

import math

import pytest

from ingest.model import MINUTE
from ingest.plant import compile_plan, parse_plant
from ingest.plant.plan import Plan

HEAD = "site: mill\nname: Mill\ntime_zone: UTC\nunits: [{id: line, name: Line}]\npoints:\n"


def _compiled(*points: str) -> Plan:
    return compile_plan(
        parse_plant(HEAD + "".join(f"  - {{id: line/p{i}, {p}}}\n" for i, p in enumerate(points)), "x")
    )


@pytest.mark.parametrize(
    ("point", "per_h"),
    [
        ("kind: gauge, unit: kW, period: 5s, max_rate: 90", 90.0),
        ("kind: gauge, unit: kW, period: 5s, max_rate: 50 kW/s", 180_000.0),
        ("kind: gauge, unit: kW, period: 5s, max_rate: 0.5MW/min", 30_000.0),
        ("kind: gauge, unit: t/h, period: 5s, max_rate: 30 t/h/min", 1800.0),
        ("kind: sample, unit: °C, period: 5s, max_rate: 2 K/min", 120.0),
        ("kind: sample, unit: °C, period: 5s, max_rate: 48 °C/d", 2.0),
    ],
)
def test_a_rate_has_a_unit_of_its_own_or_is_per_hour(point: str, per_h: float) -> None:
    params = _compiled(point).params
    assert params["max_rate_per_h"].tolist() == pytest.approx([per_h])
    assert params["lookback_us"].tolist() == [2 * params["max_gap_us"][0]]


def test_a_counters_rate_is_of_its_steps_and_no_rule() -> None:
    params = _compiled("kind: counter, unit: t, period: 5s, resolution: 0.1, max_rate: 1000 kg/min").params
    assert params["max_step_count_per_h"].tolist() == pytest.approx([600.0])
    assert (params["max_rate_per_h"][0], params["lookback_us"][0]) == (0, 0)


def test_what_standing_still_compiles_to() -> None:
    params = _compiled(
        "kind: sample, unit: Pa, period: 1min, max_gap: 5min, resolution: 0.1, stuck_after: 30min, stuck_except: [0, 1]",
        "kind: gauge, unit: kW, period: 1min, max_gap: 5min, stuck_after: 3min",
        "kind: gauge, unit: kW, period: 1min, max_gap: 5min, resolution: 0.1",
    ).params
    assert params["stuck_after_us"].tolist() == [30 * MINUTE, 3 * MINUTE, 0]
    assert params["stuck_band"].tolist() == pytest.approx([0.1, 0, 0.1])
    assert params["stuck_band"][0] >= 20.3 - 20.2 > 0.1
    assert params["stuck_low"].tolist() == [0, math.inf, math.inf]
    assert params["stuck_high"].tolist() == [1, -math.inf, -math.inf]
    assert params["lookback_us"].tolist() == [40 * MINUTE, 13 * MINUTE, 0]
