"""How often the best schedule by score is near the true best, on simulated plants the model does not know.

    .venv/bin/python -m tests.service.schedules_truth [SEEDS]

Beside it: how near a candidate taken blindly comes (the median candidate), so that the share says something.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from service.schedules.backtest import backtest
from service.schedules.forecast import seasonal
from service.schedules.learning import learn
from service.schedules.scenarios import Errors, duration_error, expect
from service.schedules.scoring import rank
from tests.service.schedule_plant import PAST_DAYS, PRODUCTS, UNITS, Plant

NEAR = 0.02


@dataclass(frozen=True)
class Outcome:
    """Of one seed and criterion: excess over the true best of the chosen and of the median candidate."""

    criterion: str
    seed: int
    chosen: float
    median: float
    near: float
    """Share of all candidates within 2 % of the true best: what choosing blindly would reach."""
    error: float
    """Score over truth of the chosen, minus 1."""
    covered: float
    """Share of candidates whose truth is within their interval of 95 %."""


def outcomes(seeds: Iterable[int]) -> list[Outcome]:
    found = []
    for seed in seeds:
        plant = Plant(seed)
        past = plant.past()
        learned = learn(past, UNITS, PRODUCTS)
        tested = backtest(past, UNITS, PRODUCTS)
        candidates = plant.candidates(learned)
        factors = seasonal(plant.grid[: PAST_DAYS * 24], 7)
        errors = Errors(tested.own, duration_error(past, learned), tested.shared, factors.spread)
        expected = expect(learned, candidates, plant.blocks(factors.by_hour), errors)
        scores = expected.scores
        assert np.isfinite(scores.cost).all()
        for name, true in zip(("cost", "co2_kg"), plant.truth(candidates), strict=True):
            best = rank(scores, {name: 1.0})[0]
            excess = true / true.min() - 1
            low, high = expected.intervals[name]
            error = getattr(scores, name)[best] / true[best] - 1
            found.append(
                Outcome(
                    name,
                    seed,
                    float(excess[best]),
                    float(np.median(excess)),
                    float(np.mean(excess <= NEAR)),
                    float(error),
                    float(np.mean((low <= true) & (true <= high))),
                )
            )
    return found


def share(found: list[Outcome], criterion: str) -> float:
    """Of the seeds, those whose chosen schedule is within 2 % of the true best."""
    return float(np.mean([one.chosen <= NEAR for one in found if one.criterion == criterion]))


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    found = outcomes(range(seeds))
    for criterion in ("cost", "co2_kg"):
        of = [one for one in found if one.criterion == criterion]
        print(
            f"{criterion}: best by score within 2 % of the true best in {share(found, criterion):.0%} of {seeds} seeds "
            f"(worst {max(one.chosen for one in of):.2%}; median candidate {np.median([one.median for one in of]):.1%} "
            f"above the best, chosen blindly {np.mean([one.near for one in of]):.0%} within 2 %; "
            f"score over truth {np.mean([one.error for one in of]):+.1%} ± {np.std([one.error for one in of]):.1%}; "
            f"truth within the interval for {np.mean([one.covered for one in of]):.0%} of candidates)"
        )
    tests = [backtest(Plant(seed).past(), UNITS, PRODUCTS) for seed in range(seeds)]
    print(
        f"backtest: bias {np.mean([one.bias for one in tests]):+.2%}, MAPE {np.mean([one.mape for one in tests]):.1%}, "
        f"coverage {np.average([one.coverage for one in tests], weights=[one.folds for one in tests]):.0%} of "
        f"{sum(one.folds for one in tests)} folds, {sum(one.runs for one in tests)} runs"
    )
    sys.exit(any(share(found, criterion) < 0.9 for criterion in ("cost", "co2_kg")))


if __name__ == "__main__":
    main()
