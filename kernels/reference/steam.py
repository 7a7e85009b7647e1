"""Definitions of `kernels.steam`: the equations of IAPWS-IF97 as sums over their tables."""

import math

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

R = 0.461526

_REGION1 = list(zip(REGION1_I.tolist(), REGION1_J.tolist(), REGION1_N.tolist(), strict=True))
_IDEAL2 = list(zip(IDEAL2_J.tolist(), IDEAL2_N.tolist(), strict=True))
_REGION2 = list(zip(REGION2_I.tolist(), REGION2_J.tolist(), REGION2_N.tolist(), strict=True))


def saturation_pressure(kelvin: float) -> float:
    """(30)."""
    if not 273.15 <= kelvin <= 647.096:
        return math.nan
    n = [math.nan, *SATURATION_N.tolist()]
    v = kelvin + n[9] / (kelvin - n[10])
    a, b, c = v**2 + n[1] * v + n[2], n[3] * v**2 + n[4] * v + n[5], n[6] * v**2 + n[7] * v + n[8]
    return float((2 * c / (-b + math.sqrt(b**2 - 4 * a * c))) ** 4)


def saturation_temperature(mpa: float) -> float:
    """(31)."""
    if not 0.000611212677 <= mpa <= 22.064:
        return math.nan
    n = [math.nan, *SATURATION_N.tolist()]
    beta = mpa**0.25
    e, f, g = (
        beta**2 + n[3] * beta + n[6],
        n[1] * beta**2 + n[4] * beta + n[7],
        n[2] * beta**2 + n[5] * beta + n[8],
    )
    d = 2 * g / (-f - math.sqrt(f**2 - 4 * e * g))
    return float((n[10] + d - math.sqrt((n[10] + d) ** 2 - 4 * (n[9] + n[10] * d))) / 2)


def edge_pressure(kelvin: float) -> float:
    """(5)."""
    return float(B23_N[0] + B23_N[1] * kelvin + B23_N[2] * kelvin**2)


def region(kelvin: float, mpa: float) -> int:
    """Figure 2 of the release."""
    if not 273.15 <= kelvin <= 1073.15 or not 0 < mpa <= 100:
        return 0
    if kelvin <= 623.15:
        return 1 if mpa >= saturation_pressure(kelvin) else 2
    return 0 if kelvin <= 863.15 and mpa > edge_pressure(kelvin) else 2


def liquid_enthalpy(kelvin: float, mpa: float) -> float:
    """R·T·τ·gamma_τ."""
    tau, pi = 1386 / kelvin, mpa / 16.53
    return (
        R
        * kelvin
        * tau
        * math.fsum(n * (7.1 - pi) ** i * j * (tau - 1.222) ** (j - 1) for i, j, n in _REGION1)
    )


def liquid_volume(kelvin: float, mpa: float) -> float:
    """R·T/p·π·gamma_π."""
    tau, pi = 1386 / kelvin, mpa / 16.53
    slope = math.fsum(-n * i * (7.1 - pi) ** (i - 1) * (tau - 1.222) ** j for i, j, n in _REGION1)
    return R * kelvin / mpa * pi * slope / 1000


def steam_enthalpy(kelvin: float, mpa: float) -> float:
    """R·T·τ·(gamma°_τ + gamma^r_τ)."""
    tau = 540 / kelvin
    ideal = [n * j * tau ** (j - 1) for j, n in _IDEAL2]
    residual = [n * mpa**i * j * (tau - 0.5) ** (j - 1) for i, j, n in _REGION2]
    return R * kelvin * tau * math.fsum(ideal + residual)


def steam_volume(kelvin: float, mpa: float) -> float:
    """R·T/p·π·(gamma°_π + gamma^r_π)."""
    tau = 540 / kelvin
    residual = [n * i * mpa ** (i - 1) * (tau - 0.5) ** j for i, j, n in _REGION2]
    return R * kelvin * math.fsum([1 / mpa, *residual]) / 1000


def enthalpy(kelvin: float, mpa: float) -> float:
    """By region."""
    by_region = {0: lambda *_: math.nan, 1: liquid_enthalpy, 2: steam_enthalpy}
    return by_region[region(kelvin, mpa)](kelvin, mpa)


def volume(kelvin: float, mpa: float) -> float:
    """By region."""
    by_region = {0: lambda *_: math.nan, 1: liquid_volume, 2: steam_volume}
    return by_region[region(kelvin, mpa)](kelvin, mpa)


def heat_flow(tonnes: float, kelvin: float, mpa: float, feed_kj_per_kg: float) -> float:
    """M · (h - h_feed) · 1e-3."""
    return tonnes * (enthalpy(kelvin, mpa) - feed_kj_per_kg) / 1000


def water_heat(tonnes: float, celsius: float, feed_c: float, kj_per_kg_k: float) -> float:
    """M · (T - T_feed) · 4.1868 · 1e-3."""
    return tonnes * (celsius - feed_c) * kj_per_kg_k / 1000
