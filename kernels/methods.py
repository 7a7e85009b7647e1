"""Formulas of computed points, found by number.

One call evaluates one formula at one instant. Numbers are in `rows`, what they
take and from which rule they come is data of `ingest.methods`. An unknown number
gives NaN; too few inputs or constants are the compiler of plans to prevent.
"""

import numpy as np

from kernels._jit import kernel
from kernels.calculated import process_fuel_ratio
from kernels.co2 import part98_dry, part98_wet, stack_co2
from kernels.part75 import (
    co2_from_o2_dry,
    co2_from_o2_wet,
    emission_rate,
    heat_input_co2_dry,
    heat_input_co2_wet,
    heat_input_o2_dry,
    heat_input_o2_wet,
    moisture_from_o2,
)
from kernels.rows import (
    HJ212_STACK_CO2,
    KILN_RATIO,
    LINEAR,
    METHOD19,
    PART75_F14A,
    PART75_F14B,
    PART75_F15,
    PART75_F16,
    PART75_F17,
    PART75_F18,
    PART75_F31,
    PART98_C6,
    PART98_C7,
    RATIO,
    STEAM_HEAT,
    Floats,
)
from kernels.steam import heat_flow


@kernel
def evaluate(method: int, inputs: Floats, constants: Floats) -> float:
    """The method's value, in its own unit; NaN or infinite where it has none.

    Definition: reference.evaluate.
    """
    if method == LINEAR:
        total = float(constants[inputs.size])
        for i in range(inputs.size):
            total += constants[i] * inputs[i]
        return total
    if method == RATIO:
        return float(inputs[0] / inputs[1])
    if method == HJ212_STACK_CO2:
        return stack_co2(inputs, constants)
    if method == PART98_C6:
        return part98_wet(inputs[0], inputs[1], constants[0])
    if method == PART98_C7:
        return part98_dry(inputs[0], inputs[1], inputs[2], constants[0])
    if method == STEAM_HEAT:
        return heat_flow(inputs[0], inputs[1], inputs[2], constants[0])
    if method == KILN_RATIO:
        return process_fuel_ratio(inputs[0], inputs[1], constants[0], constants[1])
    return _part75(method, inputs, constants)


@kernel
def _part75(method: int, x: Floats, c: Floats) -> float:
    """Equations of 40 CFR 75 appendix F and Method 19; NaN for any other number."""
    if method == PART75_F14A:
        return co2_from_o2_dry(x[0], c[0], c[1], c[2])
    if method == PART75_F14B:
        return co2_from_o2_wet(x[0], x[1], c[0], c[1], c[2])
    if method == PART75_F15:
        return heat_input_co2_wet(x[0], x[1], c[0])
    if method == PART75_F16:
        return heat_input_co2_dry(x[0], x[1], x[2], c[0])
    if method == PART75_F17:
        return heat_input_o2_wet(x[0], x[1], x[2], c[0], c[1])
    if method == PART75_F18:
        return heat_input_o2_dry(x[0], x[1], x[2], c[0], c[1])
    if method == PART75_F31:
        return moisture_from_o2(x[0], x[1])
    if method == METHOD19:
        return emission_rate(x[0], x[1], c[0], c[1], c[2])
    return np.nan


@kernel
def evaluate_rows(method: int, inputs: Floats, constants: Floats, out: Floats) -> None:
    """out[i]: the method of inputs[i]; NaN where one of them is not finite. Definition: reference.evaluate_rows."""
    for i in range(inputs.shape[0]):
        out[i] = evaluate(method, inputs[i], constants) if np.isfinite(inputs[i]).all() else np.nan


def warm_up() -> None:
    """Compile what other modules call."""
    evaluate(LINEAR, np.ones(1), np.ones(2))
    evaluate_rows(LINEAR, np.ones((1, 1)), np.ones(2), np.ones(1))
