"""Gas formulas: worked examples of the rules, and each equal to its definition."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import co2, methods, reference
from kernels.rows import HJ212_STACK_CO2, LINEAR, PART98_C6, PART98_C7, RATIO
from tests.kernels.segments import close

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "vectors.json"
OXYGEN_OF_AIR = 21.0
ZERO, STANDARD = 273.0, 101325.0

Inputs = dict[str, Any]


def dry_flow(x: Inputs) -> dict[str, float]:
    actual = co2.actual_flow(x["velocity_m_per_s"], 1.0, x["area_m2"])
    standard = co2.standard_dry_flow(
        actual, x["temperature_c"], x["barometric_pa"], x["static_pa"], x["moisture_fraction"], ZERO, STANDARD
    )
    return {"actual_m3_per_h": actual, "standard_dry_m3_per_h": standard}


def to_standard(x: Inputs) -> dict[str, float]:
    found = co2.standard_concentration(
        x["mg_per_m3"], x["temperature_c"], x["barometric_pa"], x["static_pa"], ZERO, STANDARD
    )
    return {"mg_per_m3_standard": found}


def at_reference(x: Inputs) -> dict[str, float]:
    found = co2.at_reference_oxygen(x["concentration"], x["o2_pct"], x["o2_reference_pct"], OXYGEN_OF_AIR)
    return {"concentration": found}


def validity(x: Inputs) -> dict[str, list[bool]]:
    def valid(count: int, least: int) -> bool:
        return not math.isnan(co2.mean_of_valid(np.array([1.0] * count + [math.nan] * 5), least))

    return {
        "hour_valid": [valid(count, 45) for count in x["valid_minutes"]],
        "day_valid": [valid(count, 20) for count in x["valid_hours"]],
    }


OPERATIONS: dict[str, Callable[[Inputs], dict[str, Any]]] = {
    "hj212.standard_dry_flow": dry_flow,
    "hj212.ppm_to_mg": lambda x: {
        "mg_per_m3": co2.mass_concentration(float(x["umol_per_mol"]), float(x["molar_mass_g_per_mol"]), 22.4)
    },
    "hj212.mass_flow": lambda x: {"kg_per_h": co2.mass_flow(x["mg_per_m3"], x["standard_dry_m3_per_h"])},
    "hj212.wet_to_dry": lambda x: {"dry": co2.dry_concentration(x["wet"], x["moisture_fraction"])},
    "hj212.actual_to_standard": to_standard,
    "hj212.reference_oxygen": at_reference,
    "hj212.validity": validity,
    "part98.co2_mass_c6": lambda x: {
        "t_per_h": co2.part98_wet(x["co2_pct_wet"], x["flow_scfh_wet"], 5.18e-7)
    },
}


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_worked_examples(operation: str) -> None:
    if not VECTORS.exists():
        pytest.skip(f"{operation}: the worked examples are not beside this checkout ({VECTORS.name})")
    cases = [case for case in json.loads(VECTORS.read_text()) if case["op"] == operation]
    assert cases
    for case in cases:
        found = OPERATIONS[operation](case["inputs"])
        for name, expected in case["expected"].items():
            assert found[name] == pytest.approx(expected, abs=case["tol"], rel=0), case["id"]


STACK = np.array([0.199792, 11.0245, 95.0, 100000.0, -50.0, 0.110023])
"""The kiln stack of the cement preset: CO2, velocity, temperature, both pressures, moisture."""


def test_the_stack_of_the_cement_line() -> None:
    """By HJ 212 161.288 t/h; by physical constants 161.246 t/h: every regime owns its constants."""
    hj212 = np.array([15.9, 1.0, 44.0, 22.4, ZERO, STANDARD])
    physics = np.array([15.9, 1.0, 44.01, 22.414, 273.15, STANDARD])
    flow = co2.standard_dry_flow(
        co2.actual_flow(11.0245, 1.0, 15.9), 95.0, 1e5, -50.0, 0.110023, ZERO, STANDARD
    )
    assert flow == pytest.approx(410_977.76, abs=0.01)
    assert co2.mass_concentration(199_792.0, 44.0, 22.4) == pytest.approx(392_448.571, abs=0.001)
    assert co2.stack_co2(STACK, hj212) == pytest.approx(161.28764, abs=1e-5)
    assert co2.stack_co2(STACK, physics) == pytest.approx(161.24639, abs=1e-5)


def test_c7_is_c6_of_the_wet_share() -> None:
    assert co2.part98_dry(12.0, 2e7, 10.0, 5.18e-7) == pytest.approx(124.32 * 0.9, rel=1e-15)


@pytest.mark.parametrize("least", [0, 1, 3])
def test_a_mean_of_nothing_valid_is_none(least: int) -> None:
    assert math.isnan(co2.mean_of_valid(np.array([math.nan]), least))


SCALARS: list[tuple[str, int]] = [
    ("standard_concentration", 6), ("dry_concentration", 2), ("mass_concentration", 3), ("excess_air", 2),
    ("at_reference_oxygen", 4), ("actual_flow", 3), ("standard_dry_flow", 7), ("mass_flow", 2),
    ("part98_wet", 3), ("part98_dry", 4),
]  # fmt: skip


@pytest.mark.parametrize(("name", "count"), SCALARS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_formulas_equal_their_definitions(name: str, count: int, data: st.DataObject) -> None:
    """Arguments in [30, 60]: no formula loses digits there; fractions as of moisture are below 0.9."""
    given_ = [data.draw(st.floats(30.0, 60.0)) for _ in range(count)]
    if name in {"dry_concentration", "standard_dry_flow"}:
        given_[{"dry_concentration": 1, "standard_dry_flow": 4}[name]] /= 70.0
    if name in {"excess_air", "at_reference_oxygen"}:
        given_[-1] += 100.0
    assert close(getattr(co2, name)(*given_), getattr(reference, name)(*given_), 16)


POSITIVE = st.floats(0.1, 100.0)


@given(st.lists(POSITIVE, min_size=6, max_size=6), st.lists(POSITIVE, min_size=7, max_size=7))
@settings(max_examples=60, deadline=None)
def test_methods_equal_their_definitions(x: list[float], c: list[float]) -> None:
    x[5] /= 200.0
    inputs = np.array(x)
    for method, size in [(LINEAR, 7), (RATIO, 0), (HJ212_STACK_CO2, 6), (PART98_C6, 1), (PART98_C7, 1)]:
        constants = np.array(c[:size])
        actual, expected = (m.evaluate(method, inputs, constants) for m in (methods, reference))
        assert close(actual, expected, 16), method


@given(st.lists(st.one_of(POSITIVE, st.just(math.nan)), min_size=9, max_size=9))
@settings(deadline=None)
def test_rows_equal_their_definition(x: list[float]) -> None:
    """Row by row as one by one; a row with something missing has no value."""
    inputs, constants = np.array(x).reshape(3, 3), np.array([5.18e-7])
    ours, theirs = np.zeros(3), np.zeros(3)
    methods.evaluate_rows(PART98_C7, inputs, constants, ours)
    reference.evaluate_rows(PART98_C7, inputs, constants, theirs)
    for place, row in enumerate(inputs):
        assert close(ours[place], theirs[place], 16)
        whole = np.isfinite(row).all()
        one = methods.evaluate(PART98_C7, row, constants) if whole else math.nan
        np.testing.assert_equal(ours[place], one)


def test_an_unknown_method_has_no_value() -> None:
    assert math.isnan(methods.evaluate(99, np.ones(2), np.ones(3)))
