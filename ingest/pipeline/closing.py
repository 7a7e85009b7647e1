"""Closing intervals: which are final, and what they say.

A stepped or delta point closes with the watermark; a sloped point or counter also
needs a reading at or after the edge, or a silence longer than its max_gap. A
computed point closes up to the last union time at or before the watermark. What
the watermark has passed but is still waiting is told provisionally.
"""

from dataclasses import dataclass

import numpy as np

from ingest.model import NEVER
from ingest.pipeline.batch import EMISSION_ROW, IntArray, Rows
from ingest.pipeline.signals import Load, evaluate, fold, from_tail
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan, PlanComputed
from kernels.frontier import frontiers
from kernels.rows import BAD, INTERVAL_ROW, STEP_ROW


@dataclass(slots=True)
class Frontiers:
    """How far each point of the plan may be closed and is known; µs, NEVER if never seen."""

    opens_at: IntArray
    closes_at: IntArray
    reaches: IntArray


def look_ahead(state: SiteState) -> Frontiers:
    """The frontiers under the present watermark; those of computed points follow from their inputs."""
    n = state.points.size
    found = Frontiers(*(np.full(n, NEVER, np.int64) for _ in range(3)))
    frontiers(
        state.entries, state.points, state.params, state.watermark.at, state.plan.interval_us,
        found.opens_at, found.closes_at, found.reaches,
    )  # fmt: skip
    for program in state.plan.computed:
        inputs = np.array(program.inputs)
        found.reaches[program.point] = int(found.reaches[inputs].min())
        opens_at = int(state.points["closed_until"][program.point])
        if opens_at == NEVER and found.reaches[program.point] != NEVER:
            opens_at = int(found.opens_at[inputs].max())
        found.opens_at[program.point] = found.closes_at[program.point] = opens_at
    return found


@dataclass(slots=True)
class Closed:
    """What closing gave."""

    rows: Rows
    steps: Rows
    points: IntArray
    """Points whose frontier moved and that have rows to show for it."""
    more: bool


def close(state: SiteState, found: Frontiers, most: int) -> Closed:
    """Close what may be closed, about `most` rows of it, and move the frontiers."""
    due = np.flatnonzero(found.closes_at > found.opens_at)
    rows, steps, more = np.zeros(0, INTERVAL_ROW), np.zeros(0, STEP_ROW), False
    if due.size:
        begin, end = found.opens_at[due], found.closes_at[due]
        folded = fold(state, from_tail(state)(due), due, begin, end, most=most)
        rows, steps = _by_point(folded.rows, due), _by_point(folded.steps, due)
        state.points["closed_until"][due] = folded.done_at
        more = bool((folded.done_at < end).any())
    for program in state.plan.computed:
        if rows.size >= most:
            more = True
            break
        rows = np.concatenate([rows, _close_computed(state, found, program)])
    return Closed(rows, steps, np.unique(rows["segment"]), more)


def _by_point(rows: Rows, points: IntArray) -> Rows:
    rows["segment"] = points[rows["segment"]]
    return rows


def _close_computed(state: SiteState, found: Frontiers, program: PlanComputed) -> Rows:
    """Close one computed point and note how far it has used its inputs' readings."""
    interval_us = state.plan.interval_us
    owner = state.points[program.point]
    inputs = np.array(program.inputs)
    settled_at = min(int(found.reaches[program.point]), state.watermark.at)
    if (found.reaches[inputs] == NEVER).any():
        return _pass_over(state, inputs, program.point)
    closed_until = int(owner["closed_until"])
    if settled_at == NEVER or settled_at - settled_at % interval_us <= closed_until:
        return np.zeros(0, INTERVAL_ROW)
    signal = evaluate(state, from_tail(state), program, closed_until, settled_at)
    if not signal.at.size:
        return np.zeros(0, INTERVAL_ROW)
    if closed_until == NEVER:
        closed_until = int(signal.at[0]) - int(signal.at[0]) % interval_us
    newest = int(signal.at[-1])
    max_gap_us = int(state.params["max_gap_us"][program.point])
    known_to = settled_at if settled_at - newest > max_gap_us else newest
    end = known_to - known_to % interval_us
    if end <= closed_until:
        return np.zeros(0, INTERVAL_ROW)
    folded = fold(state, signal, np.array([program.point]), np.array([closed_until]), np.array([end]))
    owner["closed_until"] = end
    bracket = signal.at[np.searchsorted(signal.at, end) :]
    settled = np.maximum(state.points["settled_until"][inputs], int(bracket[0]) if bracket.size else end)
    state.points["settled_until"][inputs] = settled
    folded.rows["segment"] = program.point
    return folded.rows


def _pass_over(state: SiteState, inputs: IntArray, point: int) -> Rows:
    """A computed point with an input that never reported does not hold its other inputs' readings back."""
    if state.watermark.at != NEVER:
        edge = state.watermark.at - state.watermark.at % state.plan.interval_us
        state.points["closed_until"][point] = max(int(state.points["closed_until"][point]), edge)
        state.points["settled_until"][inputs] = np.maximum(state.points["settled_until"][inputs], edge)
    return np.zeros(0, INTERVAL_ROW)


def provisional(state: SiteState, load: Load) -> Rows:
    """Rows of the intervals that the watermark has passed and that still wait for a next reading."""
    watermark = state.watermark.at
    if watermark == NEVER:
        return np.zeros(0, INTERVAL_ROW)
    edge = watermark - watermark % state.plan.interval_us
    measured = state.points[: state.plan.n_measured]
    waiting = np.flatnonzero(
        (measured["closed_until"] < edge) & (measured["closed_until"] != NEVER) & (measured["size"] > 0)
    )
    if not waiting.size:
        return np.zeros(0, INTERVAL_ROW)
    begin = measured["closed_until"][waiting]
    folded = fold(state, load(waiting), waiting, begin, np.full(waiting.size, edge))
    return _by_point(folded.rows, waiting)


def emissions(plan: Plan, rows: Rows) -> Rows:
    """What each source emitted in the given interval rows: amount · kg per amount."""
    parts = []
    for number, source in enumerate(plan.sources):
        chosen = rows[
            (rows["segment"] == source.point) & (rows["quality"] != BAD) & ~np.isnan(rows["amount"])
        ]
        part = np.zeros(chosen.size, EMISSION_ROW)
        part["source"] = number
        part["mass_kg"] = chosen["amount"] * source.kg_per_amount
        for name in ("start_at", "covered_us", "valid_us", "substituted_us", "quality", "reasons"):
            part[name] = chosen[name]
        parts.append(part)
    return np.concatenate(parts) if parts else np.zeros(0, EMISSION_ROW)
