"""What the composition of dry flue gas says without a flow meter: residuals of a stack.

Air is 20.95 % oxygen and 79.05 % nitrogen. Dry gas of CO2 share c and O2 share o has
n = 1 - c - o nitrogen, which came with n·20.95/79.05 oxygen; what is not left was used by
the fuel, whose CO2 is RQ times that. So the process share of the CO2, and the dry gas per
fuel CO2 at the O2 read, follow from c and o alone; false air and a leak in the sample line
leave the first as it is. RQ (CO2 formed by O2 used) is the fuel's. Amounts of gas are in
the volume of one unit of fuel CO2; nothing here knows a unit.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Number = TypeVar("Number", float, Floats)

OXYGEN_OF_AIR = 0.2095
NITROGEN_BY_OXYGEN = (1.0 - OXYGEN_OF_AIR) / OXYGEN_OF_AIR
SMALL = 1e-4


class Stack(NamedTuple):
    """What is read of a stack and its process; dry shares, and masses of one unit."""

    co2: float
    """Dry volume share."""
    o2: float
    """Dry volume share."""
    flow: float
    """CO2 mass per hour that the dry flow would carry if it were CO2 alone."""
    fuel: float
    """CO2 mass per hour of the fuel by its activity."""
    process: float
    """CO2 mass per hour of carbonates by their activity; 0 of a boiler."""


def oxygen_used(co2: Number, o2: Number) -> Number:
    """Oxygen used by the fuel, by dry gas."""
    return (1.0 - co2 - o2) / NITROGEN_BY_OXYGEN - o2


def process_fuel_ratio(co2: Number, o2: Number, rq: float) -> Number:
    """Process CO2 by fuel CO2, from dry shares alone; 0 of a boiler."""
    return co2 / (rq * oxygen_used(co2, o2)) - 1.0


def expected_dry_gas(fuel: Number, process: Number, o2: Number, rq: float) -> Number:
    """Dry gas that fuel and process CO2 make at the O2 read."""
    return (fuel + process + NITROGEN_BY_OXYGEN * fuel / rq) / (1.0 - o2 * (1.0 + NITROGEN_BY_OXYGEN))


def residuals(stack: Stack, rq: float, baseline: float) -> Floats:
    """r1 composition, r2 flow against fuel, r3 mass measured by calculated, r4 fuel by its baseline; shares.

    r1 holds the gas-derived ratio of process to fuel (of all CO2 to fuel where there is no
    process) against the activities'. `baseline` is the fuel CO2 that the product would take; NaN: not
    known, and so is r4.
    """
    derived = process_fuel_ratio(stack.co2, stack.o2, rq)
    composition = derived * stack.fuel / stack.process - 1.0 if stack.process > 0.0 else derived
    expected = expected_dry_gas(stack.fuel, stack.process, stack.o2, rq)
    mass = stack.co2 * stack.flow / (stack.fuel + stack.process)
    return np.array([composition, stack.flow / expected - 1.0, mass - 1.0, stack.fuel / baseline - 1.0])


def slopes(stack: Stack, rq: float, baseline: float, moved: Callable[[Stack, float], Stack]) -> Floats:
    """∂residuals per unit of a disturbance, by central differences."""
    high = residuals(moved(stack, SMALL), rq, baseline)
    low = residuals(moved(stack, -SMALL), rq, baseline)
    found: Floats = (high - low) / (2.0 * SMALL)
    return found
