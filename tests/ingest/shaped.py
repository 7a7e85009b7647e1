"""What gaps of counters that are filled by weights come to by definition, beside flat rows of everything.

Interval by interval, with the clock of the site's zone and the reference's arithmetic:
nothing of `ingest.pipeline.filling` is used.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ingest.model import Fill, FlatBecause
from ingest.pipeline.signals import Signals
from ingest.plant.plan import Plan
from kernels import reference
from kernels.rows import GAP_ROW, POINT_PARAMS, SHAPED

Filled = dict[tuple[str, int, int], tuple[int, int, int]]
"""(point, from, to) → (asked, used, because)."""


def fill_gaps(plan: Plan, signals: Signals, rows: Any, until: int) -> Filled:
    """Shape the gaps in rows (flat, of all points from their first reading to `until`), and say how."""
    flat, found = rows.copy(), Filled()
    for p in np.flatnonzero(plan.params["fill"]).tolist():
        for _, begin, end, increment in gaps(plan, signals, p, until).tolist():
            starts = range(begin - begin % plan.interval_us, end, plan.interval_us)
            weight = weights(plan, flat, p, starts)
            moved, parts = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
            code = reference.shape_gap(begin, end, increment, plan.interval_us, weight, parts, moved)
            asked = int(plan.params["fill"][p])
            used = asked if code == SHAPED else int(Fill.FLAT)
            found[plan.points[p].id, begin, end] = asked, used, code
            for start, counts in zip(starts, moved.tolist(), strict=True):
                for i in np.flatnonzero((rows["segment"] == p) & (rows["start_at"] == start)):
                    rows["amount_count"][i] += counts
                    rows["amount"][i] = rows["amount_count"][i] * plan.params["resolution"][p]
    assert {because for _, _, because in found.values()} <= set(FlatBecause)
    return found


def gaps(plan: Plan, signals: Signals, p: int, until: int) -> Any:
    """Those of one point that begin before `until`."""
    mine = signals.segment(p)
    param = np.zeros(1, POINT_PARAMS)
    for name in POINT_PARAMS.names or ():
        param[name] = plan.params[name][p]
    listed = np.zeros(mine.at.size, GAP_ROW)
    first = mine.at[:1] if mine.at.size else np.zeros(1, np.int64)
    n = reference.gap_steps(
        mine.offsets,
        mine.at,
        mine.count,
        mine.quality,
        mine.reasons,
        param,
        first - 1,
        np.array([until]),
        listed,
    )
    return listed[:n]


def weights(plan: Plan, flat: Any, p: int, starts: range) -> Any:
    """Of each interval; NaN: none."""
    source = p if plan.params["fill"][p] == Fill.SAME_HOUR else int(plan.params["fill_by"][p])
    whole = flat[(flat["segment"] == source) & (flat["valid_us"] == plan.interval_us)]
    amounts = dict(zip(whole["start_at"].tolist(), whole["amount"].tolist(), strict=True))
    if source != p:
        return np.array([amounts.get(start, math.nan) for start in starts])
    by_clock: dict[datetime, float] = {}
    for start in sorted(amounts):
        by_clock.setdefault(clock(plan, start), amounts[start])
    midnight = clock(plan, starts[0]).replace(hour=0, minute=0, second=0)
    found = []
    for start in starts:
        since_midnight = clock(plan, start) - clock(plan, start).replace(hour=0, minute=0, second=0)
        days = [midnight - timedelta(days=n) + since_midnight for n in range(1, 8)]
        some = [by_clock[day] for day in days if day in by_clock]
        found.append(math.fsum(some) / len(some) if some else math.nan)
    return np.array(found)


def clock(plan: Plan, at: int) -> datetime:
    """What the clock on the wall shows."""
    shown = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(plan.zone)
    return shown.replace(tzinfo=None, fold=0)
