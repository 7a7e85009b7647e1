"""Calculated emissions: fuels, cement, carbon balances, aluminium, coal mines, gases, electronics.

One function per formula; masses in t unless a name says
otherwise. Ratios such as 44/12 belong to a method and are arguments: a standard's 44/12
is 0.07 % above the atomic weights and neither is "corrected". Factors come from tables
that others keep. Nothing is rounded. A rule that ends at zero says so. Definitions:
the same names in reference.
"""

import numpy as np

from kernels._jit import kernel
from kernels.exact import exact_sum
from kernels.part75 import not_below_zero
from kernels.rows import Floats


@kernel
def fuel_co2(
    amount: float, ncv_gj: float, carbon_t_per_gj: float, oxidation: float, co2_per_carbon: float
) -> float:
    """CO2, t, of a fuel by its calorific value and carbon per heat; one unit of `amount` has ncv_gj."""
    return amount * ncv_gj * carbon_t_per_gj * oxidation * co2_per_carbon


@kernel
def carbon_co2(mass: float, carbon_fraction: float, oxidation: float, co2_per_carbon: float) -> float:
    """CO2 of a mass by its carbon, in the unit of the mass: measured fuel carbon, raw-meal carbon, coke burn."""
    return mass * carbon_fraction * oxidation * co2_per_carbon


@kernel
def oxide_factor(
    cao: float, mgo: float, cao_other: float, mgo_other: float, co2_per_cao: float, co2_per_mgo: float
) -> float:
    """Process CO2 per t of clinker from its oxides less those not from carbonate; GB/T 32151.8."""
    return (cao - cao_other) * co2_per_cao + (mgo - mgo_other) * co2_per_mgo


@kernel
def calcined_mass(clinker: float, kiln_dust: float, bypass_dust: float, bypass_calcined: float) -> float:
    """Mass that has lost its CO2: clinker, kiln dust that leaves, bypass dust by its calcined share."""
    return clinker + kiln_dust + bypass_dust * bypass_calcined


@kernel
def process_less_deductions(clinker: float, factor: float, mass: Floats, deduction: Floats) -> float:
    """Process CO2, t, by the default factor less Σ mass · deduction; not below 0; CETS-AG-02.01-V01-2024."""
    return not_below_zero(clinker * factor - weighted(mass, deduction))


@kernel
def weighted(amount: Floats, weight: Floats) -> float:
    """Σ amount · weight, the sum correctly rounded; 0 of nothing."""
    products = np.empty(amount.size)
    for i in range(amount.size):
        products[i] = amount[i] * weight[i]
    return exact_sum(products)


@kernel
def net_carbon(mass_in: Floats, carbon_in: Floats, mass_out: Floats, carbon_out: Floats) -> float:
    """Carbon that stays to become CO2: Σ in · C - Σ out · C over one boundary."""
    return weighted(mass_in, carbon_in) - weighted(mass_out, carbon_out)


@kernel
def anode_factor(net_anode: float, sulphur: float, ash: float, co2_per_carbon: float) -> float:
    """CO2 per t of aluminium from net anode consumption, t/t, less its sulphur and ash."""
    return net_anode * (1.0 - sulphur - ash) * co2_per_carbon


@kernel
def cf4_by_slope(slope: float, anode_effect_min: float, aluminium: float) -> float:
    """CF4, kg, from the slope in kg/t per minute of anode effect per cell-day; IPCC tier 2."""
    return slope * anode_effect_min * aluminium


@kernel
def cf4_by_overvoltage(
    coefficient: float, overvoltage_mv: float, efficiency_pct: float, aluminium: float
) -> float:
    """CF4, kg, from the overvoltage coefficient in kg/t per mV and the current efficiency in %."""
    return coefficient * overvoltage_mv / efficiency_pct * aluminium


@kernel
def stock_change(begin: float, bought: float, end: float, returned: float) -> float:
    """What left a system that is topped up (refrigerant, SF6): begin + bought - end - returned."""
    return begin + bought - end - returned


@kernel
def share_of_mixture(mass: float, share: Floats, molar_mass: Floats, gas: int) -> float:
    """Mass of one gas of a mixture, as CO2 of a shield gas, from volume shares and molar masses."""
    total = weighted(share, molar_mass)
    return float(mass * share[gas] * molar_mass[gas] / total)


@kernel
def gas_density(molar_mass: float, kelvin: float, pascal: float, gas_constant: float) -> float:
    """Density of an ideal gas, kg/m³, from its molar mass in g/mol."""
    return pascal * molar_mass * 1e-3 / (gas_constant * kelvin)


@kernel
def process_gas(used: float, heel: float, kept: float, abated: float, destroyed: float) -> float:
    """Gas out of an etch or CVD tool, kg, per IPCC 2006 tier 2a.

    used kg, of which `heel` stays in the cylinder; `kept` of the rest (1 - U, or for a
    by-product its kg per kg used) leaves the tool; `abated` of that passes a
    working abatement that destroys `destroyed` of it.
    """
    return used * (1.0 - heel) * kept * (1.0 - abated * destroyed)


@kernel
def process_fuel_ratio(co2: float, o2: float, quotient: float, air_o2: float) -> float:
    """Process CO2 by fuel CO2 of a kiln from its dry gas alone, fractions by volume.

    quotient: CO2 formed by O2 used of the fuel. False air and a leak in the sample line
    do not move it. NaN where the gas has no used oxygen.
    """
    used = (1.0 - co2 - o2) * air_o2 / (1.0 - air_o2) - o2
    return co2 / (quotient * used) - 1.0 if used > 0.0 else np.nan


def warm_up() -> None:
    """Compile what other modules call."""
    floats = np.ones(1)
    fuel_co2(1.0, 1.0, 1.0, 1.0, 1.0)
    carbon_co2(1.0, 1.0, 1.0, 1.0)
    oxide_factor(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    calcined_mass(1.0, 1.0, 1.0, 1.0)
    process_less_deductions(1.0, 1.0, floats, floats)
    weighted(floats, floats)
    net_carbon(floats, floats, floats, floats)
    anode_factor(1.0, 0.0, 0.0, 1.0)
    cf4_by_slope(1.0, 1.0, 1.0)
    cf4_by_overvoltage(1.0, 1.0, 1.0, 1.0)
    stock_change(1.0, 1.0, 1.0, 1.0)
    share_of_mixture(1.0, floats, floats, 0)
    gas_density(1.0, 1.0, 1.0, 1.0)
    process_gas(1.0, 0.0, 1.0, 0.0, 0.0)
    process_fuel_ratio(0.2, 0.1, 0.9, 0.2095)
