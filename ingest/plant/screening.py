"""Rules by which a point's readings are doubted, as parameter columns.

How fast a quantity can change, how long it may stand still, and from these how far
back an interval has to look. What the rules do is in `kernels.screen`.
"""

import math
from collections.abc import Mapping, Sequence

from ingest.errors import InputError
from ingest.plant.catalogue import Catalogue
from ingest.plant.entries import Point
from ingest.plant.fields import split_rate
from ingest.plant.sentence import Place

_PER_HOUR: Mapping[str, float] = {"s": 3600.0, "min": 60.0, "h": 1.0, "d": 1 / 24}

STILL_TOLERANCE = 1e-6
"""How much more than one step still is one, in steps: 0.3 less 0.2 is more than 0.1 in float64."""


def rate_per_h(catalogue: Catalogue, place: Place, point: Point) -> float:
    """The fastest change of a point in its unit per hour; infinite if it declares none.

    A bare number is per hour; a text has a unit of its own. Raises PlantError where
    that is no unit or of another dimension.
    """
    if point.max_rate is None:
        return math.inf
    if not isinstance(point.max_rate, str):
        return point.max_rate
    size, unit, time = split_rate(point.max_rate)
    where = (*place, "max_rate")
    given = catalogue.measure(where, unit, point.basis)
    wanted = catalogue.measure(where, point.unit, point.basis)
    try:
        # A change has no zero: that of °C and K is left out.
        return size * given.affine(wanted)[0] * _PER_HOUR[time]
    except InputError as refusal:
        raise catalogue.refused(where, refusal) from None


def screening_columns(
    points: Sequence[Point], rates: Sequence[float], max_gap_us: Sequence[int]
) -> dict[str, list[float]]:
    """The columns of `kernels.screen`, a row per point; zeros where there is no rule."""
    ruled = [
        rate if _is_signal(point) and math.isfinite(rate) else 0.0
        for point, rate in zip(points, rates, strict=True)
    ]
    stuck_after = [point.stuck_after or 0 for point in points]
    nowhere = (math.inf, -math.inf)
    return {
        "max_rate_per_h": ruled,
        "stuck_after_us": list(stuck_after),
        "stuck_band": [(point.resolution or 0.0) * (1 + STILL_TOLERANCE) for point in points],
        "stuck_low": [(point.stuck_except or nowhere)[0] for point in points],
        "stuck_high": [(point.stuck_except or nowhere)[1] for point in points],
        "lookback_us": [
            # What begins an interval is up to max_gap old, its flags come from before it.
            2 * gap + after if rate > 0 or after > 0 else 0
            for rate, after, gap in zip(ruled, stuck_after, max_gap_us, strict=True)
        ],
    }


def _is_signal(point: Point) -> bool:
    """Whether its rate is a rule for readings: of a counter it decides what a step is."""
    return point.kind in {"gauge", "sample"}
