"""Worked examples of the EU's monitoring regulation (annex VIII) and of EN 14181."""

from typing import Any

import numpy as np

from ingest.methods.schemes import SCHEMES
from ingest.methods.validity import eu_hour
from ingest.regimes.analyser_tests import cusum
from ingest.worked_examples.operation import Input, Inputs, Operation, numbers, positive
from kernels import co2, missing, quantiles


def _annual_mass(x: Inputs) -> dict[str, Any]:
    found = co2.mass_of_hours(np.array(x["concentration_g_per_nm3"]), np.array(x["flow_nm3_per_h"]))
    return {"t": found}


def _hourly_mean(x: Inputs) -> dict[str, Any]:
    found = co2.mean_hourly_mass(np.array(x["concentration_g_per_nm3"]), np.array(x["flow_nm3_per_h"]))
    return {"kg_per_h": found}


def _hour_valid(x: Inputs) -> dict[str, Any]:
    valid = np.array(x["valid_readings"])
    return {"valid": eu_hour(valid, np.full(valid.size, x["possible_readings"])).tolist()}


def _substitute(x: Inputs) -> dict[str, Any]:
    deviations = SCHEMES["mrr.concentration"]["deviations"]
    return {"concentration": missing.mean_and_deviations(np.array(x["valid_hours"]), deviations)}


def _cusum(x: Inputs) -> dict[str, Any]:
    found = cusum(np.array(x["differences"]), x["s_ams"])
    return {
        **found.constants,
        "sum_precision": found.sums[:, 0].tolist(),
        "sum_positive": found.sums[:, 1].tolist(),
        "sum_negative": found.sums[:, 2].tolist(),
        "alarm": (found.alarm != 0).tolist(),
    }


def _kv(x: Inputs) -> dict[str, Any]:
    pairs = x["pairs"]
    return {"kv": quantiles.variability_factor(pairs), "t": quantiles.student_quantile(0.95, pairs - 1.0)}


_CONCENTRATION = numbers("concentration_g_per_nm3", "g/Nm3")
_FLOW = numbers("flow_nm3_per_h", "Nm3/h", like="concentration_g_per_nm3")
_CHECK = "of the analyser"

OPERATIONS = (
    Operation("mrr.annual_mass", (_CONCENTRATION, _FLOW), {"t": "t"}, _annual_mass),
    Operation("mrr.hourly_mean_mass", (_CONCENTRATION, _FLOW), {"kg_per_h": "kg/h"}, _hourly_mean),
    Operation("mrr.hour_valid", (Input("possible_readings", "whole", low=1),
                                 Input("valid_readings", "wholes", low=0)), {"valid": "true or false"}, _hour_valid),
    Operation("mrr.substitute", (numbers("valid_hours", "of the concentration", least=2),),
              {"concentration": "of the concentration"}, _substitute),
    Operation("en14181.qal3_cusum", (positive("s_ams", _CHECK), numbers("differences", _CHECK)),
              {"kx": _CHECK, "hx": _CHECK, "ks": "squared", "hs": "squared", "sum_precision": "squared",
               "sum_positive": _CHECK, "sum_negative": _CHECK, "alarm": "true or false"}, _cusum),
    Operation("en14181.kv", (Input("pairs", "whole", low=2, high=1000),), {"kv": "1", "t": "1"}, _kv),
)  # fmt: skip
