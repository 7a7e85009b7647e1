"""Definitions of `kernels.part75`, in fractions of the given floats."""

import math
from fractions import Fraction


def not_below_zero(value: float) -> float:
    """0 for what is below it; NaN stays NaN."""
    return value if math.isnan(value) else max(value, 0.0)


def with_cap(measured: float, cap: float, flagged: bool) -> float:
    """The cap where the operator says so, only then."""
    return {False: measured, True: cap}[bool(flagged)]


def co2_from_o2_dry(o2_pct: float, fc: float, fd: float, air_pct: float) -> float:
    """F-14A: 100 · Fc/Fd · (20.9 - O2) / 20.9, negative is 0."""
    air = Fraction(air_pct)
    return max(float(100 * Fraction(fc) / Fraction(fd) * (air - Fraction(o2_pct)) / air), 0.0)


def co2_from_o2_wet(o2_pct: float, moisture_pct: float, fc: float, fd: float, air_pct: float) -> float:
    """F-14B: 100/20.9 · Fc/Fd · (20.9 · (100 - H2O)/100 - O2), negative is 0."""
    air = Fraction(air_pct)
    wet = air * (100 - Fraction(moisture_pct)) / 100 - Fraction(o2_pct)
    return max(float(100 / air * Fraction(fc) / Fraction(fd) * wet), 0.0)


def heat_input_co2_wet(flow: float, co2_pct: float, fc: float) -> float:
    """F-15: Q · CO2w / (100 · Fc)."""
    return float(Fraction(flow) * Fraction(co2_pct) / (100 * Fraction(fc)))


def heat_input_co2_dry(flow: float, co2_pct: float, moisture_pct: float, fc: float) -> float:
    """F-16: Q · (100 - H2O) · CO2d / (10^4 · Fc)."""
    return float(Fraction(flow) * (100 - Fraction(moisture_pct)) * Fraction(co2_pct) / (10**4 * Fraction(fc)))


def heat_input_o2_wet(flow: float, o2_pct: float, moisture_pct: float, fd: float, air_pct: float) -> float:
    """F-17: Q / Fd · (0.209 · (100 - H2O) - O2w) / 20.9."""
    air = Fraction(air_pct)
    oxygen = air / 100 * (100 - Fraction(moisture_pct)) - Fraction(o2_pct)
    return float(Fraction(flow) / Fraction(fd) * oxygen / air)


def heat_input_o2_dry(flow: float, o2_pct: float, moisture_pct: float, fd: float, air_pct: float) -> float:
    """F-18: Q · (100 - H2O) · (20.9 - O2d) / (2090 · Fd)."""
    air = Fraction(air_pct)
    return float(
        Fraction(flow)
        * (100 - Fraction(moisture_pct))
        * (air - Fraction(o2_pct))
        / (100 * air * Fraction(fd))
    )


def moisture_from_o2(o2_dry_pct: float, o2_wet_pct: float) -> float:
    """F-31: 100 · (O2d - O2w) / O2d."""
    return float(100 * (Fraction(o2_dry_pct) - Fraction(o2_wet_pct)) / Fraction(o2_dry_pct))


def emission_rate(concentration: float, o2_pct: float, k: float, fd: float, air_pct: float) -> float:
    """19-1: K · C · Fd · 20.9 / (20.9 - O2d)."""
    air = Fraction(air_pct)
    return float(Fraction(k) * Fraction(concentration) * Fraction(fd) * air / (air - Fraction(o2_pct)))


def hour_mass(rate: float, operating_h: float) -> float:
    """Rate · operating time."""
    return float(Fraction(rate) * Fraction(operating_h))


def fuel_heat_input(amount: float, btu_per_unit: float) -> float:
    """Amount · GCV / 10^6."""
    return float(Fraction(amount) * Fraction(btu_per_unit) / 10**6)
