"""Rounding at the reporting edge, as data of a method: decimal, half away from zero.

A figure is kept unrounded; a report rounds it once by its method's rule. A float such as
22.54 - 22.49 lies a hair beside the half it stands for, so it is first read to twelve
significant digits: arithmetic on measured numbers errs by less than that.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

SIGNIFICANT = 12
_DIGITS = 400
"""Any finite float has fewer before its point."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """A regime's rule for one kind of figure."""

    decimals: int | None
    """Digits after the point; -3 is thousands; None: not rounded."""
    least: float | None = None
    """What a smaller figure is reported as."""
    trust: str = "R"

    def apply(self, value: float) -> float:
        """The figure as it is reported; what is not finite stays as it is."""
        if not math.isfinite(value) or self.decimals is None:
            return value
        read = Decimal(f"{value:.{SIGNIFICANT}g}")
        if read.adjusted() >= SIGNIFICANT - 1 - self.decimals:
            read = Decimal(value)  # the digit that is rounded is beyond the twelfth
        with localcontext(prec=_DIGITS):
            found = float(read.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP))
        found += 0.0  # no negative zero
        return found if self.least is None else max(found, self.least)

    @property
    def text(self) -> str:
        """What the rule says."""
        if self.decimals is None:
            return "none; at the reporting edge only"
        least = "" if self.least is None else f", at least {self.least:g}"
        return f"to {10.0**-self.decimals:g}, half away from zero{least}"


UNROUNDED = Rounding(None)
TO_TENTH = Rounding(1)
"""CO2 in % and short ton/h, moisture, availability, errors of calibration in %."""
TO_WHOLE = Rounding(0)
"""Errors of calibration in ppm."""
TO_HUNDREDTH = Rounding(2)
"""Relative accuracy in %."""
TO_THOUSANDTH = Rounding(3)
"""lb/mmBtu, bias adjustment factors."""
HEAT_INPUT = Rounding(1, least=1.0)
"""mmBtu/h of a unit that runs."""
TO_THOUSAND = Rounding(-3)
"""Flow in scfh."""
