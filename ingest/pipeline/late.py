"""What a late reading changes, and what is said instead.

A reading of closed time touches the intervals from the reading before it to the one
after it; of a counter those of the steps whose class it may change (`Near`). Those are folded again from stored readings,
by the function that closed them; whatever differs becomes a revision, and what comes
out no more is taken away. Points that read the point (computed, KPIs, sources)
follow. Loading and storing belong to `ingest.store.late`.
"""

from dataclasses import dataclass

import numpy as np

from ingest.model import NEVER
from ingest.pipeline import closing
from ingest.pipeline.batch import KPI_ROW, BoolArray, Heads, IntArray, Readings, Refigured, Rows
from ingest.pipeline.kpis import Terms, as_kpi_rows, weigh
from ingest.pipeline.signals import Load, Signals, evaluate, fold
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan
from kernels.rows import COUNTER, DELTA, INTERVAL_ROW, STEP_ROW

FAR = -NEVER
"""The instant after every other."""


@dataclass(slots=True)
class Spans:
    """Edges [begin, end) per point (plan index) that have to be folded again."""

    point: IntArray
    begin: IntArray
    end: IntArray

    @staticmethod
    def join(one: "Spans", other: "Spans") -> "Spans":
        """The spans of both."""
        pairs = ((one.point, other.point), (one.begin, other.begin), (one.end, other.end))
        return Spans(*(np.concatenate(pair) for pair in pairs))


@dataclass(slots=True)
class Near:
    """What stands around the new readings of points, an instant each; NEVER: nothing."""

    before: IntArray
    """The reading before them; of a counter a usable one."""
    after: IntArray
    """The reading after them, alike."""
    since: IntArray
    """Of a counter the reading from which on its steps may be others: what follows on the one before
    the new ones may say that that is a glitch, or none."""
    till: IntArray
    """Of a counter the reading up to which they may: the first after `after` that is kept in any case."""


def affected(state: SiteState, point: IntArray, first: IntArray, last: IntArray, near: Near) -> Spans:
    """The closed intervals that readings of [first, last] touch.

    Args:
        state: frontiers and parameters.
        point: plan indices, each once.
        first: least instant of each point's new readings.
        last: largest instant.
        near: what stands around them.
    """
    params, interval_us = state.params[point], state.plan.interval_us
    begin, end = changed_signal(state, point, first, last, near)
    counter, delta = params["kind"] == COUNTER, params["kind"] == DELTA
    begin = np.where((params["sloped"] == 0) & ~counter, first, begin)
    begin = np.where(counter, np.where(near.since == NEVER, first, near.since), begin)
    end = np.where(counter, np.where(near.till == NEVER, last, near.till), end)
    at_start = params["stamp_start"] != 0
    begin = np.where(delta, first - np.where(at_start, 0, params["period_us"]), begin)
    end = np.where(delta, last + np.where(at_start, params["period_us"], 0), end)
    begin -= begin % interval_us
    end = np.minimum(end + (-end) % interval_us, state.points["closed_until"][point])
    return _some(Spans(point, begin, end))


def changed_signal(
    state: SiteState, point: IntArray, first: IntArray, last: IntArray, near: Near
) -> tuple[IntArray, IntArray]:
    """Between which instants gauges, samples and states may have another value now; see `affected`."""
    max_gap_us, lookback_us = (state.params[name][point] for name in ("max_gap_us", "lookback_us"))
    high = last + max_gap_us
    high = np.where(near.after == NEVER, high, np.minimum(near.after, high))
    # The flags of later readings may change too.
    return np.maximum(near.before, first - max_gap_us), np.maximum(high, last + lookback_us)


def _some(spans: Spans) -> Spans:
    chosen = spans.end > spans.begin
    return Spans(spans.point[chosen], spans.begin[chosen], spans.end[chosen])


def adopt(state: SiteState, readings: Readings, heads: Heads) -> None:
    """Take late readings into the tail once they are stored and recomputed: what is open may begin with them."""
    held = readings.measured_at >= state.points["retain_from"][readings.point]
    held |= ~np.isin(readings.point, heads.point)
    state.insert(readings if held.all() else readings.take(held), adopt=True)
    state.behead(heads.point)
    state.insert(heads.readings, adopt=True)
    for program in state.plan.computed:
        if np.isin(program.reads, readings.point).any():
            closing.settle(state, program)


def computed_spans(state: SiteState, inputs: IntArray, first: IntArray, last: IntArray) -> Spans:
    """Edges of computed points that read any of the inputs, whose signals change over [first, last].

    One interval is added on either side: the union's lines may cross an edge.
    """
    begin, end = {}, {}
    for program in state.plan.computed:
        mine = np.isin(inputs, np.array(program.reads))
        if mine.any():
            begin[program.point] = int(first[mine].min())
            end[program.point] = int(last[mine].max())
    points = np.array(sorted(begin), np.int64)
    interval_us = state.plan.interval_us
    low = np.array([begin[p] for p in points.tolist()], np.int64)
    high = np.array([end[p] for p in points.tolist()], np.int64)
    widest = state.params["max_gap_us"][points]
    low = low - widest
    high = np.minimum(high + widest + interval_us, state.points["closed_until"][points])
    return _some(Spans(points, low - low % interval_us, high - high % interval_us))


def refold(state: SiteState, signals: Signals, spans: Spans) -> tuple[Rows, Rows]:
    """Interval and step rows of measured points over their spans, from stored readings."""
    if not spans.point.size:
        return np.zeros(0, INTERVAL_ROW), np.zeros(0, STEP_ROW)
    folded = fold(state, signals, spans.point, spans.begin, spans.end)
    for rows in (folded.rows, folded.steps):
        rows["segment"] = spans.point[rows["segment"]]
    return folded.rows, folded.steps


def recompute(state: SiteState, load: Load, point: int, begin: int, end: int) -> Rows:
    """Interval rows of one computed point over [begin, end), from stored readings of its inputs.

    What is closed was once known to its end. How far the inputs reach now does not count: an
    input that had fallen silent reaches less far with its next reading.
    """
    program = state.plan.computed[point - state.plan.n_measured]
    signal = evaluate(state, load, program, begin, FAR)
    folded = fold(state, signal, np.array([point]), np.array([begin]), np.array([end]))
    folded.rows["segment"] = point
    return folded.rows


def touched(plan: Plan, emitted: Rows, changed: IntArray) -> Rows:
    """The EMISSION_ROWs that follow from changed intervals (point, start_at)."""
    chosen = np.zeros(emitted.size, np.bool_)
    for number, source in enumerate(plan.sources):
        starts = changed[np.isin(changed[:, 0], source.points), 1]
        chosen |= (emitted["source"] == number) & np.isin(emitted["start_at"], starts)
    return emitted[chosen]


def emissions_gone(plan: Plan, emitted: Rows, changed: IntArray) -> IntArray:
    """(source, start_at) of changed intervals (point, start_at) in which nothing was emitted."""
    gone = [np.zeros((0, 2), np.int64)]
    for number, source in enumerate(plan.sources):
        starts = np.unique(changed[np.isin(changed[:, 0], source.points), 1])
        empty = np.setdiff1d(starts, emitted["start_at"][emitted["source"] == number])
        gone.append(np.stack([np.full(empty.size, number), empty], axis=1))
    return np.concatenate(gone)


def kpi_rows(state: SiteState, terms: Terms, rows: Rows, changed: IntArray) -> Refigured:
    """KPI rows of the intervals in which an input changed.

    Args:
        state: frontiers; only what a KPI has closed is made again.
        terms: of the plan's KPIs.
        rows: INTERVAL_ROW with `segment` = point, all inputs of the KPIs at the changed starts.
        changed: int64[n, 2], (point, start_at).
    """
    found, gone = [np.zeros(0, KPI_ROW)], [np.zeros((0, 2), np.int64)]
    interval_us = state.plan.interval_us
    starts = np.unique(changed[:, 1])
    for k, kpi in enumerate(state.plan.kpis):
        mine = np.unique(changed[np.isin(changed[:, 0], np.array(kpi.points)), 1])
        mine = mine[mine < state.kpi_closed[k]]
        if not mine.size:
            continue
        chosen = np.flatnonzero(terms.kpi == k)
        parts = []
        for term in chosen.tolist():
            part = rows[rows["segment"] == terms.point[term]].copy()
            part["segment"] = term
            parts.append(part)
        first_at = np.full(terms.count.size, starts[0])
        end_at = first_at.copy()
        end_at[k] = starts[-1] + interval_us
        slots, _ = weigh(terms, np.concatenate(parts), first_at, end_at, interval_us)
        complete = slots[(slots["inputs"] == terms.count[k]) & np.isin(slots["start_at"], mine)]
        found.append(as_kpi_rows(k, complete))
        empty = np.setdiff1d(mine, complete["start_at"])
        gone.append(np.stack([np.full(empty.size, k), empty], axis=1))
    return Refigured(np.concatenate(found), np.concatenate(gone))


def fills_gap(state: SiteState, point: IntArray, first: IntArray, before: IntArray) -> BoolArray:
    """Whether the first new reading of each point ends a gap that a register has lived through and that is filled."""
    params, length = state.params[point], first - before
    gap = (params["kind"] == COUNTER) & (before != NEVER) & (length > params["max_gap_us"])
    filled: BoolArray = gap & ((params["fill_at_most_us"] == 0) | (length <= params["fill_at_most_us"]))
    return filled
