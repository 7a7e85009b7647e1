"""What a schedule comes to when runs are not as learned: expected figures and their interval.

A peak and a demand charge are not linear: the highest block of loads that scatter is higher than that of their means. So a
candidate is scored under draws of the errors that the past showed: of each run (ramp, energy, duration), of all runs
together (drift), of the plant's other load, of the grid factor. All candidates meet the same draws, which are a function of
the number of draws alone: a score is the same whenever it is asked for. An order that would start while its unit is busy
waits.
"""

from dataclasses import dataclass, replace

import numpy as np

from service.schedules.learning import Floats, Learned, Runs, stand
from service.schedules.scoring import CRITERIA, HOUR_US, Blocks, Candidates, Scores, score

DRAWS = 64
"""With 32 the mean of what a peak costs is itself off by more than good candidates differ; 128 take twice the time. Within
2 % of the true best by cost: 91 of 100 seeds with 64, 95 of 100 others with 128 (`tests.service.schedules_truth`)."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Relative standard deviations; from `backtest`, `duration_error`, `ramp_error` and the forecast. All finite."""

    run_kwh: float
    run_hours: float
    shared_kwh: float
    factor: float
    ramp_kwh: float
    base_kw: float
    """Standard deviation of the base load's hours around what is expected of them, kW."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Mean over the draws, and the interval per criterion: (2, candidates), 2.5 % and 97.5 % of the draws."""

    scores: Scores
    intervals: dict[str, Floats]


def duration_error(runs: Runs, learned: Learned) -> float:
    """Relative standard deviation of runs' hours around the learned ones, in the sample; NaN without any."""
    expected = runs.quantity / learned.rate_per_hour[runs.unit, runs.product]
    ratio = runs.run_hours / expected - 1
    known = ratio[np.isfinite(ratio)]
    return float(np.sqrt(np.mean(known**2))) if known.size else np.nan


def ramp_error(runs: Runs, learned: Learned) -> float:
    """Relative standard deviation of runs' ramps around the learned ones, in the sample; NaN without any, 0 of none."""
    stood = stand(runs.idle_hours + runs.changeover_hours)
    expected = learned.ramp_kwh[runs.unit, runs.product, stood]
    known = np.isfinite(runs.ramp_kwh) & np.isfinite(expected)
    if not known.any():
        return np.nan
    there = known & (expected > 0)
    return float(np.sqrt(np.mean((runs.ramp_kwh[there] / expected[there] - 1) ** 2))) if there.any() else 0.0


def expect(
    learned: Learned, candidates: Candidates, blocks: Blocks, errors: Errors, draws: int = DRAWS
) -> Expected:
    """Figures over so many draws. Masks, and which candidates have figures at all, are those without errors."""
    plain = score(learned, candidates, blocks)
    rng = np.random.default_rng(draws)
    orders = candidates.unit.shape[1]
    hour = np.arange(blocks.base_kwh.size) * blocks.length_us // HOUR_US
    hours = int(hour.max(initial=0)) + 1
    found: dict[str, list[Floats]] = {name: [] for name in CRITERIA}
    for _ in range(draws):
        load = 1 + errors.run_kwh * rng.standard_normal(orders) + errors.shared_kwh * rng.standard_normal()
        ramp = 1 + errors.ramp_kwh * rng.standard_normal(orders)
        pace = 1 + errors.run_hours * rng.standard_normal(orders)
        factor = 1 + errors.factor * rng.standard_normal()
        base = (
            blocks.base_kwh + errors.base_kw * rng.standard_normal(hours)[hour] * blocks.length_us / HOUR_US
        )
        drawn = _waiting(learned, candidates, np.maximum(pace, 0.05))
        drawn = replace(
            drawn,
            run_load=np.broadcast_to(np.maximum(load, 0), drawn.hours.shape),
            ramp_load=np.broadcast_to(np.maximum(ramp, 0), drawn.hours.shape),
        )
        around = replace(blocks, base_kwh=base, factor_kg_per_kwh=blocks.factor_kg_per_kwh * max(factor, 0))
        of = score(learned, drawn, around)
        for name in CRITERIA:
            # Pushed beyond the last block by a slow run: as without errors.
            value: Floats = getattr(of, name)
            found[name].append(np.where(np.isfinite(value), value, getattr(plain, name)))
    table = {
        name: np.where(np.isfinite(getattr(plain, name)), np.array(values), np.nan)
        for name, values in found.items()
    }
    means = {name: values.mean(0) for name, values in table.items()}
    return Expected(
        replace(plain, **means),
        {name: np.quantile(values, [0.025, 0.975], 0) for name, values in table.items()},
    )


def _waiting(learned: Learned, candidates: Candidates, pace: Floats) -> Candidates:
    """The candidates with runs of `pace` times the hours, each after the one before."""
    unit, product = np.maximum(candidates.unit, 0), np.maximum(candidates.product, 0)
    learned_run = candidates.quantity / learned.rate_per_hour[unit, product]
    ramp = learned.ramp_hours[unit, product]
    run = np.where(np.isfinite(candidates.hours), candidates.hours - ramp, learned_run)
    hours = ramp + pace * np.maximum(run, 0)
    start = candidates.start_at.copy()
    every = np.arange(unit.shape[0])
    free = np.full((unit.shape[0], learned.idle_kw.size), np.iinfo(np.int64).min)
    span = np.nan_to_num(hours * HOUR_US).astype(np.int64) + 1
    for place in np.argsort(start, axis=1, kind="stable").T:
        on, used = unit[every, place], candidates.unit[every, place] >= 0
        begin = np.maximum(start[every, place], free[every, on])
        start[every, place] = np.where(used, begin, start[every, place])
        free[every, on] = np.where(used, begin + span[every, place], free[every, on])
    return replace(candidates, start_at=start, hours=hours)
