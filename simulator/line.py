"""The clinker line behind the instruments: loads, flows and the gas at the stack.

Three loads drive everything: the kiln's (raw meal, carbonates, clinker, fans),
the coal's, which follows it and is trimmed a little, and the raw mill's, which
stands twice a day. Kiln and coal vary by about 1 %, so that even five minutes of
the stack stay within the 154 to 163 t/h of such a line, and average to 1 over
every half hour or day, so each day carries exactly what the preset says. CO2 reaches the
stack a minute or so after its fuel and meal, clinker its weigher half an hour
after the meal. The mill's stop changes what the stack's instruments show and
not the CO2 mass.

Everything is a function of seed and time. The line knows no points and no wire.
"""

from fractions import Fraction
from functools import lru_cache

import numpy as np

from ingest.model import DAY, HOUR, MINUTE, SECOND
from simulator.flows import Flow
from simulator.preset import PRESET_A, Preset
from simulator.series import Floats, Grid, stops, wave
from simulator.stack import MAIN_STACK, Causes, Gas, Stack, gas

FUEL_TO_STACK = 90 * SECOND
MEAL_TO_STACK = 60 * SECOND
MEAL_TO_CLINKER = 35 * MINUTE
MILL_STOPS = (2 * HOUR, 14 * HOUR)
"""Near these times of a model day."""
MILL_STOP = 2 * HOUR
MILL_RAMP = 15 * MINUTE

WATT = Fraction(1, 1000)
"""Quantum of a power in kW."""
HUNDRED_GRAM = Fraction(1, 10_000)
"""Quantum per hour of a mass flow in t/h."""

_WAVES = (
    ("season", DAY, 12),
    ("load", 30 * MINUTE, 6),
    ("trim", 30 * MINUTE, 10),
    ("fans", 30 * MINUTE, 10),
    ("reactive", 30 * MINUTE, 6),
    ("air", 30 * MINUTE, 10),
    ("heat", HOUR, 6),
    ("weather", DAY, 8),
)
"""Name, length of a block and its straight pieces."""


class CementLine:
    """The line by seed; instants are ticks of `grid`, see `simulator.series`."""

    def __init__(self, grid: Grid, seed: int, preset: Preset = PRESET_A, stack: Stack = MAIN_STACK) -> None:
        self.grid = grid
        self.preset = preset
        self.stack = stack
        self.mill = stops(grid, seed, "raw mill", MILL_STOPS, MILL_STOP, MILL_RAMP)
        """1 while the raw mill runs, 0 while it stands."""
        self._waves = {name: wave(grid, seed, name, block, pieces) for name, block, pieces in _WAVES}
        self.gas = lru_cache(2)(self._gas)
        """`Gas` that the stack's instruments show at `n` ticks from `first`; asked for by each of them."""
        self._make_mass_flows()
        self._make_power_flows()

    def _make_mass_flows(self) -> None:
        grid, preset = self.grid, self.preset
        self.raw_meal = Flow.shaped(grid, HUNDRED_GRAM, preset.raw_meal_t, self._kiln_load)
        self.coal = Flow.shaped(grid, HUNDRED_GRAM, preset.coal_t, self._coal_load)
        self.clinker = Flow.shaped(grid, HUNDRED_GRAM, preset.clinker_t, self._kiln_load).later(
            MEAL_TO_CLINKER
        )

    def _make_power_flows(self) -> None:
        grid, preset = self.grid, self.preset
        bought = preset.clinker_t * preset.power_kwh_per_t
        raw_mill = preset.raw_mill_kw * Fraction(DAY - len(MILL_STOPS) * (MILL_STOP - MILL_RAMP), HOUR)
        coal_mill = preset.coal_t * preset.coal_mill_kwh_per_t_coal
        kiln = bought - raw_mill - coal_mill - preset.unmetered_kwh
        self.raw_mill_power = Flow.shaped(grid, WATT, raw_mill, self.mill.day)
        self.coal_mill_power = Flow.shaped(grid, WATT, coal_mill, self._coal_load)
        self.kiln_power = Flow.shaped(grid, WATT, kiln, self._fan_load)
        unmetered = Flow.shaped(grid, WATT, preset.unmetered_kwh, lambda _: np.ones(grid.per_day))
        self.power = Flow.together([self.raw_mill_power, self.coal_mill_power, self.kiln_power, unmetered])
        self.reactive = Flow.shaped(grid, WATT, bought * preset.kvarh_per_kwh, self._reactive_load)

    def co2_t_h(self, first: int, n: int) -> Floats:
        """CO2 leaving through the stack at `n` ticks, t/h: the truth, of which no instrument knows."""
        fuel = self.coal.later(FUEL_TO_STACK).rates(first, n)
        meal = self.raw_meal.later(MEAL_TO_STACK).rates(first, n)
        return fuel * float(self.preset.co2_per_coal) + meal * float(self.preset.co2_per_raw_meal)

    def _gas(self, first: int, n: int) -> Gas:
        mass = self.co2_t_h(first, n)
        causes = Causes(
            mass_t_h=mass,
            load=mass / float(self.preset.stack_t_h),
            mill=self.mill.over(first, n),
            air_wave=self._waves["air"].over(first, n),
            heat_wave=self._waves["heat"].over(first, n),
            weather_wave=self._waves["weather"].over(first, n),
        )
        return gas(self.stack, causes)

    def _kiln_load(self, day: int) -> Floats:
        return 1 + 0.003 * self._waves["season"].day(day) + 0.006 * self._waves["load"].day(day)

    def _coal_load(self, day: int) -> Floats:
        return self._kiln_load(day) + 0.002 * self._waves["trim"].day(day)

    def _fan_load(self, day: int) -> Floats:
        return self._kiln_load(day) + 0.003 * self._waves["fans"].day(day)

    def _reactive_load(self, day: int) -> Floats:
        return 1 + 0.02 * self._waves["reactive"].day(day)
