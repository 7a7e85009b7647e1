"""The line's balance is the preset's: domain-sectors 3.2, preset A."""

from fractions import Fraction

import numpy as np
import pytest

from ingest.model import DAY, HOUR, SECOND
from simulator.line import FUEL_TO_STACK, MEAL_TO_STACK, CementLine
from simulator.preset import PRESET_A
from simulator.series import Floats, Grid
from simulator.stack import MAIN_STACK, Causes, Gas, co2_t_h, gas

GRID = Grid(5 * SECOND)
TODAY = 690 * GRID.per_day


@pytest.fixture(scope="module")
def line() -> CementLine:
    return CementLine(GRID, seed=5)


def _physics(shown: Gas) -> Floats:
    return co2_t_h(
        shown.co2_dry_pct,
        shown.velocity_m_s,
        shown.temperature_c,
        shown.barometric_pa,
        shown.static_pa,
        shown.moisture_pct,
        MAIN_STACK.area_m2,
    )


def _hj212(shown: Gas) -> Floats:
    """Annex D (20), (30), (31), (33): 273 K, 44 kg/kmol, 22.4 m³/kmol."""
    pressure = (shown.barometric_pa + shown.static_pa) / 101_325
    normal = 273 / (273 + shown.temperature_c) * pressure
    q_sn = 3600 * 15.9 * shown.velocity_m_s * normal * (1 - shown.moisture_pct / 100)
    return q_sn * shown.co2_dry_pct / 100 * 44 / 22.4 * 1e-3


def _still(mill: float) -> Gas:
    one, zero = np.ones(1), np.zeros(1)
    mass = np.array([float(PRESET_A.stack_t_h)])
    return gas(MAIN_STACK, Causes(mass, one, np.array([mill]), zero, zero, zero))


def test_preset_closes() -> None:
    a = PRESET_A
    fuel = a.coal_t * a.co2_per_coal / 24
    process = a.clinker_t * a.process_t_per_t / 24
    organic = a.raw_meal_t * a.raw_meal_carbon * a.co2_per_carbon / 24
    assert fuel + process + organic == a.stack_t_h
    assert float(fuel) == pytest.approx(60.110, abs=5e-4)
    assert process == 100
    assert float(organic) == pytest.approx(1.136, abs=5e-4)
    assert float(a.stack_t_h) == pytest.approx(161.246, abs=5e-4)
    assert float(a.coal_t / 24) == pytest.approx(27.371, abs=5e-4)
    assert float(a.stack_t_h * 24000 / a.clinker_t) == pytest.approx(773.98, abs=5e-3)


def test_process_factor_follows_from_the_oxides() -> None:
    carbonates = (0.65 - 0.060091) * 44 / 56 + 0.015 * 44 / 40
    assert float(PRESET_A.process_t_per_t) == pytest.approx(carbonates, abs=1e-6)


@pytest.mark.parametrize(
    ("mill", "co2", "o2", "moisture", "temperature", "velocity"),
    [(1.0, 19.979, 10.0, 11.002, 95.0, 11.0245), (0.0, 24.54, 7.5, 10.8, 150.0, 10.29)],
)
def test_gas_with_the_raw_mill_on_and_off(
    mill: float, co2: float, o2: float, moisture: float, temperature: float, velocity: float
) -> None:
    shown = _still(mill)
    assert shown.co2_dry_pct[0] == pytest.approx(co2, abs=5e-4 if mill else 5e-3)
    assert shown.o2_dry_pct[0] == pytest.approx(o2, abs=1e-3)
    assert shown.moisture_pct[0] == pytest.approx(moisture, abs=1e-3)
    assert shown.temperature_c[0] == temperature
    assert shown.velocity_m_s[0] == pytest.approx(velocity, abs=5e-4 if mill else 0.02)
    assert shown.barometric_pa[0] == 100_000
    assert shown.static_pa[0] == -50
    assert _physics(shown)[0] == pytest.approx(161.246, abs=1e-3)


def test_hj212_reads_a_little_above_physics() -> None:
    assert _hj212(_still(1.0))[0] == pytest.approx(161.287, abs=1e-3)


def test_published_gas_gives_the_true_mass_back(line: CementLine) -> None:
    shown, mass = line.gas(TODAY, GRID.per_day), line.co2_t_h(TODAY, GRID.per_day)
    assert np.abs(_physics(shown) / mass - 1).max() < 1e-6  # half a digit of the velocity
    assert abs(_physics(shown).mean() / mass.mean() - 1) < 1e-8


def test_mass_at_the_stack_is_what_was_fed_a_little_earlier(line: CementLine) -> None:
    coal = line.coal.counts.over(TODAY - GRID.ticks(FUEL_TO_STACK), GRID.per_day)
    meal = line.raw_meal.counts.over(TODAY - GRID.ticks(MEAL_TO_STACK), GRID.per_day)
    a = PRESET_A
    fed = int(coal.sum()) * a.co2_per_coal + int(meal.sum()) * a.co2_per_raw_meal
    leaving = float(fed * line.coal.quantum / GRID.per_day)
    assert line.co2_t_h(TODAY, GRID.per_day).mean() == pytest.approx(leaving, rel=1e-12)


def test_lags_do_not_change_the_mean(line: CementLine) -> None:
    days = 20
    mean = line.co2_t_h(TODAY, days * GRID.per_day).mean()
    assert mean == pytest.approx(float(PRESET_A.stack_t_h), rel=2e-6)


def test_stack_stays_in_the_band_for_five_minutes_and_more(line: CementLine) -> None:
    shown = _hj212(line.gas(TODAY, 3 * GRID.per_day))
    five_minutes = np.convolve(shown, np.full(60, 1 / 60), "valid")
    assert five_minutes.min() > 154
    assert five_minutes.max() < 163
    assert np.ptp(five_minutes) > 1


def test_mill_changes_what_is_shown_and_not_the_mass(line: CementLine) -> None:
    n = GRID.per_day
    mill, shown, mass = line.mill.over(TODAY, n), line.gas(TODAY, n), line.co2_t_h(TODAY, n)
    on, off = mill == 1, mill == 0
    assert off.sum() * GRID.period_us >= 3 * HOUR - DAY // 1000

    def change(values: Floats) -> float:
        return float(values[off].mean() / values[on].mean() - 1)

    assert change(shown.co2_dry_pct) == pytest.approx(0.228, abs=0.01)
    assert change(shown.velocity_m_s) == pytest.approx(-0.066, abs=0.01)
    assert shown.temperature_c[off].mean() - shown.temperature_c[on].mean() == pytest.approx(55, abs=1)
    assert abs(change(mass)) < 0.002


def test_meters_below_the_supply_add_up_to_it_but_for_the_unmetered(line: CementLine) -> None:
    below = [line.raw_mill_power, line.coal_mill_power, line.kiln_power]
    rest = line.power.counts.over(TODAY, GRID.per_day) - np.sum(
        [flow.counts.over(TODAY, GRID.per_day) for flow in below], axis=0
    )
    assert Fraction(int(rest.sum()), GRID.per_day) * line.power.quantum * 24 == PRESET_A.unmetered_kwh


def test_power_and_heat_per_clinker_close_every_day(line: CementLine) -> None:
    assert line.power.per_day / line.clinker.per_day == 55
    kgce = line.coal.per_day * PRESET_A.coal_ncv_gj_t / PRESET_A.gj_per_tce * 1000 / line.clinker.per_day
    assert float(kgce) == pytest.approx(104, rel=1e-9)
