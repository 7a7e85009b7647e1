"""The gas at a kiln's stack, from the CO2 that leaves through it.

The kiln gives CO2, nitrogen and some oxygen; excess air and, while the raw mill
runs, false air dilute it. Dilution changes concentration, oxygen, temperature,
moisture and velocity but never the CO2 mass, which is given. The velocity is
solved from the mass and from the other quantities *as published*, so that what
an outsider computes from the published values by the gas law is the mass again,
to the last digits of the velocity. 273.15 K, 101 325 Pa, 22.414 m³/kmol: physics,
not the constants of any regulation.
"""

from dataclasses import dataclass

import numpy as np

from simulator.series import Floats

T0_K = 273.15
P0_PA = 101_325.0
CO2_KG_PER_KMOL = 44.01
VOLUME_M3_PER_KMOL = 22.414
AIR_O2 = 0.2095
"""Volume fraction of oxygen in dry air."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack of a 5000 t/d line: what it emits with the raw mill off, and what the mill adds."""

    area_m2: float = 15.9
    dry_nm3_h: float = 334_635.0
    """Dry gas at nominal load, mill off."""
    o2_dry: float = 0.075
    water_nm3_h: float = 40_516.0
    temperature_c: float = 150.0
    mill_air_nm3_h: float = 76_400.0
    """False air drawn in by the running mill."""
    mill_water_nm3_h: float = 10_298.0
    """Moisture of the raw material and spray water, less what the gas loses."""
    mill_cooling_k: float = 55.0
    excess_air: float = 0.012
    """Height of the excess-air wave, as a share of the dry gas."""


MAIN_STACK = Stack()


@dataclass(frozen=True, slots=True)
class Causes:
    """What acts on the gas at each tick; waves are within ±1."""

    mass_t_h: Floats
    """CO2 that leaves, t/h."""
    load: Floats
    """The same relative to nominal."""
    mill: Floats
    """1 running, 0 standing."""
    air_wave: Floats
    heat_wave: Floats
    weather_wave: Floats


@dataclass(frozen=True, slots=True)
class Gas:
    """What the stack's instruments show, rounded as they publish it."""

    co2_dry_pct: Floats
    o2_dry_pct: Floats
    moisture_pct: Floats
    temperature_c: Floats
    barometric_pa: Floats
    static_pa: Floats
    velocity_m_s: Floats


def gas(stack: Stack, causes: Causes) -> Gas:
    """The published state of the gas."""
    burnt = stack.dry_nm3_h * causes.load
    air = stack.dry_nm3_h * stack.excess_air * causes.air_wave + stack.mill_air_nm3_h * causes.mill
    dry = burnt + air
    water = stack.water_nm3_h * causes.load + stack.mill_water_nm3_h * causes.mill
    co2 = causes.mass_t_h * (1000 / CO2_KG_PER_KMOL * VOLUME_M3_PER_KMOL)
    x = np.round(100 * co2 / dry, 4)
    o2 = np.round(100 * (stack.o2_dry * burnt + AIR_O2 * air) / dry, 3)
    moisture = np.round(100 * water / (dry + water), 3)
    temperature = np.round(stack.temperature_c - stack.mill_cooling_k * causes.mill + 2 * causes.heat_wave, 2)
    pressure = np.round(100_000 + 400 * causes.weather_wave, 1)
    static = np.round(-50 + 5 * causes.air_wave, 1)
    per_m_s = co2_t_h(x, np.ones_like(x), temperature, pressure, static, moisture, stack.area_m2)
    velocity = np.round(causes.mass_t_h / per_m_s, 5)
    return Gas(x, o2, moisture, temperature, pressure, static, velocity)


def co2_t_h(
    co2_dry_pct: Floats,
    velocity_m_s: Floats,
    temperature_c: Floats,
    barometric_pa: Floats,
    static_pa: Floats,
    moisture_pct: Floats,
    area_m2: float,
) -> Floats:
    """CO2 mass flow by the gas law, t/h: concentration times dry normal flow times M/V."""
    normal = T0_K / (T0_K + temperature_c) * (barometric_pa + static_pa) / P0_PA
    dry_nm3_h = 3600 * area_m2 * velocity_m_s * normal * (1 - moisture_pct / 100)
    return co2_dry_pct / 100 * dry_nm3_h * (CO2_KG_PER_KMOL / VOLUME_M3_PER_KMOL / 1000)
