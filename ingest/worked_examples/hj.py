"""Worked examples of HJ 212-2017, its frames, and HJ 75-2017."""

import math
from typing import Any

import numpy as np

from ingest.methods.registry import METHODS, constant
from ingest.methods.schemes import SCHEMES
from ingest.methods.validity import hj_day, hj_hour, hj_period_flag
from ingest.regimes.substitution import hj75_rule
from ingest.wire.hj212 import compose, parse
from ingest.worked_examples.operation import (
    Input,
    Inputs,
    Operation,
    fraction,
    number,
    percentage,
    positive,
)
from kernels import availability, co2, missing

OXYGEN_OF_AIR_PCT = 21.0
_METHOD = METHODS["hj212-2017.annex-d"]
_ZERO, _STANDARD = constant(_METHOD, "zero"), constant(_METHOD, "standard_pressure")
_VOLUME = constant(_METHOD, "molar_volume")
_STACK_CONSTANTS = ("molar_mass", "molar_volume", "zero", "standard_pressure")

_HJ75_MAXIMA = {180: "max_last_180_valid", 720: "max_last_720_valid", 2160: "max_last_2160_valid"}


def _standard_dry_flow(x: Inputs) -> dict[str, Any]:
    actual = co2.actual_flow(x["velocity_m_per_s"], 1.0, x["area_m2"])
    standard = co2.standard_dry_flow(
        actual,
        x["temperature_c"],
        x["barometric_pa"],
        x["static_pa"],
        x["moisture_fraction"],
        _ZERO,
        _STANDARD,
    )
    return {"actual_m3_per_h": actual, "standard_dry_m3_per_h": standard}


def _actual_to_standard(x: Inputs) -> dict[str, Any]:
    found = co2.standard_concentration(
        x["mg_per_m3"], x["temperature_c"], x["barometric_pa"], x["static_pa"], _ZERO, _STANDARD
    )
    return {"mg_per_m3_standard": found}


def _ppm_to_mg(x: Inputs) -> dict[str, Any]:
    return {"mg_per_m3": co2.mass_concentration(x["umol_per_mol"], x["molar_mass_g_per_mol"], _VOLUME)}


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


def _stack(method: str) -> Any:
    own = [constant(METHODS[method], name) for name in _STACK_CONSTANTS]

    def compute(x: Inputs) -> dict[str, Any]:
        gas = (x["temperature_c"], x["barometric_pa"], x["static_pa"], x["moisture_fraction"])
        flow = co2.standard_dry_flow(
            co2.actual_flow(x["velocity_m_per_s"], x["velocity_coefficient"], x["area_m2"]),
            *gas,
            own[2],
            own[3],
        )
        inputs = np.array([x["co2_fraction_dry"], x["velocity_m_per_s"], *gas])
        constants = np.array([x["area_m2"], x["velocity_coefficient"], *own])
        return {
            "standard_dry_m3_per_h": flow,
            "mg_per_m3": co2.mass_concentration(x["co2_fraction_dry"] * 1e6, own[0], own[1]),
            "t_per_h": co2.stack_co2(inputs, constants),
        }

    return compute


def _parse(x: Inputs) -> dict[str, Any]:
    frame = parse(x["frame"].encode())
    return {"crc": frame.crc, "crc_ok": frame.crc_ok, "length": frame.length}


def _compose(x: Inputs) -> dict[str, Any]:
    return {"frame": compose(x["segment"], x["version"]).decode("ascii")}


def _capture(x: Inputs) -> dict[str, Any]:
    return {"capture_pct": availability.capture_rate(x["hours"], x["stopped_h"], x["invalid_h"])}


def _substitute(x: Inputs) -> dict[str, Any]:
    wanted = missing.hj75_lookback(x["capture_pct"], x["gap_h"], hj75_rule(SCHEMES["hj75.mass"]))
    if wanted == 0:
        return {"mass": None, "state": "below_min_capture"}
    return {"mass": x[_HJ75_MAXIMA[wanted]], "state": "replaced"}


_GAS = (
    number("temperature_c", "°C", above=-_ZERO),
    positive("barometric_pa", "Pa"),
    number("static_pa", "Pa"),
)
_MOISTURE = Input("moisture_fraction", "number", low=0.0, below=1.0)
_DUCT = (number("velocity_m_per_s", "m/s"), positive("area_m2", "m2"))
_STACK = (
    fraction("co2_fraction_dry"),
    *_DUCT,
    *_GAS,
    _MOISTURE,
    positive("velocity_coefficient", default=1.0),
)
_STACK_OUT = {"standard_dry_m3_per_h": "m3/h", "mg_per_m3": "mg/m3", "t_per_h": "t/h"}

OPERATIONS = (
    Operation("hj212.standard_dry_flow", (*_DUCT, *_GAS, _MOISTURE),
              {"actual_m3_per_h": "m3/h", "standard_dry_m3_per_h": "m3/h"}, _standard_dry_flow),
    Operation("hj212.actual_to_standard", (number("mg_per_m3", "mg/m3"), *_GAS), {"mg_per_m3_standard": "mg/m3"},
              _actual_to_standard),
    Operation("hj212.ppm_to_mg", (number("umol_per_mol", "umol/mol"), positive("molar_mass_g_per_mol", "g/mol")),
              {"mg_per_m3": "mg/m3"}, _ppm_to_mg),
    Operation("hj212.mass_flow", (number("mg_per_m3", "mg/m3"), number("standard_dry_m3_per_h", "m3/h")),
              {"kg_per_h": "kg/h"}, _mass_flow),
    Operation("hj212.wet_to_dry", (number("wet"), _MOISTURE), {"dry": "of the input"}, _wet_to_dry),
    Operation("hj212.reference_oxygen",
              (number("concentration"),
               Input("o2_reference_pct", "number", "%", low=0.0, below=OXYGEN_OF_AIR_PCT),
               Input("o2_pct", "number", "%", low=0.0, below=OXYGEN_OF_AIR_PCT)),
              {"concentration": "of the input"}, _reference_oxygen),
    Operation("hj212.validity", (Input("valid_minutes", "wholes", "min", low=0, high=60),
                                 Input("valid_hours", "wholes", "h", low=0, high=24)),
              {"hour_valid": "true or false", "day_valid": "true or false"}, _validity),
    Operation("hj212.period_flag", (Input("normal", "wholes", low=0), Input("members", "whole", low=1),
                                    Input("medium", "text", one_of=("gas", "water"))), {"flag": "N or D"},
              _period_flag),
    Operation("hj212.stack_co2", _STACK, _STACK_OUT, _stack("hj212-2017.annex-d")),
    Operation("physics.stack_co2", _STACK, _STACK_OUT, _stack("physics.stack-co2")),
    Operation("hj212.parse", (Input("frame", "text"),), {"crc": "hex", "crc_ok": "true or false", "length": "bytes"},
              _parse),
    Operation("hj212.compose", (Input("segment", "text"),
                                Input("version", "whole", default=2017, one_of=(2005, 2017, 2025))),
              {"frame": "text"}, _compose),
    Operation("hj75.capture_rate", (positive("hours", "h"), number("stopped_h", "h", low=0.0),
                                    number("invalid_h", "h", low=0.0)), {"capture_pct": "%"}, _capture),
    Operation("hj75.substitute", (percentage("capture_pct"), Input("gap_h", "whole", "h", low=1.0),
                                  *(number(name, "of the mass", default=math.nan) for name in
                                    _HJ75_MAXIMA.values())), {"mass": "of the mass", "state": "text"}, _substitute),
)  # fmt: skip
