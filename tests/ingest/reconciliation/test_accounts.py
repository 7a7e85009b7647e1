"""Hours of two accounts: lags, what is valid in both, and the terms of their difference."""

import numpy as np
import pytest

from ingest.model import HOUR
from ingest.plant import compile_plan, parse_plant
from ingest.plant.plan_reconciliation import PlanReconciliation
from ingest.reconciliation.accounts import accounts, difference_terms, longest_lag_h
from tests.ingest.uncertainty.cement import PLANT, START


def plan_of(calculated: str) -> PlanReconciliation:
    text = PLANT + f"reconciliations:\n  - {{id: r, measured: stack, calculated: {calculated}}}\n"
    (found,) = compile_plan(parse_plant(text, "x")).reconciliations
    return found


def test_a_source_that_is_weighed_later_is_compared_with_the_hour_it_left_in() -> None:
    plan = plan_of("[{source: fuel}, {source: process, lag: 90min}]")
    assert longest_lag_h(plan) == 2
    left = np.array([5.0, 9.0, 7.0, 8.0, 6.0, 4.0, 4.0, 4.0])
    registered = np.full(8, np.nan)
    for hour in range(6):  # half of an hour's mass is registered one hour later, half two
        registered[hour + 1] = np.nansum([registered[hour + 1], left[hour] / 2])
        registered[hour + 2] = left[hour] / 2
    fuel = np.ones(8)
    found = accounts(
        plan, {"line/stack": left + fuel, "line/fuel": fuel, "line/process": registered}, START, 4
    )
    smoothed = [(a + 2 * b + c) / 4 for a, b, c in zip([np.nan, 5, 9, 7], left[:4], left[1:5], strict=True)]
    assert found.of_source["line/process"][1:] == pytest.approx(smoothed[1:])
    assert found.valid.tolist() == [True] * 4
    assert found.begin_at == START


def test_an_hour_that_one_source_lacks_is_valid_in_neither() -> None:
    plan = plan_of("[{source: fuel}, {source: process}]")
    fuel, process = np.array([1.0, np.nan, 1.0]), np.array([2.0, 2.0, np.nan])
    found = accounts(
        plan, {"line/stack": np.full(3, 3.0), "line/fuel": fuel, "line/process": process}, START, 3
    )
    assert found.valid.tolist() == [True, False, False]
    assert (START % HOUR, found.measured.tolist()) == (0, [3.0] * 3)


def test_the_difference_is_of_kilograms_and_signed() -> None:
    terms = difference_terms(plan_of("[{source: fuel}]"))
    assert [round(term.weight, 6) for term in terms] == [1000.0, -round(605 * 0.99 * 44 / 12, 6)]
    assert terms[1].factors == ("carbon", "oxidation", "co2-per-carbon")
