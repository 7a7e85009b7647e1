"""Drift: whether a point and what it is compared with say the same of an hour.

An hour of UTC that both have closed gets a verdict: of the intervals that both have whole,
valid and not substituted the figures are summed, exactly, and set side by side. Too few such
intervals in common give none, and an hour with none at all has no row. A verdict follows from
amounts, means and valid time alone, never from the quality that this rule gives, so nothing
cascades. It counts from the hour after: the intervals that start there are at best uncertain.
Of computed points too that read the point; what reads those (KPIs, sources) has the worst of
its inputs anyway. When verdicts are made and stored is the business of `ingest.store.comparison`.
"""

from enum import IntEnum

import numpy as np

from ingest.model import HOUR, NEVER, Reason
from ingest.pipeline.batch import BoolArray, IntArray, Rows
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan, PlanComparison
from kernels.exact import exact_sum
from kernels.rows import GOOD, SAMPLE, UNCERTAIN

COMPARISON_ROW = np.dtype(
    [
        ("point", "i8"),
        ("start_at", "i8"),  # of the hour
        ("own", "f8"),  # amount, of samples mean, over the time in common
        ("other", "f8"),  # the same of the other, in the point's unit
        ("common_us", "i8"),
        ("verdict", "i8"),
    ]
)
"""How a point and what it is compared with stand side by side in one hour."""


class Verdict(IntEnum):
    """What a comparison comes to; stored, so the numbers stay."""

    WITHIN = 0
    DRIFTED = 1
    TOO_LITTLE = 2
    """Too little of the hour in common: no verdict."""


def verdicts(plan: Plan, compared: PlanComparison, own: Rows, other: Rows) -> Rows:
    """COMPARISON_ROW of every hour in which a point and its other have an interval in common.

    Args:
        plan: whose comparison it is.
        compared: which points.
        own: INTERVAL_ROW of the point, closed, all of some hours, each interval once.
        other: of the other, alike; in its own unit.
    """
    sample = plan.params["kind"][compared.point] == SAMPLE
    figure = "mean" if sample else "amount"
    own, other = (rows[_whole(rows, figure, plan.interval_us)] for rows in (own, other))
    starts, mine, theirs = np.intersect1d(
        own["start_at"], other["start_at"], assume_unique=True, return_indices=True
    )
    hours, begins, counts = np.unique(starts - starts % HOUR, return_index=True, return_counts=True)
    found = np.zeros(hours.size, COMPARISON_ROW)
    found["point"], found["start_at"], found["common_us"] = compared.point, hours, counts * plan.interval_us
    for row, begin, count in zip(found, begins.tolist(), counts.tolist(), strict=True):
        part = slice(begin, begin + count)
        sums = [exact_sum(rows[figure][at[part]].copy()) for rows, at in ((own, mine), (other, theirs))]
        row["own"], row["other"] = (total / count for total in sums) if sample else sums
        row["other"] = row["other"] * compared.scale[0] + compared.scale[1]
        row["verdict"] = _verdict(compared, row, 1.0 if sample else row["common_us"] / HOUR)
    return found


def _whole(rows: Rows, figure: str, interval_us: int) -> BoolArray:
    """Of which intervals all is valid, and so nothing substituted."""
    found: BoolArray = (rows["valid_us"] == interval_us) & np.isfinite(rows[figure])
    return found


def _verdict(compared: PlanComparison, row: np.void, hours: float) -> Verdict:
    if row["common_us"] < compared.least_us:
        return Verdict.TOO_LITTLE
    allowed = compared.limit * hours if compared.share is None else compared.share * abs(row["other"])
    return Verdict.DRIFTED if abs(row["own"] - row["other"]) > allowed else Verdict.WITHIN


def doubt(state: SiteState, rows: Rows, points: IntArray) -> None:
    """Intervals that start in an hour after one in which their point, or what it reads, has drifted are uncertain.

    `rows` are INTERVAL_ROW whose `segment` is a place in `points`.
    """
    if not rows.size:
        return
    for compared in state.plan.comparisons:
        drifted = state.drifted[compared.point]
        if not drifted:
            continue
        mine = np.flatnonzero(np.isin(points[rows["segment"]], np.array(compared.doubts)))
        before = rows["start_at"][mine] - rows["start_at"][mine] % HOUR - HOUR
        hit = [hour for hour in np.unique(before).tolist() if hour in drifted]
        mine = mine[np.isin(before, np.array(hit, np.int64))]
        rows["reasons"][mine] |= int(Reason.DRIFT)
        quality = rows["quality"][mine]
        rows["quality"][mine] = np.where(quality == GOOD, UNCERTAIN, quality)


def reached(state: SiteState) -> IntArray:
    """Up to which edge of an hour both points of each comparison are closed; NEVER: one of them nowhere."""
    closed_until, compared = state.points["closed_until"], state.plan.comparisons
    least = np.minimum(closed_until[[c.point for c in compared]], closed_until[[c.other for c in compared]])
    found: IntArray = np.where(least == NEVER, NEVER, least - least % HOUR)
    return found


def due(state: SiteState) -> IntArray:
    """int64[n, 3], (comparison, begin, end): the hours that both points have come past since this was asked.

    `begin` is NEVER where one of them had closed nothing before.
    """
    if not state.plan.comparisons:
        return NOTHING
    before, now = state.compared_until, reached(state)
    state.compared_until = np.maximum(before, now)
    moved = np.flatnonzero(now > before)
    return np.stack([moved, before[moved], now[moved]], axis=1)


def hours_of(state: SiteState, changed: IntArray) -> IntArray:
    """int64[n, 3], (comparison, begin, end): hours with a verdict in which intervals (point, start_at) have changed."""
    found = [NOTHING]
    for k, compared in enumerate(state.plan.comparisons):
        mine = changed[(changed[:, 0] == compared.point) | (changed[:, 0] == compared.other), 1]
        hours = np.unique(mine - mine % HOUR)
        hours = hours[hours < state.compared_until[k]]
        found.append(np.stack([np.full(hours.size, k), hours, hours + HOUR], axis=1))
    return np.concatenate(found)


NOTHING: IntArray = np.zeros((0, 3), np.int64)
