"""Definitions of `kernels.co2` and `kernels.methods`, in fractions of the given floats."""

import math
from collections.abc import Callable
from fractions import Fraction

from kernels.reference import part75
from kernels.reference.calculated import process_fuel_ratio
from kernels.reference.steam import heat_flow
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

_OF_ALL_ARGUMENTS: dict[int, Callable[..., float]] = {
    STEAM_HEAT: heat_flow,
    KILN_RATIO: process_fuel_ratio,
    PART75_F14A: part75.co2_from_o2_dry,
    PART75_F14B: part75.co2_from_o2_wet,
    PART75_F15: part75.heat_input_co2_wet,
    PART75_F16: part75.heat_input_co2_dry,
    PART75_F17: part75.heat_input_o2_wet,
    PART75_F18: part75.heat_input_o2_dry,
    PART75_F31: part75.moisture_from_o2,
    METHOD19: part75.emission_rate,
}
"""Method → a function of its inputs and then its constants."""


def standard_concentration(
    mg_per_m3: float,
    temperature_c: float,
    barometric_pa: float,
    static_pa: float,
    zero_k: float,
    standard_pa: float,
) -> float:
    """HJ 212 (18): Csn = Cs · 101325 / (Ba + Ps) · (273 + ts) / 273."""
    pressure = Fraction(standard_pa) / (Fraction(barometric_pa) + Fraction(static_pa))
    return float(
        Fraction(mg_per_m3) * pressure * (Fraction(zero_k) + Fraction(temperature_c)) / Fraction(zero_k)
    )


def dry_concentration(wet: float, moisture_fraction: float) -> float:
    """HJ 212 (19): C_dry = C_wet / (1 - Xsw)."""
    return float(Fraction(wet) / (1 - Fraction(moisture_fraction)))


def mass_concentration(umol_per_mol: float, molar_mass: float, molar_volume: float) -> float:
    """HJ 212 (20): C_Q = M / 22.4 · C_V."""
    return float(Fraction(molar_mass) / Fraction(molar_volume) * Fraction(umol_per_mol))


def mean_of_valid(value: Floats, least: int) -> float:
    """HJ 212 (23)-(25): mean of the valid values if there are enough."""
    valid = [one for one in value.tolist() if math.isfinite(one)]
    return math.fsum(valid) / len(valid) if valid and len(valid) >= least else math.nan


def excess_air(o2_pct: float, o2_air_pct: float) -> float:
    """HJ 212 (27): alpha = 21 / (21 - O2)."""
    return float(Fraction(o2_air_pct) / (Fraction(o2_air_pct) - Fraction(o2_pct)))


def at_reference_oxygen(
    concentration: float, o2_pct: float, o2_reference_pct: float, o2_air_pct: float
) -> float:
    """HJ 212 (28): C_zs = C · (21 - O2s) / (21 - O2)."""
    air = Fraction(o2_air_pct)
    return float(Fraction(concentration) * (air - Fraction(o2_reference_pct)) / (air - Fraction(o2_pct)))


def actual_flow(velocity: float, coefficient: float, area: float) -> float:
    """HJ 212 (29), (30): Qs = 3600 · F · Kv · Vp."""
    return float(3600 * Fraction(area) * Fraction(coefficient) * Fraction(velocity))


def standard_dry_flow(
    actual: float,
    temperature_c: float,
    barometric_pa: float,
    static_pa: float,
    moisture_fraction: float,
    zero_k: float,
    standard_pa: float,
) -> float:
    """HJ 212 (31): Qsn = Qs · 273 / (273 + ts) · (Ba + Ps) / 101325 · (1 - Xsw)."""
    temperature = Fraction(zero_k) / (Fraction(zero_k) + Fraction(temperature_c))
    pressure = (Fraction(barometric_pa) + Fraction(static_pa)) / Fraction(standard_pa)
    return float(Fraction(actual) * temperature * pressure * (1 - Fraction(moisture_fraction)))


def mass_flow(mg_per_m3: float, standard_dry_m3_per_h: float) -> float:
    """HJ 212 (33): G = C · Qsn · 1e-6."""
    return float(Fraction(mg_per_m3) * Fraction(standard_dry_m3_per_h) / 10**6)


def stack_co2(inputs: Floats, constants: Floats) -> float:
    """HJ 212 (20), (29)-(31), (33) one after the other, in t/h."""
    co2, velocity, temperature_c, barometric_pa, static_pa, moisture = inputs.tolist()
    area, coefficient, molar_mass, molar_volume, zero_k, standard_pa = constants.tolist()
    flow = standard_dry_flow(
        actual_flow(velocity, coefficient, area),
        temperature_c,
        barometric_pa,
        static_pa,
        moisture,
        zero_k,
        standard_pa,
    )
    return mass_flow(mass_concentration(co2 * 1e6, molar_mass, molar_volume), flow) / 1000


def part98_wet(co2_pct: float, flow_scf_per_h: float, tonnes_per_scf_pct: float) -> float:
    """40 CFR 98.33 C-6: CO2 = 5.18e-7 · C · Q."""
    return float(Fraction(tonnes_per_scf_pct) * Fraction(co2_pct) * Fraction(flow_scf_per_h))


def part98_dry(
    co2_pct: float, flow_scf_per_h: float, moisture_pct: float, tonnes_per_scf_pct: float
) -> float:
    """40 CFR 98.33 C-7: CO2 = 5.18e-7 · C · Q · (100 - %H2O) / 100."""
    wet = Fraction(tonnes_per_scf_pct) * Fraction(co2_pct) * Fraction(flow_scf_per_h)
    return float(wet * (100 - Fraction(moisture_pct)) / 100)


def mass_of_hours(g_per_m3: Floats, m3_per_h: Floats) -> float:
    """MRR annex VIII Eq. 1: Σ conc · flow · 1e-6."""
    return math.fsum(c * q for c, q in zip(g_per_m3, m3_per_h, strict=True)) / 1e6


def mean_hourly_mass(g_per_m3: Floats, m3_per_h: Floats) -> float:
    """MRR annex VIII Eq. 2: Σ conc · flow / (hours · 1000)."""
    hours = g_per_m3.size
    return mass_of_hours(g_per_m3, m3_per_h) * 1e3 / hours if hours else math.nan


def evaluate(method: int, inputs: Floats, constants: Floats) -> float:
    """The method's value; NaN or infinite where it has none."""
    x: list[float] = inputs.tolist()
    c: list[float] = constants.tolist()
    if method == LINEAR:
        return sum((weight * one for weight, one in zip(c, x, strict=False)), c[len(x)])
    if method == RATIO:
        return x[0] / x[1] if x[1] != 0 else math.nan if x[0] == 0 else math.inf
    if method == HJ212_STACK_CO2:
        return stack_co2(inputs, constants)
    if method == PART98_C6:
        return part98_wet(x[0], x[1], c[0])
    if method == PART98_C7:
        return part98_dry(x[0], x[1], x[2], c[0])
    if method in _OF_ALL_ARGUMENTS:
        return float(_OF_ALL_ARGUMENTS[method](*x, *c))
    return math.nan


def evaluate_rows(method: int, inputs: Floats, constants: Floats, out: Floats) -> None:
    """Row by row, of finite inputs."""
    for i, row in enumerate(inputs):
        out[i] = evaluate(method, row, constants) if all(map(math.isfinite, row.tolist())) else math.nan
