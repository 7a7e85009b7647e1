"""Equations of 40 CFR Part 75 appendix F and of Method 19 that `co2` has not.

F-11 and F-2 have the form of 40 CFR 98.33 C-6 and C-7 with a constant of their own
(short tons), so they are `co2.part98_wet` and `co2.part98_dry`. Concentrations and
moisture are in % by volume, flows in scf/h wet, Fc in scf CO2/mmBtu, Fd in dscf/mmBtu;
the oxygen of air (20.9 %) is an argument. Nothing is rounded. A concentration below
zero is 0 by F-14A and F-14B; whatever else is impossible comes out as it is. Equations
with Fc or Fd presume that all CO2 comes from fuel: no kiln. Definitions: reference.
"""

from kernels._jit import kernel


@kernel
def not_below_zero(value: float) -> float:
    """0 for what is below it; NaN stays NaN."""
    return max(value, 0.0)


@kernel
def with_cap(measured: float, cap: float, flagged: bool) -> float:
    """The diluent cap in an hour that the operator flagged, else what was measured."""
    return cap if flagged else measured


@kernel
def co2_from_o2_dry(o2_pct: float, fc: float, fd: float, air_pct: float) -> float:
    """Dry CO2, %, from dry O2; F-14A."""
    return not_below_zero(100.0 * (fc / fd) * (air_pct - o2_pct) / air_pct)


@kernel
def co2_from_o2_wet(o2_pct: float, moisture_pct: float, fc: float, fd: float, air_pct: float) -> float:
    """Wet CO2, %, from wet O2 and moisture; F-14B."""
    wet_air = air_pct * (100.0 - moisture_pct) / 100.0
    return not_below_zero(100.0 / air_pct * (fc / fd) * (wet_air - o2_pct))


@kernel
def heat_input_co2_wet(flow: float, co2_pct: float, fc: float) -> float:
    """Heat input, mmBtu/h, from wet CO2; F-15."""
    return flow * co2_pct / (100.0 * fc)


@kernel
def heat_input_co2_dry(flow: float, co2_pct: float, moisture_pct: float, fc: float) -> float:
    """Heat input, mmBtu/h, from dry CO2 and moisture; F-16."""
    return flow * (100.0 - moisture_pct) * co2_pct / (1e4 * fc)


@kernel
def heat_input_o2_wet(flow: float, o2_pct: float, moisture_pct: float, fd: float, air_pct: float) -> float:
    """Heat input, mmBtu/h, from wet O2 and moisture; F-17."""
    return flow / fd * (air_pct / 100.0 * (100.0 - moisture_pct) - o2_pct) / air_pct


@kernel
def heat_input_o2_dry(flow: float, o2_pct: float, moisture_pct: float, fd: float, air_pct: float) -> float:
    """Heat input, mmBtu/h, from dry O2 and moisture; F-18."""
    return flow * (100.0 - moisture_pct) * (air_pct - o2_pct) / (100.0 * air_pct * fd)


@kernel
def moisture_from_o2(o2_dry_pct: float, o2_wet_pct: float) -> float:
    """Moisture, %, from dry and wet O2; F-31."""
    return 100.0 * (o2_dry_pct - o2_wet_pct) / o2_dry_pct


@kernel
def emission_rate(concentration: float, o2_pct: float, k: float, fd: float, air_pct: float) -> float:
    """Emission rate, lb/mmBtu, from a dry concentration and dry O2; Method 19, 19-1.

    k in lb/scf per unit of the concentration.
    """
    return k * concentration * fd * air_pct / (air_pct - o2_pct)


@kernel
def hour_mass(rate: float, operating_h: float) -> float:
    """Mass of an hour from its rate per hour and the part of it that the unit ran."""
    return rate * operating_h


@kernel
def fuel_heat_input(amount: float, btu_per_unit: float) -> float:
    """Heat input, mmBtu, of an amount of fuel and its gross calorific value; appendix D."""
    return amount * btu_per_unit / 1e6


def warm_up() -> None:
    """Compile what other modules call."""
    not_below_zero(1.0)
    with_cap(1.0, 1.0, False)
    co2_from_o2_dry(1.0, 1.0, 1.0, 20.9)
    co2_from_o2_wet(1.0, 1.0, 1.0, 1.0, 20.9)
    heat_input_co2_wet(1.0, 1.0, 1.0)
    heat_input_co2_dry(1.0, 1.0, 1.0, 1.0)
    heat_input_o2_wet(1.0, 1.0, 1.0, 1.0, 20.9)
    heat_input_o2_dry(1.0, 1.0, 1.0, 1.0, 20.9)
    moisture_from_o2(2.0, 1.0)
    emission_rate(1.0, 1.0, 1.0, 1.0, 20.9)
    hour_mass(1.0, 1.0)
    fuel_heat_input(1.0, 1.0)
