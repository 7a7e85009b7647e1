"""Schedules: figures held against ones added up by hand, and the choice against a truth the model does not know."""

from dataclasses import replace

import numpy as np
import pytest

from service.schedules.backtest import backtest
from service.schedules.forecast import seasonal
from service.schedules.learning import PAIR, PRODUCT, UNIT, Learned, Runs, learn, run_kwh
from service.schedules.scenarios import Errors, expect, ramp_error
from service.schedules.scoring import HOUR_US, Blocks, Candidates, rank, score
from tests.service.schedule_plant import PRODUCTS, UNITS, Plant
from tests.service.schedules_truth import NEAR, outcomes


def runs() -> Runs:
    """Two products on one of two units: 10 kWh and 0.1 h a tonne of the first, 20 and 0.2 of the second."""
    product = np.array([0, 1, 0, 1, 0])
    hours = np.where(product == 0, 1.0, 2.0)
    start = np.arange(5) * 10 * HOUR_US
    return Runs(
        np.zeros(5, np.int64),
        product,
        np.array([-1, 0, 1, 0, 1]),
        start,
        start + (hours * HOUR_US).astype(np.int64),
        np.full(5, 10.0),
        np.where(product == 0, 100.0, 200.0),
        hours,
        np.array([5.0, 5.0, 7.0, 5.0, 6.0]),
        np.full(5, 0.25),
        np.array([np.nan, 30.0, 10.0, 30.0, 10.0]),
        np.full(5, 0.5),
        np.array([np.nan, 8.0, 8.0, 8.0, 8.0]),
        np.array([np.nan, 4.0, 4.0, 4.0, 4.0]),
    )


def candidates(*rows: list[tuple[int, int, float, float]]) -> Candidates:
    """Of (unit, product, quantity, start in hours)."""
    table = np.array(rows, dtype=np.float64)
    return Candidates(
        table[..., 0].astype(np.int64),
        table[..., 1].astype(np.int64),
        table[..., 2],
        (table[..., 3] * HOUR_US).astype(np.int64),
        np.full(table.shape[:2], np.nan),
    )


def blocks() -> Blocks:
    hour = np.arange(96) // 4
    return Blocks(0, HOUR_US // 4, np.full(96, 25.0), np.where(hour < 4, 1.0, 2.0), 0.1 + hour / 100, 3.0)


@pytest.fixture
def learned() -> Learned:
    return learn(runs(), 2, 2)


def test_what_is_learned_is_sums_over_sums_and_medians(learned: Learned) -> None:
    assert learned.per_quantity_kwh[0].tolist() == [10, 20]
    assert learned.rate_per_hour[0].tolist() == [10, 5]
    assert learned.ramp_kwh[0].tolist() == [[6, 6, 6], [5, 5, 5]]
    assert learned.runs[0].tolist() == [3, 2]
    assert (learned.from_at[0, 1], learned.to_at[0, 1]) == (10 * HOUR_US, 32 * HOUR_US)
    assert learned.changeover_kwh[0].tolist() == [[0, 30], [10, 0]]
    assert learned.idle_kw[0] == 2
    assert np.isnan(learned.per_quantity_kwh[1]).all()


def test_a_ramp_is_learned_by_how_long_the_unit_stood() -> None:
    idle = np.array([np.nan, 0.25, 0.4, 1.5, 5.0])
    one = np.zeros(5, np.int64)
    found = learn(replace(runs(), product=one, previous=one, idle_hours=idle), 1, 1)
    assert found.ramp_kwh[0, 0].tolist() == [6, 5, 5.5]


def test_a_run_not_measured_throughout_is_left_out_and_counted() -> None:
    holed = replace(runs(), run_kwh=np.array([100.0, np.nan, 100.0, 200.0, 900.0]))
    found = learn(holed, 1, 2)
    assert (found.runs[0].tolist(), found.left_out[0].tolist()) == ([3, 1], [0, 1])
    assert found.per_quantity_kwh[0].tolist() == [1100 / 30, 20]


def test_a_load_that_bends_with_the_lot_is_learned_where_the_past_shows_it() -> None:
    quantity = np.array([10.0, 20, 30, 40, 50])
    one = np.zeros(5, np.int64)
    past = replace(
        runs(), product=one, previous=one, quantity=quantity, run_kwh=quantity * (8 + 0.1 * quantity)
    )
    found = learn(past, 1, 1)
    at = np.array([5.0, 25.0, 60.0])
    assert run_kwh(found, one[:3], one[:3], at) == pytest.approx(at * (8 + 0.1 * at))
    noise = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    straight = learn(replace(past, run_kwh=quantity * 10 + noise), 1, 1)
    assert straight.lot_kwh[0, 0] == 0
    assert run_kwh(straight, one[:1], one[:1], at[:1]) == pytest.approx(5 * straight.per_quantity_kwh[0, 0])


def test_ramps_and_the_load_beside_scatter_peaks_not_energy(learned: Learned) -> None:
    given = candidates([(0, 1, 10, 8), (0, 0, 10, 0)])
    plain = score(learned, given, blocks())
    beside = expect(learned, given, blocks(), Errors(0, 0, 0, 0, 0, 20.0))
    assert beside.scores.peak_kw[0] > plain.peak_kw[0] + 10
    assert beside.scores.energy_kwh == pytest.approx(plain.energy_kwh)
    ramped = expect(learned, given, blocks(), Errors(0, 0, 0, 0, 0.5, 0.0))
    low, high = ramped.intervals["energy_kwh"][:, 0]
    assert low < plain.energy_kwh[0] - 2 < plain.energy_kwh[0] + 2 < high


def test_the_error_of_ramps_is_that_around_the_learned_ones(learned: Learned) -> None:
    assert ramp_error(runs(), learned) == pytest.approx(np.sqrt((2 * (1 / 6) ** 2) / 5))


def test_a_changeover_never_seen_falls_back_and_says_so() -> None:
    found = learn(replace(runs(), previous=np.array([-1, 0, 1, 0, 1])), 1, 3)
    assert found.changeover_basis[0, 0, 1] == PAIR
    assert (found.changeover_basis[0, 2, 1], found.changeover_kwh[0, 2, 1]) == (PRODUCT, 30)
    assert (found.changeover_basis[0, 0, 2], found.changeover_kwh[0, 0, 2]) == (UNIT, 20)


def test_figures_of_a_schedule_are_those_added_up_by_hand(learned: Learned) -> None:
    # 10 t of the first from 0 h: ramp 6 kWh to 0.25, run 100 kWh to 1.25; idle to 7.5 at 2 kW; changeover 30 kWh to 8;
    # then ramp 5 kWh to 8.25 and run 200 kWh to 10.25.
    found = score(learned, candidates([(0, 1, 10, 8), (0, 0, 10, 0)]), blocks())
    assert found.energy_kwh[0] == pytest.approx(6 + 100 + 12.5 + 30 + 5 + 200)
    assert found.order_kwh[0].tolist() == [205, 106]
    # Largest quarters: 25 kWh of running at 100 kW, 15 of changeover; the base is 25.
    assert found.peak_kw[0] == pytest.approx(200)
    early = 106 + 2 * (4 - 1.25)
    assert found.cost[0] == pytest.approx(early + 2 * (353.5 - early) + 3 * 200)
    # kg: hour by hour.
    kwh = {0: 6 + 75, 1: 25 + 1.5, **dict.fromkeys(range(2, 7), 2), 7: 1 + 30, 8: 5 + 75, 9: 100, 10: 25}
    assert found.co2_kg[0] == pytest.approx(sum(value * (0.1 + hour / 100) for hour, value in kwh.items()))


def test_what_cannot_be_scored_has_no_figures_and_names_its_order(learned: Learned) -> None:
    found = score(
        learned,
        candidates(
            [(0, 0, 10, 0), (1, 0, 10, 5)],
            [(0, 0, 10, 0), (0, 1, 10, 1)],
            [(0, 0, 10, 0), (0, 0, 10, 23.5)],
            [(0, 0, 10, 0), (-1, 0, 0, 0)],
        ),
        blocks(),
    )
    assert found.unlearned.tolist() == [[False, True], [False, False], [False, False], [False, False]]
    assert found.overlapping.tolist() == [[False, False], [False, True], [False, False], [False, False]]
    assert found.outside.tolist() == [[False, False], [False, False], [False, True], [False, False]]
    assert np.isfinite(found.cost).tolist() == [False, False, False, True]
    assert rank(found, {"cost": 1.0}).tolist() == [3, 0, 1, 2]


def test_ties_keep_the_place_as_given(learned: Learned) -> None:
    found = score(learned, candidates([(0, 0, 10, 0)], [(0, 0, 5, 0)], [(0, 0, 10, 0)]), blocks())
    assert rank(found, {"cost": 1.0, "co2_kg": 2.0}).tolist() == [1, 0, 2]
    with pytest.raises(ValueError, match="not negative"):
        rank(found, {"cost": -1.0})


def test_without_errors_what_is_expected_is_the_score(learned: Learned) -> None:
    given = candidates([(0, 1, 10, 8), (0, 0, 10, 0)], [(0, 0, 10, 0), (1, 0, 10, 5)])
    plain = score(learned, given, blocks())
    found = expect(learned, given, blocks(), Errors(0, 0, 0, 0, 0, 0), draws=2)
    assert found.scores.cost == pytest.approx(plain.cost, rel=1e-9, nan_ok=True)
    assert found.intervals["co2_kg"][:, 0] == pytest.approx(np.repeat(plain.co2_kg[0], 2))
    assert np.isnan(found.intervals["cost"][:, 1]).all()


def test_errors_widen_the_interval_and_a_score_is_repeatable(learned: Learned) -> None:
    given = candidates([(0, 1, 10, 8), (0, 0, 10, 0)])
    errors = Errors(0.05, 0.05, 0.02, 0.1, 0.1, 10.0)
    found, again = (expect(learned, given, blocks(), errors) for _ in range(2))
    assert (found.intervals["cost"] == again.intervals["cost"]).all()
    low, high = found.intervals["co2_kg"][:, 0]
    assert 0.2 < (high - low) / found.scores.co2_kg[0] < 0.6


def test_only_what_a_schedule_adds_to_the_peak_is_charged(learned: Learned) -> None:
    given = candidates([(0, 0, 10, 0)])
    plain, partly, not_at_all = (
        score(learned, given, replace(blocks(), peak_so_far_kw=kw)).cost[0] for kw in (0, 150, 500)
    )
    assert plain - partly == pytest.approx(3 * 150)
    assert partly - not_at_all == pytest.approx(3 * 50)


def test_forecast_is_the_same_hour_of_past_days_and_says_its_error() -> None:
    day = np.arange(1, 25).astype(np.float64)
    found = seasonal(np.concatenate((day, 2 * day, 3 * day)), 2)
    assert found.by_hour.tolist() == (2.5 * day).tolist()
    assert found.tested_days == 2
    assert found.bias == pytest.approx((1 + 1.5) / (2 + 3) - 1)
    assert seasonal(day, 7).tested_days == 0


def test_backtest_knows_nothing_of_what_comes_after() -> None:
    past = Plant(3).past()
    begin = past.start_at[300]
    doubled = replace(past, run_kwh=np.where(past.start_at >= begin, 2 * past.run_kwh, past.run_kwh))
    before = backtest(past.where(past.start_at < begin), UNITS, PRODUCTS)
    after = backtest(doubled, UNITS, PRODUCTS)
    assert abs(before.bias) < 0.05
    assert after.bias < -0.1
    assert before.mape < 0.15 < after.mape


def test_the_choice_is_near_the_true_best() -> None:
    """Some of the seeds; a hundred by `python -m tests.service.schedules_truth`."""
    found = outcomes(range(3000, 3004), realisations=3)
    for criterion in ("cost", "co2_kg"):
        of = [one for one in found if one.criterion == criterion]
        assert max(one.near for one in of) < 0.5, "a choice that cannot fail shows nothing"
        assert sum(one.chosen <= NEAR for one in of) >= 3
