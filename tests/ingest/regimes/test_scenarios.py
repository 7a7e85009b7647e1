"""An analyser that is dead for 30 hours, and a calibration that fails 20 hours after a good one, by each regime."""

import math
from typing import Any

import numpy as np
import pytest

import kernels.hours
from ingest.errors import InputError
from ingest.methods.limits import CONTROL_RULES
from ingest.methods.schemes import DETERMINATIONS, DETERMINED_BY_MEASURING, SCHEMES
from ingest.methods.validity import HOUR_RECORD, judge_hours
from ingest.regimes.control import FOREVER, Calibrations, mark_hours, out_of_control, uncovered
from ingest.regimes.substitution import hour_records, substitute
from kernels.hours import (
    BELOW_MIN_CAPTURE,
    HOUR,
    MODC_BEFORE_AFTER,
    MODC_BIN_MEAN,
    MODC_EXTREME,
    MODC_INITIAL,
    MODC_MEASURED,
    MODC_MIDDLE,
    MODC_POTENTIAL,
    MODC_UPPER,
    MODC_ZERO,
    NO_LOOKBACK,
    REPLACED,
    STOPPED,
)
from kernels.rows import Records

HISTORY, DEAD = 2400, 30
CONCENTRATION = SCHEMES["part75.concentration"]
POTENTIAL = 16.0


def history(hours: int = HISTORY + DEAD + 10, dead: int = DEAD) -> Records:
    """Concentrations that go round 10.0 … 10.9; the analyser is dead from HISTORY on."""
    found = hour_records(hours)
    found["value"] = 10.0 + 0.1 * (np.arange(hours) % 10)
    found["value"][HISTORY : HISTORY + dead] = math.nan
    found["valid"][HISTORY : HISTORY + dead] = 0
    return found


def by_part75(hours: Records, until: int, scheme: str = "part75.concentration", **changed: float) -> Records:
    potential = changed.pop("potential", POTENTIAL)
    return substitute(SCHEMES[scheme], hours[:until], potential=potential)


GAP = slice(HISTORY, HISTORY + DEAD)
BEFORE, AFTER = 10.9, 10.0
"""Beside the gap: the hours HISTORY - 1 and HISTORY + 30."""


def test_part75_codes_06_up_to_24_hours_and_recodes_all_at_the_25th() -> None:
    hours = history()
    for known in range(1, 25):
        found = by_part75(hours, HISTORY + known)[HISTORY:]
        assert (found["code"] == MODC_BEFORE_AFTER).all()
        assert (found["value"] == BEFORE).all(), "the last good value until the hour after is there"
        assert found["provisional"].all()
    found = by_part75(hours, HISTORY + 25)[HISTORY:]
    assert found.size == 25
    assert (found["code"] == MODC_UPPER).all(), "all of the gap, not the 25th hour alone"
    assert found["provisional"].all()


def test_part75_settles_when_the_gap_ends() -> None:
    hours = history()
    last_open, first_closed = by_part75(hours, HISTORY + DEAD), by_part75(hours, HISTORY + DEAD + 1)
    assert last_open["provisional"][GAP].all()
    assert not first_closed["provisional"].any()
    # 90th percentile of 720 hours of 10.0 … 10.9 is 10.8; the mean beside is 10.45
    assert (first_closed["value"][GAP] == 10.8).all()
    assert (first_closed["code"][GAP] == MODC_UPPER).all()
    assert (first_closed["gap_h"][GAP] == DEAD).all()
    assert (first_closed["rests_on"][GAP] == 720).all()
    share = 100 * (HISTORY / (HISTORY + DEAD))
    assert first_closed["availability_pct"][GAP] == pytest.approx(np.full(DEAD, share))
    outside = np.delete(first_closed, np.arange(GAP.start, GAP.stop))
    assert (outside["code"] == MODC_MEASURED).all()


def test_part75_short_gap_is_the_mean_of_the_hours_beside_once_it_ends() -> None:
    found = by_part75(history(dead=10), HISTORY + 11)[HISTORY : HISTORY + 10]
    assert (found["code"] == MODC_BEFORE_AFTER).all()
    assert found["value"] == pytest.approx(np.full(10, (10.9 + 10.0) / 2))
    assert not found["provisional"].any()


@pytest.mark.parametrize(
    ("lost", "dead", "code", "value"),
    [
        (150, 8, MODC_BEFORE_AFTER, None),
        (150, 9, MODC_MIDDLE, 10.9),
        (400, 1, MODC_EXTREME, 10.9),
        (700, 1, MODC_POTENTIAL, POTENTIAL),
    ],
)
def test_part75_tiers_by_availability(lost: int, dead: int, code: int, value: float | None) -> None:
    """Single hours lost long before bring availability down."""
    hours = history(HISTORY + dead + 1, dead)
    hours["valid"][np.arange(lost) * 2 + 1] = 0
    found = by_part75(hours, hours.size)[HISTORY : HISTORY + dead]
    assert (found["code"] == code).all()
    beside = (hours["value"][HISTORY - 1] + hours["value"][HISTORY + dead]) / 2
    assert found["value"] == pytest.approx(np.full(dead, beside if value is None else value))


def test_part75_before_the_look_back_is_full_takes_the_hours_beside() -> None:
    hours = hour_records(60, value=10.0)
    hours["value"][40:] = 12.0
    hours["valid"][10:40] = 0
    found = substitute(CONCENTRATION, hours, potential=POTENTIAL)
    assert (found["code"][10:40] == MODC_INITIAL).all()
    assert (found["value"][10:40] == 11.0).all()
    hours["valid"][:10] = 0
    nothing_before = substitute(CONCENTRATION, hours, potential=POTENTIAL)
    assert (nothing_before["code"][:40] == MODC_POTENTIAL).all()
    assert (nothing_before["value"][:40] == POTENTIAL).all()


def test_codes_and_roundings_are_named() -> None:
    from_kernel = {value for name, value in vars(kernels.hours).items() if name.startswith("MODC_")}
    assert from_kernel <= set(DETERMINATIONS)
    assert {MODC_MEASURED, MODC_ZERO} <= DETERMINED_BY_MEASURING
    assert not set(range(6, 13)) & DETERMINED_BY_MEASURING
    assert CONCENTRATION.rounding.apply(10.45) == 10.5
    assert SCHEMES["part75.flow"].rounding.apply(20_499_500.0) == 20_500_000.0


def test_part75_takes_a_negative_hour_as_zero_and_says_so() -> None:
    hours = hour_records(50, value=10.0)
    hours["value"][20] = -0.2
    hours["valid"][21] = 0
    found = substitute(CONCENTRATION, hours, potential=POTENTIAL)
    assert found["value"][20] == 0.0
    assert found["code"][20] == MODC_ZERO
    assert found["value"][21] == 5.0, "the mean of 0 and 10"
    assert hours["value"][20] == -0.2, "what was measured is not overwritten"


def test_part75_reverses_where_a_low_value_overstates() -> None:
    hours = history()
    found = by_part75(hours, hours.size, "part75.low-overstates", potential=2.0)[GAP]
    assert (found["code"] == MODC_UPPER).all()
    assert (found["value"] == 10.0).all(), "10th percentile, below the mean of the hours beside"


def test_part75_flow_takes_the_load_bin_of_the_hour() -> None:
    hours = history(HISTORY + 12, 10)
    hours["load_bin"] = np.arange(hours.size) % 2
    hours["load_bin"][HISTORY + 5] = 9
    found = by_part75(hours, hours.size, "part75.flow", potential=99.0)[HISTORY : HISTORY + 10]
    assert found["code"].tolist() == [MODC_BIN_MEAN] * 5 + [MODC_POTENTIAL] + [MODC_BIN_MEAN] * 4
    # of the even hours the values are 10.0, 10.2 … 10.8, of the odd ones 10.1 … 10.9
    assert found["value"][:2] == pytest.approx([10.4, 10.5])
    assert found["value"][5] == 99.0, "no hour of that bin or a higher one"
    assert found["rests_on"][0] == HISTORY // 2


def test_hours_without_operation_neither_count_nor_end_a_gap() -> None:
    hours = history(HISTORY + 60, 30)
    hours["operating"][HISTORY + 10 : HISTORY + 16] = 0
    found = by_part75(hours, hours.size)
    assert (found["state"][HISTORY + 10 : HISTORY + 16] == STOPPED).all()
    gap = np.r_[HISTORY : HISTORY + 10, HISTORY + 16 : HISTORY + 30]
    assert (found["gap_h"][gap] == 24).all()
    assert (found["code"][gap] == MODC_BEFORE_AFTER).all()


def mass(scheme: str = "hj75.co2-mass", **how: Any) -> tuple[Records, Records]:
    hours = history()
    hours["value"][HISTORY - 170] = 11.7
    hours["value"][HISTORY - 700] = 12.5
    hours["value"][HISTORY - 2100] = 13.0
    hours["period"] = np.where(np.arange(hours.size) < 2160, 0, 1)
    return hours, substitute(SCHEMES[scheme], hours, **how)


def test_hj75_takes_the_largest_mass_of_720_hours_after_24() -> None:
    _, found = mass()
    gap = found[GAP]
    # quarter 1 has 280 hours, 250 of them valid: capture 89.3 %, the row of 2160 hours
    assert gap["availability_pct"] == pytest.approx(np.full(DEAD, 100 * 250 / 280))
    assert (gap["value"] == 13.0).all()
    hours = history(HISTORY + 500)
    hours["value"][HISTORY - 170], hours["value"][HISTORY - 700] = 11.7, 12.5
    long = substitute(SCHEMES["hj75.co2-mass"], hours)[GAP]
    assert (long["value"] == 12.5).all()
    assert (long["rests_on"] == 720).all()
    hours["valid"][HISTORY + 10 : HISTORY + DEAD] = 1
    hours["value"][HISTORY + 10 : HISTORY + DEAD] = 10.0
    short = substitute(SCHEMES["hj75.co2-mass"], hours)[HISTORY : HISTORY + 10]
    assert (short["value"] == 11.7).all()
    assert (short["rests_on"] == 180).all()
    assert SCHEMES["hj75.co2-mass"].label == "hj75_analogy"


def test_hj75_has_no_value_below_its_least_capture() -> None:
    hours, _ = mass()
    hours["valid"][2160:2250] = 0
    found = substitute(SCHEMES["hj75.mass"], hours)[GAP]
    assert (found["state"] == BELOW_MIN_CAPTURE).all()
    assert np.isnan(found["value"]).all()
    alone = hour_records(100, value=1.0)
    alone["valid"][:5] = 0
    nothing_before = substitute(SCHEMES["hj75.mass"], alone)[:5]
    assert (nothing_before["state"] == NO_LOOKBACK).all()
    assert np.isnan(nothing_before["value"]).all()


def test_hj75_is_provisional_while_the_quarter_is_open() -> None:
    assert mass(open_period=1)[1]["provisional"][GAP].all()
    assert not mass(open_period=2)[1]["provisional"].any()


def test_mrr_judges_by_80_percent_and_restates_at_closing() -> None:
    records = np.zeros(3, HOUR_RECORD)
    records["valid_us"] = (np.array([287, 288, 360]) * HOUR) // 360
    assert judge_hours("eu-hour", records).tolist() == [0, 1, 1]
    hours = hour_records(40)
    hours["value"] = 180.0 + np.arange(40) % 3 * 10.0
    hours["valid"][:30] = 1
    hours["valid"][5] = judge_hours("eu-hour", records)[0]
    scheme = SCHEMES["mrr.concentration"]
    so_far = substitute(scheme, hours[:12], open_period=0)
    known = np.delete(hours["value"][:12], 5)
    assert so_far["value"][5] == pytest.approx(known.mean() + 2 * known.std(ddof=1))
    assert so_far["provisional"][5]
    closed = substitute(scheme, hours, open_period=1)
    known = np.delete(hours["value"], 5)
    assert closed["value"][5] == pytest.approx(known.mean() + 2 * known.std(ddof=1))
    assert closed["value"][5] != so_far["value"][5]
    assert not closed["provisional"].any()
    assert closed["state"][5] == REPLACED
    assert closed["rests_on"][5] == 39


def test_mrr_of_one_hour_has_no_deviation() -> None:
    hours = hour_records(3, value=5.0)
    hours["valid"][1:] = 0
    found = substitute(SCHEMES["mrr.concentration"], hours)
    assert found["state"].tolist()[1:] == [NO_LOOKBACK] * 2
    assert np.isnan(found["value"][1:]).all()


def test_part98_takes_the_mean_of_what_stands_beside() -> None:
    hours = hour_records(6)
    hours["value"] = [24.0, 24.4, 0.0, 0.0, 25.0, 25.0]
    hours["valid"][2:4] = 0
    found = substitute(SCHEMES["40cfr98.35"], hours)
    assert found["value"][2:4] == pytest.approx([24.7, 24.7])
    open_gap = substitute(SCHEMES["40cfr98.35"], hours[:4])
    assert open_gap["value"][2:].tolist() == [24.4, 24.4]
    assert open_gap["provisional"][2:].all()
    hours["valid"][:2] = 0
    assert substitute(SCHEMES["40cfr98.35"], hours)["value"][:4].tolist() == [25.0] * 4


GOOD_AT, FAILED_AT, PASSED_AT = 100, 120, 123
NONE = np.empty(0)


def calibrated(*outcomes: tuple[int, int], drift: list[float] | None = None) -> Calibrations:
    at = np.array([hour * HOUR for hour, _ in outcomes])
    passed = np.array([good for _, good in outcomes])
    return Calibrations(at, passed, NONE if drift is None else np.array(drift))


def hours_lost(rule: str, tests: Calibrations) -> list[int]:
    hours = hour_records(200, value=10.0)
    mark_hours(hours, out_of_control(CONTROL_RULES[rule], tests, since=0))
    return np.flatnonzero(hours["out_of_control"]).tolist()


FAILING = calibrated((76, 1), (GOOD_AT, 1), (FAILED_AT, 0), (PASSED_AT, 1), drift=[0.2, 0.2, 4.5, 0.1])


@pytest.mark.parametrize(
    ("rule", "lost"),
    [
        ("part75", list(range(FAILED_AT, PASSED_AT))),
        ("hj75", list(range(GOOD_AT, PASSED_AT))),
        ("part60-f", list(range(GOOD_AT, PASSED_AT))),
        ("en14181", []),
    ],
)
def test_a_calibration_that_fails_20_hours_after_a_good_one(rule: str, lost: list[int]) -> None:
    assert hours_lost(rule, FAILING) == lost


def test_a_failed_calibration_is_substituted_by_the_rule_of_its_regime() -> None:
    hours = history(HISTORY + 40, 0)
    tests = calibrated((HISTORY, 1), (HISTORY + 20, 0), (HISTORY + 23, 1))
    us, cn = hours.copy(), hours.copy()
    mark_hours(us, out_of_control(CONTROL_RULES["part75"], tests, since=0))
    mark_hours(cn, out_of_control(CONTROL_RULES["hj75"], tests, since=0))
    by_us = by_part75(us, us.size)
    assert np.flatnonzero(by_us["code"] != MODC_MEASURED).tolist() == [
        HISTORY + 20,
        HISTORY + 21,
        HISTORY + 22,
    ]
    assert (by_us["code"][HISTORY + 20 : HISTORY + 23] == MODC_BEFORE_AFTER).all()
    by_cn = substitute(SCHEMES["hj75.mass"], cn)
    assert np.flatnonzero(by_cn["state"] == REPLACED).tolist() == list(range(HISTORY, HISTORY + 23))
    assert (by_cn["value"][HISTORY : HISTORY + 23] == 10.9).all()
    assert SCHEMES["hj75.mass"].quantity == "hourly mass of SO2, NOx or dust"


def test_a_missing_calibration_loses_hours_after_26_by_part75_only() -> None:
    hours = hour_records(60, value=10.0)
    tests = calibrated((3, 1), (40, 1))
    mark_hours(hours, uncovered(CONTROL_RULES["part75"], tests, hours))
    assert np.flatnonzero(hours["out_of_control"]).tolist() == [0, 1, 2, *range(29, 40)]
    for rule in ("hj75", "part60-f", "en14181"):
        assert uncovered(CONTROL_RULES[rule], tests, hours).begin.size == 0


def test_an_open_failure_has_no_end() -> None:
    spans = out_of_control(CONTROL_RULES["part75"], calibrated((10, 0)), since=0)
    assert spans.end.tolist() == [FOREVER]
    assert hours_lost("part75", calibrated((150, 0))) == list(range(150, 200))


def test_what_are_no_consecutive_hours_is_refused() -> None:
    hours = hour_records(5, value=1.0)
    for wrong, sentence in [
        (hours[[0, 1, 3]], "hour 2 does not follow"),
        (hours[[0, 1, 1]], "hour 2 does not follow"),
        (hour_records(2, start_at=1), "clock hour"),
    ]:
        with pytest.raises(InputError, match=sentence):
            substitute(SCHEMES["mrr.concentration"], wrong)
    back = hours.copy()
    back["period"] = [0, 0, 2, 1, 1]
    with pytest.raises(InputError, match="periods go back"):
        substitute(SCHEMES["mrr.concentration"], back)
    with pytest.raises(InputError, match="potential is None"):
        substitute(CONCENTRATION, hours)
