"""Money as it is told: exactly, as a decimal, and as the nearest float.

Counts are integers and prices decimals, so what something costs is a decimal of finite length. Its text is exact: the
costs of hours add up to that of their month with `==`. Rounding to cents is the reader's.
"""

from decimal import Context, Decimal
from fractions import Fraction

_ENOUGH = Context(prec=400)


def decimal_text(money: Fraction) -> str:
    """The decimal of a fraction whose denominator has only the factors 2 and 5."""
    exact = _ENOUGH.divide(Decimal(money.numerator), Decimal(money.denominator))
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
