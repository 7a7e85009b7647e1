"""Formulas of computed points, found by number.

One call evaluates one formula at one instant. Numbers are in `rows`, what they
take and from which rule they come is data of `ingest.methods`. An unknown number
gives NaN; too few inputs or constants are the compiler of plans to prevent.
"""

import numpy as np

from kernels._jit import kernel
from kernels.co2 import part98_dry, part98_wet, stack_co2
from kernels.rows import HJ212_STACK_CO2, LINEAR, PART98_C6, PART98_C7, RATIO, Floats


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
    return np.nan


def warm_up() -> None:
    """Compile what other modules call."""
    evaluate(LINEAR, np.ones(1), np.ones(2))
