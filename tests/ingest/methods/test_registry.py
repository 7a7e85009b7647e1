"""Methods are data that agree with the kernels and name their sources."""

import pytest

import kernels.rows
from ingest.methods import method as vocabulary
from ingest.methods import registry
from ingest.methods.gwp import GWP100
from ingest.methods.registry import CARBONATE_PROCESS, METHODS, NO_KERNEL, Method
from ingest.methods.schemes import SCHEMES
from ingest.methods.validity import REGIMES
from ingest.units import measure

NAMES = [
    name
    for name, value in vars(vocabulary).items()
    if name.isupper() and isinstance(value, int) and value > 0
]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_the_kernels(name: str) -> None:
    assert getattr(vocabulary, name) == getattr(kernels.rows, name)


@pytest.mark.parametrize("name", ["LINEAR", "RATIO", "HJ212_STACK_CO2", "PART98_C6", "PART98_C7"])
def test_numbers_stand_beside_the_methods(name: str) -> None:
    assert getattr(registry, name) == getattr(kernels.rows, name)


def test_every_kernel_method_is_reachable() -> None:
    assert {method.number for method in METHODS.values()} - {NO_KERNEL} == {1, 2, *range(10, 23)}
    assert len(NAMES) == 15


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_method_is_complete(method: Method) -> None:
    assert all((method.title, method.regime, method.edition, method.equation))
    for entry in method.inputs:
        measure(entry.unit, entry.basis)
    if method.unit is not None:
        measure(method.unit)
    for constant in method.constants:
        assert constant.source
        assert constant.trust in {"R", "RF", "P", "unconfirmed", "plant"}
        assert (constant.value is None) == (constant.trust == "plant")


def test_hj212_and_physics_share_a_kernel_and_differ_in_constants() -> None:
    hj, physics = METHODS["hj212-2017.annex-d"], METHODS["physics.stack-co2"]
    assert hj.number == physics.number
    assert [c.value for c in hj.constants] == [None, None, 44.0, 22.4, 273.0, 101325.0]
    assert [c.value for c in physics.constants] == [None, None, 44.01, 22.414, 273.15, 101325.0]


def test_gwp_is_kept_by_report() -> None:
    assert (GWP100["SAR"]["ch4"], GWP100["AR5"]["ch4"], GWP100["AR6"]["sf6"]) == (21, 28, 24300)
    assert "nf3" not in GWP100["SAR"]
    assert {sets["co2"] for sets in GWP100.values()} == {1}


def test_rules_that_methods_name_are_there() -> None:
    for method in METHODS.values():
        assert method.validity is None or method.validity in REGIMES
        assert method.substitution is None or method.substitution in SCHEMES


def test_methods_that_presume_fuel_alone_are_refused_for_kilns() -> None:
    """With 10 % O2 the O2 route reads 9.6 % CO2 where a kiln has 20 %."""
    refused = {method.id for method in METHODS.values() if CARBONATE_PROCESS in method.refused_for}
    assert refused == {
        *(f"40cfr75.{equation}" for equation in ("f-14a", "f-14b", "f-15", "f-16", "f-17", "f-18")),
        "method19.19-1",
    }


def test_unconfirmed_numbers_of_schemes_say_so() -> None:
    for scheme in SCHEMES.values():
        assert all(one.source and one.trust in {"R", "P", "unconfirmed"} for one in scheme.constants)
        assert len({one.name for one in scheme.constants}) == len(scheme.constants)
    assert {"upper_percentile", "middle_percentile", "at_end"} <= set(
        SCHEMES["part75.low-overstates"].unconfirmed
    )
    assert "lookback_h" not in SCHEMES["part75.flow"].unconfirmed
    assert SCHEMES["hj75.co2-mass"].label == "hj75_analogy"
    assert SCHEMES["hj75.mass"].label is None
