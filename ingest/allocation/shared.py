"""What a shared utility gives to each unit it serves, interval by interval, by its declared key.

Parts are rounded cumulatively in the order of the units, so they add up with ==. Where the key is unknown or
comes to nothing the interval is nobody's: it goes to `unkeyed`.
"""

from collections.abc import Sequence

import numpy as np

from ingest.allocation.spreading import FloatArray, IntArray, Rows


def by_weights(rows: Rows, weights: Sequence[FloatArray]) -> tuple[list[Rows], Rows]:
    """Rows of each unit, and those that no key parts.

    Args:
        rows: of a meter or source of the utility.
        weights: of each unit, one for each row; NaN: not known. Shares that leave some of 1 are given with a last
            array of what is left, whose rows come last.
    """
    table = (
        np.stack([np.asarray(one, np.float64) for one in weights])
        if weights
        else np.zeros((0, rows.start_at.size))
    )
    known = ~np.isnan(table).any(axis=0) & (table >= 0).all(axis=0) & (table.sum(axis=0) > 0)
    keyed, total = rows.chosen(known), table[:, known].sum(axis=0)
    until = np.cumsum(table[:, known], axis=0) / total
    given: IntArray | FloatArray = np.zeros_like(keyed.amount)
    found = []
    for place, share in enumerate(until):
        edge: IntArray | FloatArray
        if place == len(until) - 1:
            edge = keyed.amount
        elif rows.amount.dtype.kind == "i":
            edge = np.rint(keyed.amount * share).astype(np.int64)
        else:
            edge = keyed.amount * share
        found.append(keyed.weighed(np.subtract(edge, given)))
        given = edge
    return found, rows.chosen(~known)


def weights_at(start_at: IntArray, of_unit: Rows, scale: float) -> FloatArray:
    """What a unit's rows weigh in other intervals; NaN where it has none."""
    found = np.full(start_at.size, np.nan)
    place = np.searchsorted(of_unit.start_at, start_at)
    inside = place < of_unit.start_at.size
    inside[inside] = of_unit.start_at[place[inside]] == start_at[inside]
    found[inside] = of_unit.amount[place[inside]] * scale
    return found
