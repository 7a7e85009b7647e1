"""The readings of chosen points as columns, whether measured or computed.

Folding takes columns; where they come from differs: the tail for what is open,
the store for what is recomputed. A computed point has no readings of its own: its
program is evaluated over the union of its inputs' times.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingest.model import NEVER, Reason
from ingest.pipeline import drift
from ingest.pipeline.batch import FloatArray, IntArray, Rows
from ingest.pipeline.state import SiteState
from ingest.plant.plan import PlanComputed
from kernels.conflict import flag_conflicts
from kernels.fold import fold_intervals
from kernels.rows import GOOD, INTERVAL_ROW, STEP_ROW, UNCERTAIN
from kernels.screen import screen
from kernels.tail import gather
from kernels.union import evaluate_union


@dataclass(slots=True)
class Signals:
    """Readings of several segments: those of segment j are rows offsets[j]:offsets[j + 1]."""

    offsets: IntArray
    at: IntArray
    value: FloatArray
    count: IntArray
    quality: IntArray
    reasons: IntArray
    seq: IntArray

    def segment(self, j: int) -> "Signals":
        """Segment `j` alone."""
        rows = slice(int(self.offsets[j]), int(self.offsets[j + 1]))
        columns = (getattr(self, name)[rows] for name in COLUMNS)
        return Signals(np.array([0, rows.stop - rows.start]), *columns)

    @staticmethod
    def join(parts: "Sequence[Signals]") -> "Signals":
        """The segments of all parts, in order."""
        sizes = np.concatenate([np.zeros(1, np.int64), *(np.diff(part.offsets) for part in parts)])
        columns = (np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS)
        return Signals(np.cumsum(sizes), *columns)


COLUMNS = ("at", "value", "count", "quality", "reasons", "seq")
"""What stands beside each reading of `Signals`, in their order."""


Load = Callable[[IntArray], Signals]
"""The readings of measured points (plan indices), a segment each."""


def from_tail(state: SiteState) -> Load:
    """Readings as the tail holds them."""

    def load(points: IntArray) -> Signals:
        m = int(state.points["size"][points].sum())
        ints = [np.zeros(m, np.int64) for _ in range(5)]
        signals = Signals(np.zeros(points.size + 1, np.int64), ints[0], np.zeros(m), *ints[1:])
        gather(
            state.entries, state.points, points,
            signals.offsets, signals.at, signals.value, signals.count, signals.quality, signals.reasons,
            signals.seq,
        )  # fmt: skip
        return signals

    return load


def signals_of(state: SiteState, load: Load, points: IntArray, from_at: IntArray, reach: IntArray) -> Signals:
    """Readings of any points of the plan, a segment each.

    Args:
        state: whose plan the points are of.
        load: where measured readings come from.
        points: plan indices.
        from_at: where the caller will begin to fold each of them.
        reach: per plan point, the instant up to which its signal is known.
    """
    n_measured = state.plan.n_measured
    if bool((points < n_measured).all()):
        return load(points)
    parts = []
    for p, begin in zip(points.tolist(), from_at.tolist(), strict=True):
        if p < n_measured:
            parts.append(load(np.array([p])))
        else:
            parts.append(evaluate(state, load, state.plan.computed[p - n_measured], begin, int(reach[p])))
    return Signals.join(parts)


def screened(state: SiteState, signals: Signals, points: IntArray) -> Signals:
    """Readings with the flags that others of their time and their points' rules give them.

    Whoever folds readings or computes with them asks for this, so that flags are the same
    whether they come from the tail or from the store.
    """
    ruled = bool(state.plan.params["lookback_us"][points].any())
    if not ruled and not bool((signals.at[1:] == signals.at[:-1]).any()):
        return signals
    flagged, params = (
        replace(signals, quality=signals.quality.copy(), reasons=signals.reasons.copy()),
        state.params[points],
    )
    flag_conflicts(flagged.offsets, flagged.at, flagged.quality, flagged.reasons, flagged.seq, params)
    if ruled:
        screen(flagged.offsets, flagged.at, flagged.value, flagged.quality, flagged.reasons, params)
    return flagged


def evaluate(state: SiteState, load: Load, program: PlanComputed, from_at: int, to_at: int) -> Signals:
    """The readings of a computed point from the last union time at or before `from_at` up to `to_at`."""
    points = np.array(program.reads)
    inputs = screened(state, load(points), points)
    value_in = inputs.value.copy()
    first = NEVER
    for j, (multiplier, offset) in enumerate(program.scales):
        rows = slice(int(inputs.offsets[j]), int(inputs.offsets[j + 1]))
        value_in[rows] = value_in[rows] * multiplier + offset
        before = int(np.searchsorted(inputs.at[rows], from_at, side="right"))
        if before > 0:
            first = max(first, int(inputs.at[rows][before - 1]))
    room = inputs.at.size
    at, quality, reasons = (np.zeros(room, np.int64) for _ in range(3))
    value = np.zeros(room)
    n = evaluate_union(
        inputs.offsets, inputs.at, value_in, inputs.quality, inputs.reasons,
        state.params[points], program.method, np.array(program.constants, np.float64),
        np.array(program.gate_codes, np.int64), np.array(program.gate_reasons, np.int64),
        first, to_at, at, value, quality, reasons,
    )  # fmt: skip
    none = np.zeros(n, np.int64)
    return Signals(np.array([0, n]), at[:n], value[:n], none, quality[:n], reasons[:n], none)


@dataclass(slots=True)
class Folded:
    """Interval rows of several segments, and how far each has come."""

    rows: Rows
    steps: Rows
    done_at: IntArray


def fold(
    state: SiteState,
    signals: Signals,
    points: IntArray,
    from_at: IntArray,
    to_at: IntArray,
    *,
    most: int | None = None,
) -> Folded:
    """Fold segments to interval rows: all of them, or about `most` rows at a time.

    Args:
        state: parameters of the points.
        signals: readings of n segments, as they were stored.
        points: int64[n], plan index of each segment; one may stand there twice.
        from_at: int64[n], interval edges.
        to_at: int64[n].
        most: stop when so many rows are there; `done_at` says where. None: fold all.
    """
    params, interval_us = state.params[points], state.plan.interval_us
    signals = screened(state, signals, points)
    rows, steps = np.zeros(min(most or 4096, 4096) if most else 4096, INTERVAL_ROW), np.zeros(1024, STEP_ROW)
    found_rows, found_steps, total = [], [], 0
    begin = from_at
    while True:
        done_at = begin.copy()
        n_rows, n_steps = fold_intervals(
            signals.offsets, signals.at, signals.value, signals.count, signals.quality, signals.reasons,
            params, begin, to_at, interval_us, rows, steps, done_at,
        )  # fmt: skip
        found_rows.append(rows[:n_rows].copy())
        found_steps.append(steps[:n_steps].copy())
        total += n_rows
        if n_rows == 0 and bool((done_at == begin).all()):
            steps = np.zeros(2 * steps.size, STEP_ROW)  # those of one interval did not fit
        if bool((done_at >= to_at).all()) or (most is not None and total >= most):
            found = np.concatenate(found_rows)
            _doubt(found, state.plan.params["min_valid_share"][points], to_at, interval_us)
            _doubt_overdue(found, state.plan.params["due_at"][points])
            drift.doubt(state, found, points)
            return Folded(found, np.concatenate(found_steps), done_at)
        begin = done_at


def _doubt(rows: Rows, least_share: FloatArray, to_at: IntArray, interval_us: int) -> None:
    """A good whole interval of which too little is valid, by its point's rule, is uncertain."""
    segment = rows["segment"]
    whole = rows["start_at"] + interval_us <= to_at[segment]
    thin = rows["valid_us"] < least_share[segment] * interval_us
    rows["quality"][whole & thin & (rows["quality"] == GOOD)] = UNCERTAIN


def _doubt_overdue(rows: Rows, due_at: IntArray) -> None:
    """An interval from the day on which an instrument of its point was due is at best uncertain."""
    overdue = rows["start_at"] >= due_at[rows["segment"]]
    rows["reasons"][overdue] |= int(Reason.OVERDUE)
    rows["quality"][overdue & (rows["quality"] == GOOD)] = UNCERTAIN
