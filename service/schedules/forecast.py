"""The grid's factor in hours to come: the same hour of past days, and how wrong that was.

Seasonal naive: the mean of the same hour (by place in the day) on the last `days` days for which it is known. The
error is what the same forecast, made at each earlier midnight for the day after, would have missed.
An annual factor is constant and needs no forecast.
"""

from dataclasses import dataclass

import numpy as np

from service.schedules.learning import Floats

HOURS = 24


@dataclass(frozen=True, slots=True)
class Forecast:
    """A day's factors, and the backtest behind them."""

    by_hour: Floats
    """(24,) in the series' unit; NaN where the hour is known of none of the days."""
    bias: float
    """Σ(forecast - actual) / Σ actual; NaN without a day to test on."""
    mape: float
    spread: float
    """Standard deviation of a day's Σ forecast / Σ actual - 1; NaN with fewer than two days."""
    tested_days: int


def seasonal(series: Floats, days: int) -> Forecast:
    """From hourly factors, oldest first, whole days up to the forecast's start: (24 * n,), NaN where unknown."""
    if days < 1 or series.ndim != 1 or series.size == 0 or series.size % HOURS:
        raise ValueError("a forecast takes whole days of hourly factors and at least one day to look back on")
    by_day = series.reshape(-1, HOURS)
    predicted = [_mean(by_day[max(0, day - days) : day]) for day in range(1, by_day.shape[0])]
    test = np.array(predicted).reshape(-1, HOURS)
    actual = by_day[1:]
    known = np.isfinite(test) & np.isfinite(actual) & (actual > 0)
    ratio = [
        float(guess[ok].sum() / truth[ok].sum() - 1)
        for guess, truth, ok in zip(test, actual, known, strict=True)
        if ok.any()
    ]
    there = bool(known.any())
    return Forecast(
        _mean(by_day[-days:]),
        float((test[known].sum() - actual[known].sum()) / actual[known].sum()) if there else np.nan,
        float(np.mean(np.abs(test[known] / actual[known] - 1))) if there else np.nan,
        float(np.std(ratio, ddof=1)) if len(ratio) > 1 else np.nan,
        len(ratio),
    )


def _mean(by_day: Floats) -> Floats:
    known = np.isfinite(by_day)
    count = known.sum(0)
    total = np.where(known, by_day, 0.0).sum(0)
    found: Floats = np.divide(total, count, out=np.full(HOURS, np.nan), where=count > 0)
    return found
