"""Rules for hours and days: worked examples, and what each looks at."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.methods.validity import (
    ALL_QUARTERS,
    HOUR_RECORD,
    INVALID,
    NOT_JUDGED,
    QUARTER,
    REGIMES,
    RULES,
    VALID,
    eu_hour,
    hj_day,
    hj_hour,
    hj_period_flag,
    judge_hours,
    us_hour,
)
from ingest.model import HOUR, MINUTE

VECTORS = Path(__file__).parents[3].parent / "shared" / "data" / "vectors.json"
EXAMPLES: dict[str, Any] = (
    {example["id"]: example for example in json.loads(VECTORS.read_text())} if VECTORS.exists() else {}
)


def example(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if name not in EXAMPLES:
        pytest.skip("the worked examples lie beside the repository")
    return EXAMPLES[name]["inputs"], EXAMPLES[name]["expected"]


def ints(values: Any) -> Any:
    return np.array(values, np.int64)


def record(**fields: int) -> Any:
    one = np.zeros(1, HOUR_RECORD)
    one["ran"] = ALL_QUARTERS
    for name, value in fields.items():
        one[name] = value
    return one


def test_cn_13_valid_minutes_and_hours() -> None:
    given, expected = example("CN-13")
    assert hj_hour(ints(given["valid_minutes"])).tolist() == expected["hour_valid"]
    assert hj_day(ints(given["valid_hours"])).tolist() == expected["day_valid"]


def test_cn_14_the_flag_of_a_period() -> None:
    given, expected = example("CN-14")
    normal = ints(given["normal"])
    assert hj_period_flag(normal, np.full_like(normal, given["members"])) == expected["flag"]
    assert hj_period_flag(ints([59, 60]), ints([60, 60]), water=True) == ["D", "N"]


def test_eu_04_of_the_possible_readings() -> None:
    given, expected = example("EU-04")
    valid = ints(given["valid_readings"])
    assert eu_hour(valid, np.full_like(valid, given["possible_readings"])).tolist() == expected["valid"]


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"quarters": 0b1111}, VALID),
        ({"quarters": 0b1101}, INVALID),
        ({"quarters": 0b1101, "ran": 0b0101}, VALID),
        ({"quarters": 0b0100, "ran": 0b0101}, INVALID),
        ({"quarters": 0b1111, "ran": 0}, NOT_JUDGED),
        ({"quarters": 0b0011, "calibrated": 1, "apart_us": QUARTER}, VALID),
        ({"quarters": 0b1111, "calibrated": 1, "apart_us": QUARTER - 1}, INVALID),
    ],
)
def test_us_hours_by_their_quarters(fields: dict[str, int], verdict: int) -> None:
    assert us_hour(record(**fields)).tolist() == [verdict]


@pytest.mark.parametrize(
    ("rule", "fields", "verdict"),
    [
        ("hj-hour", {"minutes_us": 45 * MINUTE, "valid_us": HOUR}, VALID),
        ("hj-hour", {"minutes_us": 45 * MINUTE - 1, "valid_us": HOUR}, INVALID),
        ("eu-hour", {"valid_us": 48 * MINUTE}, VALID),
        ("eu-hour", {"valid_us": 48 * MINUTE - 1, "minutes_us": HOUR}, INVALID),
    ],
)
def test_hours_by_their_time(rule: str, fields: dict[str, int], verdict: int) -> None:
    assert judge_hours(rule, record(**fields)).tolist() == [verdict]


def test_a_rule_of_days_judges_no_hours() -> None:
    with pytest.raises(ValueError, match="rule is 'hj-day'; expected one for hours"):
        judge_hours("hj-day", record())


def test_every_regime_names_rules_that_are_there() -> None:
    named = {rule for regime in REGIMES.values() for rule in (regime.hour, regime.day) if rule is not None}
    assert named <= set(RULES)
    assert all(rule.source and rule.trust in {"R", "unconfirmed"} for rule in RULES.values())
