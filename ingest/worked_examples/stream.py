"""Worked examples of what the pipeline itself does: factors, counters, means, power factors.

Each goes through the plan and the fold that readings go through.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ingest.errors import InputError
from ingest.methods.figures import KpiKind, combine
from ingest.methods.registry import METHODS, constant
from ingest.model import HOUR, MINUTE
from ingest.pipeline.closing import emissions
from ingest.plant import compile_plan, parse_plant
from ingest.worked_examples.operation import Input, Inputs, Operation, fraction, number, numbers, positive
from kernels import co2
from kernels.fold import fold_intervals
from kernels.rows import COUNTER, GAUGE, INTERVAL_ROW, NO_COUNT, POINT_PARAMS, RESET_STEP, STEP_ROW, Records

_C6 = constant(METHODS["40cfr98.c-6"], "k")


def _co2_mass_c6(x: Inputs) -> dict[str, Any]:
    return {"t_per_h": co2.part98_wet(x["co2_pct_wet"], x["flow_scfh_wet"], _C6)}


def _of_yaml(value: float) -> str:
    """The number as YAML reads one: with a point."""
    digits, exponent, power = repr(value).partition("e")
    return digits + ("" if "." in digits else ".0") + exponent + power


def _emitted_kg(amount: float, unit: str, factors: Sequence[tuple[float, str]]) -> float:
    """What a source emits of an activity of `amount`, by a plant file with these factors."""
    listed = "\n".join(
        f"  - {{id: f{i}, value: {_of_yaml(value)}, unit: {of!r}, source: example, trust: unconfirmed}}"
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
        (constant(METHODS["combustion.default"], "co2_per_carbon"), "1"),
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


def _instants(name: str, given: Sequence[float], unit_us: int) -> list[int]:
    at = [round(one * unit_us) for one in given]
    if any(a >= b for a, b in pairwise(at)):
        raise InputError(f"{name} is {given!r:.60}; expected times that rise")
    return at


def _counter_delta(x: Inputs) -> dict[str, Any]:
    values = x["values"]
    reset, span = int(x["on_fall"] == "reset"), MINUTE * len(values)
    rows, steps = _folded(
        range(0, span, MINUTE), values, span, span,
        kind=COUNTER, max_gap_us=HOUR, fall_is_reset=reset,
    )  # fmt: skip
    return {"delta": float(rows["amount"].sum()), "resets": int((steps["step_class"] == RESET_STEP).sum())}


def _weighted_mean(x: Inputs) -> dict[str, Any]:
    at = _instants("minutes", x["minutes"], MINUTE)
    means = {}
    for name, sloped in (("linear", 1), ("locf", 0)):
        rows, _ = _folded(at, x["values"], at[-1], at[-1], sloped=sloped, max_gap_us=at[-1])
        means[name] = float(rows["mean"][0])
    return means


def _bucket_mean(x: Inputs) -> dict[str, Any]:
    at, bucket = _instants("hours", x["hours"], HOUR), round(x["bucket_h"] * HOUR)
    until = -(-at[-1] // bucket) * bucket
    rows, _ = _folded(at, x["values"], until, bucket, max_gap_us=bucket)
    return {"mean_over_covered_time": rows["mean"].tolist(), "integral_h": rows["amount"].tolist()}


_FLOW = number("flow_scfh_wet", "scfh", low=0.0)
_MASS = {"co2_t": "t"}

OPERATIONS = (
    Operation("part98.co2_mass_c6", (number("co2_pct_wet", "%", low=0.0, high=100.0), _FLOW), {"t_per_h": "t/h"},
              _co2_mass_c6),
    Operation("part98.tier1",
              (number("fuel_short_ton", "short_ton", low=0.0), positive("hhv_mmbtu_per_short_ton", "mmBtu/short_ton"),
               positive("ef_kg_per_mmbtu", "kg/mmBtu")), _MASS, _tier1),
    Operation("combustion.emission_factor",
              (positive("ncv_gj_per_unit", "GJ per unit"), positive("carbon_t_per_gj", "t/GJ"), fraction("oxidation")),
              {"co2_t_per_unit": "t per unit"}, _combustion),
    Operation("indirect.electricity", (number("energy_mwh", "MWh"), positive("factor_t_per_mwh", "t/MWh")), _MASS,
              _electricity),
    Operation("power.factor", (numbers("kwh", "kWh", low=0.0), numbers("kvarh", "kvarh", like="kwh")),
              {"power_factor_pct": "%"}, _power_factor),
    Operation("counter.delta", (Input("values", "wholes", "counts", low=0.0, high=2.0**52),
                                Input("on_fall", "text", default="reset", one_of=("reset", "glitch"))),
              {"delta": "counts", "resets": "1"}, _counter_delta),
    Operation("time.weighted_mean",
              (numbers("minutes", "min", low=0.0, high=5e5, least=2), numbers("values", like="minutes")),
              {"linear": "of the values", "locf": "of the values"}, _weighted_mean),
    Operation("time.bucket_mean_locf",
              (numbers("hours", "h", low=0.0, high=8784.0), numbers("values", like="hours"),
               Input("bucket_h", "whole", "h", low=1, high=8784)),
              {"mean_over_covered_time": "of the values", "integral_h": "values · h"}, _bucket_mean),
)  # fmt: skip
