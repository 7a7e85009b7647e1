"""Owners' parts of a unit's amounts: they add up with ==, whatever is told in whatever order."""

import math
import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.allocation.shared import by_weights
from ingest.allocation.spreading import Held, Portion, Portions, Rows, on_grid, spread
from ingest.allocation.stretches import Owner, stretches
from ingest.mes.reduction import reduce
from ingest.model import MINUTE
from tests.ingest.feeding import START
from tests.ingest.mes.telling import event, plan
from tests.ingest.mes.test_statements import STATEMENTS, told

PLAN = plan()
SPAN = (START - 5 * MINUTE, START + 40 * MINUTE)
UNIT = PLAN.mes.by_unit["mill/line1"]


def rows(amounts: list[float | None], dtype: type) -> Rows:
    there = [i for i, amount in enumerate(amounts) if amount is not None]
    ints = [np.full(len(there), 7, np.int64) for _ in range(8)]
    start = np.array([SPAN[0] + i * MINUTE for i in there], np.int64)
    return Rows(start, np.array([amounts[i] for i in there], dtype), *ints)


def held(portions: Portions) -> dict[Held, Portion]:
    return {("line1", owner): portion for owner, portion in portions.items()}


COUNTS = st.lists(st.none() | st.integers(-(10**12), 10**12), min_size=45, max_size=45)
MASSES = st.lists(st.none() | st.floats(0, 1e6, allow_subnormal=False), min_size=45, max_size=45)
MIXED = st.lists(st.none() | st.floats(-1e6, 1e6, allow_subnormal=False), min_size=45, max_size=45)


@settings(max_examples=150, deadline=None)
@given(STATEMENTS, COUNTS, st.sampled_from(["mill/line1", "mill/line2"]))
def test_counts_add_up(statements: list[dict[str, Any]], counts: list[int | None], unit: str) -> None:
    given_rows = rows(list(counts), np.int64)
    cuts = stretches(PLAN.mes.by_unit[unit], reduce(told(*statements)), SPAN)
    assert (cuts[0].start_at, cuts[-1].end_at) == SPAN
    assert all(a.end_at == b.start_at for a, b in pairwise(cuts))
    found = spread(given_rows, cuts, MINUTE)
    assert sum(portion.count for portion in found.values()) == sum(one for one in counts if one is not None)
    # by the definition, µs by µs: no owner is further from its part of time than one count an edge and interval
    for owner, portion in found.items():
        exact = Fraction(0)
        for cut in cuts:
            weight = sum(Fraction(w) for one, w in cut.owners if one == owner)
            share = weight / sum(Fraction(w) for _, w in cut.owners)
            for start, amount in zip(given_rows.start_at.tolist(), given_rows.amount.tolist(), strict=True):
                us = max(0, min(cut.end_at, start + MINUTE) - max(cut.start_at, start))
                exact += Fraction(amount) * share * us / MINUTE
        assert abs(portion.count - exact) <= 2 * len(cuts)


@settings(max_examples=150, deadline=None)
@given(STATEMENTS, MASSES, st.sampled_from([1.0, -1.0]), st.randoms(use_true_random=False))
def test_masses_of_one_sign_add_up_to_the_total_of_the_inventory(
    statements: list[dict[str, Any]], masses: list[float | None], sign: float, dice: random.Random
) -> None:
    given_rows = rows([None if one is None else sign * one for one in masses], np.float64)
    portions = held(spread(given_rows, stretches(UNIT, reduce(told(*statements)), SPAN), MINUTE))
    found = on_grid(given_rows.amount.astype(np.float64), portions)
    assert found.total == math.fsum(given_rows.amount.tolist())
    values = list(found.owners.values())
    for _ in range(3):
        dice.shuffle(values)
        assert sum(values) == found.total
    assert math.fsum(values) == found.total
    for owner, portion in portions.items():
        assert abs(found.owners[owner] - math.fsum(portion.parts)) <= 3 * math.ulp(found.total)


@settings(max_examples=150, deadline=None)
@given(STATEMENTS, MIXED, st.randoms(use_true_random=False))
def test_masses_of_both_signs_add_up(
    statements: list[dict[str, Any]], masses: list[float | None], dice: random.Random
) -> None:
    given_rows = rows(list(masses), np.float64)
    found = on_grid(
        given_rows.amount.astype(np.float64),
        held(spread(given_rows, stretches(UNIT, reduce(told(*statements)), SPAN), MINUTE)),
    )
    size = math.fsum(abs(one) for one in given_rows.amount.tolist())
    assert abs(found.total - math.fsum(given_rows.amount.tolist())) <= math.ulp(size)
    values = list(found.owners.values())
    dice.shuffle(values)
    assert sum(values) == math.fsum(values) == found.total


@settings(max_examples=150, deadline=None)
@given(STATEMENTS, COUNTS, st.integers(1, 44))
def test_spans_that_meet_at_an_edge_add_up(
    statements: list[dict[str, Any]], counts: list[int | None], at: int
) -> None:
    given_rows, book = rows(list(counts), np.int64), reduce(told(*statements))
    middle = SPAN[0] + at * MINUTE
    whole = spread(given_rows, stretches(UNIT, book, SPAN), MINUTE)
    parts = [
        spread(given_rows, stretches(UNIT, book, span), MINUTE)
        for span in ((SPAN[0], middle), (middle, SPAN[1]))
    ]
    for owner, portion in whole.items():
        assert portion.count == sum(part[owner].count for part in parts if owner in part)


@settings(max_examples=150, deadline=None)
@given(
    COUNTS,
    st.lists(st.lists(st.none() | st.floats(0, 1e9), min_size=45, max_size=45), min_size=1, max_size=4),
)
def test_a_utility_is_shared_whole(counts: list[int | None], weights: list[list[float | None]]) -> None:
    given_rows = rows(list(counts), np.int64)
    there = [i for i, one in enumerate(counts) if one is not None]
    table = [np.array([np.nan if of[i] is None else of[i] for i in there], np.float64) for of in weights]
    units, unkeyed = by_weights(given_rows, table)
    total = sum(int(one.amount.sum()) for one in units) + int(unkeyed.amount.sum())
    assert total == sum(one for one in counts if one is not None)
    for one, weight in zip(units, table, strict=True):
        assert one.start_at.size + unkeyed.start_at.size == len(there)
        known = np.isin(given_rows.start_at, one.start_at)
        if len(units) > 1:
            whole = sum(table)[known]  # type: ignore[index]
            exact = given_rows.amount[known] * weight[known] / whole
            assert (np.abs(one.amount - exact) <= 1 + 1e-9 * np.abs(given_rows.amount[known])).all()


def test_an_order_keeps_its_idle_time_apart() -> None:
    book = reduce(
        told(
            event("start", "a", 0),
            event("stop", "a", 10),
            {"kind": "state", "unit": "line1", "ts": START // 1000 + 5 * 60_000, "state": "idle"},
            {"kind": "state", "unit": "line1", "ts": START // 1000 + 12 * 60_000, "state": "off"},
        )
    )
    found = spread(rows([60] * 45, np.int64), stretches(UNIT, book, SPAN), MINUTE)
    assert {owner: portion.count for owner, portion in found.items()} == {
        Owner("unallocated", detail="no_order"): 300,
        Owner("order", "a", ""): 300,
        Owner("order", "a", "idle"): 300,
        Owner("idle"): 120,
        Owner("off"): 28 * 60,
    }


def test_who_runs_beside_another_on_a_unit_that_refuses_gets_nothing() -> None:
    both = [event("start", "a", 0), event("stop", "a", 10), event("start", "b", 5), event("stop", "b", 20)]
    found = spread(rows([60] * 45, np.int64), stretches(UNIT, reduce(told(*both)), SPAN), MINUTE)
    assert found[Owner("unallocated", detail="overlap")].count == 300
    assert found[Owner("order", "a")].count == 300
    assert found[Owner("order", "b")].count == 600
