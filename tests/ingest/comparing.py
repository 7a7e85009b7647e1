"""What comparing points comes to by definition: plain Python over all rows of a site."""

import math
from typing import Any

from ingest.model import HOUR, Kind, Reason
from ingest.plant.plan import Plan, PlanComparison

Verdicts = list[tuple[str, int, float, float, int, int]]
"""(point, hour, own, other, common_us, verdict), as they are stored."""


def compared(plan: Plan, rows: Any, until: int) -> Verdicts:
    """The verdicts on all hours that end by an edge (µs), from INTERVAL_ROW with `segment` the plan index."""
    found = []
    for comparison in plan.comparisons:
        own, other = (_hours(plan, rows, p, comparison) for p in (comparison.point, comparison.other))
        for hour in sorted(own.keys() & other.keys()):
            starts = sorted(own[hour].keys() & other[hour].keys())
            if starts and hour + HOUR <= until:
                sums = (math.fsum(side[hour][at] for at in starts) for side in (own, other))
                found.append(_judged(plan, comparison, hour, len(starts), *sums))
    return found


def doubt(plan: Plan, rows: Any, verdicts: Verdicts) -> None:
    """Make uncertain in `rows` what follows from verdicts."""
    drifted = {(point, hour) for point, hour, *_, verdict in verdicts if verdict == 1}
    doubters: dict[int, list[str]] = {}
    for comparison in plan.comparisons:
        name = plan.points[comparison.point].id
        doubters.setdefault(comparison.point, []).append(name)
        for program in plan.computed:
            if comparison.point in program.reads:
                doubters.setdefault(program.point, []).append(name)
    for row in rows:
        before = int(row["start_at"]) // HOUR * HOUR - HOUR
        if any((name, before) in drifted for name in doubters.get(int(row["segment"]), ())):
            row["reasons"] |= int(Reason.DRIFT)
            row["quality"] = max(row["quality"], 1)


def _hours(plan: Plan, rows: Any, point: int, comparison: PlanComparison) -> dict[int, dict[int, float]]:
    """Hour → start → figure of the intervals of a point that are wholly valid."""
    figure = "mean" if plan.points[comparison.point].kind is Kind.SAMPLE else "amount"
    found: dict[int, dict[int, float]] = {}
    for row in rows[(rows["segment"] == point) & (rows["valid_us"] == plan.interval_us)]:
        start = int(row["start_at"])
        assert row["substituted_us"] == 0
        found.setdefault(start // HOUR * HOUR, {})[start] = float(row[figure])
    return found


def _judged(
    plan: Plan, comparison: PlanComparison, hour: int, count: int, own: float, other: float
) -> tuple[str, int, float, float, int, int]:
    point, hours = plan.points[comparison.point], count * plan.interval_us / HOUR
    if point.kind is Kind.SAMPLE:
        own, other, hours = own / count, other / count, 1.0
    multiplier, offset = comparison.scale
    other = other * multiplier + offset
    allowed = comparison.limit * hours if comparison.share is None else comparison.share * abs(other)
    common_us = count * plan.interval_us
    verdict = 2 if common_us < comparison.least_us else int(abs(own - other) > allowed)
    return point.id, hour, own, other, common_us, verdict
