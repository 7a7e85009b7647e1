"""IAPWS-IF97: the release's verification values, an independent library and the definition."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import seuif97
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import steam
from kernels.reference import steam as plain

TABLES = Path(__file__).parents[2].parent / "shared" / "data" / "steam" / "if97_vectors.csv"
ZERO = 273.15


def test_verification_values_of_the_release() -> None:
    if not TABLES.exists():
        pytest.skip(f"the verification values are not beside this checkout ({TABLES.name})")
    rows = list(csv.DictReader(TABLES.read_text().splitlines()))
    assert len(rows) == 12
    for row in rows:
        kelvin, mpa = float(row["T_K"]), float(row["P_MPa"])
        if row["region"] == "sat":
            if "35" in row["source"]:
                assert steam.saturation_pressure(kelvin) == pytest.approx(mpa, rel=1e-8)
            else:
                assert steam.saturation_temperature(mpa) == pytest.approx(kelvin, rel=1e-8)
            continue
        assert steam.region(kelvin, mpa) == int(row["region"])
        assert steam.enthalpy(kelvin, mpa) == pytest.approx(float(row["h_kJ_kg"]), rel=1e-8)
        assert steam.volume(kelvin, mpa) == pytest.approx(float(row["v_m3_kg"]), rel=1e-8)


@given(st.floats(ZERO + 0.01, 1073.1), st.floats(-3.0, 2.0))
@settings(max_examples=300, deadline=None)
def test_an_independent_library_agrees(kelvin: float, power: float) -> None:
    mpa = 10.0**power
    if (
        steam.region(kelvin, mpa)
        and abs(mpa / (steam.saturation_pressure(kelvin) if kelvin < 647 else 1e9) - 1) > 1e-6
    ):
        assert steam.enthalpy(kelvin, mpa) == pytest.approx(seuif97.pt2h(mpa, kelvin - ZERO), abs=1e-8)
        assert steam.volume(kelvin, mpa) == pytest.approx(seuif97.pt2v(mpa, kelvin - ZERO), rel=1e-10)


@given(st.floats(200.0, 1200.0), st.floats(-4.0, 2.1))
@settings(max_examples=300, deadline=None)
def test_properties_equal_their_definitions(kelvin: float, power: float) -> None:
    mpa = 10.0**power
    assert steam.region(kelvin, mpa) == plain.region(kelvin, mpa)
    for name in ("enthalpy", "volume"):
        ours, theirs = getattr(steam, name)(kelvin, mpa), getattr(plain, name)(kelvin, mpa)
        assert ours == pytest.approx(theirs, rel=1e-11, nan_ok=True)
    assert steam.saturation_pressure(kelvin) == pytest.approx(
        plain.saturation_pressure(kelvin), rel=1e-12, nan_ok=True
    )
    assert steam.saturation_temperature(mpa) == pytest.approx(
        plain.saturation_temperature(mpa), rel=1e-12, nan_ok=True
    )
    assert steam.edge_pressure(kelvin) == pytest.approx(plain.edge_pressure(kelvin), rel=1e-12, abs=1e-9)
    assert steam.heat_flow(3.0, kelvin, mpa, 83.74) == pytest.approx(
        plain.heat_flow(3.0, kelvin, mpa, 83.74), rel=1e-11, abs=1e-11, nan_ok=True
    )
    assert steam.water_heat(3.0, 80.0, 20.0, 4.1868) == plain.water_heat(3.0, 80.0, 20.0, 4.1868)


@pytest.mark.parametrize(
    ("kelvin", "mpa"),
    [
        (650.0, 25.0),
        (273.0, 1.0),
        (1100.0, 1.0),
        (500.0, 101.0),
        (500.0, 0.0),
        (math.nan, 1.0),
        (500.0, math.nan),
    ],
)
def test_where_the_release_has_no_equation_here_there_is_no_value(kelvin: float, mpa: float) -> None:
    assert steam.region(kelvin, mpa) == 0
    assert math.isnan(steam.enthalpy(kelvin, mpa))
    assert math.isnan(steam.volume(kelvin, mpa))


def test_water_boils_where_pressure_and_temperature_meet() -> None:
    for kelvin in np.linspace(ZERO + 1, 647.0, 50):
        assert steam.saturation_temperature(steam.saturation_pressure(kelvin)) == pytest.approx(
            kelvin, abs=1e-6
        )
    assert steam.liquid_enthalpy(453.0, 1.0) < 800
    assert steam.steam_enthalpy(454.0, 1.0) > 2700
    for name, arguments in (("liquid_volume", (300.0, 3.0)), ("steam_volume", (700.0, 3.0))):
        assert getattr(steam, name)(*arguments) == pytest.approx(getattr(plain, name)(*arguments), rel=1e-12)
