"""Statistics of analyser tests: equal to their definitions, quantiles equal to printed tables."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.methods.limits import STUDENT_T
from kernels import quality, quantiles
from kernels.reference import quality as plain
from kernels.reference import quantiles as plain_quantiles

READINGS = st.lists(st.tuples(st.floats(1.0, 30.0), st.floats(1.0, 30.0)), min_size=2, max_size=20)


@given(READINGS, st.floats(1.0, 50.0), st.floats(0.0, 40.0))
@settings(max_examples=150, deadline=None)
def test_statistics_equal_their_definitions(
    pairs: list[tuple[float, float]], span: float, least_spread: float
) -> None:
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    alike = [
        (quality.error_of_span(x[0], y[0], span), plain.error_of_span(x[0], y[0], span)),
        (quality.mean(x), plain.mean(x)),
        (quality.deviation(x), plain.deviation(x)),
        (quality.confidence(span, x.size, 2.0), plain.confidence(span, x.size, 2.0)),
        (quality.outside(x, 5.0, 20.0), plain.outside(x, 5.0, 20.0)),
        *zip(quality.linearity(x, y), plain.linearity(x, y), strict=True),
        *zip(quality.rata(x, y, 2.306), plain.rata(x, y, 2.306), strict=True),
        *zip(quality.spread_about_line(x, y, 0.5, 1.1), plain.spread_about_line(x, y, 0.5, 1.1), strict=True),
    ]
    for ours, theirs in alike:
        assert ours == pytest.approx(theirs, rel=1e-10, abs=1e-10)
    if np.ptp(x) > 1.0:
        ours_line = quality.calibration_line(x, y, least_spread, 0.25)
        assert ours_line == pytest.approx(
            plain.calibration_line(x, y, least_spread, 0.25), rel=1e-8, abs=1e-8
        )


def test_nothing_has_no_mean_and_one_no_deviation() -> None:
    assert math.isnan(quality.mean(np.empty(0)))
    assert math.isnan(plain.mean(np.empty(0)))
    for module in (quality, plain):
        assert math.isnan(module.deviation(np.ones(1)))
        assert module.outside(np.array([math.nan, 1.0, 9.0]), 0.0, 5.0) == 1


@given(st.lists(st.floats(-4.0, 4.0), max_size=30), st.floats(0.1, 2.0))
@settings(max_examples=150, deadline=None)
def test_charts_equal_their_definitions(differences: list[float], s: float) -> None:
    d, limits = np.array(differences), (6.9 * s * s, 1.85 * s * s, 2.85 * s, 0.501 * s)
    found = []
    for module in (quality, plain):
        sums, alarm = np.zeros((d.size, 3)), np.zeros(d.size, np.int64)
        since, chart = np.zeros((d.size, 2), np.int64), np.zeros(d.size, np.int64)
        module.cusum(d, *limits, sums, alarm, since)
        module.shewhart(d, 2 * s, 3 * s, chart)
        found.append((sums, alarm, since, chart))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_line_is_found_again() -> None:
    x = np.linspace(2.0, 20.0, 15)
    assert quality.calibration_line(x, 0.4 + 1.05 * x, 1.0, 0.0) == pytest.approx((0.4, 1.05))
    flat = np.full(15, 10.0)
    assert quality.calibration_line(flat, np.full(15, 11.0), 1.0, 0.5) == pytest.approx(
        (-0.5 * 11 / 9.5, 11 / 9.5)
    )


TABLE = {
    3: (0.8326, 2.920), 4: (0.8881, 2.353), 5: (0.9161, 2.132), 6: (0.9329, 2.015), 7: (0.9441, 1.943),
    8: (0.9521, 1.895), 9: (0.9581, 1.860), 10: (0.9628, 1.833), 12: (0.9696, 1.796), 15: (0.9761, 1.761),
    20: (0.9824, 1.729), 25: (0.9861, 1.711), 30: (0.9885, 1.699),
}  # fmt: skip


@pytest.mark.parametrize("pairs", TABLE)
def test_factors_of_en14181_are_those_of_its_table(pairs: int) -> None:
    kv, t = TABLE[pairs]
    assert quantiles.variability_factor(pairs) == pytest.approx(kv, abs=5.1e-5)
    assert quantiles.student_quantile(0.95, pairs - 1.0) == pytest.approx(t, abs=5.1e-4)


def test_students_t_of_the_regulator_is_the_two_sided_quantile() -> None:
    assert len(STUDENT_T) == 30
    for freedom, t in enumerate(STUDENT_T, 1):
        assert quantiles.student_quantile(0.975, float(freedom)) == pytest.approx(t, abs=1.01e-3)


@given(
    st.one_of(st.sampled_from([1.0, 2.0]), st.floats(3.0, 60.0)), st.floats(0.0, 80.0), st.floats(-10.0, 10.0)
)
@example(27.0, 0.0, 1.192092896e-07)
@settings(max_examples=60, deadline=None)
def test_distributions_equal_the_integrals_of_their_densities(freedom: float, x: float, t: float) -> None:
    assert quantiles.chi_square_below(x, freedom) == pytest.approx(
        plain_quantiles.chi_square_below(x, freedom), abs=1e-6
    )
    assert quantiles.student_below(t, freedom) == pytest.approx(
        plain_quantiles.student_below(t, freedom), abs=1e-9
    )
    a, b, share = freedom / 2 + 0.5, 1.0 + abs(t), x / 80
    assert quantiles.beta_below(a, b, share) == pytest.approx(
        plain_quantiles.beta_below(a, b, share), abs=1e-6
    )


@pytest.mark.parametrize("freedom", [1.0, 2.0, 7.5, 29.0])
@pytest.mark.parametrize("probability", [0.05, 0.5, 0.975])
def test_quantiles_lead_back(freedom: float, probability: float) -> None:
    for name in ("chi_square", "student"):
        found = getattr(quantiles, f"{name}_quantile")(probability, freedom)
        assert getattr(quantiles, f"{name}_below")(found, freedom) == pytest.approx(probability, abs=1e-12)
        theirs = getattr(plain_quantiles, f"{name}_quantile")(probability, freedom)
        assert found == pytest.approx(theirs, rel=1e-4, abs=1e-4)


def test_without_a_degree_of_freedom_there_is_no_quantile() -> None:
    for module in (quantiles, plain_quantiles):
        assert math.isnan(module.chi_square_quantile(0.5, 0.0))
        assert math.isnan(module.student_quantile(1.5, 3.0))
        assert math.isnan(module.variability_factor(1))
