"""Properties of water and steam by IAPWS-IF97: regions 1 (liquid), 2 (steam) and 4 (saturation).

Temperatures in K, pressures in MPa absolute, enthalpies in kJ/kg, volumes in m³/kg.
These regions hold the steam of plants; near the critical point (region 3) and above
1073.15 K (region 5) there is no value: NaN. On the saturation line itself water and
steam coexist, and `enthalpy` takes the liquid. Definitions: the same names in reference.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.if97_tables import (
    B23_N,
    IDEAL2_J,
    IDEAL2_N,
    REGION1_I,
    REGION1_J,
    REGION1_N,
    REGION2_I,
    REGION2_J,
    REGION2_N,
    SATURATION_N,
)

GAS_CONSTANT = 0.461526
"""kJ/(kg K), of the release."""

FREEZING_K, EDGE_K, B23_END_K, HOTTEST_K, CRITICAL_K = 273.15, 623.15, 863.15, 1073.15, 647.096
HIGHEST_MPA, CRITICAL_MPA, TRIPLE_MPA = 100.0, 22.064, 0.000611212677


@kernel
def saturation_pressure(kelvin: float) -> float:
    """Pressure at which water boils, MPa; (30). NaN outside 273.15 K to the critical point."""
    if not FREEZING_K <= kelvin <= CRITICAL_K:
        return np.nan
    n = SATURATION_N
    v = kelvin + n[8] / (kelvin - n[9])
    a = v * v + n[0] * v + n[1]
    b = n[2] * v * v + n[3] * v + n[4]
    c = n[5] * v * v + n[6] * v + n[7]
    root = 2.0 * c / (-b + math.sqrt(b * b - 4.0 * a * c))
    return float(root**4)


@kernel
def saturation_temperature(mpa: float) -> float:
    """Temperature at which water boils, K; (31). NaN outside 611.213 Pa to the critical point."""
    if not TRIPLE_MPA <= mpa <= CRITICAL_MPA:
        return np.nan
    n = SATURATION_N
    beta = mpa**0.25
    e = beta * beta + n[2] * beta + n[5]
    f = n[0] * beta * beta + n[3] * beta + n[6]
    g = n[1] * beta * beta + n[4] * beta + n[7]
    d = 2.0 * g / (-f - math.sqrt(f * f - 4.0 * e * g))
    root = (n[9] + d) * (n[9] + d) - 4.0 * (n[8] + n[9] * d)
    return float((n[9] + d - math.sqrt(root)) / 2.0)


@kernel
def edge_pressure(kelvin: float) -> float:
    """Pressure of the edge between regions 2 and 3, MPa; (5)."""
    return float(B23_N[0] + B23_N[1] * kelvin + B23_N[2] * kelvin * kelvin)


@kernel
def region(kelvin: float, mpa: float) -> int:
    """1 liquid, 2 steam, 0 neither (region 3, 5 or outside the release)."""
    if not (FREEZING_K <= kelvin <= HOTTEST_K and 0.0 < mpa <= HIGHEST_MPA):
        return 0
    if kelvin <= EDGE_K:
        return 1 if mpa >= saturation_pressure(kelvin) else 2
    if kelvin <= B23_END_K and mpa > edge_pressure(kelvin):
        return 0
    return 2


@kernel
def liquid_enthalpy(kelvin: float, mpa: float) -> float:
    """Enthalpy of region 1, kJ/kg: R·T·τ·gamma_τ of (7)."""
    tau = 1386.0 / kelvin
    base, power = 7.1 - mpa / 16.53, tau - 1.222
    total = 0.0
    for i in range(REGION1_N.size):
        total += REGION1_N[i] * base ** REGION1_I[i] * REGION1_J[i] * power ** (REGION1_J[i] - 1)
    return GAS_CONSTANT * kelvin * tau * total


@kernel
def liquid_volume(kelvin: float, mpa: float) -> float:
    """Volume of region 1, m³/kg: R·T/p·π·gamma_π of (7)."""
    pi = mpa / 16.53
    base, power = 7.1 - pi, 1386.0 / kelvin - 1.222
    total = 0.0
    for i in range(REGION1_N.size):
        total -= REGION1_N[i] * REGION1_I[i] * base ** (REGION1_I[i] - 1) * power ** REGION1_J[i]
    return GAS_CONSTANT * kelvin / mpa * pi * total * 1e-3


@kernel
def steam_enthalpy(kelvin: float, mpa: float) -> float:
    """Enthalpy of region 2, kJ/kg: R·T·τ·(gamma°_τ + gamma^r_τ) of (15)."""
    tau = 540.0 / kelvin
    total = 0.0
    for i in range(IDEAL2_N.size):
        total += IDEAL2_N[i] * IDEAL2_J[i] * tau ** (IDEAL2_J[i] - 1)
    for i in range(REGION2_N.size):
        total += REGION2_N[i] * mpa ** REGION2_I[i] * REGION2_J[i] * (tau - 0.5) ** (REGION2_J[i] - 1)
    return GAS_CONSTANT * kelvin * tau * total


@kernel
def steam_volume(kelvin: float, mpa: float) -> float:
    """Volume of region 2, m³/kg: R·T/p·π·(gamma°_π + gamma^r_π) of (15)."""
    power = 540.0 / kelvin - 0.5
    total = 1.0 / mpa
    for i in range(REGION2_N.size):
        total += REGION2_N[i] * REGION2_I[i] * mpa ** (REGION2_I[i] - 1) * power ** REGION2_J[i]
    return GAS_CONSTANT * kelvin * total * 1e-3


@kernel
def enthalpy(kelvin: float, mpa: float) -> float:
    """Specific enthalpy, kJ/kg; NaN outside regions 1 and 2."""
    found = region(kelvin, mpa)
    if found == 1:
        return liquid_enthalpy(kelvin, mpa)
    return steam_enthalpy(kelvin, mpa) if found == 2 else np.nan


@kernel
def volume(kelvin: float, mpa: float) -> float:
    """Specific volume, m³/kg; NaN outside regions 1 and 2."""
    found = region(kelvin, mpa)
    if found == 1:
        return liquid_volume(kelvin, mpa)
    return steam_volume(kelvin, mpa) if found == 2 else np.nan


@kernel
def heat_flow(tonnes: float, kelvin: float, mpa: float, feed_kj_per_kg: float) -> float:
    """Heat, GJ, of steam or water above its feed's enthalpy; a flow in t/h gives GJ/h."""
    return tonnes * (enthalpy(kelvin, mpa) - feed_kj_per_kg) * 1e-3


@kernel
def water_heat(tonnes: float, celsius: float, feed_c: float, kj_per_kg_k: float) -> float:
    """Heat, GJ, of hot water above its feed's temperature by a constant heat capacity."""
    return tonnes * (celsius - feed_c) * kj_per_kg_k * 1e-3


def warm_up() -> None:
    """Compile what other modules call."""
    saturation_pressure(300.0)
    saturation_temperature(1.0)
    edge_pressure(700.0)
    region(300.0, 1.0)
    liquid_enthalpy(300.0, 1.0)
    liquid_volume(300.0, 1.0)
    steam_enthalpy(700.0, 1.0)
    steam_volume(700.0, 1.0)
    enthalpy(300.0, 1.0)
    volume(300.0, 1.0)
    heat_flow(1.0, 700.0, 1.0, 83.74)
    water_heat(1.0, 80.0, 20.0, 4.1868)
