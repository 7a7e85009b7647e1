"""From two sums to a figure, or to the reason why there is none.

Every KPI carries two sums, a and b, over the span it speaks of; what a figure
means is how its kind combines them. The live pipeline and the service both call
`combine`, so a figure on the page and in a report cannot differ. Plain Python on
two numbers: it reads no rows, knows no windows and rounds nothing.
"""

import math
from enum import StrEnum


class KpiKind(StrEnum):
    """How the sums a and b of a KPI combine."""

    RATIO = "ratio"
    """a / b; without production (b) there is none."""
    RATE = "rate"
    """a / b with b the covered hours."""
    DEMAND = "demand"
    """a / b with b the covered hours, over one aligned block."""
    TOTAL = "total"
    """a; b is the covered hours and not used."""
    POWER_FACTOR = "power_factor"
    """a / sqrt(a² + b²) with a in kWh and b in kvarh."""
    LOAD_FACTOR = "load_factor"
    """a / b with a the mean rate of the span and b the largest rate of its blocks."""


class NoFigure(StrEnum):
    """Why a figure is null."""

    NO_PRODUCTION = "no_production"
    """Nothing was produced in the span."""
    GAP = "gap"
    """Nothing of the span is covered by readings."""
    STALE = "stale"
    """The newest data are older than the KPI's `stale_after`."""
    ZERO_OVER_ZERO = "zero_over_zero"
    """Both sums are zero, as the power factor of a plant that draws nothing."""
    NO_DATA = "no_data"
    """An input has never delivered, or has no usable value in the span."""
    NO_ANALYSIS = "no_analysis"
    """No approved analysis covers all of it, and the plant file has no default."""
    NO_FACTOR = "no_factor"
    """There was activity, but no factor is known for the span."""
    NO_PRICE = "no_price"
    """There was an amount, but no tariff holds for its meter then."""
    NO_METER = "no_meter"
    """The plant file names no meter that bills it."""
    NO_CONTRACT = "no_contract"
    """No demand is contracted."""
    ENDED = "ended"
    """Of a block that is complete nothing is left to draw in."""


Figure = tuple[float | None, NoFigure | None]
"""A value and no reason, or no value and the reason."""


def combine(kind: KpiKind, a: float, b: float, covered_us: int) -> Figure:
    """The figure of a KPI from its sums, in the KPI's unit.

    Args:
        kind: how a and b combine.
        a: numerator, in the unit the plan's weights lead to.
        b: denominator; covered hours of a rate, demand or total.
        covered_us: time of the span in which every input is covered, µs.
    """
    if covered_us <= 0:
        return None, NoFigure.GAP
    if not (math.isfinite(a) and math.isfinite(b)):
        return None, NoFigure.NO_DATA
    match kind:
        case KpiKind.RATIO:
            # A falling product register is no production either: no negative intensity.
            return (a / b, None) if b > 0 else (None, NoFigure.NO_PRODUCTION)
        case KpiKind.RATE | KpiKind.DEMAND:
            return (a / b, None) if b > 0 else (None, NoFigure.GAP)
        case KpiKind.TOTAL:
            return a, None
        case KpiKind.POWER_FACTOR:
            apparent = math.hypot(a, b)
            return (a / apparent, None) if apparent > 0 else (None, NoFigure.ZERO_OVER_ZERO)
        case KpiKind.LOAD_FACTOR:
            return (a / b, None) if b > 0 else (None, NoFigure.ZERO_OVER_ZERO)


def fresh(figure: Figure, age_us: int, stale_after_us: int | None) -> Figure:
    """The figure, or null with reason stale when its data are too old.

    Args:
        figure: what `combine` gave.
        age_us: now minus the figure's horizon, µs.
        stale_after_us: the KPI's bound, µs; None: it never grows stale.
    """
    if stale_after_us is not None and age_us > stale_after_us:
        return None, NoFigure.STALE
    return figure
