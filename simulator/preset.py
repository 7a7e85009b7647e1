"""Preset A: what a day of the 5000 t/d clinker line carries, and what becomes of its carbon.

6 % of the clinker's CaO comes from carbide slag, so 480 kg/t of process CO2 go
with 104 kgce/t of coal to 161.246 t/h at the stack. Fractions, so that the
balance closes with `==`. A preset says amounts only; how they vary in time is
the line's business.
"""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Preset:
    """What a day carries and what becomes of the carbon; preset A."""

    clinker_t: Fraction = Fraction(5000)
    coal_kgce_per_t: Fraction = Fraction(104)
    """Heat of the coal per clinker, calorific."""
    coal_ncv_gj_t: Fraction = Fraction("23.20")
    gj_per_tce: Fraction = Fraction("29.3076")
    coal_carbon: Fraction = Fraction("0.605")
    oxidation: Fraction = Fraction("0.99")
    co2_per_carbon: Fraction = Fraction(44, 12)
    process_t_per_t: Fraction = Fraction("0.48")
    """CO2 of the carbonates per clinker."""
    raw_meal_t: Fraction = Fraction("309.8685") * 24
    """Dry."""
    raw_meal_carbon: Fraction = Fraction("0.001")
    power_kwh_per_t: Fraction = Fraction(55)
    """All the line draws, per clinker."""
    raw_mill_kw: Fraction = Fraction(1250)
    """Its drive while it runs; the fans, which move the kiln's gas either way, are on the kiln's meter."""
    coal_mill_kwh_per_t_coal: Fraction = Fraction(35)
    unmetered_kwh: Fraction = Fraction(5000)
    """Lighting and workshops: bought, on no meter below."""
    kvarh_per_kwh: Fraction = Fraction("0.426")
    """A power factor of 0.92."""

    @property
    def coal_t(self) -> Fraction:
        """Coal a day."""
        return self.clinker_t * self.coal_kgce_per_t / 1000 * self.gj_per_tce / self.coal_ncv_gj_t

    @property
    def co2_per_coal(self) -> Fraction:
        """CO2 per coal, t/t."""
        return self.coal_carbon * self.oxidation * self.co2_per_carbon

    @property
    def co2_per_raw_meal(self) -> Fraction:
        """CO2 per dry raw meal, t/t: carbonates and organic carbon."""
        carbonates = self.process_t_per_t * self.clinker_t / self.raw_meal_t
        return carbonates + self.raw_meal_carbon * self.co2_per_carbon

    @property
    def stack_t_h(self) -> Fraction:
        """Mean CO2 at the stack."""
        return (self.coal_t * self.co2_per_coal + self.raw_meal_t * self.co2_per_raw_meal) / 24


PRESET_A = Preset()
