"""Propagation of uncertainty: the worked cases of cement, and each function equal to its definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.uncertainty import propagation as unc
from tests.ingest.uncertainty import plain

values = st.floats(0.1, 1e3)
slopes = st.floats(-1e3, 1e3)
pairs = st.lists(st.tuples(st.integers(1, 6), slopes), max_size=5)


@st.composite
def streams(draw: st.DrawFn) -> tuple[unc.Stream, plain.Plain]:
    value, v, given_pairs = draw(values), draw(st.floats(0, 10)), draw(pairs)
    keys, s = [key for key, _ in given_pairs], [one for _, one in given_pairs]
    return unc.stream(value, v, keys, s), plain.stream(value, v, keys, s)


def agrees(found: unc.Stream, expected: plain.Plain, scale: float) -> None:
    assert found.value == pytest.approx(expected[0], rel=1e-12, abs=1e-12 * scale)
    assert found.v == pytest.approx(expected[1], rel=1e-9, abs=1e-12 * scale)
    assert found.keys.tolist() == sorted(expected[2])
    for key, s in zip(found.keys.tolist(), found.s.tolist(), strict=True):
        assert s == pytest.approx(expected[2][key], rel=1e-9, abs=1e-12 * scale)


@given(st.lists(streams(), min_size=1, max_size=4), st.data())
def test_sums(drawn: list[tuple[unc.Stream, plain.Plain]], data: st.DataObject) -> None:
    weights = [data.draw(slopes) for _ in drawn]
    ours, theirs = [one for one, _ in drawn], [other for _, other in drawn]
    agrees(unc.weighted_sum(ours, weights), plain.weighted_sum(theirs, weights), 1e7)


@given(streams(), streams())
def test_ratio_difference_complement(
    a: tuple[unc.Stream, plain.Plain], b: tuple[unc.Stream, plain.Plain]
) -> None:
    agrees(unc.ratio(a[0], b[0]), plain.ratio(a[1], b[1]), 1e9)
    agrees(unc.difference(a[0], b[0]), plain.difference(a[1], b[1]), 1e4)
    agrees(unc.complement(a[0]), plain.complement(a[1]), 1e4)


@given(st.lists(streams(), min_size=1, max_size=4), st.data())
def test_products(drawn: list[tuple[unc.Stream, plain.Plain]], data: st.DataObject) -> None:
    powers = [data.draw(st.sampled_from([-1.0, 1.0, 0.5, 2.0])) for _ in drawn]
    ours, theirs = unc.product([o for o, _ in drawn], powers), plain.product([t for _, t in drawn], powers)
    agrees(ours, theirs, max(1.0, abs(theirs[0])) * 1e6)


def test_a_ratio_of_what_one_meter_measures_is_sure() -> None:
    one = unc.stream(100.0, keys=[7], s=[100.0])
    found = unc.ratio(unc.weighted_sum([one], [0.48]), one)
    assert found.s == pytest.approx([0.0], abs=1e-15)


@given(
    st.lists(st.tuples(slopes, st.floats(0, 1)), min_size=1, max_size=6), st.floats(0, 5), st.floats(0, 0.9)
)
def test_combined_variance(given_parts: list[tuple[float, float]], v: float, r: float) -> None:
    s, u = (np.array(column) for column in zip(*given_parts, strict=True))
    correlation = np.full((s.size, s.size), r)
    np.fill_diagonal(correlation, 1.0)
    for matrix in (None, correlation):
        expected = plain.variance(v, s, u, matrix)
        assert unc.variance(v, s, u, matrix) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_sources_that_move_against_each_other_cancel() -> None:
    against = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert unc.variance(0.0, np.array([3.0, 3.0]), np.ones(2), against) == pytest.approx(0.0, abs=1e-12)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.just(0.0), st.floats(1e-6, 10)), st.one_of(st.integers(2, 30), st.just(math.inf))
        ),
        min_size=1,
        max_size=5,
    )
)
def test_degrees_of_freedom(given_parts: list[tuple[float, float]]) -> None:
    parts, n = (np.array(column, np.float64) for column in zip(*given_parts, strict=True))
    expected = plain.degrees_of_freedom(parts, n)
    assert unc.degrees_of_freedom(parts, n) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 9, 30])
@pytest.mark.parametrize("t", [0.1, 1.0, 2.0, 4.5])
def test_students_t(t: float, freedom: int) -> None:
    assert unc.within(t, freedom) == pytest.approx(plain.within(t, freedom), abs=1e-10)


@pytest.mark.parametrize(
    ("freedom", "k"),
    # JCGM 100:2008 table G.2, column 95,45 %.
    [
        (1, 13.97),
        (2, 4.53),
        (3, 3.31),
        (4, 2.87),
        (5, 2.65),
        (10, 2.28),
        (20, 2.13),
        (50, 2.05),
        (math.inf, 2.0),
    ],
)
def test_coverage_factor_of_few_observations(freedom: float, k: float) -> None:
    assert unc.coverage_factor(freedom) == pytest.approx(k, abs=0.006)
    if freedom < 10:  # cut to a whole number
        assert unc.coverage_factor(freedom + 0.9) == unc.coverage_factor(freedom)


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.floats(0, 0.95))
def test_correlated_sums(weights: list[float], rho: float) -> None:
    column = np.array(weights)
    scale = float(np.abs(column).sum()) ** 2
    assert unc.ar1_variance(column, rho) == pytest.approx(
        plain.ar1_variance(column, rho), rel=1e-9, abs=1e-12 * scale
    )


@given(st.integers(1, 900), st.floats(0, 0.95))
def test_correlated_means(n: int, rho: float) -> None:
    assert unc.ar1_mean_factor(n, rho) == pytest.approx(plain.ar1_mean_factor(n, rho), rel=1e-9)


def test_correlated_mean_of_a_day() -> None:
    assert unc.ar1_mean_factor(24, 0.8) == pytest.approx(0.3058835, abs=5e-8)
    for n, percent in ((1, 1.745), (24, 0.965), (720, 0.194), (8000, 0.059)):
        assert 1.745 * math.sqrt(unc.ar1_mean_factor(n, 0.8)) == pytest.approx(percent, abs=1e-3)


@given(st.floats(0, 12))
def test_tiers(expanded: float) -> None:
    for limits in (np.array([10, 7.5, 5, 2.5]), np.array([7.5, 5, 2.5, 1.5])):
        assert unc.tier(expanded, limits) == plain.tier(expanded, limits)


def test_tiers_of_the_worked_example() -> None:
    continuous = np.array([10, 7.5, 5, 2.5])
    assert [unc.tier(found, continuous) for found in (6.05, 3.76, 2.5, 10.1)] == [2, 3, 4, 0]


def test_stack_of_the_cement_line() -> None:
    """Domain: x 1.2, velocity 2.5, area 0.3, T 1 K, p 0.15, moisture 1.0 abs on 0.110023."""
    x = unc.stream(0.199792, keys=[1], s=[0.199792])
    flow = unc.stream(631_041.0, keys=[2, 3], s=[631_041.0, 631_041.0])
    temperature = unc.stream(368.15, keys=[4], s=[1.0])
    pressure = unc.stream(99_950.0, keys=[5], s=[100_000.0])
    dry = unc.complement(unc.stream(0.110023, keys=[6], s=[1.0]))
    found = unc.product((x, flow, temperature, pressure, dry), (1, 1, -1, 1, 1))
    u = np.array([0.012, 0.025, 0.003, 1.0, 0.0015, 0.01])
    relative = 100 * math.sqrt(unc.variance(0.0, found.s, u)) / found.value
    assert relative == pytest.approx(3.0230, abs=1e-4)


def test_intensity_with_a_shared_source() -> None:
    """Domain: clinker mass 1 % is in process, raw-meal carbon and product; naive 9.71 kg/t, right 4.44."""
    fuel, process, meal, clinker = 60.110, 100.0, 1.136185, 208.333
    mass, fuel_u, oxide_u, meal_u = 0.01, 0.501 / fuel, 0.0037, 0.328 / meal
    above = unc.weighted_sum(
        [
            unc.stream(fuel, keys=[1], s=[fuel]),
            unc.stream(process, keys=[0, 2], s=[process, process]),
            unc.stream(meal, keys=[0, 3], s=[meal, meal]),
        ],
        (1.0, 1.0, 1.0),
    )
    shared = unc.ratio(above, unc.stream(clinker, keys=[0], s=[clinker]))
    u = np.array([mass, fuel_u, oxide_u, meal_u])
    right = 1000 * math.sqrt(unc.variance(0.0, shared.s, u))
    # Naive: 1.223 t/h of the sum (fuel 0.501, process 1.066, raw-meal carbon 0.328) and 1 % of the clinker.
    above_u = math.hypot(0.501, 100.0 * math.hypot(mass, oxide_u), 0.328)
    apart = unc.ratio(unc.stream(above.value, above_u**2), unc.stream(clinker, keys=[9], s=[clinker]))
    naive = 1000 * math.sqrt(unc.variance(apart.v, apart.s, np.array([mass])))
    assert 1000 * shared.value == pytest.approx(773.98, abs=0.01)
    assert right == pytest.approx(4.4424, abs=2e-3)
    assert naive == pytest.approx(9.7137, abs=2e-3)
