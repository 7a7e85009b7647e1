"""The table of faults: what each does to the residuals of a boiler and a kiln, and which is named.

Dry gas from unit fuel CO2, RQ 0.888, air 20.95 % O2; boiler at 6 % O2 without process CO2, kiln at 10 % O2
with 1.636 of process by fuel; a leak dilutes the sample with 5 % air, false air is 10 % of the dry gas.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.reconciliation.faults import FAULTS, ReadUncertainty, judge, residual_uncertainty
from ingest.reconciliation.gas import OXYGEN_OF_AIR, Stack, process_fuel_ratio, residuals

RQ = 0.888
PLANTS = {"boiler": (0.06, 0.0), "kiln": (0.10, 1.636)}
WELL_KNOWN = ReadUncertainty(co2=0.004, o2=0.0005, flow=0.006, fuel=0.004, process=0.004, baseline=0.006)
"""Uncertainties against which 5 % stand out in every residual."""


def gas_of(o2: float, ratio: float) -> Stack:
    """A plant in balance, by adding up molecules: combustion first, then excess air to the O2 wanted."""
    fuel, process = 1.0, ratio
    air_needed = fuel / RQ / OXYGEN_OF_AIR
    nitrogen = air_needed * (1 - OXYGEN_OF_AIR)
    tight = fuel + process + nitrogen
    # Excess air e: o2·(tight + e) = 20.95 %·e.
    excess = o2 * tight / (OXYGEN_OF_AIR - o2)
    dry = tight + excess
    return Stack((fuel + process) / dry, o2, dry, fuel, process)


def with_false_air(stack: Stack, share: float) -> Stack:
    air = share * stack.flow
    dry = stack.flow + air
    return stack._replace(
        co2=stack.co2 * stack.flow / dry, o2=(stack.o2 * stack.flow + OXYGEN_OF_AIR * air) / dry, flow=dry
    )


TABLE = [
    ("co2", 0.05, (6.3, 0, 5.0, 0), (13.5, 0, 5.0, 0)),
    ("o2", 0.01, (9.0, -6.7, 0, 0), (28, -9.1, 0, 0)),
    ("flow", -0.05, (0, -5.0, -5.0, 0), (0, -5.0, -5.0, 0)),
    ("fuel", 0.05, (0, -4.8, -4.8, 5.0), (5.0, -3.7, -1.9, 5.0)),
    ("leak", 0.05, (0, -5.0, -5.0, 0), (0, -5.0, -5.0, 0)),
]


def injected(plant: str, fault: str, size: float) -> Stack:
    return FAULTS[fault](gas_of(*PLANTS[plant]), size)


@pytest.mark.parametrize(("fault", "size", "boiler", "kiln"), TABLE, ids=[row[0] for row in TABLE])
def test_residuals_of_a_fault(
    fault: str, size: float, boiler: tuple[float, ...], kiln: tuple[float, ...]
) -> None:
    for plant, expected in (("boiler", boiler), ("kiln", kiln)):
        found = 100 * residuals(injected(plant, fault, size), RQ, 1.0)
        assert found == pytest.approx(expected, abs=0.1), plant


@pytest.mark.parametrize("plant", PLANTS)
def test_false_air_is_no_fault(plant: str) -> None:
    stack = with_false_air(gas_of(*PLANTS[plant]), 0.1)
    assert residuals(stack, RQ, 1.0) == pytest.approx([0, 0, 0, 0], abs=1e-12)
    assert judge(stack, RQ, 1.0, WELL_KNOWN).likely == ()


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize(("fault", "size"), [row[:2] for row in TABLE])
def test_the_fault_is_named_with_what_it_cannot_be_told_from(plant: str, fault: str, size: float) -> None:
    found = judge(injected(plant, fault, size), RQ, 1.0, WELL_KNOWN)
    expected = {"flow", "leak"} if fault in {"flow", "leak"} else {fault}
    assert set(found.likely) == expected
    assert found.sizes[fault] == pytest.approx(size, rel=0.1)


def test_a_flow_that_reads_high_is_no_leak() -> None:
    assert judge(injected("kiln", "flow", 0.05), RQ, 1.0, WELL_KNOWN).likely == ("flow",)


@pytest.mark.parametrize("fault", ["flow", "fuel"])
def test_without_a_baseline_a_boilers_flow_and_fuel_are_not_told_apart(fault: str) -> None:
    size = -0.05 if fault == "flow" else 0.05
    found = judge(injected("boiler", fault, size), RQ, math.nan, WELL_KNOWN)
    assert {"flow", "fuel"} <= set(found.likely)
    assert math.isnan(found.scores[3])
    # Of a kiln the process tells them apart.
    assert ("fuel" in judge(injected("kiln", fault, size), RQ, math.nan, WELL_KNOWN).likely) is (
        fault == "fuel"
    )


def test_two_faults_have_no_single_explanation() -> None:
    stack = FAULTS["o2"](injected("kiln", "fuel", 0.08), 0.02)
    assert judge(stack, RQ, 1.0, WELL_KNOWN).likely == ()


def test_composition_of_a_kiln_sees_little() -> None:
    """CO2 1.2 % and O2 0.2 % absolute: r1 has u of 6 %, so it sees a CO2 error only above 5 %."""
    read = ReadUncertainty(co2=0.012, o2=0.002, flow=0, fuel=0, process=0, baseline=0)
    u = residual_uncertainty(gas_of(*PLANTS["kiln"]), RQ, 1.0, read)
    assert round(100 * u[0]) == 6


def test_process_share_of_preset_a() -> None:
    """Domain 3.2: 1.630 at 19.979 % CO2 and 10 % O2; +3 % on CO2 +8.0 %, +0.3 % O2 absolute +7.5 %."""
    plain = process_fuel_ratio(0.199792, 0.10, 0.8877)
    assert plain == pytest.approx(1.63019, abs=5e-6)
    assert process_fuel_ratio(1.03 * 0.199792, 0.10, 0.8877) / plain - 1 == pytest.approx(0.080, abs=1e-3)
    assert process_fuel_ratio(0.199792, 0.103, 0.8877) / plain - 1 == pytest.approx(0.075, abs=2e-3)


@given(st.floats(0.0, 0.15), st.floats(0.0, 3.0), st.floats(0.0, 0.5))
def test_a_plant_in_balance_has_no_residuals(o2: float, ratio: float, false_air: float) -> None:
    stack = with_false_air(gas_of(o2, ratio), false_air)
    found = residuals(stack, RQ, 1.0)
    scale = 1.0 if ratio == 0 else max(1.0, 1.0 / ratio)
    assert found == pytest.approx(np.zeros(4), abs=1e-9 * scale)
