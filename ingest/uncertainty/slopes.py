"""How the amount of a computed point moves with its inputs and constants: partial derivatives.

One function per kernel of `kernels.methods`, taken at the interval means of the inputs.
For a product that is the amount by the input; what a mean hides inside an interval is of
second order. A method that is not here has no known uncertainty, and its figures say so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ingest.methods.method import PART75_F14A, PART75_F14B, PART75_F15, PART75_F16, PART75_F17, PART75_F18
from ingest.methods.registry import HJ212_STACK_CO2, LINEAR, PART98_C6, PART98_C7, RATIO
from ingest.uncertainty.propagation import Floats

Slopes = Callable[[Floats, tuple[float, ...], Floats, Floats], Floats]
"""(x[inputs, n], constants, amount[n], hours[n]) → ∂amount/∂x[inputs, n], x in the method's units."""


@dataclass(frozen=True, slots=True)
class MethodSlopes:
    """The derivatives of one method."""

    inputs: Slopes
    scaling: frozenset[str] = frozenset()
    """Constants the amount is proportional to, or its inverse."""


def _by(amount: Floats, x: Floats) -> Floats:
    """The quotient, 0 where x is: a stopped flow is 0 whatever its meter's share is off by."""
    return np.divide(amount, x, out=np.zeros_like(amount), where=x != 0.0)


def _linear(x: Floats, constants: tuple[float, ...], _: Floats, hours: Floats) -> Floats:
    found: Floats = np.array(constants[: len(x)])[:, None] * hours
    return found


def _ratio(x: Floats, _: tuple[float, ...], amount: Floats, __: Floats) -> Floats:
    return np.stack([_by(amount, x[0]), -_by(amount, x[1])])


def _stack(x: Floats, constants: tuple[float, ...], amount: Floats, _: Floats) -> Floats:
    """The product x·v·T0/(T0 + t)·(Ba + Ps)/p0·(1 - w): CO2, velocity, t in °C, Ba, Ps, moisture."""
    pressure = _by(amount, x[3] + x[4])
    warm, dry = -_by(amount, constants[4] + x[2]), -_by(amount, 1.0 - x[5])
    return np.stack([_by(amount, x[0]), _by(amount, x[1]), warm, pressure, pressure, dry])


def _two(x: Floats, _: tuple[float, ...], amount: Floats, __: Floats) -> Floats:
    return np.stack([_by(amount, x[0]), _by(amount, x[1])])


def _two_of_dry(x: Floats, _: tuple[float, ...], amount: Floats, __: Floats) -> Floats:
    return np.stack([_by(amount, x[0]), _by(amount, x[1]), -_by(amount, 100.0 - x[2])])


def _heat_o2_wet(x: Floats, constants: tuple[float, ...], amount: Floats, _: Floats) -> Floats:
    """Flow, wet O2, moisture: Q·(air·(100 - w)/100 - o)/…; constants Fd and the oxygen of air."""
    wet_air = constants[1] / 100.0
    used = _by(amount, wet_air * (100.0 - x[2]) - x[1])
    return np.stack([_by(amount, x[0]), -used, -wet_air * used])


def _heat_o2_dry(x: Floats, constants: tuple[float, ...], amount: Floats, _: Floats) -> Floats:
    return np.stack([_by(amount, x[0]), -_by(amount, constants[1] - x[1]), -_by(amount, 100.0 - x[2])])


def _from_o2_dry(x: Floats, constants: tuple[float, ...], amount: Floats, _: Floats) -> Floats:
    """CO2 from dry O2; constants Fc, Fd and the oxygen of air."""
    return np.stack([-_by(amount, constants[2] - x[0])])


def _from_o2_wet(x: Floats, constants: tuple[float, ...], amount: Floats, _: Floats) -> Floats:
    """The same from wet O2 and moisture."""
    wet_air = constants[2] / 100.0
    used = _by(amount, wet_air * (100.0 - x[1]) - x[0])
    return np.stack([-used, -wet_air * used])


SLOPES: Mapping[int, MethodSlopes] = {
    LINEAR: MethodSlopes(_linear),
    RATIO: MethodSlopes(_ratio),
    HJ212_STACK_CO2: MethodSlopes(_stack, frozenset({"area", "kv"})),
    PART98_C6: MethodSlopes(_two),
    PART98_C7: MethodSlopes(_two_of_dry),
    PART75_F14A: MethodSlopes(_from_o2_dry, frozenset({"fc", "fd"})),
    PART75_F14B: MethodSlopes(_from_o2_wet, frozenset({"fc", "fd"})),
    PART75_F15: MethodSlopes(_two, frozenset({"fc"})),
    PART75_F16: MethodSlopes(_two_of_dry, frozenset({"fc"})),
    PART75_F17: MethodSlopes(_heat_o2_wet, frozenset({"fd"})),
    PART75_F18: MethodSlopes(_heat_o2_dry, frozenset({"fd"})),
}
"""Number of a kernel → its derivatives."""
