"""Methods are data that agree with the kernels and name their sources."""

import pytest

import kernels.rows
from ingest.methods import registry
from ingest.methods.gwp import GWP100
from ingest.methods.registry import METHODS, NO_KERNEL, Method
from ingest.units import measure


@pytest.mark.parametrize("name", ["LINEAR", "RATIO", "HJ212_STACK_CO2", "PART98_C6", "PART98_C7"])
def test_numbers_are_the_kernels(name: str) -> None:
    assert getattr(registry, name) == getattr(kernels.rows, name)


def test_every_kernel_method_is_reachable() -> None:
    assert {method.number for method in METHODS.values()} - {NO_KERNEL} == {1, 2, 10, 11, 12}


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
