"""Rounding at the reporting edge: decimal, half away from zero, blind to a float's last digits."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.methods.rounding import (
    HEAT_INPUT,
    TO_TENTH,
    TO_THOUSAND,
    TO_THOUSANDTH,
    TO_WHOLE,
    UNROUNDED,
    Rounding,
)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (TO_TENTH, 0.25, 0.3),
        (TO_TENTH, -0.25, -0.3),
        (TO_TENTH, 0.05, 0.1),
        (TO_TENTH, 22.54 - 22.49, 0.1),
        (TO_TENTH, 22.56 - 22.51, 0.1),
        (TO_TENTH, 0.0499, 0.0),
        (TO_TENTH, 1234567890123.25, 1234567890123.3),
        (TO_TENTH, 1e301, 1e301),
        (TO_WHOLE, 2.5, 3.0),
        (TO_WHOLE, -2.5, -3.0),
        (TO_THOUSANDTH, 1.0005, 1.001),
        (TO_THOUSAND, 1500.0, 2000.0),
        (TO_THOUSAND, 1499.9, 1000.0),
        (HEAT_INPUT, 0.2, 1.0),
        (HEAT_INPUT, 1.05, 1.1),
        (UNROUNDED, 1.23456789, 1.23456789),
    ],
)
def test_examples(rule: Rounding, value: float, expected: float) -> None:
    assert rule.apply(value) == expected


def test_what_is_no_number_stays() -> None:
    assert math.isnan(TO_TENTH.apply(math.nan))
    assert TO_TENTH.apply(math.inf) == math.inf
    assert math.copysign(1.0, TO_TENTH.apply(-0.01)) == 1.0


@given(st.integers(-(10**9), 10**9), st.integers(-3, 6))
def test_halves_go_away_from_zero(number: int, decimals: int) -> None:
    """number and a half units of the last digit kept."""
    unit = Decimal(1).scaleb(-decimals)
    half = (Decimal(abs(number)) + Decimal("0.5")) * unit
    expected = float((abs(number) + 1) * unit)
    rule = Rounding(decimals)
    assert rule.apply(float(half)) == expected
    assert rule.apply(-float(half)) == -expected


def test_a_rule_says_what_it_is() -> None:
    assert UNROUNDED.text == "none; at the reporting edge only"
    assert HEAT_INPUT.text == "to 0.1, half away from zero, at least 1"
    assert TO_THOUSAND.text == "to 1000, half away from zero"
