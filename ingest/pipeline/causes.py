"""Why closed figures are said anew.

The new readings of a point say why its intervals are revised: people have declared
a replacement or corrected a value, a register has outlived a gap, or a reading was
simply late. What follows from several points has the most deliberate of their causes.
"""

import numpy as np

from ingest.model import ANALYSED_SEQ, DECLARED_SEQ, Cause, Reason
from ingest.pipeline.batch import IntArray, Rows
from ingest.plant.plan import Plan

BY_WEIGHT = (
    Cause.CLOSING,
    Cause.LATE,
    Cause.GAP_FILLED,
    Cause.CORRECTION,
    Cause.DECLARATION,
    Cause.RESTATEMENT,
    Cause.TEST,
)
"""From the least deliberate to the most."""
_CAUSES = np.array(BY_WEIGHT, np.int64)
_WEIGHT = np.argsort(_CAUSES)


def of_points(plan: Plan, stored: IntArray, fills_gap: IntArray) -> IntArray:
    """The cause of each point (plan index) of the plan; CLOSING where nothing new came to it.

    Args:
        plan: computed points take the causes of their inputs.
        stored: int64[n, 4], (point, measured_at, reasons, seq) of the readings that are new.
        fills_gap: points whose first new reading ends a gap that a register has lived through.
    """
    cause = np.full(len(plan.points), int(Cause.CLOSING), np.int64)
    point, reasons, declared = stored[:, 0], stored[:, 2], stored[:, 3] >= DECLARED_SEQ
    cause[point] = int(Cause.LATE)
    cause[np.setdiff1d(fills_gap, point[(reasons & int(Reason.LATE)) != 0])] = int(Cause.GAP_FILLED)
    cause[point[declared]] = int(Cause.CORRECTION)
    analysed = stored[:, 3] >= ANALYSED_SEQ
    cause[point[(declared & ((reasons & int(Reason.REPLACED)) != 0)) | analysed]] = int(Cause.DECLARATION)
    for program in plan.computed:
        cause[program.point] = weightiest(cause[np.array(program.reads)])
    return cause


def weightiest(causes: IntArray) -> int:
    """The most deliberate of some causes."""
    return int(causes[np.argmax(_WEIGHT[causes])])


def of_emissions(plan: Plan, emitted: Rows, cause: IntArray) -> IntArray:
    """The cause of each EMISSION_ROW: the most deliberate among its source's points'."""
    of_sources = [weightiest(cause[np.array(source.points)]) for source in plan.sources]
    found: IntArray = np.array(of_sources, np.int64)[emitted["source"]]
    return found


def of_kpis(plan: Plan, rows: Rows, changed: IntArray, cause: IntArray) -> IntArray:
    """The cause of each KPI_ROW: the most deliberate among its inputs' that changed in its interval.

    `changed` is int64[n, 2], (point, start_at); `cause` that of each point.
    """
    found = np.full(rows.size, int(Cause.LATE), np.int64)
    for k in np.unique(rows["kpi"]).tolist():
        mine = changed[np.isin(changed[:, 0], np.array(plan.kpis[k].points))]
        starts, place = np.unique(mine[:, 1], return_inverse=True)
        weight = np.zeros(starts.size, np.int64)
        np.maximum.at(weight, place, _WEIGHT[cause[mine[:, 0]]])
        chosen = np.flatnonzero(rows["kpi"] == k)
        found[chosen] = _CAUSES[weight[np.searchsorted(starts, rows["start_at"][chosen])]]
    return found
