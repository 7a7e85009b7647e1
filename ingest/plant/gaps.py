"""What a plant file says of gaps: how long one is, and how a counter's is filled.

How filling works is in `ingest.pipeline.filling`.
"""

from collections.abc import Mapping, Sequence

from ingest.model import DAY, Fill
from ingest.plant.entries import Point
from ingest.plant.fields import format_span
from ingest.plant.file import PlantFile
from ingest.plant.sentence import Place, absent, fault

NOTHING = -1
"""Plan index of no point."""
_WEIGHING = {"counter", "delta", "gauge"}
"""Kinds whose intervals have amounts that can be weights: of a state they are hours."""


def max_gap_of(point: Point) -> int:
    """The longest time a reading holds or two are joined, µs, declared or not."""
    if point.max_gap is not None:
        return point.max_gap
    return DAY if point.kind == "state" else min(10 * (point.period or 0), DAY)


def check_fill(file: PlantFile, point: Point, place: Place) -> None:
    """Raise PlantError if the way in which gaps of a point are to be filled makes no sense."""
    least = max_gap_of(point)
    if point.fill_at_most is not None and point.fill_at_most < least:
        expected = f"at least {format_span(least)}, its max_gap, which is no gap"
        raise fault(file.origin, (*place, "fill_at_most"), format_span(point.fill_at_most), expected)
    where, by = (*place, "fill_by"), point.fill_by
    if point.fill != "production":
        if by is not None:
            raise fault(file.origin, where, by, "no such key unless fill is production")
        return
    if by is None:
        raise absent(file.origin, where, "the id of the point whose amounts are the weights")
    weighing = {other.id for other in file.points if other.kind in _WEIGHING}
    if by == point.id or by not in weighing:
        raise fault(file.origin, where, by, "the id of another point, a counter, delta or gauge")


def fill_columns(points: Sequence[Point], index: Mapping[str, int]) -> dict[str, list[int]]:
    """The columns `fill` and `fill_by` of a plan, a row per point; `index` gives plan indices."""
    return {
        "fill": [Fill[(point.fill or "flat").upper()] for point in points],
        "fill_by": [NOTHING if point.fill_by is None else index[point.fill_by] for point in points],
    }
