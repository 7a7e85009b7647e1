"""The newest value of points, measured or computed, from the tail.

Of readings of one time the last of the list counts, as everywhere. A computed point has the
value of its program at the newest instant all its inputs reach.
"""

import numpy as np

from ingest.model import NEVER, Quality
from ingest.pipeline.batch import IntArray, Rows
from ingest.pipeline.signals import evaluate, from_tail
from ingest.pipeline.state import SiteState

NEWEST = np.dtype(
    [("at", "i8"), ("until", "i8"), ("value", "f8"), ("quality", "i8"), ("reasons", "i8"), ("stale", "?")]
)
"""`at` NEVER: nothing was heard; `until`: up to when it is known to hold; `stale`: too long ago to hold still."""


def newest(state: SiteState, points: IntArray, reaches: IntArray) -> Rows:
    """NEWEST of points (plan indices); `reaches` as `closing.look_ahead` has them."""
    found = np.zeros(points.size, NEWEST)
    found["at"] = found["until"] = NEVER
    found["value"] = np.nan
    measured = points < state.plan.n_measured
    last = np.where(measured, state.points["last"][points], -1)
    heard = np.flatnonzero(last >= 0)
    entries = state.entries[last[heard]]
    for name in ("at", "value", "quality", "reasons"):
        found[name][heard] = entries[name]
    for j in np.flatnonzero(~measured).tolist():
        _computed(state, int(points[j]), reaches, found[j : j + 1])
    known = found["at"] != NEVER
    found["until"][known] = np.maximum(found["at"], reaches[points])[known]
    found["stale"] = known & (found["until"] - found["at"] > state.params["max_gap_us"][points])
    found["value"][found["quality"] == Quality.BAD] = np.nan
    return found


def _computed(state: SiteState, point: int, reaches: IntArray, row: Rows) -> None:
    program = state.plan.computed[point - state.plan.n_measured]
    begin, reach = int(state.points["closed_until"][point]), int(reaches[point])
    if NEVER in (begin, reach):
        return
    signal = evaluate(state, from_tail(state), program, begin, reach)
    if signal.at.size:
        for name in ("at", "value", "quality", "reasons"):
            row[name] = getattr(signal, name)[-1]
