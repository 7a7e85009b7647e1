"""What a late reading changes, and what is said instead.

A reading of closed time touches the intervals from the usable reading before it to
the one after it. Those are folded again from stored readings, by the function that
closed them; whatever differs becomes a revision. Points that read the point
(computed, KPIs, sources) follow. Loading and storing belong to `ingest.store.late`.
"""

from dataclasses import dataclass

import numpy as np

from ingest.model import NEVER
from ingest.pipeline.batch import KPI_ROW, IntArray, Rows
from ingest.pipeline.kpis import Terms, as_kpi_rows, weigh
from ingest.pipeline.signals import Load, Signals, evaluate, fold
from ingest.pipeline.state import SiteState
from kernels.rows import COUNTER, DELTA, INTERVAL_ROW, STEP_ROW


@dataclass(slots=True)
class Spans:
    """Edges [begin, end) per point (plan index) that have to be folded again."""

    point: IntArray
    begin: IntArray
    end: IntArray


def affected(
    state: SiteState, point: IntArray, first: IntArray, last: IntArray, before: IntArray, after: IntArray
) -> Spans:
    """The closed intervals that readings of [first, last] touch.

    Args:
        state: frontiers and parameters.
        point: plan indices, each once.
        first: least instant of each point's new readings.
        last: largest instant.
        before: the usable reading before `first`, NEVER if there is none.
        after: the usable reading after `last`, NEVER if there is none.
    """
    params, interval_us = state.params[point], state.plan.interval_us
    stepped = (params["sloped"] == 0) & (params["kind"] != COUNTER)
    delta = params["kind"] == DELTA
    period = np.where(delta, params["period_us"], 0)
    at_start = params["stamp_start"] != 0
    reach_back = np.where(params["kind"] == COUNTER, before, np.maximum(before, first - params["max_gap_us"]))
    begin = np.where(stepped | (before == NEVER), first, reach_back)
    begin = np.where(delta, first - np.where(at_start, 0, period), begin)
    held = last + params["max_gap_us"]
    end = np.where(
        after == NEVER, np.where(stepped, held, last), np.where(stepped, np.minimum(after, held), after)
    )
    end = np.where(delta, last + np.where(at_start, period, 0), end)
    begin -= begin % interval_us
    end = np.minimum(end + (-end) % interval_us, state.points["closed_until"][point])
    return _some(Spans(point, begin, end))


def _some(spans: Spans) -> Spans:
    chosen = spans.end > spans.begin
    return Spans(spans.point[chosen], spans.begin[chosen], spans.end[chosen])


def computed_spans(state: SiteState, inputs: IntArray, first: IntArray, last: IntArray) -> Spans:
    """Edges of computed points that read any of the inputs, whose signals change over [first, last].

    One interval is added on either side: the union's lines may cross an edge.
    """
    begin, end = {}, {}
    for program in state.plan.computed:
        mine = np.isin(inputs, np.array(program.inputs))
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


def recompute(state: SiteState, load: Load, point: int, begin: int, end: int, reach: int) -> Rows:
    """Interval rows of one computed point over [begin, end), from stored readings of its inputs."""
    program = state.plan.computed[point - state.plan.n_measured]
    signal = evaluate(state, load, program, begin, reach)
    folded = fold(state, signal, np.array([point]), np.array([begin]), np.array([end]))
    folded.rows["segment"] = point
    return folded.rows


def kpi_rows(state: SiteState, terms: Terms, rows: Rows, changed: IntArray) -> Rows:
    """KPI rows of the intervals in which an input changed.

    Args:
        state: frontiers; only what a KPI has closed is made again.
        terms: of the plan's KPIs.
        rows: INTERVAL_ROW with `segment` = point, all inputs of the KPIs at the changed starts.
        changed: int64[n, 2], (point, start_at).
    """
    found = [np.zeros(0, KPI_ROW)]
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
    return np.concatenate(found)
