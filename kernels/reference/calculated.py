"""Definitions of `kernels.calculated`, in fractions of the given floats."""

import math
from fractions import Fraction

from kernels.rows import Floats


def _product(*factors: float) -> Fraction:
    return math.prod((Fraction(factor) for factor in factors), start=Fraction(1))


def fuel_co2(
    amount: float, ncv_gj: float, carbon_t_per_gj: float, oxidation: float, co2_per_carbon: float
) -> float:
    """FC · NCV · CC · OF · 44/12."""
    return float(_product(amount, ncv_gj, carbon_t_per_gj, oxidation, co2_per_carbon))


def carbon_co2(mass: float, carbon_fraction: float, oxidation: float, co2_per_carbon: float) -> float:
    """FC · C · OF · 44/12."""
    return float(_product(mass, carbon_fraction, oxidation, co2_per_carbon))


def oxide_factor(
    cao: float, mgo: float, cao_other: float, mgo_other: float, co2_per_cao: float, co2_per_mgo: float
) -> float:
    """(CaO - CaO_nc) · 44/56 + (MgO - MgO_nc) · 44/40."""
    lime = (Fraction(cao) - Fraction(cao_other)) * Fraction(co2_per_cao)
    return float(lime + (Fraction(mgo) - Fraction(mgo_other)) * Fraction(co2_per_mgo))


def calcined_mass(clinker: float, kiln_dust: float, bypass_dust: float, bypass_calcined: float) -> float:
    """Clinker + kiln dust + bypass dust · its calcined share."""
    return float(Fraction(clinker) + Fraction(kiln_dust) + _product(bypass_dust, bypass_calcined))


def _weighted(amount: Floats, weight: Floats) -> Fraction:
    return sum((_product(*pair) for pair in zip(amount, weight, strict=True)), Fraction(0))


def weighted(amount: Floats, weight: Floats) -> float:
    """Σ amount · weight."""
    return float(_weighted(amount, weight))


def process_less_deductions(clinker: float, factor: float, mass: Floats, deduction: Floats) -> float:
    """max(0, Q · EF - Σ m · d)."""
    return float(max(_product(clinker, factor) - _weighted(mass, deduction), Fraction(0)))


def net_carbon(mass_in: Floats, carbon_in: Floats, mass_out: Floats, carbon_out: Floats) -> float:
    """Σ in · C - Σ out · C."""
    return float(_weighted(mass_in, carbon_in) - _weighted(mass_out, carbon_out))


def anode_factor(net_anode: float, sulphur: float, ash: float, co2_per_carbon: float) -> float:
    """NC · (1 - S - A) · 44/12."""
    return float(Fraction(net_anode) * (1 - Fraction(sulphur) - Fraction(ash)) * Fraction(co2_per_carbon))


def cf4_by_slope(slope: float, anode_effect_min: float, aluminium: float) -> float:
    """Slope · AEM · P."""
    return float(_product(slope, anode_effect_min, aluminium))


def cf4_by_overvoltage(
    coefficient: float, overvoltage_mv: float, efficiency_pct: float, aluminium: float
) -> float:
    """OVC · AEO / CE · P."""
    return float(_product(coefficient, overvoltage_mv, aluminium) / Fraction(efficiency_pct))


def stock_change(begin: float, bought: float, end: float, returned: float) -> float:
    """Begin + bought - end - returned."""
    return float(Fraction(begin) + Fraction(bought) - Fraction(end) - Fraction(returned))


def share_of_mixture(mass: float, share: Floats, molar_mass: Floats, gas: int) -> float:
    """W · x_i · M_i / Σ x · M."""
    return float(_product(mass, share[gas], molar_mass[gas]) / _weighted(share, molar_mass))


def gas_density(molar_mass: float, kelvin: float, pascal: float, gas_constant: float) -> float:
    """P · M / (R · T)."""
    return float(_product(pascal, molar_mass) / 1000 / _product(gas_constant, kelvin))


def process_gas(used: float, heel: float, kept: float, abated: float, destroyed: float) -> float:
    """FC · (1 - h) · (1 - U) · (1 - a · d)."""
    left = _product(used, kept) * (1 - Fraction(heel))
    return float(left * (1 - _product(abated, destroyed)))


def process_fuel_ratio(co2: float, o2: float, quotient: float, air_o2: float) -> float:
    """C / (RQ · (n · O2air/N2air - o)) - 1 with n = 1 - c - o."""
    c, o, air = Fraction(co2), Fraction(o2), Fraction(air_o2)
    used = (1 - c - o) * air / (1 - air) - o
    return float(c / (Fraction(quotient) * used) - 1) if used > 0 else math.nan
