"""Formulas of the regimes: each kernel equals its definition in fractions."""

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import calculated, co2, methods, part75, reference
from kernels.reference import calculated as plain_calculated
from kernels.reference import part75 as plain_part75
from kernels.rows import KILN_RATIO, METHOD19, STEAM_HEAT
from tests.kernels.segments import close

SCALARS: list[tuple[ModuleType, ModuleType, str, int]] = [
    *(
        (part75, plain_part75, name, count)
        for name, count in (
            ("not_below_zero", 1), ("co2_from_o2_dry", 4), ("co2_from_o2_wet", 5), ("heat_input_co2_wet", 3),
            ("heat_input_co2_dry", 4), ("heat_input_o2_wet", 5), ("heat_input_o2_dry", 5), ("moisture_from_o2", 2),
            ("emission_rate", 5), ("hour_mass", 2), ("fuel_heat_input", 2),
        )
    ),
    *(
        (calculated, plain_calculated, name, count)
        for name, count in (
            ("fuel_co2", 5), ("carbon_co2", 4), ("oxide_factor", 6), ("calcined_mass", 4), ("anode_factor", 4),
            ("cf4_by_slope", 3), ("cf4_by_overvoltage", 4), ("stock_change", 4), ("gas_density", 4),
            ("process_gas", 5), ("process_fuel_ratio", 4),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("module", "plain", "name", "count"), SCALARS, ids=[one[2] for one in SCALARS])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_formulas_equal_their_definitions(
    module: ModuleType, plain: ModuleType, name: str, count: int, data: st.DataObject
) -> None:
    """Arguments in [0.05, 20]; differences lose digits, so the scale is that of what is subtracted."""
    given_ = [data.draw(st.floats(0.05, 20.0)) for _ in range(count)]
    if name == "process_fuel_ratio":
        given_ = [0.02 * given_[0], 0.02 * given_[1], given_[2], 0.2095]
    if name == "emission_rate":
        given_[-1] = 20.9
    ours, theirs = getattr(module, name)(*given_), getattr(plain, name)(*given_)
    assert math.isnan(ours) == math.isnan(theirs)
    if not math.isnan(ours):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12 * 20.0**count)


LISTS = st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 1)), min_size=1, max_size=8)


@given(LISTS, LISTS, st.floats(0, 100))
@settings(deadline=None)
def test_balances_equal_their_definitions(
    one: list[tuple[float, float]], other: list[tuple[float, float]], clinker: float
) -> None:
    a, b = (tuple(map(np.array, zip(*pairs, strict=True))) for pairs in (one, other))
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("weighted", a),
        ("net_carbon", (*a, *b)),
        ("process_less_deductions", (clinker, 0.535, *a)),
        ("share_of_mixture", (clinker, a[1], a[1], 0)),
    ]
    for name, arguments in calls:
        ours, theirs = getattr(calculated, name)(*arguments), getattr(plain_calculated, name)(*arguments)
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-11), name
    for name in ("mass_of_hours", "mean_hourly_mass"):
        assert close(getattr(co2, name)(*a), getattr(reference, name)(*a), 4, scale=1e-200)


@pytest.mark.parametrize("flagged", [False, True])
def test_the_cap_acts_only_where_it_is_flagged(flagged: bool) -> None:
    for module in (part75, plain_part75):
        assert module.with_cap(3.1, 5.0, flagged) == (5.0 if flagged else 3.1)
        assert module.with_cap(7.0, 5.0, flagged) == (5.0 if flagged else 7.0)


def test_what_is_not_a_number_stays_none() -> None:
    """A rule that ends at zero makes no 0 of an unknown value."""
    assert math.isnan(part75.not_below_zero(math.nan))
    assert math.isnan(plain_part75.not_below_zero(math.nan))
    assert math.isnan(part75.co2_from_o2_dry(math.nan, 1800.0, 9780.0, 20.9))
    assert part75.co2_from_o2_wet(20.0, 8.0, 1800.0, 9780.0, 20.9) == 0.0


def test_a_kiln_by_the_oxygen_of_its_gas_would_lose_half_its_co2() -> None:
    """Why F-14A is refused for sources with carbonates: 9.6 % where the analyser sees 20 %."""
    assert part75.co2_from_o2_dry(10.0, 1800.0, 9780.0, 20.9) == pytest.approx(9.6, abs=0.05)


POSITIVE = st.floats(0.1, 10.0)


@given(st.lists(POSITIVE, min_size=3, max_size=3), st.lists(POSITIVE, min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_methods_equal_their_definitions(x: list[float], c: list[float]) -> None:
    for method, inputs, constants in [
        (13, 1, 3), (14, 2, 3), (15, 2, 1), (16, 3, 1), (17, 3, 2), (18, 3, 2), (19, 2, 0), (METHOD19, 2, 3),
        (KILN_RATIO, 2, 2),
    ]:  # fmt: skip
        own = [0.2095 if method == KILN_RATIO and i == 1 else one for i, one in enumerate(c)]
        scaled = [0.04 * one for one in x] if method == KILN_RATIO else x
        arguments = (
            np.array(scaled[:inputs]),
            np.array([20.9 + one for one in own[:constants]] if method < KILN_RATIO else own[:constants]),
        )
        ours, theirs = methods.evaluate(method, *arguments), reference.evaluate(method, *arguments)
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9, nan_ok=True), method


def test_heat_of_steam_as_a_method() -> None:
    steam = np.array([10.0, 700.0, 30.0]), np.array([83.74])
    assert methods.evaluate(STEAM_HEAT, *steam) == pytest.approx(25.4775474, abs=1e-6)
    assert reference.evaluate(STEAM_HEAT, *steam) == pytest.approx(25.4775474, abs=1e-6)
