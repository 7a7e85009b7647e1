"""How often the best schedule by score is near the true best, on simulated plants the model does not know.

    .venv/bin/python -m tests.service.schedules_truth [SEEDS] [FIRST] [REALISATIONS]

What a schedule truly costs is its mean over realisations of what nobody can know beforehand: the noise of runs and of the
plant's other load. A peak is the largest of many blocks, so the cost that comes hangs on that noise; told beside is how near
the choice comes to the best of the one realisation that came, and how near one who knows the plant's every parameter would.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from service.schedules.backtest import backtest
from service.schedules.forecast import seasonal
from service.schedules.learning import Floats, learn
from service.schedules.scenarios import Errors, duration_error, expect, ramp_error
from service.schedules.scoring import rank
from tests.service.schedule_plant import PAST_DAYS, PRODUCTS, UNITS, Plant, Truth

NEAR = 0.02


@dataclass(frozen=True)
class Outcome:
    """Of one seed and criterion: excess over the true best, by mean over realisations and as it came."""

    criterion: str
    seed: int
    chosen: float
    median: float
    near: float
    """Share of all candidates within 2 % of the true best: what choosing blindly would reach."""
    came: float
    """Excess of the chosen over the best of the realisation that came."""
    oracle: float
    """The same of the candidate that is truly best by mean."""
    of_energy: float
    """The chosen one's energy over that of the true best, in parts of that one's cost; of demand is the rest."""
    error: float
    """Score over truth of the chosen, minus 1."""
    covered: float
    """Share of candidates whose realisation is within their interval of 95 %."""


def outcomes(seeds: Iterable[int], realisations: int = 12) -> list[Outcome]:
    """Two for each seed: by cost and by CO2."""
    found = []
    for seed in seeds:
        plant = Plant(seed)
        past = plant.past()
        learned = learn(past, UNITS, PRODUCTS)
        tested = backtest(past, UNITS, PRODUCTS)
        candidates = plant.candidates(learned)
        factors = seasonal(plant.grid[: PAST_DAYS * 24], 7)
        errors = Errors(
            tested.own,
            duration_error(past, learned),
            tested.shared,
            factors.spread,
            ramp_error(past, learned),
            plant.base_error_kw(),
        )
        expected = expect(learned, candidates, plant.blocks(factors.by_hour), errors)
        assert np.isfinite(expected.scores.cost).all()
        truth = plant.truth(candidates, realisations)
        for name in ("cost", "co2_kg"):
            score: Floats = getattr(expected.scores, name)
            best = int(rank(expected.scores, {name: 1.0})[0])
            found.append(_outcome(seed, name, best, score, expected.intervals[name], truth))
    return found


def _outcome(seed: int, name: str, chosen: int, score: Floats, interval: Floats, truth: Truth) -> Outcome:
    realised: Floats = getattr(truth, name)
    true = realised.mean(0)
    excess = true / true.min() - 1
    came = realised[0] / realised[0].min() - 1
    best = int(true.argmin())
    energy = truth.energy_cost.mean(0) if name == "cost" else true
    return Outcome(
        name,
        seed,
        float(excess[chosen]),
        float(np.median(excess)),
        float(np.mean(excess <= NEAR)),
        float(came[chosen]),
        float(came[best]),
        float((energy[chosen] - energy[best]) / true[best]),
        float(score[chosen] / true[chosen] - 1),
        float(np.mean((interval[0] <= realised[0]) & (realised[0] <= interval[1]))),
    )


def share(found: list[Outcome], criterion: str) -> float:
    """Of the seeds, those whose chosen schedule is within 2 % of the true best."""
    return float(np.mean([one.chosen <= NEAR for one in found if one.criterion == criterion]))


def main() -> None:
    seeds, first, realisations = (
        int(given) for given in (*sys.argv[1:4], *("100", "0", "12")[len(sys.argv) - 1 :])
    )
    found = outcomes(range(first, first + seeds), realisations)
    for criterion in ("cost", "co2_kg"):
        of = [one for one in found if one.criterion == criterion]
        missed = [one for one in of if one.chosen > NEAR]
        print(
            f"{criterion}: best by score within 2 % of the true best in {share(found, criterion):.0%} of {seeds} seeds from "
            f"{first} (worst {max(one.chosen for one in of):.2%}; median candidate "
            f"{np.median([one.median for one in of]):.1%} above the best, chosen blindly "
            f"{np.mean([one.near for one in of]):.0%} within 2 %; of the realisation that came "
            f"{np.mean([one.came <= NEAR for one in of]):.0%}, knowing every parameter "
            f"{np.mean([one.oracle <= NEAR for one in of]):.0%}; score over truth "
            f"{np.mean([one.error for one in of]):+.1%} ± {np.std([one.error for one in of]):.1%}; what came within the "
            f"interval for {np.mean([one.covered for one in of]):.0%} of candidates); missed by "
            f"{', '.join(f'{one.seed}: {one.chosen:.1%} (energy {one.of_energy:+.1%})' for one in missed) or 'none'}"
        )
    tests = [backtest(Plant(seed).past(), UNITS, PRODUCTS) for seed in range(first, first + seeds)]
    print(
        f"backtest: bias {np.mean([one.bias for one in tests]):+.2%}, MAPE {np.mean([one.mape for one in tests]):.1%}, "
        f"coverage {np.average([one.coverage for one in tests], weights=[one.folds for one in tests]):.0%} of "
        f"{sum(one.folds for one in tests)} folds, {sum(one.runs for one in tests)} runs"
    )
    sys.exit(any(share(found, criterion) < 0.9 for criterion in ("cost", "co2_kg")))


if __name__ == "__main__":
    main()
