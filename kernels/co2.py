"""CO2 and gas formulas of the regimes, one function per equation.

Equation numbers are those of HJ 212-2017 annex D and of 40 CFR 98.33. A regime
owns its constants (molar mass, molar volume, the kelvin of 0 °C, its standard
pressure, the oxygen of air): they are arguments, so no two regimes get mixed by
a literal. Nothing is rounded. Definitions: the same names in reference.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.exact import exact_sum
from kernels.rows import Floats


@kernel
def standard_concentration(
    mg_per_m3: float,
    temperature_c: float,
    barometric_pa: float,
    static_pa: float,
    zero_k: float,
    standard_pa: float,
) -> float:
    """Concentration at standard state from that at stack conditions, mg/m³; HJ 212 (18)."""
    pressure = standard_pa / (barometric_pa + static_pa)
    return mg_per_m3 * pressure * (zero_k + temperature_c) / zero_k


@kernel
def dry_concentration(wet: float, moisture_fraction: float) -> float:
    """Dry concentration from wet, in its own unit; HJ 212 (19)."""
    return wet / (1.0 - moisture_fraction)


@kernel
def mass_concentration(umol_per_mol: float, molar_mass: float, molar_volume: float) -> float:
    """mg/m³ at standard state from µmol/mol, molar mass in g/mol and molar volume in L/mol; HJ 212 (20)."""
    return molar_mass / molar_volume * umol_per_mol


@kernel
def mean_of_valid(value: Floats, least: int) -> float:
    """Mean of the finite values if there are at least `least`, else NaN; HJ 212 (23)-(25)."""
    total = 0.0
    count = 0
    for i in range(value.size):
        if math.isfinite(value[i]):
            total += value[i]
            count += 1
    return total / count if count >= max(least, 1) else np.nan


@kernel
def excess_air(o2_pct: float, o2_air_pct: float) -> float:
    """Excess air coefficient alpha from dry oxygen, % by volume; HJ 212 (27)."""
    return o2_air_pct / (o2_air_pct - o2_pct)


@kernel
def at_reference_oxygen(
    concentration: float, o2_pct: float, o2_reference_pct: float, o2_air_pct: float
) -> float:
    """Concentration at reference oxygen, in its own unit; HJ 212 (26), (28)."""
    return concentration * excess_air(o2_pct, o2_air_pct) / excess_air(o2_reference_pct, o2_air_pct)


@kernel
def actual_flow(velocity: float, coefficient: float, area: float) -> float:
    """Wet flow at stack conditions, m³/h, from measured velocity in m/s and area in m²; HJ 212 (29), (30)."""
    return 3600.0 * area * (coefficient * velocity)


@kernel
def standard_dry_flow(
    actual: float,
    temperature_c: float,
    barometric_pa: float,
    static_pa: float,
    moisture_fraction: float,
    zero_k: float,
    standard_pa: float,
) -> float:
    """Dry flow at standard state, m³/h, from wet flow at stack conditions; HJ 212 (31)."""
    temperature = zero_k / (zero_k + temperature_c)
    pressure = (barometric_pa + static_pa) / standard_pa
    return actual * temperature * pressure * (1.0 - moisture_fraction)


@kernel
def mass_flow(mg_per_m3: float, standard_dry_m3_per_h: float) -> float:
    """Mass flow, kg/h; HJ 212 (33)."""
    return mg_per_m3 * standard_dry_m3_per_h * 1e-6


@kernel
def stack_co2(inputs: Floats, constants: Floats) -> float:
    """CO2 flow of a stack, t/h; HJ 212 (20), (29)-(31), (33).

    inputs: dry CO2 as a volume fraction, velocity m/s, temperature °C,
    barometric Pa, static Pa, moisture fraction. constants: area m², velocity
    coefficient, molar mass g/mol, molar volume L/mol, 0 °C in K, standard Pa.
    """
    flow = standard_dry_flow(
        actual_flow(inputs[1], constants[1], constants[0]),
        inputs[2],
        inputs[3],
        inputs[4],
        inputs[5],
        constants[4],
        constants[5],
    )
    concentration = mass_concentration(inputs[0] * 1e6, constants[2], constants[3])
    return mass_flow(concentration, flow) * 1e-3


@kernel
def part98_wet(co2_pct: float, flow_scf_per_h: float, tonnes_per_scf_pct: float) -> float:
    """CO2 flow, t/h, from wet concentration in % and wet flow; 40 CFR 98.33 C-6."""
    return tonnes_per_scf_pct * co2_pct * flow_scf_per_h


@kernel
def part98_dry(
    co2_pct: float, flow_scf_per_h: float, moisture_pct: float, tonnes_per_scf_pct: float
) -> float:
    """CO2 flow, t/h, from dry concentration in %, wet flow and moisture in %; 40 CFR 98.33 C-7."""
    return part98_wet(co2_pct, flow_scf_per_h, tonnes_per_scf_pct) * (100.0 - moisture_pct) / 100.0


@kernel
def mass_of_hours(g_per_m3: Floats, m3_per_h: Floats) -> float:
    """Mass, t, from hourly mean concentrations and flows at standard state; MRR annex VIII Eq. 1."""
    return exact_sum(g_per_m3 * m3_per_h) * 1e-6


@kernel
def mean_hourly_mass(g_per_m3: Floats, m3_per_h: Floats) -> float:
    """Mean mass per operating hour, kg/h; MRR annex VIII Eq. 2. NaN of no hours."""
    return exact_sum(g_per_m3 * m3_per_h) / (g_per_m3.size * 1000.0) if g_per_m3.size > 0 else np.nan


def warm_up() -> None:
    """Compile what other modules call."""
    mass_of_hours(np.ones(1), np.ones(1))
    mean_hourly_mass(np.ones(1), np.ones(1))
    standard_concentration(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    dry_concentration(1.0, 0.0)
    mass_concentration(1.0, 1.0, 1.0)
    mean_of_valid(np.zeros(1), 1)
    excess_air(1.0, 21.0)
    at_reference_oxygen(1.0, 1.0, 1.0, 21.0)
    actual_flow(1.0, 1.0, 1.0)
    standard_dry_flow(1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0)
    mass_flow(1.0, 1.0)
    stack_co2(np.ones(6), np.ones(6))
    part98_wet(1.0, 1.0, 1.0)
    part98_dry(1.0, 1.0, 1.0, 1.0)
