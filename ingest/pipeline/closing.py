"""Closing intervals: which are final, and what they say.

A stepped or delta point closes with the watermark; a sloped point or counter also
needs a reading at or after the edge, or a silence longer than its max_gap. A
computed point begins with the first reading of any of its inputs (one that was never
heard of is one without a value) and closes up to the last union time at or before
the watermark. What the watermark has passed but is still waiting is told provisionally.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.methods.mass import masses
from ingest.model import HOUR, NEVER
from ingest.pipeline.batch import EMISSION_ROW, IntArray, Rows
from ingest.pipeline.signals import COLUMNS, Load, Signals, evaluate, fold, from_tail, signals_of
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan, PlanComputed
from kernels.frontier import frontiers
from kernels.rows import BAD, COUNTER, INTERVAL_ROW, STEP_ROW


@dataclass(slots=True)
class Frontiers:
    """How far each point of the plan may be closed and is known; µs, NEVER if never seen."""

    opens_at: IntArray
    closes_at: IntArray
    reaches: IntArray


def look_ahead(state: SiteState, monotonic_us: int) -> Frontiers:
    """The frontiers under the present watermark; those of computed points follow from their inputs.

    A point whose history is being told goes by the times it is told, whatever the watermark says:
    to close the silence behind them would make late what is told next.
    """
    n = state.points.size
    found = Frontiers(*(np.full(n, NEVER, np.int64) for _ in range(3)))
    frontiers(
        state.entries, state.points, state.params, state.watermark.at, state.plan.interval_us,
        found.opens_at, found.closes_at, found.reaches,
    )  # fmt: skip
    held = np.flatnonzero((state.held_until > monotonic_us) & (state.points["last"] >= 0))
    if held.size:
        newest = state.entries["at"][state.points["last"][held]]
        edge = newest - state.plan.lateness_us
        edge -= edge % state.plan.interval_us
        told = np.maximum(found.opens_at[held], edge)
        found.closes_at[held] = np.minimum(found.closes_at[held], told)
        found.reaches[held] = np.minimum(found.reaches[held], newest)
    for program in state.plan.computed:
        inputs = np.array(program.reads)
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
    """Points whose frontier moved and has to be stored."""
    more: bool


def close(state: SiteState, found: Frontiers, most: int) -> Closed:
    """Close what may be closed, about `most` rows of it, and move the frontiers."""
    for program in state.plan.computed:
        _open_computed(state, program)
    all_due = np.flatnonzero(found.closes_at > found.opens_at)
    due = all_due[:most]  # nearly every one gives a row, so the others' readings need not be gathered yet
    rows, steps, more = np.zeros(0, INTERVAL_ROW), np.zeros(0, STEP_ROW), due.size < all_due.size
    if due.size:
        begin, end = found.opens_at[due], found.closes_at[due]
        folded = fold(state, from_tail(state)(due), due, begin, end, most=most)
        rows, steps = _by_point(folded.rows, due), _by_point(folded.steps, due)
        state.points["closed_until"][due] = folded.done_at
        more |= bool((folded.done_at < end).any())
    for program in state.plan.computed:
        if rows.size >= most:
            more = True
            break
        rows = np.concatenate([rows, _close_computed(state, found, program)])
    return Closed(rows, steps, _to_store(state, rows, steps), more)


def _to_store(state: SiteState, rows: Rows, steps: Rows) -> IntArray:
    """Points whose frontier has to be stored: with new rows or steps, new, or far from what is stored."""
    closed_until = state.points["closed_until"]
    due = closed_until - state.stored_until >= HOUR  # a silent point costs a write an hour
    due[rows["segment"]] = due[steps["segment"]] = True  # a step at an edge may have no row beside it
    points = np.flatnonzero(due)
    state.stored_until[points] = closed_until[points]
    return points


def silent(state: SiteState, closed: Closed) -> npt.NDArray[np.bool_]:
    """Of the points whose frontier is to be stored those of which no new row tells it."""
    newest = np.full(state.points.size, NEVER, np.int64)
    np.maximum.at(newest, closed.rows["segment"], closed.rows["start_at"])
    last_start = state.points["closed_until"][closed.points] - state.plan.interval_us
    found: npt.NDArray[np.bool_] = newest[closed.points] != last_start
    return found


def _by_point(rows: Rows, points: IntArray) -> Rows:
    rows["segment"] = points[rows["segment"]]
    return rows


def _open_computed(state: SiteState, program: PlanComputed) -> None:
    """Let a computed point begin once an input is heard; from then on it holds its inputs' readings back."""
    inputs = np.array(program.reads)
    first = state.points["first"][inputs]
    if int(state.points["closed_until"][program.point]) != NEVER or not (first >= 0).any():
        return
    begins_at = int(state.entries["at"][first[first >= 0]].min())
    begins_at -= begins_at % state.plan.interval_us
    # An input with closed intervals was there before the plan had this point.
    begins_at = max(begins_at, int(state.points["closed_until"][inputs].max()))
    state.points["closed_until"][program.point] = begins_at
    state.points["settled_until"][inputs] = np.maximum(state.points["settled_until"][inputs], begins_at)


def _known_until(state: SiteState, found: Frontiers, program: PlanComputed) -> int:
    """The instant up to which a computed point's signal is known; an input never heard of is known to be none."""
    reaches = found.reaches[np.array(program.reads)]
    heard = reaches[reaches != NEVER]
    return min(int(heard.min()) if heard.size else NEVER, state.watermark.at)


def _close_computed(state: SiteState, found: Frontiers, program: PlanComputed) -> Rows:
    """Close one computed point and note how far it has used its inputs' readings."""
    nothing, interval_us = np.zeros(0, INTERVAL_ROW), state.plan.interval_us
    owner = state.points[program.point]
    closed_until, known = int(owner["closed_until"]), _known_until(state, found, program)
    if closed_until == NEVER or known - known % interval_us <= closed_until:
        return nothing
    signal = evaluate(state, from_tail(state), program, closed_until, known)
    if not signal.at.size:
        return nothing
    newest, max_gap_us = int(signal.at[-1]), int(state.params["max_gap_us"][program.point])
    end = known if known - newest > max_gap_us else newest
    end -= end % interval_us
    if end <= closed_until:
        return nothing
    folded = fold(state, signal, np.array([program.point]), np.array([closed_until]), np.array([end]))
    owner["closed_until"] = end
    settle(state, program)
    folded.rows["segment"] = program.point
    return folded.rows


def settle(state: SiteState, program: PlanComputed) -> None:
    """Note up to which time readings of its inputs say something of what a computed point has closed.

    That is the line that crosses its frontier: to the next reading of any input, or, where
    there is none within max_gap, as far as one could still draw it.
    """
    inputs, closed_until = np.array(program.reads), int(state.points["closed_until"][program.point])
    if closed_until == NEVER:
        return
    at = from_tail(state)(inputs).at
    before, beyond = at[at < closed_until], at[at >= closed_until]
    used_until = closed_until
    if before.size:
        crosses_to = int(before.max()) + int(state.params["max_gap_us"][program.point])
        used_until = max(closed_until, int(beyond.min(initial=crosses_to)))
    state.points["settled_until"][inputs] = np.maximum(state.points["settled_until"][inputs], used_until)


def provisional(state: SiteState, found: Frontiers, load: Load, monotonic_us: int) -> Rows:
    """Rows of the intervals that the watermark has passed and that still wait for a next reading."""
    watermark = state.watermark.at
    if watermark == NEVER:
        return np.zeros(0, INTERVAL_ROW)
    edge = watermark - watermark % state.plan.interval_us
    closed_until = state.points["closed_until"]
    opens_at = np.where(closed_until == NEVER, found.opens_at, closed_until)
    waiting = np.flatnonzero(
        (opens_at < edge) & (found.reaches != NEVER) & (state.held_until <= monotonic_us)
    )
    if not waiting.size:
        return np.zeros(0, INTERVAL_ROW)
    begin = opens_at[waiting]
    measured = waiting < state.plan.n_measured
    computed = signals_of(state, load, waiting[~measured], begin[~measured], found.reaches)
    signals = Signals.join([_decided(state, found, load(waiting[measured]), waiting[measured]), computed])
    folded = fold(state, signals, waiting, begin, np.full(waiting.size, edge))
    return _by_point(folded.rows, waiting)


def _decided(state: SiteState, found: Frontiers, signals: Signals, points: IntArray) -> Signals:
    """Readings of measured points without registers whose step is pending: they may turn out to be glitches."""
    owner = np.repeat(points, np.diff(signals.offsets))
    pending = (state.params["kind"][owner] == COUNTER) & (signals.at > found.reaches[owner])
    pending &= signals.quality < BAD
    if not pending.any():
        return signals
    kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(~pending)])
    columns = (getattr(signals, name)[~pending] for name in COLUMNS)
    return Signals(kept[signals.offsets], *columns)


def emissions(plan: Plan, rows: Rows, *, paired: bool = True) -> Rows:
    """What each source emitted in the given interval rows (`ingest.methods.mass`).

    None where its activity or a factor of it is not known. Without `paired` sources with a
    factor point are left out: their rows close apart (`ingest.store.paired`).
    """
    parts = []
    for number, source in enumerate(plan.sources if rows.size else ()):
        if source.factor_point is not None and not paired:
            continue
        chosen, factor = _usable(rows, source.point, "amount"), None
        if source.factor_point is not None:
            chosen, factor = _joined(chosen, _usable(rows, source.factor_point, "mean"))
        part = np.zeros(chosen.size, EMISSION_ROW)
        part["source"] = number
        part["mass_kg"] = masses(source, chosen["start_at"], chosen["amount"], factor)
        for name in ("start_at", "covered_us", "valid_us", "substituted_us", "quality", "reasons"):
            part[name] = chosen[name]
        parts.append(part[~np.isnan(part["mass_kg"])] if source.varies else part)
    return np.concatenate(parts) if parts else np.zeros(0, EMISSION_ROW)


def _usable(rows: Rows, point: int, figure: str) -> Rows:
    found: Rows = rows[(rows["segment"] == point) & (rows["quality"] != BAD) & ~np.isnan(rows[figure])]
    return found


def _joined(rows: Rows, others: Rows) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Rows of the intervals in which both have one, trusted as a KPI trusts its inputs; the others' means."""
    _, mine, theirs = np.intersect1d(rows["start_at"], others["start_at"], return_indices=True)
    found, others = rows[mine], others[theirs]
    for name, worse in (
        ("covered_us", np.minimum),
        ("valid_us", np.minimum),
        ("substituted_us", np.maximum),
        ("quality", np.maximum),
        ("reasons", np.bitwise_or),
    ):
        found[name] = worse(found[name], others[name])
    return found, others["mean"]
