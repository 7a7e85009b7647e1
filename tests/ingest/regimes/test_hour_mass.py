"""The pure function from hourly facts to hours: equations, operation, bins, the cap, and what is not known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.methods.hour_states import HourReason
from ingest.model import HOUR, MINUTE, Quality
from ingest.plant.regime_plan import PlanComponent, PlanRegime
from ingest.regimes.control import Calibrations
from ingest.regimes.hour_rows import HourRows
from ingest.regimes.records import hour_facts
from ingest.regimes.source_hours import hours_of
from kernels.hours import HOUR_FACT
from kernels.rows import INTERVAL_ROW, Records

KG_PER_SHORT_TON = 907.18474
WHOLE = (1.0, 0.0)


def component(name: str, potential: float | None = None) -> PlanComponent:
    return PlanComponent(name, 0, WHOLE, potential, ())


US = PlanRegime(
    rule="part75",
    equation="40cfr75.f-11",
    kg_per_rate=KG_PER_SHORT_TON,
    offset_us=0,
    since=None,
    components=(component("concentration", 16.0), component("flow", 2e7)),
    operating=None,
    load=None,
    load_edges=(),
    cap=None,
    cap_value=5.0,
    from_o2=None,
    f_factors=(),
)
N = 40


def facts(value: Any, n: int = N) -> Records:
    """Whole, valid hours."""
    found = np.zeros(n, HOUR_FACT)
    found["start_at"], found["value"] = HOUR * np.arange(n), value
    found["valid_us"] = found["minutes_us"] = found["covered_us"] = HOUR
    found["quarters"], found["apart_us"] = 15, 59 * MINUTE
    return found


def state(on_us: Any, n: int = N) -> Records:
    found = facts(np.nan, n)
    found["on_us"] = on_us
    found["quarters"] = np.where(found["on_us"] >= HOUR, 15, np.where(found["on_us"] > 0, 3, 0))
    return found


def made(regime: PlanRegime, tests: dict[str, Any] | None = None, **given: Records) -> HourRows:
    return hours_of(regime, given, tests or {}, 0, N * HOUR)


def test_f11_by_hand() -> None:
    found = made(US, concentration=facts(10.0), flow=facts(1e7))
    assert found.hours["rate"] == pytest.approx(np.full(N, 57.0))
    assert found.hours["mass_kg"] == pytest.approx(np.full(N, 57.0 * KG_PER_SHORT_TON))
    assert (found.hours["quality"] == Quality.GOOD).all()
    assert not found.hours["reasons"].any()


def test_mass_is_the_rate_by_the_time_the_unit_ran_and_0_while_it_stood() -> None:
    on = np.full(N, HOUR)
    on[3], on[4] = HOUR // 2, 0
    regime = replace(US, operating=1)
    found = made(regime, concentration=facts(10.0), flow=facts(1e7), operating=state(on)).hours
    assert found["mass_kg"][2:5] == pytest.approx(np.array([57.0, 28.5, 0.0]) * KG_PER_SHORT_TON)
    assert found["reasons"][4] == HourReason.STOPPED


def test_an_hour_whose_operation_is_not_known_has_no_mass() -> None:
    running = state(HOUR)
    running["valid_us"][5] = HOUR - 1
    found = made(
        replace(US, operating=1), concentration=facts(10.0), flow=facts(1e7), operating=running
    ).hours
    assert np.isnan(found["mass_kg"]).nonzero()[0].tolist() == [5]
    assert found["reasons"][5] == HourReason.OPERATION_UNKNOWN
    assert found["quality"][5] == Quality.BAD


def test_the_cap_stands_for_the_concentration_in_flagged_hours_only() -> None:
    flag = state(0)
    flag["on_us"][7] = MINUTE
    found = made(replace(US, cap=2), concentration=facts(3.1), flow=facts(2e7), cap=flag).hours
    assert found["rate"][6:8] == pytest.approx([35.34, 57.0])
    assert found["reasons"][7] == HourReason.DILUENT_CAP


def test_co2_from_o2_by_f14b() -> None:
    regime = replace(
        US,
        components=(component("flow", 2e7), component("moisture", 3.0), component("o2", 2.0)),
        from_o2="40cfr75.f-14b",
        f_factors=(1800.0, 9780.0),
    )
    found = made(regime, o2=facts(8.0), moisture=facts(10.0), flow=facts(1e7)).hours
    co2 = 100 / 20.9 * (1800 / 9780) * (20.9 * 0.9 - 8.0)
    assert found["rate"] == pytest.approx(np.full(N, 5.7e-7 * co2 * 1e7))


def test_missing_flow_takes_the_mean_of_its_load_bin() -> None:
    load = facts(np.where(np.arange(N) % 2 == 0, 10.0, 90.0))
    flow = facts(np.where(np.arange(N) % 2 == 0, 1e6, 9e6))
    flow["valid_us"][30], flow["quarters"][30], flow["value"][30] = 0, 0, np.nan
    regime = replace(US, load=3, load_edges=(50.0,))
    found = made(regime, concentration=facts(10.0), flow=flow, load=load)
    assert found.components["flow"]["value"][30] == 1e6
    assert found.hours["quality"][30] == Quality.SUBSTITUTED


def test_mrr_has_no_rule_for_flow() -> None:
    flow = facts(1e5)
    flow["valid_us"][9], flow["value"][9] = HOUR // 2, np.nan
    regime = replace(US, rule="mrr", equation="mrr.eq-1", kg_per_rate=1000.0)
    found = made(regime, concentration=facts(200.0), flow=flow).hours
    assert np.isnan(found["mass_kg"]).nonzero()[0].tolist() == [9]
    assert found["reasons"][9] == HourReason.NO_RULE
    assert found["mass_kg"][8] == pytest.approx(200.0 * 1e5 * 1e-3)


def test_hj75_has_no_mass_below_its_least_capture() -> None:
    gas = facts(10.0)
    for name in ("valid_us", "minutes_us", "quarters"):
        gas[name][20:] = 0
    gas["value"][20:] = np.nan
    regime = replace(US, rule="hj75", equation="hj212-2017.33", kg_per_rate=1000.0)
    found = made(regime, concentration=gas, flow=facts(1e5)).hours
    assert np.isnan(found["mass_kg"][20:]).all()
    assert (found["reasons"][20:] & HourReason.BELOW_MIN_CAPTURE).all()


def test_a_negative_concentration_is_0_and_says_so_but_stays_in_the_fact() -> None:
    gas = facts(10.0)
    gas["value"][4] = -0.2
    found = made(US, concentration=gas, flow=facts(1e7)).components["concentration"]
    assert (found["value"][4], found["code"][4]) == (0.0, 21)
    assert gas["value"][4] == -0.2


def test_a_concentration_of_0_at_load_is_flagged_and_used() -> None:
    """Above the first load bin, under Part 75: it may be a dead analyser."""
    gas = facts(10.0)
    gas["value"][4:7] = 0.0, -0.2, 0.0
    load = facts(np.where(np.arange(N) == 6, 10.0, 90.0))
    regime = replace(US, load=3, load_edges=(50.0,))
    found = made(regime, concentration=gas, flow=facts(1e7), load=load)
    flagged = found.hours["reasons"] & HourReason.ZERO_AT_LOAD
    assert np.flatnonzero(flagged).tolist() == [4, 5]
    assert (found.hours["mass_kg"][4:7] == 0.0).all()
    other = replace(regime, rule="part98", equation="40cfr98.c-6")
    assert not made(other, concentration=gas, flow=facts(1e7), load=load).hours["reasons"].any()


def test_facts_leave_out_what_the_plants_own_system_substituted() -> None:
    rows = np.zeros(4, INTERVAL_ROW)
    rows["start_at"] = 15 * MINUTE * np.arange(4)
    rows["covered_us"], rows["valid_us"] = 15 * MINUTE, [15 * MINUTE, 5 * MINUTE, 0, 15 * MINUTE]
    rows["substituted_us"] = [0, 0, 15 * MINUTE, 0]
    rows["mean"] = [10.0, 22.0, 99.0, 13.0]
    (fact,) = hour_facts(rows, offset_us=0, interval_us=15 * MINUTE, least_valid_us=0.0, is_state=False)
    assert fact["value"] == pytest.approx((10 * 15 + 22 * 5 + 13 * 15) / 35)
    assert fact["valid_us"] == 35 * MINUTE
    assert fact["quarters"] == 0b1011


def test_hours_begin_in_the_regimes_own_time() -> None:
    rows = np.zeros(4, INTERVAL_ROW)
    rows["start_at"] = 15 * MINUTE * np.arange(4)
    rows["covered_us"] = rows["valid_us"] = 15 * MINUTE
    found = hour_facts(
        rows, offset_us=30 * MINUTE, interval_us=15 * MINUTE, least_valid_us=0.0, is_state=False
    )
    assert found["start_at"].tolist() == [-30 * MINUTE, 30 * MINUTE]
    assert found["quarters"].tolist() == [0b1100, 0b0011]


@settings(deadline=None, max_examples=25)
@given(
    dead=st.sets(st.integers(0, N - 1), max_size=12),
    cut=st.integers(1, N - 1),
    rule=st.sampled_from(["part75", "hj75", "mrr", "part98"]),
    failed=st.integers(0, N - 2),
)
def test_what_is_settled_stays_when_more_becomes_known(
    dead: set[int], cut: int, rule: str, failed: int
) -> None:
    """Of hours known so far those that are not provisional are the same in all that is told later."""
    equation = {"part75": "40cfr75.f-11", "hj75": "hj212-2017.33", "mrr": "mrr.eq-1", "part98": "40cfr98.c-6"}
    regime = replace(US, rule=rule, equation=equation[rule])
    gas = facts(10.0 + np.arange(N) % 7)
    for hour in dead:
        gas["valid_us"][hour] = gas["minutes_us"][hour] = gas["quarters"][hour] = 0
        gas["value"][hour] = np.nan
    at = np.array([failed * HOUR, (failed + 1) * HOUR])
    tests = {"concentration": {"linearity": Calibrations(at, np.array([0, 1]), np.zeros(0))}}
    given = {"concentration": gas, "flow": facts(1e6)}
    whole = hours_of(regime, given, tests, 0, N * HOUR)
    part = hours_of(regime, given, tests, 0, cut * HOUR)
    differs = part.differs(whole)
    assert (part.hours["provisional"][differs] != 0).all()
