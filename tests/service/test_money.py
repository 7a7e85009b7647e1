"""Exact decimals of money."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.money import decimal_text, nearest


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_decimal_reads_back_as_itself(money: Decimal) -> None:
    assert Fraction(decimal_text(Fraction(money))) == Fraction(money)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_a_decimal_too(value: float) -> None:
    text = decimal_text(Fraction(value))
    assert Fraction(text) == Fraction(value)
    assert nearest(Fraction(text)) == value


def test_what_is_no_decimal_is_refused_and_what_is_beyond_a_float_has_none() -> None:
    with pytest.raises(ValueError, match="expected a decimal"):
        decimal_text(Fraction(1, 3))
    assert nearest(Fraction(10) ** 400) is None
    assert [decimal_text(Fraction(n, 100)) for n in (-5, 0, 5, 100)] == ["-0.05", "0", "0.05", "1"]
