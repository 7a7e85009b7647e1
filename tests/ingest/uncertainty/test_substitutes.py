"""Best estimates of substitutes: of which hours, and what the equation makes of them."""

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.methods.hour_states import MEASURED, NO_RULE, REPLACED, STOPPED
from ingest.methods.regimes import INPUT_OF
from ingest.methods.registry import METHODS
from ingest.methods.schemes import SCHEMES
from ingest.plant.regime_plan import PlanComponent, PlanRegime
from ingest.uncertainty.substitutes import ComponentHours, Estimates, estimates, rate_estimates
from kernels.methods import evaluate

N = 60
GAP = slice(40, 45)


def hours_of(code: int = 0, rests_on: int = 0, value: float = 99.0) -> ComponentHours:
    """Hours 0 to 59 of 0.0, 1.0, …; the 11th stood, 40 to 44 are replaced, the 50th has no value."""
    values, state = np.arange(N, dtype=np.float64), np.full(N, MEASURED)
    values[GAP], state[GAP] = value, REPLACED
    values[11], state[11] = np.nan, STOPPED
    values[50], state[50] = np.nan, NO_RULE
    codes, rests = np.ones(N, np.int64), np.zeros(N, np.int64)
    codes[GAP], rests[GAP] = code, rests_on
    return ComponentHours(values, state, codes, rests)


NO_BIN = np.full(N, -1)
ONE_PERIOD = np.zeros(N, np.int64)
BEFORE = [float(i) for i in range(40) if i != 11]
AFTER = [float(i) for i in range(45, 60) if i != 50]


@pytest.mark.parametrize("code", [8, 9, 10, 12])
def test_an_over_estimate_has_the_mean_of_its_lookback_beside_it(code: int) -> None:
    found = estimates(SCHEMES["part75.concentration"], hours_of(code), ONE_PERIOD, NO_BIN)
    assert found.best[GAP] == pytest.approx([statistics.mean(BEFORE)] * 5)
    assert found.u[GAP] == pytest.approx([statistics.stdev(BEFORE)] * 5)
    assert found.replaced.tolist() == [i in range(40, 45) for i in range(N)]
    assert np.isnan(found.best[~found.replaced]).all()
    assert len(set(found.gap[GAP].tolist())) == 1


@pytest.mark.parametrize("code", [6, 7, 11])
def test_a_mean_is_its_own_estimate(code: int) -> None:
    found = estimates(SCHEMES["part75.concentration"], hours_of(code, value=37.5), ONE_PERIOD, NO_BIN)
    assert found.best[GAP].tolist() == [37.5] * 5
    assert found.u[GAP] == pytest.approx([statistics.stdev(BEFORE)] * 5)


def test_the_lookback_is_as_long_as_the_schemes() -> None:
    short = replace(
        SCHEMES["part75.concentration"],
        constants=tuple(
            replace(one, value=7.0) if one.name == "lookback_h" else one
            for one in SCHEMES["part75.concentration"].constants
        ),
    )
    assert short["lookback_h"] == 7.0
    found = estimates(short, hours_of(8), ONE_PERIOD, NO_BIN)
    assert found.best[40] == pytest.approx(statistics.mean(BEFORE[-7:]))
    hj = estimates(SCHEMES["hj75.co2-mass"], hours_of(rests_on=12), ONE_PERIOD, NO_BIN)
    assert (hj.best[40], hj.u[40]) == (
        pytest.approx(statistics.mean(BEFORE[-12:])), pytest.approx(statistics.stdev(BEFORE[-12:])),
    )  # fmt: skip


def test_flow_is_that_of_its_load_bin() -> None:
    bins = np.arange(N) % 3
    found = estimates(SCHEMES["part75.flow"], hours_of(8), ONE_PERIOD, bins)
    for hour in range(40, 45):
        mine = [value for value in BEFORE if int(value) % 3 == hour % 3]
        assert (found.best[hour], found.u[hour]) == (
            pytest.approx(statistics.mean(mine)), pytest.approx(statistics.stdev(mine)),
        )  # fmt: skip
    empty = np.where(np.arange(N) < 40, 0, 5)
    found = estimates(SCHEMES["part75.flow"], hours_of(12), ONE_PERIOD, empty)
    assert found.best[40] == pytest.approx(statistics.mean(BEFORE))


def test_mrr_looks_at_its_reporting_period_before_and_after() -> None:
    period = (np.arange(N) >= 20).astype(np.int64)
    found = estimates(SCHEMES["mrr.concentration"], hours_of(), period, NO_BIN)
    mine = [value for value in BEFORE if value >= 20] + AFTER
    assert found.best[44] == pytest.approx(statistics.mean(mine))
    assert found.u[44] == pytest.approx(statistics.stdev(mine))


def test_part98_has_the_spread_of_the_hours_before() -> None:
    found = estimates(SCHEMES["40cfr98.35"], hours_of(value=42.0), ONE_PERIOD, NO_BIN)
    assert (found.best[41], found.u[41]) == (42.0, pytest.approx(statistics.stdev(BEFORE)))


def test_one_measured_hour_has_no_spread() -> None:
    few = hours_of(12)
    few.state[:39] = STOPPED
    found = estimates(SCHEMES["part75.concentration"], few, ONE_PERIOD, NO_BIN)
    assert np.isnan(found.best[GAP]).all()
    assert np.isnan(found.u[GAP]).all()


EQUATIONS = {
    "40cfr75.f-11": ("concentration", "flow"),
    "40cfr75.f-2": ("concentration", "flow", "moisture"),
    "40cfr98.c-7": ("concentration", "flow", "moisture"),
    "mrr.eq-1": ("concentration", "flow"),
}
_OF_O2 = ("o2", "flow", "moisture")
FROM_O2 = {"40cfr75.f-11": ("40cfr75.f-14b", _OF_O2), "40cfr75.f-2": ("40cfr75.f-14a", _OF_O2)}
F_FACTORS = (1800.0, 9780.0)


def regime_of(equation: str, o2: bool) -> PlanRegime:
    """Components whose points are in other units than the equation's."""
    from_o2, names = FROM_O2[equation] if o2 else (None, EQUATIONS[equation])
    components = tuple(
        PlanComponent(name, i, (10.0 if name == "flow" else 1.0, 0.0), None, ())
        for i, name in enumerate(names)
    )
    return PlanRegime(
        "part75",
        equation,
        1.0,
        0,
        None,
        components,
        None,
        None,
        (),
        None,
        5.0,
        from_o2,
        F_FACTORS if o2 else (),
    )


def rate_of(regime: PlanRegime, values: dict[str, float], flagged: bool) -> float:
    """By the kernels that make hours."""
    x = {INPUT_OF[one.name]: values[one.name] * one.scale[0] + one.scale[1] for one in regime.components}
    x["o2" if regime.from_o2 else "co2"] = 5.0 if flagged else x["o2" if regime.from_o2 else "co2"]
    if regime.from_o2:
        method = METHODS[regime.from_o2]
        x["co2"] = evaluate(
            method.number, np.array([x[i.name] for i in method.inputs]), np.array([*F_FACTORS, 20.9])
        )
    method = METHODS[regime.equation]
    constants = np.array([one.value for one in method.constants], np.float64)
    return float(evaluate(method.number, np.array([x[i.name] for i in method.inputs]), constants))


RANGE = {"concentration": (1.0, 20.0), "flow": (1e5, 1e7), "moisture": (1.0, 30.0), "o2": (1.0, 10.0)}


@settings(max_examples=200, deadline=None)
@given(
    equation=st.sampled_from([(name, False) for name in EQUATIONS] + [(name, True) for name in FROM_O2]),
    seed=st.integers(0, 2**32 - 1),
    lost=st.lists(st.booleans(), min_size=3, max_size=3),
    flagged=st.booleans(),
)
def test_the_rate_with_best_estimates_is_what_the_kernel_makes_of_them(
    equation: tuple[str, bool], seed: int, lost: list[bool], flagged: bool
) -> None:
    regime, random = regime_of(*equation), np.random.default_rng(seed)
    names = [one.name for one in regime.components]
    value = {name: float(random.uniform(*RANGE[name])) for name in names}
    best = {
        name: float(random.uniform(*RANGE[name])) if out else value[name]
        for name, out in zip(names, lost, strict=False)
    }
    u = {name: float(random.uniform(0.01, 0.1)) * best[name] for name in names}
    told = {
        name: Estimates(
            np.array([best[name] if out else np.nan]), np.array([u[name] if out else np.nan]), np.array([out]),
            np.zeros(1, np.int64),
        )
        for name, out in zip(names, lost, strict=False)
    }  # fmt: skip
    rate = rate_of(regime, value, flagged)
    values = {name: np.array([one]) for name, one in value.items()}
    found = rate_estimates(regime, values, told, np.array([rate]), np.array([flagged]))
    expected = rate_of(regime, best, flagged)
    assert found.best[0] == pytest.approx(expected, rel=1e-9)
    for name, out in zip(names, lost, strict=False):
        moved = rate_of(regime, {**best, name: best[name] + u[name]}, flagged) - expected
        assert found.u[name][0] == pytest.approx(moved if out else 0.0, rel=1e-6, abs=1e-12 * abs(expected))
    assert math.isfinite(rate)


def test_without_a_spread_there_is_no_estimate_of_the_rate() -> None:
    regime = regime_of("40cfr75.f-11", o2=False)
    none = Estimates(np.array([np.nan]), np.array([np.nan]), np.array([True]), np.zeros(1, np.int64))
    values = {"concentration": np.array([12.0]), "flow": np.array([1e6])}
    found = rate_estimates(regime, values, {"concentration": none}, np.array([68.4]), np.array([False]))
    assert np.isnan(found.best[0])
    capped = rate_estimates(regime, values, {"concentration": none}, np.array([28.5]), np.array([True]))
    assert capped.best[0] == 28.5, "the cap stands there, whatever was measured"
