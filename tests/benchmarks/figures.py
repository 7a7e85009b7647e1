"""What a benchmark says: named numbers, with what was asked of them beside."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One number; its unit is in the name."""

    name: str
    value: float | int | str | None
    asked: str = ""
    """What it is held against: a floor or a goal of the design."""


Figures = list[Figure]


def rounded(value: float, digits: int = 3) -> float | int | None:
    """To so many significant digits; None for NaN."""
    if math.isnan(value):
        return None
    if value == 0:
        return 0
    places = digits - 1 - math.floor(math.log10(abs(value)))
    result = round(value, places)
    return int(result) if places <= 0 else result


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which so much of them lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
