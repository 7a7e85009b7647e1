"""Worked examples of 40 CFR Part 75 and Method 19, each rounded as the regime rounds it."""

from typing import Any

import numpy as np

from ingest.methods.part75 import DILUENT_CAP
from ingest.methods.registry import METHODS, constant
from ingest.methods.rounding import TO_TENTH
from ingest.methods.schemes import SCHEMES
from ingest.regimes.analyser_tests import calibration_error, linearity, rata
from ingest.regimes.substitution import part75_rule
from ingest.worked_examples.operation import (
    Input,
    Inputs,
    Operation,
    number,
    numbers,
    percentage,
    positive,
)
from kernels import availability, co2, missing75, part75

_AIR = constant(METHODS["40cfr75.f-14a"], "air")
_K = constant(METHODS["40cfr75.f-11"], "k")

_FLOW = number("flow_scfh_wet", "scfh", low=0.0)
_FC, _FD = positive("fc", "scf/mmBtu"), positive("fd", "dscf/mmBtu")
_H2O = percentage("h2o_pct")
_CAPS = {one.name: one.value for one in DILUENT_CAP}
_FLAGGED = Input("cap_flagged", "flag", default=False)
_CAP = (percentage("diluent_cap_pct", default=_CAPS["boiler_co2"]), _FLAGGED)


def _o2(name: str) -> Input:
    return Input(name, "number", "%", below=_AIR)


_O2_CAP = (Input("o2_cap_pct", "number", "%", default=_CAPS["boiler_o2"], below=_AIR), _FLAGGED)


def _edge(method: str, value: float) -> float:
    return METHODS[method].rounding.apply(value)


def _capped(x: Inputs, name: str) -> float:
    return part75.with_cap(x[name], x["diluent_cap_pct"], x["cap_flagged"])


def _capped_o2(x: Inputs, name: str) -> float:
    return part75.with_cap(x[name], x["o2_cap_pct"], x["cap_flagged"])


def _mass_wet(x: Inputs) -> dict[str, Any]:
    rate = co2.part98_wet(_capped(x, "co2_pct_wet"), x["flow_scfh_wet"], _K)
    return {"short_ton_per_h": _edge("40cfr75.f-11", rate)}


def _mass_dry(x: Inputs) -> dict[str, Any]:
    rate = co2.part98_dry(_capped(x, "co2_pct_dry"), x["flow_scfh_wet"], x["h2o_pct"], _K)
    return {"short_ton_per_h": _edge("40cfr75.f-2", rate)}


def _hour_mass(x: Inputs) -> dict[str, Any]:
    mass = part75.hour_mass(x["short_ton_per_h"], x["operating_time_h"])
    return {"short_ton": _edge("40cfr75.hour-mass", mass)}


def _from_o2_dry(x: Inputs) -> dict[str, Any]:
    found = part75.co2_from_o2_dry(_capped_o2(x, "o2_pct_dry"), x["fc"], x["fd"], _AIR)
    return {"co2_pct_dry": _edge("40cfr75.f-14a", found)}


def _from_o2_wet(x: Inputs) -> dict[str, Any]:
    found = part75.co2_from_o2_wet(_capped_o2(x, "o2_pct_wet"), x["h2o_pct"], x["fc"], x["fd"], _AIR)
    return {"co2_pct_wet": _edge("40cfr75.f-14b", found)}


def _heat_co2_wet(x: Inputs) -> dict[str, Any]:
    found = part75.heat_input_co2_wet(x["flow_scfh_wet"], x["co2_pct_wet"], x["fc"])
    return {"mmbtu_per_h": _edge("40cfr75.f-15", found)}


def _heat_co2_dry(x: Inputs) -> dict[str, Any]:
    found = part75.heat_input_co2_dry(x["flow_scfh_wet"], x["co2_pct_dry"], x["h2o_pct"], x["fc"])
    return {"mmbtu_per_h": _edge("40cfr75.f-16", found)}


def _heat_o2_wet(x: Inputs) -> dict[str, Any]:
    found = part75.heat_input_o2_wet(x["flow_scfh_wet"], x["o2_pct_wet"], x["h2o_pct"], x["fd"], _AIR)
    return {"mmbtu_per_h": _edge("40cfr75.f-17", found)}


def _heat_o2_dry(x: Inputs) -> dict[str, Any]:
    found = part75.heat_input_o2_dry(x["flow_scfh_wet"], x["o2_pct_dry"], x["h2o_pct"], x["fd"], _AIR)
    return {"mmbtu_per_h": _edge("40cfr75.f-18", found)}


def _moisture(x: Inputs) -> dict[str, Any]:
    return {"h2o_pct": _edge("40cfr75.f-31", part75.moisture_from_o2(x["o2_pct_dry"], x["o2_pct_wet"]))}


def _emission_rate(x: Inputs) -> dict[str, Any]:
    found = part75.emission_rate(x["concentration_ppm_dry"], x["o2_pct_dry"], x["k"], x["fd"], _AIR)
    return {"lb_per_mmbtu": _edge("method19.19-1", found)}


def _fuel_heat(amount: str, value: str) -> Any:
    def compute(x: Inputs) -> dict[str, Any]:
        return {"mmbtu": _edge("40cfr75.d-fuel-heat", part75.fuel_heat_input(x[amount], x[value]))}

    return compute


def _linearity(x: Inputs) -> dict[str, Any]:
    found = linearity(np.array(x["reference"]), np.array(x["measured"]), diluent=x["diluent"])
    return {
        "error_pct": found.error_pct,
        "mean_abs_difference": found.mean_abs_difference,
        "passed": found.passed,
    }


def _calibration(x: Inputs) -> dict[str, Any]:
    found = calibration_error(x["test"], x["quantity"], x["reference"], x["measured"], x["span"])
    return {"error": found.error, "passed": found.passed, "alternative": found.alternative}


def _rata(x: Inputs) -> dict[str, Any]:
    found = rata(np.array(x["reference"]), np.array(x["cem"]), x["parameter"])
    return {
        "mean_difference": found.mean_difference,
        "confidence_coefficient": found.confidence_coefficient,
        "relative_accuracy_pct": found.relative_accuracy_pct,
        "bias_adjustment_factor": found.bias_adjustment_factor,
        "passed": found.passed,
        "annual": found.annual,
    }


def _pma(x: Inputs) -> dict[str, Any]:
    return {"pma_pct": TO_TENTH.apply(availability.percent(x["qa_hours"], x["operating_hours"]))}


def _substitute(x: Inputs) -> dict[str, Any]:
    rule = part75_rule(SCHEMES[f"part75.{x['scheme']}"], x["maximum_potential"])
    code = missing75.part75_code(x["pma_pct"], x["gap_h"], rule)
    back = np.sort(np.array(x["lookback"]))
    value = missing75.part75_value(code, back, x["hour_before"], x["hour_after"], rule)
    return {"value": value, "modc": f"{code:02d}"}


_TON = {"short_ton_per_h": "short_ton/h"}
_HEAT = {"mmbtu_per_h": "mmBtu/h"}
_CO2_WET, _CO2_DRY = percentage("co2_pct_wet"), percentage("co2_pct_dry")
_RUNS = (numbers("reference", "of the test"), numbers("measured", "of the test", like="reference"))

OPERATIONS = (
    Operation("part75.co2_mass_wet", (_CO2_WET, _FLOW, *_CAP), _TON, _mass_wet),
    Operation("part75.co2_mass_dry", (_CO2_DRY, _FLOW, _H2O, *_CAP), _TON, _mass_dry),
    Operation("part75.hour_mass", (number("short_ton_per_h", "short_ton/h"),
                                   number("operating_time_h", "h", low=0.0, high=1.0)),
              {"short_ton": "short_ton"}, _hour_mass),
    Operation("part75.co2_from_o2_dry", (_FC, _FD, _o2("o2_pct_dry"), *_O2_CAP), {"co2_pct_dry": "%"}, _from_o2_dry),
    Operation("part75.co2_from_o2_wet", (_FC, _FD, _o2("o2_pct_wet"), _H2O, *_O2_CAP), {"co2_pct_wet": "%"}, _from_o2_wet),
    Operation("part75.heat_input_co2_wet", (_FLOW, _CO2_WET, _FC), _HEAT, _heat_co2_wet),
    Operation("part75.heat_input_co2_dry", (_FLOW, _CO2_DRY, _H2O, _FC), _HEAT, _heat_co2_dry),
    Operation("part75.heat_input_o2_wet", (_FLOW, _o2("o2_pct_wet"), _H2O, _FD), _HEAT, _heat_o2_wet),
    Operation("part75.heat_input_o2_dry", (_FLOW, _o2("o2_pct_dry"), _H2O, _FD), _HEAT, _heat_o2_dry),
    Operation("part75.moisture_from_o2", (positive("o2_pct_dry", "%"), _o2("o2_pct_wet")), {"h2o_pct": "%"},
              _moisture),
    Operation("method19.emission_rate", (positive("k", "lb/scf/ppm"), number("concentration_ppm_dry", "ppm"), _FD,
                                         _o2("o2_pct_dry")), {"lb_per_mmbtu": "lb/mmBtu"}, _emission_rate),
    Operation("part75.heat_input_fuel_gas", (number("volume_hscf", "100 scf"), positive("gcv_btu_per_hscf",
              "Btu/100 scf")), {"mmbtu": "mmBtu"}, _fuel_heat("volume_hscf", "gcv_btu_per_hscf")),
    Operation("part75.heat_input_fuel_oil", (number("mass_lb", "lb"), positive("gcv_btu_per_lb", "Btu/lb")),
              {"mmbtu": "mmBtu"}, _fuel_heat("mass_lb", "gcv_btu_per_lb")),
    Operation("part75.linearity", (*_RUNS, Input("diluent", "flag", default=False)),
              {"error_pct": "%", "mean_abs_difference": "of the test", "passed": "true or false"}, _linearity),
    Operation("part75.calibration_error",
              (positive("span", "of the analyser"), number("reference", "of the analyser"),
               number("measured", "of the analyser"),
               Input("quantity", "text", default="pollutant", one_of=("pollutant", "diluent", "flow")),
               Input("test", "text", default="seven_day", one_of=("seven_day", "daily"))),
              {"error": "% of span, % or ppm", "passed": "true or false", "alternative": "true or false"},
              _calibration),
    Operation("part75.rata", (numbers("reference", "of the test", least=9),
                              numbers("cem", "of the test", like="reference"),
                              Input("parameter", "text",
                                    one_of=("co2", "o2", "h2o", "hg", "hcl", "so2", "nox", "flow"))),
              {"mean_difference": "of the test", "confidence_coefficient": "of the test",
               "relative_accuracy_pct": "%", "bias_adjustment_factor": "1", "passed": "true or false",
               "annual": "true or false"}, _rata),
    Operation("part75.pma", (number("qa_hours", "h", low=0.0), positive("operating_hours", "h")), {"pma_pct": "%"},
              _pma),
    Operation("part75.substitute",
              (numbers("lookback", "of the quantity"), number("hour_before", "of the quantity"),
               number("hour_after", "of the quantity"), percentage("pma_pct"),
               Input("gap_h", "whole", "h", low=1.0), number("maximum_potential", "of the quantity"),
               Input("scheme", "text", default="concentration", one_of=("concentration", "low-overstates", "flow"))),
              {"value": "of the quantity", "modc": "two digits"}, _substitute),
)  # fmt: skip
