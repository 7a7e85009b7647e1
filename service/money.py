"""Money as it is told: exactly, as a decimal, and as the nearest float.

Counts are integers and prices decimals, so what something costs is a decimal of finite length. Its text is exact: the
costs of hours add up to that of their month with `==`. Rounding to cents is the reader's.
"""

from fractions import Fraction


def decimal_text(money: Fraction) -> str:
    """The decimal of a fraction whose denominator has only the factors 2 and 5.

    Raises ValueError for any other, which no finite decimal is.
    """
    rest, twos, fives = money.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        raise ValueError(f"expected a decimal, not {money}")
    places = max(twos, fives)
    digits = str(abs(money.numerator) * 10**places // money.denominator).rjust(places + 1, "0")
    whole = digits[: len(digits) - places]
    text = f"{whole}.{digits[len(whole) :]}" if places else whole
    return f"-{text}" if money < 0 else text


def nearest(money: Fraction) -> float | None:
    """The nearest float; None beyond all of them."""
    try:
        return float(money)
    except OverflowError:
        return None
