"""Tests as they are told: what each kind comes to, and what cannot be judged."""

import json
from typing import Any

import pytest

from ingest.errors import InputError
from ingest.methods.analyser import TEST_READINGS
from ingest.regimes.judging import judge

RUNS = [10.0, 10.1, 10.2, 9.9, 9.8, 10.0, 10.1, 10.2, 9.9]
PAIRS = [float(i) for i in range(1, 16)]
INJECTION = {"reference": 10.0, "measured": 10.9}

PASSING: dict[str, dict[str, Any]] = {
    "daily_calibration": {"quantity": "diluent", "span": 20.0, "injections": [INJECTION]},
    "seven_day": {
        "quantity": "pollutant",
        "span": 500.0,
        "injections": [{"reference": 250.0, "measured": 251.0}],
    },
    "linearity": {"diluent": True, "levels": [{"reference": [10.0] * 3, "measured": [10.1, 10.0, 10.2]}]},
    "rata": {"parameter": "co2", "reference": RUNS, "measured": [one + 0.1 for one in RUNS]},
    "drift": {"checks": [{"quantity": "gas_zero", "reference": 0.0, "measured": 0.2, "full_scale": 20.0}]},
    "qal2": {"measured": PAIRS, "reference": PAIRS, "least_spread": 1.0, "offset": 0.0, "sigma0": 0.5},
    "ast": {"measured": PAIRS[:5], "reference": PAIRS[:5], "a": 0.0, "b": 1.0, "sigma0": 0.5},
    "qal3": {"differences": [0.1, -0.1, 0.0], "s_ams": 0.5},
}
FAILING: dict[str, dict[str, Any]] = {
    "daily_calibration": {"injections": [INJECTION, {"reference": 10.0, "measured": 11.2}]},
    "seven_day": {"injections": [{"reference": 250.0, "measured": 270.0}]},
    "linearity": {"levels": [{"reference": [10.0] * 3, "measured": [12.0] * 3}]},
    "rata": {"measured": [one + 3.0 for one in RUNS]},
    "drift": {"checks": [{"quantity": "gas_zero", "reference": 0.0, "measured": 3.0, "full_scale": 20.0}]},
    "qal2": {"reference": [one + (9.0 if one % 2 else -9.0) for one in PAIRS]},
    "ast": {"a": 5.0},
    "qal3": {"differences": [9.0, 9.0, 9.0]},
}


def test_every_kind_is_tried() -> None:
    assert PASSING.keys() == FAILING.keys()
    assert {*PASSING, "recertification"} == TEST_READINGS.keys(), (
        "which is an event, and neither passed nor failed"
    )


def test_a_recertification_comes_to_what_it_requires() -> None:
    readings = {"requires": ["rata", "linearity", "rata"]}
    assert judge("recertification", json.dumps(readings).encode()) == (
        {"requires": ["linearity", "rata"]},
        None,
    )
    with pytest.raises(InputError, match="requires"):
        judge("recertification", b'{"requires": []}')


@pytest.mark.parametrize("kind", list(PASSING))
def test_passed_and_failed(kind: str) -> None:
    result, passed = judge(kind, json.dumps(PASSING[kind]).encode())
    assert passed is True
    json.dumps(result, allow_nan=False)
    _, failed = judge(kind, json.dumps({**PASSING[kind], **FAILING[kind]}).encode())
    assert failed is False


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("daily_calibration", {"span": 0.0}),
        ("linearity", {"diluent": False, "levels": [{"reference": [0.0], "measured": [1.0]}]}),
        ("rata", {"reference": [0.0] * 9, "measured": [0.0] * 9}),
        ("drift", {"checks": [{"quantity": "dust", "reference": 0.0, "measured": 0.0, "full_scale": 0.0}]}),
        ("rata", {"reference": [1e300, -1e300] * 5, "measured": [1e300] * 10}),
    ],
)
def test_what_cannot_be_judged_has_no_verdict(kind: str, change: dict[str, Any]) -> None:
    result, passed = judge(kind, json.dumps({**PASSING[kind], **change}).encode())
    assert passed is None
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(
    ("kind", "readings", "sentence"),
    [
        ("rata", {**PASSING["rata"], "reference": RUNS[:8]}, "expected the same number of runs"),
        (
            "linearity",
            {"diluent": True, "levels": [{"reference": [1.0], "measured": [1.0, 2.0]}]},
            "a pair for each",
        ),
        ("qal3", {"s_ams": 1.0}, "required field `differences`"),
    ],
)
def test_what_is_no_test_is_a_sentence(kind: str, readings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        judge(kind, json.dumps(readings).encode())
