"""The mass a source emits in an interval: amount · Π factors, each as it was in that interval.

The one place where factors meet amounts, for ingest, replay, restatement and previews
alike: Σ amount_i·factor_i over intervals, never a mean factor times a sum. Plain NumPy
on columns; a factor that is not known gives NaN, which is stored as no row.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ingest.plant.plan import PlanSource

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def kg_per_amount(source: "PlanSource", start_at: IntArray) -> FloatArray:
    """What an amount weighs in intervals that begin at `start_at` (µs); NaN where it is not known."""
    if not source.steps:
        return np.full(start_at.size, source.kg_per_amount)
    since = np.array([at for at, _ in source.steps], np.int64)
    value = np.array([np.nan, *(value for _, value in source.steps)])
    found: FloatArray = value[np.searchsorted(since, start_at, side="right")]
    return found


def masses(
    source: "PlanSource", start_at: IntArray, amount: FloatArray, factor: FloatArray | None = None
) -> FloatArray:
    """Kg of the source's gas in intervals.

    Args:
        source: of a plan.
        start_at: µs, n of them.
        amount: of its activity point, in that point's amount unit.
        factor: means of its factor point in the same intervals; None: it has none.
    """
    if factor is not None:
        amount = amount * factor
    return amount * kg_per_amount(source, start_at)
