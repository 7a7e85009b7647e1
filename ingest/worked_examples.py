"""Operations of published worked examples, each by the function that the product uses.

The left side is the operation's name and the inputs' names in the examples' file; the
right side is ours, with the constants of the regime the operation is named for. What
is not here the product does not do yet. See `ingest.conformance`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ingest.methods.figures import KpiKind, combine
from ingest.methods.registry import METHODS
from ingest.methods.validity import eu_hour, hj_day, hj_hour, hj_period_flag
from ingest.model import HOUR, MINUTE
from ingest.pipeline.closing import emissions
from ingest.plant import compile_plan, parse_plant
from kernels import co2
from kernels.fold import fold_intervals
from kernels.rows import COUNTER, GAUGE, INTERVAL_ROW, NO_COUNT, POINT_PARAMS, RESET_STEP, STEP_ROW, Records

Inputs = Mapping[str, Any]
Operation = Callable[[Inputs], dict[str, Any]]

OXYGEN_OF_AIR_PCT = 21.0
_HJ212 = {constant.name: constant.value or math.nan for constant in METHODS["hj212-2017.annex-d"].constants}
_C6 = {constant.name: constant.value or math.nan for constant in METHODS["40cfr98.c-6"].constants}


def _standard_dry_flow(x: Inputs) -> dict[str, Any]:
    actual = co2.actual_flow(x["velocity_m_per_s"], 1.0, x["area_m2"])
    standard = co2.standard_dry_flow(
        actual, x["temperature_c"], x["barometric_pa"], x["static_pa"], x["moisture_fraction"],
        _HJ212["zero"], _HJ212["standard_pressure"],
    )  # fmt: skip
    return {"actual_m3_per_h": actual, "standard_dry_m3_per_h": standard}


def _actual_to_standard(x: Inputs) -> dict[str, Any]:
    found = co2.standard_concentration(
        x["mg_per_m3"], x["temperature_c"], x["barometric_pa"], x["static_pa"],
        _HJ212["zero"], _HJ212["standard_pressure"],
    )  # fmt: skip
    return {"mg_per_m3_standard": found}


def _ppm_to_mg(x: Inputs) -> dict[str, Any]:
    molar_mass, molar_volume = float(x["molar_mass_g_per_mol"]), _HJ212["molar_volume"]
    return {"mg_per_m3": co2.mass_concentration(float(x["umol_per_mol"]), molar_mass, molar_volume)}


def _mass_flow(x: Inputs) -> dict[str, Any]:
    return {"kg_per_h": co2.mass_flow(x["mg_per_m3"], x["standard_dry_m3_per_h"])}


def _wet_to_dry(x: Inputs) -> dict[str, Any]:
    return {"dry": co2.dry_concentration(x["wet"], x["moisture_fraction"])}


def _reference_oxygen(x: Inputs) -> dict[str, Any]:
    found = co2.at_reference_oxygen(x["concentration"], x["o2_pct"], x["o2_reference_pct"], OXYGEN_OF_AIR_PCT)
    return {"concentration": found}


def _validity(x: Inputs) -> dict[str, Any]:
    return {
        "hour_valid": hj_hour(np.array(x["valid_minutes"])).tolist(),
        "day_valid": hj_day(np.array(x["valid_hours"])).tolist(),
    }


def _period_flag(x: Inputs) -> dict[str, Any]:
    normal = np.array(x["normal"])
    members = np.full(normal.size, x["members"])
    return {"flag": hj_period_flag(normal, members, water=x["medium"] == "water")}


def _eu_hour_valid(x: Inputs) -> dict[str, Any]:
    valid = np.array(x["valid_readings"])
    return {"valid": eu_hour(valid, np.full(valid.size, x["possible_readings"])).tolist()}


def _co2_mass_c6(x: Inputs) -> dict[str, Any]:
    return {"t_per_h": co2.part98_wet(x["co2_pct_wet"], x["flow_scfh_wet"], _C6["k"])}


def _emitted_kg(amount: float, unit: str, factors: Sequence[tuple[float, str]]) -> float:
    """What a source emits of an activity of `amount`, by a plant file with these factors."""
    listed = "\n".join(
        f"  - {{id: f{i}, value: {value!r}, unit: {of!r}, source: example, trust: unconfirmed}}"
        for i, (value, of) in enumerate(factors)
    )
    ids = ", ".join(f"f{i}" for i in range(len(factors)))
    plan = compile_plan(
        parse_plant(
            f"""\
site: example
name: Worked example
time_zone: UTC
factors:
{listed}
points:
  - {{id: activity, kind: delta, unit: {unit!r}, period: 1min}}
sources:
  - {{id: source, scope: 1, category: combustion, gas: co2, route: calculated, activity: activity, factors: [{ids}]}}
""",
            "worked example",
        )
    )
    rows = np.zeros(1, INTERVAL_ROW)
    rows["amount"] = amount
    return float(emissions(plan, rows)["mass_kg"][0])


def _electricity(x: Inputs) -> dict[str, Any]:
    return {"co2_t": _emitted_kg(x["energy_mwh"], "MWh", [(x["factor_t_per_mwh"], "t/MWh")]) / 1000}


def _combustion(x: Inputs) -> dict[str, Any]:
    factors = [
        (x["ncv_gj_per_unit"], "GJ/t"),
        (x["carbon_t_per_gj"], "t/GJ"),
        (x["oxidation"], "1"),
        (44 / 12, "1"),
    ]
    return {"co2_t_per_unit": _emitted_kg(1.0, "t", factors) / 1000}


def _tier1(x: Inputs) -> dict[str, Any]:
    factors = [(x["hhv_mmbtu_per_short_ton"], "mmBtu/short_ton"), (x["ef_kg_per_mmbtu"], "kg/mmBtu")]
    return {"co2_t": _emitted_kg(x["fuel_short_ton"], "short_ton", factors) / 1000}


def _power_factor(x: Inputs) -> dict[str, Any]:
    pairs = zip(x["kwh"], x["kvarh"], strict=True)
    factors = [combine(KpiKind.POWER_FACTOR, kwh, kvarh, HOUR)[0] for kwh, kvarh in pairs]
    return {"power_factor_pct": [math.nan if factor is None else 100 * factor for factor in factors]}


def _folded(
    at: Sequence[int], values: Sequence[float], until: int, interval_us: int, **params: int
) -> tuple[Records, Records]:
    """Interval and step rows of one point over [0, until)."""
    param = np.zeros(1, POINT_PARAMS)
    param["kind"], param["resolution"], param["max_step_count_per_h"] = GAUGE, 1.0, np.inf
    for name, value in params.items():
        if name in (POINT_PARAMS.names or ()):
            param[name] = value
    n = len(values)
    rows, steps = np.zeros(until // interval_us + 1, INTERVAL_ROW), np.zeros(n, STEP_ROW)
    counted = params.get("kind") == COUNTER
    n_rows, n_steps = fold_intervals(
        np.array([0, n]),
        np.array(at, np.int64),
        np.array(values, np.float64),
        np.array(values, np.float64).astype(np.int64) if counted else np.full(n, NO_COUNT),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        param, np.zeros(1, np.int64), np.array([until]), interval_us, rows, steps, np.zeros(1, np.int64),
    )  # fmt: skip
    return rows[:n_rows], steps[:n_steps]


def _counter_delta(x: Inputs) -> dict[str, Any]:
    values = x["values"]
    reset = int(x["on_fall"] == "reset")
    rows, steps = _folded(
        range(0, MINUTE * len(values), MINUTE), values, HOUR, HOUR,
        kind=COUNTER, max_gap_us=HOUR, fall_is_reset=reset,
    )  # fmt: skip
    return {"delta": float(rows["amount"].sum()), "resets": int((steps["step_class"] == RESET_STEP).sum())}


def _weighted_mean(x: Inputs) -> dict[str, Any]:
    at = [round(minute * MINUTE) for minute in x["minutes"]]
    means = {}
    for name, sloped in (("linear", 1), ("locf", 0)):
        rows, _ = _folded(at, x["values"], at[-1], HOUR, sloped=sloped, max_gap_us=HOUR)
        means[name] = float(rows["mean"][0])
    return means


def _bucket_mean(x: Inputs) -> dict[str, Any]:
    at, bucket = [round(hour * HOUR) for hour in x["hours"]], round(x["bucket_h"] * HOUR)
    until = -(-at[-1] // bucket) * bucket
    rows, _ = _folded(at, x["values"], until, bucket, max_gap_us=bucket)
    return {"mean_over_covered_time": rows["mean"].tolist(), "integral_h": rows["amount"].tolist()}


OPERATIONS: Mapping[str, Operation] = {
    "combustion.emission_factor": _combustion,
    "counter.delta": _counter_delta,
    "hj212.actual_to_standard": _actual_to_standard,
    "hj212.mass_flow": _mass_flow,
    "hj212.period_flag": _period_flag,
    "hj212.ppm_to_mg": _ppm_to_mg,
    "hj212.reference_oxygen": _reference_oxygen,
    "hj212.standard_dry_flow": _standard_dry_flow,
    "hj212.validity": _validity,
    "hj212.wet_to_dry": _wet_to_dry,
    "indirect.electricity": _electricity,
    "mrr.hour_valid": _eu_hour_valid,
    "part98.co2_mass_c6": _co2_mass_c6,
    "part98.tier1": _tier1,
    "power.factor": _power_factor,
    "time.bucket_mean_locf": _bucket_mean,
    "time.weighted_mean": _weighted_mean,
}
