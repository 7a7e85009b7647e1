"""What past orders teach of a unit's consumption: per product, ramp, changeover and idling.

Model: a run of `quantity` of a product on a unit takes `quantity / rate` hours and `quantity * per_quantity` kWh,
both Σ/Σ over its past runs, and as much more or less per quantity as larger lots have shown (`lot_kwh`). Before it stands
a ramp (median of the starts after a stand of such a length, `STANDS_HOURS`, else of all its starts) and, before that, a
changeover from the product before (median of the pair, else of the product made ready for, else of the unit:
`changeover_basis` says which). Between orders the unit takes its idle power, Σ/Σ. A run whose state was not measured
throughout is NaN there and left out. Not modelled: drift, the weather. The backtest shows what that costs.
"""

from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STANDS_HOURS = np.array([1.0, 4.0])
"""A ramp is warm below the first, cold from the second on; a stand of unknown length is cold."""
PAIR, PRODUCT, UNIT, NONE = 0, 1, 2, -1
Phase = Literal["run", "ramp", "changeover", "idle"]


@dataclass(frozen=True, slots=True)
class Runs:
    """Past runs of one order on one unit, columns of equal length, sorted by `start_at`.

    Energies are kWh, spans hours; NaN where a state's intervals are missing or bad.
    """

    unit: Ints
    product: Ints
    previous: Ints
    """Product made on the unit before; -1 where none is known."""
    start_at: Ints
    end_at: Ints
    quantity: Floats
    run_kwh: Floats
    run_hours: Floats
    ramp_kwh: Floats
    ramp_hours: Floats
    changeover_kwh: Floats
    changeover_hours: Floats
    idle_kwh: Floats
    """Of the stand before the run."""
    idle_hours: Floats

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Runs":
        """The runs that are chosen, in their order."""
        return replace(self, **{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


@dataclass(frozen=True, slots=True)
class Learned:
    """Consumption by unit and product; NaN where nothing was learned. Shapes: (units, products) unless said."""

    per_quantity_kwh: Floats
    lot_kwh: Floats
    """β: a run of q takes β (q² - lot_quantity · q) besides; 0 where it is within two standard errors of 0."""
    lot_quantity: Floats
    """Σ q² / Σ q of the past runs, of which the sum of that term is 0."""
    rate_per_hour: Floats
    runs: Ints
    left_out: Ints
    """Runs that were not measured throughout, or made nothing."""
    from_at: Ints
    """-1 where there is no run."""
    to_at: Ints
    ramp_kwh: Floats
    """(units, products, lengths of stand): by `stand`."""
    ramp_hours: Floats
    changeover_kwh: Floats
    """(units, products, products): from, to."""
    changeover_hours: Floats
    changeover_basis: Ints
    idle_kw: Floats
    """(units,)"""


def learn(runs: Runs, units: int, products: int) -> Learned:
    """What `runs` teach of so many units and products."""
    shape = (units, products)
    cell = runs.unit * products + runs.product
    usable = (
        np.isfinite(runs.run_kwh) & (runs.run_hours > 0) & np.isfinite(runs.quantity) & (runs.quantity > 0)
    )

    def total(values: Floats) -> Floats:
        return _sums(cell[usable], values[usable], units * products).reshape(shape)

    quantity = total(runs.quantity)
    per_quantity = _ratio(total(runs.run_kwh), quantity)
    lot_quantity = _ratio(total(runs.quantity**2), quantity)
    u, p = runs.unit, runs.product
    bent = runs.quantity * (runs.quantity - lot_quantity[u, p])
    left = runs.run_kwh - runs.quantity * per_quantity[u, p]
    squares = total(bent**2)
    lot = _ratio(total(bent * left), squares)
    freedom = total(np.ones(u.size)) - 2
    error = np.sqrt(_ratio(total((left - lot[u, p] * bent) ** 2), freedom * squares))
    measured = total(np.ones(runs.unit.size)).astype(np.int64)
    every = np.bincount(cell, minlength=units * products).reshape(shape)
    from_at = np.full(units * products, np.iinfo(np.int64).max)
    to_at = np.full(units * products, -1)
    np.minimum.at(from_at, cell[usable], runs.start_at[usable])
    np.maximum.at(to_at, cell[usable], runs.end_at[usable])
    changeover = _changeovers(runs, units, products)
    return Learned(
        per_quantity_kwh=per_quantity,
        lot_kwh=np.where(np.abs(lot) > 2 * error, lot, 0.0),
        lot_quantity=lot_quantity,
        rate_per_hour=_ratio(quantity, total(runs.run_hours)),
        runs=measured,
        left_out=every - measured,
        from_at=np.where(to_at < 0, -1, from_at).reshape(shape),
        to_at=to_at.reshape(shape),
        ramp_kwh=_ramps(runs, cell, shape),
        ramp_hours=_medians(cell, runs.ramp_hours, units * products).reshape(shape),
        changeover_kwh=changeover[0],
        changeover_hours=changeover[1],
        changeover_basis=changeover[2],
        idle_kw=_idle(runs, units),
    )


def run_kwh(learned: Learned, unit: Ints, product: Ints, quantity: Floats) -> Floats:
    """What runs of so much take, ramps not counted; NaN where nothing was learned."""
    lot = learned.lot_kwh[unit, product] * (quantity - np.nan_to_num(learned.lot_quantity[unit, product]))
    found: Floats = quantity * (learned.per_quantity_kwh[unit, product] + lot)
    return found


def stand(hours: Floats) -> Ints:
    """Which length of stand so many hours are; NaN: the longest."""
    return np.asarray(np.searchsorted(STANDS_HOURS, hours, side="right"), dtype=np.int64)


def _ramps(runs: Runs, cell: Ints, shape: tuple[int, int]) -> Floats:
    lengths = STANDS_HOURS.size + 1
    cells = shape[0] * shape[1]
    of_stand = cell * lengths + stand(runs.idle_hours + runs.changeover_hours)
    ramp = _medians(of_stand, runs.ramp_kwh, cells * lengths).reshape(*shape, lengths)
    of_all = _medians(cell, runs.ramp_kwh, cells).reshape(*shape, 1)
    return np.where(np.isfinite(ramp), ramp, of_all)


def _idle(runs: Runs, units: int) -> Floats:
    measured = np.isfinite(runs.idle_kwh) & (runs.idle_hours > 0)
    return _ratio(
        _sums(runs.unit[measured], runs.idle_kwh[measured], units),
        _sums(runs.unit[measured], runs.idle_hours[measured], units),
    )


def _changeovers(runs: Runs, units: int, products: int) -> tuple[Floats, Floats, Ints]:
    """Energy, hours and basis by (unit, from, to). The same product again, never seen, takes none."""
    known = (runs.previous >= 0) & np.isfinite(runs.changeover_kwh)
    unit, before, after = runs.unit[known], runs.previous[known], runs.product[known]
    other = before != after
    kwh, hours = runs.changeover_kwh[known], runs.changeover_hours[known]
    shape = (units, products, products)
    found = []
    for values in (kwh, hours):
        pair = _medians((unit * products + before) * products + after, values, units * products * products)
        to = _medians((unit * products + after)[other], values[other], units * products)
        any_ = _medians(unit[other], values[other], units)
        found.append(
            (
                pair.reshape(shape),
                np.broadcast_to(to.reshape(units, 1, products), shape),
                np.broadcast_to(any_.reshape(units, 1, 1), shape),
            )
        )
    same = np.broadcast_to(np.eye(products, dtype=bool), shape)
    levels = [np.isfinite(level) for level in found[0]]
    basis = np.select([levels[0], same, levels[1], levels[2]], [PAIR, PRODUCT, PRODUCT, UNIT], NONE)
    energy, span = (
        np.select([levels[0], same, levels[1], levels[2]], [pair, np.zeros(shape), to, any_], np.nan)
        for pair, to, any_ in found
    )
    return energy, span, basis.astype(np.int64)


def _sums(cell: Ints, values: Floats, cells: int) -> Floats:
    return np.asarray(np.bincount(cell, values, cells), dtype=np.float64)


def _ratio(above: Floats, below: Floats) -> Floats:
    found: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return found


def _medians(cell: Ints, values: Floats, cells: int) -> Floats:
    """The median of each cell's values that are known, (cells,); NaN where there is none."""
    known = np.isfinite(values)
    cell, values = cell[known], values[known]
    order = np.lexsort((values, cell))
    sorted_ = values[order]
    count = np.bincount(cell, minlength=cells)
    start = np.cumsum(count) - count
    found = np.full(cells, np.nan)
    some = count > 0
    low = start[some] + (count[some] - 1) // 2
    high = start[some] + count[some] // 2
    found[some] = (sorted_[low] + sorted_[high]) / 2
    return found
