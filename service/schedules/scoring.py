"""Energy, peak demand, cost and CO2 of candidate schedules, from learned consumption.

An order takes its changeover before its start (at most as far back as the order before it ended), its ramp from its start,
then its run; until the next order of its unit, the unit idles. Each is a piece of constant power; pieces are summed to
blocks of the plant's demand phase, and blocks are what the tariff and the grid factor are multiplied with. A unit
is taken to be off before its first and after its last order. Electricity only.

A candidate has no figures (NaN) where nothing was learned of one of its orders' unit and product, where it reaches
beyond the blocks, or where its orders overlap on a unit; the masks say which order.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.schedules.learning import Floats, Ints, Learned, run_kwh, stand

HOUR_US = 3_600_000_000
CRITERIA = ("cost", "co2_kg", "energy_kwh", "peak_kw")
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Orders of schedules, (candidates, orders) each; a candidate with fewer has unit -1 in the rest."""

    unit: Ints
    product: Ints
    quantity: Floats
    start_at: Ints
    hours: Floats
    """Expected duration, ramp included; NaN: as learned."""
    run_load: Floats | float = 1.0
    """What a run takes over what is learned of it."""
    ramp_load: Floats | float = 1.0


@dataclass(frozen=True, slots=True)
class Blocks:
    """The span that is judged, in blocks of the demand phase, (blocks,) each."""

    begin_at: int
    length_us: int
    base_kwh: Floats
    """What the plant takes besides its units. Counts for the peak, not for energy, cost or CO2 of a candidate."""
    price_per_kwh: Floats
    factor_kg_per_kwh: Floats
    demand_charge_per_kw: float
    """For the highest block of the demand period; 0 where the tariff has none."""
    peak_so_far_kw: float = 0.0
    """What the period's highest block is already: a schedule costs only what it adds to it."""


@dataclass(frozen=True, slots=True)
class Scores:
    """(candidates,) each; masks (candidates, orders) in the orders as given."""

    energy_kwh: Floats
    peak_kw: Floats
    cost: Floats
    co2_kg: Floats
    order_kwh: Floats
    """(candidates, orders): ramp and run."""
    unlearned: Bools
    overlapping: Bools
    """The order starts before the one ahead of it on its unit ends."""
    outside: Bools


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Stretches of constant power, (candidates, pieces) each; hours from the first block."""

    start: Floats
    end: Floats
    kwh: Floats


def score(learned: Learned, candidates: Candidates, blocks: Blocks) -> Scores:
    """Each candidate's figures; O(candidates * (orders log orders + blocks))."""
    order = np.lexsort((candidates.start_at, candidates.unit))
    taken = Candidates(
        np.take_along_axis(candidates.unit, order, 1),
        np.take_along_axis(candidates.product, order, 1),
        np.take_along_axis(candidates.quantity, order, 1),
        np.take_along_axis(candidates.start_at, order, 1),
        np.take_along_axis(candidates.hours, order, 1),
        _sorted(candidates.run_load, order),
        _sorted(candidates.ramp_load, order),
    )
    pieces, order_kwh, end, masks = _pieces(learned, taken, blocks)
    span = blocks.base_kwh.size * blocks.length_us / HOUR_US
    used = taken.unit >= 0
    outside = used & ((pieces.start.min(2) < 0) | (end > span))
    unlearned, overlapping = masks
    bad = (unlearned | overlapping | outside).any(1)
    profile = _profile(pieces, bad, blocks)
    energy = profile.sum(1)
    peak = (profile + blocks.base_kwh).max(1) * (HOUR_US / blocks.length_us)
    cost = profile @ blocks.price_per_kwh + blocks.demand_charge_per_kw * np.maximum(
        0, peak - blocks.peak_so_far_kw
    )
    co2 = profile @ blocks.factor_kg_per_kwh
    for figure in (energy, peak, cost, co2):
        figure[bad] = np.nan
    back = np.argsort(order, axis=1)
    return Scores(
        energy,
        peak,
        cost,
        co2,
        np.take_along_axis(order_kwh, back, 1),
        np.take_along_axis(unlearned, back, 1),
        np.take_along_axis(overlapping, back, 1),
        np.take_along_axis(outside, back, 1),
    )


def _sorted(load: Floats | float, order: Ints) -> Floats | float:
    return load if isinstance(load, float) else np.take_along_axis(load, order, 1)


def _pieces(
    learned: Learned, taken: Candidates, blocks: Blocks
) -> tuple[_Pieces, Floats, Floats, tuple[Bools, Bools]]:
    unit, product, quantity, hours = taken.unit, taken.product, taken.quantity, taken.hours
    used = unit >= 0
    u, p = np.maximum(unit, 0), np.maximum(product, 0)
    start = np.where(used, (taken.start_at - blocks.begin_at) / HOUR_US, 0.0)
    follows = np.zeros_like(used)
    follows[:, 1:] = used[:, 1:] & (unit[:, 1:] == unit[:, :-1])
    before = np.roll(p, 1, 1)
    ramp_hours = np.where(used, learned.ramp_hours[u, p], 0.0)
    of_run_kwh = np.where(used, taken.run_load * run_kwh(learned, u, p, quantity), 0.0)
    learned_hours = ramp_hours + quantity / learned.rate_per_hour[u, p]
    end = start + np.where(used, np.where(np.isfinite(hours), hours, learned_hours), 0.0)
    free = np.where(follows, np.roll(end, 1, 1), start)
    overlapping = follows & (start < free)
    stood = stand(np.where(follows, start - free, np.inf))
    ramp_kwh = np.where(used, taken.ramp_load * learned.ramp_kwh[u, p, stood], 0.0)
    change_kwh = np.where(follows, learned.changeover_kwh[u, before, p], 0.0)
    change_hours = np.where(follows, learned.changeover_hours[u, before, p], 0.0)
    change_start = np.maximum(start - change_hours, free)
    idle_kwh = np.where(follows, learned.idle_kw[u] * (change_start - free), 0.0)
    idle_kwh = np.where(change_start > free, idle_kwh, 0.0)
    ramp_end = np.minimum(start + ramp_hours, end)
    pieces = _Pieces(
        np.stack((free, change_start, start, ramp_end), 2),
        np.stack((change_start, start, ramp_end, end), 2),
        np.stack((idle_kwh, change_kwh, ramp_kwh, of_run_kwh), 2),
    )
    unlearned = used & ~np.isfinite(pieces.kwh.sum(2) + end)
    return pieces, ramp_kwh + of_run_kwh, end, (unlearned, overlapping)


def _profile(pieces: _Pieces, bad: Bools, blocks: Blocks) -> Floats:
    """Energy in kWh by (candidate, block).

    A piece switches its power on and off. A switch at t puts `(edge - t)` of its block's length into the block and the
    whole length into all later ones, so two sums over switches and one running sum do.
    """
    count, size = bad.size, blocks.base_kwh.size
    keep = np.broadcast_to(~bad[:, None, None], pieces.kwh.shape) & (pieces.kwh != 0)
    row = np.broadcast_to(np.arange(count)[:, None, None], pieces.kwh.shape)[keep]
    length = blocks.length_us / HOUR_US
    start, kwh = pieces.start[keep] / length, pieces.kwh[keep]
    # What takes no time (a changeover squeezed to nothing) still takes its energy: in a moment of its block.
    end = np.maximum(pieces.end[keep] / length, start + 1 / 3600)
    level = kwh / (end - start)
    at, change = np.concatenate((start, end)), np.concatenate((level, -level))
    block = np.minimum(np.floor(at).astype(np.int64), size)
    first = change * (block + 1 - at)
    cell = np.concatenate((row, row)) * (size + 2) + block
    cells = count * (size + 2)
    steps = np.bincount(cell, first, cells) + np.bincount(cell + 1, change - first, cells + 1)[:cells]
    profile: Floats = np.cumsum(steps.reshape(count, size + 2), 1)[:, :size]
    return profile


def rank(scores: Scores, weights: dict[str, float]) -> Ints:
    """Candidates best first by the weighted sum of each criterion over its least value; those without figures last.

    Ties: less cost, CO2, energy, peak, then the place as given. Errors: ValueError for weights that are unknown, negative or
    all 0.
    """
    if set(weights) - set(CRITERIA) or min(weights.values(), default=-1) < 0 or not any(weights.values()):
        raise ValueError(f"weights are of {', '.join(CRITERIA)}, not negative and not all 0")
    columns = {name: getattr(scores, name) for name in CRITERIA}
    total = np.zeros(scores.cost.size)
    for name, weight in sorted(weights.items()):
        if weight:
            known = columns[name][np.isfinite(columns[name])]
            least = float(np.abs(known).min()) if known.size else 1.0
            total = total + weight * columns[name] / (least or 1.0)
    keys = [np.arange(total.size), *(columns[name] for name in reversed(CRITERIA)), total]
    found: Ints = np.lexsort(keys)
    return found
