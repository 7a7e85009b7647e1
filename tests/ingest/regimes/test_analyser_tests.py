"""Analyser tests by the regimes' limits: real calibration tests with the regulator's own errors."""

import csv
from pathlib import Path

import numpy as np
import pytest

from ingest.errors import InputError
from ingest.methods.limits import TEST_CONSTANTS
from ingest.regimes.analyser_tests import (
    ast,
    calibration_error,
    cusum,
    hj75_drift,
    linearity,
    qal2,
    rata,
    shewhart,
    stand_in_uncertainty,
    student_t,
)

TESTS = Path(__file__).parents[3].parent / "shared" / "data" / "calibration" / "seven_day_calibration.csv"


def known(text: str) -> float | None:
    return None if text in {"", "NULL"} else float(text)


def test_every_computed_error_of_real_seven_day_tests() -> None:
    """To the digit the regulator prints; where it has none we have none, and say why."""
    if not TESTS.exists():
        pytest.skip(f"the calibration tests are not beside this checkout ({TESTS.name})")
    rows = list(csv.DictReader(TESTS.read_text().splitlines()))
    reasons: list[str | None] = []
    for row in rows:
        for gas in ("zero", "up"):
            found = calibration_error(
                "seven_day", row["parameter"], known(row[f"{gas}_ref"]), known(row[f"{gas}_meas"]),
                known(row["span_value"]),
            )  # fmt: skip
            assert found.error == known(row[f"{gas}_err_epa_calc"]), row
            if found.error is None:
                assert found.passed is None
                reasons.append(found.reason)
            else:
                assert found.reason is None
                assert found.alternative == (row[f"{gas}_aps_epa_calc"] == "1"), row
            if row["test_result_epa_calc"] == "PASSED":
                assert found.passed
    assert len(rows) == 125
    assert sorted(map(str, reasons)) == ["no measured value"] * 2 + ["no span"] * 28


@pytest.mark.parametrize(
    ("quantity", "span", "apart", "passed", "alternative"),
    [
        ("diluent", 25.0, 1.0, True, False),
        ("diluent", 25.0, 1.1, False, False),
        ("pollutant", 100.0, 5.0, True, False),
        ("pollutant", 50.0, 5.0, True, True),
        ("pollutant", 50.0, 6.0, False, False),
        ("pollutant", 51.0, 10.0, True, True),
        ("pollutant", 200.0, 10.4, True, True),
        ("pollutant", 201.0, 11.0, False, False),
        ("flow", 1.0, 0.02, True, False),
        ("flow", 0.2, 0.02, True, True),
        ("flow", 0.2, 0.03, False, False),
    ],
)
def test_daily_control(quantity: str, span: float, apart: float, passed: bool, alternative: bool) -> None:
    found = calibration_error("daily", quantity, 10.0, 10.0 - apart, span)
    assert (found.passed, found.alternative) == (passed, alternative)


def test_a_bias_factor_only_for_what_reads_low_and_is_not_a_diluent() -> None:
    reference = np.array([100.0, 102, 98, 101, 99, 100, 103, 97, 100])
    assert rata(reference, reference - 4, "so2").bias_adjustment_factor == 1.042
    assert rata(reference, reference - 4, "co2").bias_adjustment_factor == 1.0
    assert rata(reference, reference + 4, "so2").bias_adjustment_factor == 1.0
    assert rata(reference, reference - 20, "so2").bias_adjustment_factor == 1.25
    assert rata(reference, reference - 20, "so2", low_emitter=True).bias_adjustment_factor == 1.111
    assert (rata(reference, reference - 4, "so2").passed, rata(reference, reference - 4, "so2").annual) == (
        True,
        True,
    )
    assert (rata(reference, reference - 9, "so2").passed, rata(reference, reference - 9, "so2").annual) == (
        True,
        False,
    )
    assert not rata(reference, reference - 20, "so2").passed
    small = reference / 20
    assert rata(small, small - 0.9, "co2").passed, "by 0.9 % CO2, 18 % of 5 % CO2"
    assert not rata(small, small - 0.9, "co2").annual
    assert not rata(small, small - 0.9, "o2").passed
    with pytest.raises(InputError, match="at least 9"):
        rata(reference[:8], reference[:8], "so2")
    assert [student_t(runs) for runs in (9, 31, 32)] == [2.306, 2.042, 1.0]


@pytest.mark.parametrize(
    ("quantity", "apart", "adjust", "out"),
    [
        ("gas_zero", 2.5, False, False),
        ("gas_zero", 5.0, True, False),
        ("gas_zero", 5.1, True, True),
        ("gas_span", 9.9, True, False),
        ("gas_span", 10.1, True, True),
        ("dust", 2.1, True, False),
        ("dust", 8.5, True, True),
        ("flow", 0.9, False, False),
        ("flow", 1.8, False, False),
        ("flow", 8.5, True, True),
    ],
)
def test_drift_by_hj75(quantity: str, apart: float, adjust: bool, out: bool) -> None:
    found = hj75_drift(quantity, 50.0, 50.0 - apart, 100.0)
    assert (found.adjust, found.out_of_control) == (adjust, out)
    assert hj75_drift("flow", 5.0, 4.2, 10.0).adjust is False, "8 % of full scale, but 0.8 m/s"


def test_linearity_passes_by_either_limit() -> None:
    reference, measured = np.full(3, 5.58), np.full(3, 5.9)
    assert (
        linearity(reference, measured, diluent=True).error_pct,
        linearity(reference, measured, diluent=True).passed,
    ) == (5.7, True)
    assert linearity(np.full(3, 50.0), np.full(3, 60.0), diluent=False).passed is False


def test_cusum_estimates_the_drift_where_it_alarms() -> None:
    found = cusum(np.array([0.5, 1.8, 2.2, 2.6, 3.0, 2.4, 2.8]), 2.0)
    assert found.alarm.tolist() == [0, 0, 0, 0, 0, 1, 1]
    # six checks above zero at the last: 0.7 · (1.002 + 8.788 / 6)
    assert found.drift[-1] == pytest.approx(0.7 * (1.002 + 8.788 / 6), abs=1e-6)
    assert np.isnan(found.drift[:5]).all()
    down = cusum(-np.array([0.5, 1.8, 2.2, 2.6, 3.0, 2.4, 2.8]), 2.0)
    assert down.alarm.tolist() == [0, 0, 0, 0, 0, 2, 2]
    assert down.drift[-1] == pytest.approx(-found.drift[-1])
    jumping = cusum(np.array([6.0, -6.0] * 4), 2.0)
    assert jumping.alarm[-1] & 4


def test_shewhart_warns_at_two_and_alarms_at_three_deviations() -> None:
    assert shewhart(np.array([0.0, -3.9, 4.1, -5.9, 6.1, -7.0]), 2.0).tolist() == [0, 0, 1, 1, 2, 2]


def test_qal2_and_ast() -> None:
    x = np.linspace(5.0, 19.0, 15)
    y = 0.3 + 1.02 * x + np.tile([0.1, -0.1, 0.0], 5)
    sigma0 = stand_in_uncertainty(0.05, 15.0)
    assert sigma0 == pytest.approx(0.05 * 15 / 1.96)
    line = qal2(x, y, 1.0, 0.0, sigma0)
    assert (line.a, line.b) == pytest.approx((0.3, 1.02), abs=0.05)
    assert line.kv == pytest.approx(0.9761, abs=5e-5)
    assert line.passed
    assert not qal2(x, y, 1.0, 0.0, 0.01).passed
    good = ast(x[:5], y[:5], line.a, line.b, sigma0)
    assert good.variability_passed
    assert good.validity_passed
    shifted = ast(x[:5], y[:5] + 2.0, line.a, line.b, sigma0)
    assert shifted.variability_passed
    assert not shifted.validity_passed
    assert line.valid_to == pytest.approx(1.1 * (line.a + line.b * 19.0))
    assert line.outside(np.array([-0.1, 0.0, 5.0, line.valid_to + 0.1, np.nan])) == 2
    with pytest.raises(InputError, match="at least 15"):
        qal2(x[:14], y[:14], 1.0, 0.0, sigma0)
    with pytest.raises(InputError, match="at least 5"):
        ast(x[:4], y[:4], 0.0, 1.0, sigma0)


def test_numbers_of_tests_name_their_source() -> None:
    for one in TEST_CONSTANTS.values():
        assert one.source
        assert one.trust in {"R", "unconfirmed"}
    assert TEST_CONSTANTS["linearity_pct"].trust == "unconfirmed"
