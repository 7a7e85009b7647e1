"""Figures over columns: demand blocks, load factor, power factor, ratios."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import reference, windows
from kernels.rows import HOUR_US
from tests.kernels.segments import close, ints

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "vectors.json"
AMOUNT = st.one_of(
    st.integers(-(10**6), 10**12).map(lambda count: count * 1e-6), st.just(math.nan), st.just(0.0)
)
AMOUNTS = st.lists(AMOUNT, max_size=30)
QUARTER = HOUR_US // 4


@given(AMOUNTS, st.data())
@settings(max_examples=80, deadline=None)
def test_column_figures_equal_their_definitions(a: list[float], data: st.DataObject) -> None:
    b = data.draw(st.lists(AMOUNT, min_size=len(a), max_size=len(a)))
    for name in ("power_factor", "ratio"):
        actual, expected = np.zeros(len(a)), np.zeros(len(a))
        getattr(windows, name)(np.array(a), np.array(b), actual)
        getattr(reference, name)(np.array(a), np.array(b), expected)
        assert all(close(x, y) for x, y in zip(actual.tolist(), expected.tolist(), strict=True)), name
    actual_load, expected_load = (m.load_factor(np.array(a)) for m in (windows, reference))
    assert close(actual_load, expected_load)


@given(st.lists(st.tuples(st.integers(-20, 60), AMOUNT, st.integers(0, 60)), max_size=30))
@settings(max_examples=80, deadline=None)
def test_blocks_and_rates_equal_their_definitions(rows: list[tuple[int, float, int]]) -> None:
    rows.sort(key=lambda row: row[0])
    start_at = np.array([row[0] for row in rows], np.int64)
    amount = np.array([row[1] for row in rows], np.float64)
    time_us = np.array([row[2] for row in rows], np.int64)
    found = []
    for module in (windows, reference):
        n = len(rows)
        starts, sums, times, rates = np.zeros(n, np.int64), np.zeros(n), np.zeros(n, np.int64), np.zeros(n)
        n = module.block_sums(start_at, amount, time_us, 15, starts, sums, times)
        module.rate(sums[:n].copy(), times[:n].copy(), rates)
        found.append((starts[:n].tolist(), sums[:n].tolist(), times[:n].tolist(), rates[:n].tolist()))
    assert str(found[0]) == str(found[1])


def test_a_day_of_quarter_hours() -> None:
    """Demand is energy by covered hours; the load factor is mean by largest demand."""
    start_at = np.arange(96, dtype=np.int64) * QUARTER
    amount = np.full(96, 25.0)
    amount[10] = 50.0
    starts, sums, times = np.zeros(96, np.int64), np.zeros(96), np.zeros(96, np.int64)
    n = windows.block_sums(start_at, amount, np.full(96, QUARTER), 4 * QUARTER, starts, sums, times)
    rates = np.zeros(n)
    windows.rate(sums[:n].copy(), times[:n].copy(), rates)
    assert (n, rates.max(), starts[2]) == (24, 125.0, 2 * HOUR_US)
    assert windows.load_factor(rates) == pytest.approx((23 * 100 + 125) / 24 / 125, rel=1e-15)


def test_unknown_amounts_take_neither_energy_nor_time() -> None:
    out = ints(0, 0), np.zeros(2), ints(0, 0)
    n = windows.block_sums(ints(0, 5), np.array([3.0, math.nan]), ints(5, 5), 15, *out)
    assert (n, out[1][0], out[2][0]) == (1, 3.0, 5)
    assert windows.block_sums(ints(0, 5), np.array([math.nan, math.nan]), ints(5, 5), 15, *out) == 0
    assert math.isnan(windows.load_factor(np.array([math.nan])))


def test_power_factor_of_a_real_steel_works() -> None:
    if not VECTORS.exists():
        pytest.skip(f"power.factor: the worked examples are not beside this checkout ({VECTORS.name})")
    cases = [case for case in json.loads(VECTORS.read_text()) if case["op"] == "power.factor"]
    assert cases
    for case in cases:
        kwh, kvarh = np.array(case["inputs"]["kwh"]), np.array(case["inputs"]["kvarh"])
        out = np.zeros(kwh.size)
        windows.power_factor(kwh, kvarh, out)
        assert (100 * out).tolist() == pytest.approx(case["expected"]["power_factor_pct"], abs=case["tol"])


def test_a_plant_that_draws_nothing_has_no_power_factor() -> None:
    out = np.zeros(1)
    windows.power_factor(np.zeros(1), np.zeros(1), out)
    assert math.isnan(out[0])
