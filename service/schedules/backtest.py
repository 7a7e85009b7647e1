"""How wrong the learned consumption is: each block of past runs predicted from those before it alone.

Rolling origin: runs in order of start, cut into folds; a fold is predicted by what ended before its first start. Said
are bias Σ(predicted - actual) / Σ actual, MAPE over runs, and how many folds' sums lay within their interval. The
interval of a sum takes runs' own errors as independent and a fold's common error (drift) as shared by all of it:
`sd² = own² Σ p² + shared² (Σ p)²`, with errors seen in folds before.
"""

from dataclasses import dataclass

import numpy as np

from service.schedules.learning import Floats, Runs, learn, run_kwh, stand

Z95 = 1.959963984540054
"""Normal quantile of 0.975."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """Relative errors of energy (ramp and run); NaN where there was too little to test on."""

    bias: float
    mape: float
    own: float
    shared: float
    coverage: float
    """Share of folds within the interval that was made of the folds before them; 0.95 is what is meant."""
    folds: int
    """Those that had an interval."""
    runs: int
    """Runs that were predicted."""


def backtest(runs: Runs, units: int, products: int, fold: int = 25) -> Backtest:
    """Of runs sorted by start, in folds of so many; the first fold only teaches."""
    tested: list[tuple[Floats, Floats]] = []
    inside = []
    for begin in range(fold, runs.unit.size, fold):
        chosen = np.arange(runs.unit.size)
        ahead = runs.where((chosen >= begin) & (chosen < begin + fold))
        past = learn(runs.where(runs.end_at <= ahead.start_at[0]), units, products)
        cell = (ahead.unit, ahead.product)
        predicted = past.ramp_kwh[(*cell, stand(ahead.idle_hours + ahead.changeover_hours))] + run_kwh(
            past, *cell, ahead.quantity
        )
        actual = ahead.ramp_kwh + ahead.run_kwh
        known = np.isfinite(predicted) & np.isfinite(actual) & (actual > 0)
        if not known.any():
            continue
        predicted, actual = predicted[known], actual[known]
        own, shared = _errors(tested)
        if np.isfinite(shared):
            half = Z95 * deviation(predicted, own, shared)
            inside.append(abs(predicted.sum() - actual.sum()) <= half)
        tested.append((predicted, actual))
    own, shared = _errors(tested)
    if not tested:
        return Backtest(np.nan, np.nan, own, shared, np.nan, 0, 0)
    predicted, actual = (np.concatenate([pair[side] for pair in tested]) for side in (0, 1))
    return Backtest(
        float((predicted.sum() - actual.sum()) / actual.sum()),
        float(np.mean(np.abs(predicted / actual - 1))),
        own,
        shared,
        float(np.mean(inside)) if inside else np.nan,
        len(inside),
        predicted.size,
    )


def deviation(predicted: Floats, own: float, shared: float) -> Floats:
    """Standard deviation of the sum over the last axis of `predicted`; NaN (no such order) adds none."""
    there = np.nan_to_num(predicted)
    found: Floats = np.sqrt(own**2 * (there**2).sum(-1) + (shared * there.sum(-1)) ** 2)
    return found


def _errors(tested: list[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Relative error of a run around its fold's, and root mean square of a fold's; NaN with fewer than two folds."""
    if len(tested) < 2:
        return np.nan, np.nan
    common = np.array([actual.sum() / predicted.sum() - 1 for predicted, actual in tested])
    own = np.concatenate(
        [actual / predicted - 1 - shift for (predicted, actual), shift in zip(tested, common, strict=True)]
    )
    return float(np.sqrt(np.mean(own**2))), float(np.sqrt(np.mean(common**2)))
