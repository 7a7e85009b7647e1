"""Flows carry exact days, and registers are the floor of what was published."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from ingest.errors import InputError
from ingest.model import DAY, HOUR, MINUTE, SECOND
from simulator.flows import Flow
from simulator.series import Grid, wave

GRID = Grid(5 * SECOND)
KW = Fraction(1, 1000)
TODAY = 700 * GRID.per_day


def _flow(per_day: Fraction = Fraction(275_000), name: str = "load") -> Flow:
    load = wave(GRID, 1, name, 30 * MINUTE, 6)
    return Flow.shaped(GRID, KW, per_day, lambda day: 1 + 0.02 * load.day(day))


def _trapezoids(rates: list[float]) -> Fraction:
    """∫ of the straight lines between published floats, unit times hours; floats near multiples of 1/1000."""
    exact = [Fraction(round(rate * 1000), 1000) for rate in rates]
    return sum(((a + b) / 2 for a, b in pairwise(exact)), Fraction(0)) * Fraction(GRID.period_us, HOUR)


def test_every_day_carries_exactly_the_declared_amount() -> None:
    flow = _flow()
    assert flow.per_day == 275_000
    for day in range(700, 710):
        assert flow.counts.day(day).sum() == flow.day_sum
    registers = flow.register(TODAY, 10 * GRID.per_day + 1, KW)
    assert set(np.diff(registers[:: GRID.per_day])) == {275_000_000}


def test_register_is_the_floor_of_the_integral_of_the_published_rate() -> None:
    flow = _flow()
    rates = flow.rates(TODAY, 3000).tolist()
    registers = flow.register(TODAY, 3000, KW).tolist()
    # A flow's total at a midnight is whole days, so this one starts without a remainder.
    start = registers[0]
    assert start == 700 * 275_000_000
    for n in (1, 2, 17, 1500, 2999):
        assert registers[n] - start == _trapezoids(rates[: n + 1]) // KW


def test_registers_join_over_midnight_and_never_fall() -> None:
    flow = _flow()
    whole = flow.register(TODAY - 500, 1000, KW)
    halves = np.concatenate([flow.register(TODAY - 500, 500, KW), flow.register(TODAY, 500, KW)])
    assert np.array_equal(whole, halves)
    assert (np.diff(whole) > 0).all()


def test_flows_add_up_count_by_count() -> None:
    a, b = _flow(Fraction(100_000), "a"), _flow(Fraction(50_000), "b")
    both = Flow.together([a, b])
    assert both.per_day == 150_000
    assert np.array_equal(both.counts.over(TODAY, 99), a.counts.over(TODAY, 99) + b.counts.over(TODAY, 99))
    assert (
        np.abs(both.register(TODAY, 99, KW) - a.register(TODAY, 99, KW) - b.register(TODAY, 99, KW)).max()
        <= 1
    )


def test_a_later_flow_is_the_same_flow_later() -> None:
    flow = _flow()
    late = flow.later(35 * MINUTE)
    ticks = GRID.ticks(35 * MINUTE)
    assert np.array_equal(late.rates(TODAY, 50), flow.rates(TODAY - ticks, 50))
    assert np.array_equal(late.register(TODAY, 50, KW), flow.register(TODAY - ticks, 50, KW))
    assert np.array_equal(late.later(MINUTE).rates(TODAY, 5), flow.rates(TODAY - ticks - 12, 5))


def test_day_edges_are_the_same_number_every_day() -> None:
    flow = _flow()
    assert len({int(flow.counts.day(day)[0]) for day in range(690, 710)}) == 1


def test_register_beyond_64_bits_is_refused() -> None:
    with pytest.raises(InputError, match=r"counter resolution .* expected one coarse enough"):
        _flow().register(TODAY, 1, Fraction(1, 10**15))


def test_rates_average_to_the_day() -> None:
    flow = _flow()
    mean = Fraction(int(flow.counts.over(TODAY, GRID.per_day).sum()), GRID.per_day) * KW
    assert mean * DAY / HOUR == 275_000
