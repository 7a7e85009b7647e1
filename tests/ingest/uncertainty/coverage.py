"""Whether a 95 % interval holds the truth in 95 of 100 plants: seeded plants of 720 h.

    .venv/bin/python -m tests.ingest.uncertainty.coverage [--runs 200] [--hours 720] [--seed 0]

Each run is a clinker line whose truth is known: the same CO2 goes up the stack as fuel and
raw materials make. Every systematic source is drawn once per calibration epoch from its
distribution (the pitot is calibrated again in the middle), random parts are AR(1) series.
What the instruments then read goes through the product: programs and folding, sums of
figures, contributions, uncertainty. Hours are the intervals, which keeps it fast. Prints per
figure in how many runs the interval held the truth; exit 1 outside 180 to 198 of 200, or
the same bounds of another number of runs.
"""

import argparse
import math
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ingest.methods.instruments import instrument_classes
from ingest.model import HOUR, NEVER
from ingest.pipeline.signals import Signals, evaluate, fold
from ingest.pipeline.state import SiteState
from ingest.plant import Plan
from ingest.uncertainty.contributions import PointRows, contributions
from ingest.uncertainty.figure import FigureUncertainty, of_figure
from kernels.rows import COUNTER, DELTA, Floats
from tests.ingest.definition import kpi_sums
from tests.ingest.uncertainty.cement import PLANT, START, plan_of

INTENDED = 0.95
TAIL = 0.002
"""Of each side: 180 to 198 of 200 are left."""
FIGURES = ("measured", "calculated", "intensity", "gap")
MASS_BY_CARBON = 3.6666666666666665
STACK_PER_H = 15.9 * 3600 * 44.01 / 22.414 / 1000 * 273.15 / 101_325

Columns = dict[str, Floats]


def bounds(runs: int) -> tuple[int, int]:
    """How many of the runs may hold the truth, each side left with at most `TAIL` of a correct model."""
    mass = [
        math.comb(runs, held) * INTENDED**held * (1 - INTENDED) ** (runs - held) for held in range(runs + 1)
    ]
    low = next(held for held in range(runs + 1) if sum(mass[: held + 1]) > TAIL)
    high = next(held for held in range(runs, -1, -1) if sum(mass[held:]) > TAIL)
    return low, high


class Draw:
    """The errors of one plant."""

    def __init__(self, seed: int, hours: int) -> None:
        self.random = np.random.default_rng([2026, seed])
        self.hours = hours

    def normal(self, u: float) -> float:
        return float(self.random.normal(0.0, u))

    def epochs(self, u: float) -> Floats:
        """One error up to the middle, another after it."""
        late = np.arange(self.hours) >= self.hours // 2
        return np.where(late, self.normal(u), self.normal(u))

    def rectangular(self, u: float) -> float:
        return float(self.random.uniform(-1.0, 1.0)) * u * math.sqrt(3.0)

    def series(self, u: float, rho: float) -> Floats:
        """An AR(1) series of standard deviation u."""
        steps = self.random.normal(0.0, u * math.sqrt(1 - rho * rho), self.hours)
        found = np.zeros(self.hours)
        found[0] = self.normal(u)
        for i in range(1, self.hours):
            found[i] = rho * found[i - 1] + steps[i]
        return found

    def of_class(self, row: str) -> tuple[float, Floats]:
        """A systematic error and a random series of a row of the table, in its units."""
        known = instrument_classes()[row]
        shape = self.rectangular if known.shape == "rectangular" else self.normal
        random = known.random
        noise = np.zeros(self.hours) if random is None else self.series(random.u, random.rho)
        return shape(known.systematic), noise


def truth_of(draw: Draw) -> Columns:
    """What really happens, per hour; factors as they really are."""
    hour = np.arange(draw.hours)
    wave = 1 + 0.1 * np.sin(hour / 17.0) + 0.05 * draw.series(1.0, 0.9)
    found = {
        "coal": 27.3706 * wave,
        "clinker": 208.333 * wave * (1 + 0.02 * np.sin(hour / 5.0)),
        "co2": 19.9792 * (1 + 0.1 * np.sin(hour / 30.0)),
        "temperature": 95.0 + 20 * np.sin(hour / 11.0),
        "barometric": 100_000.0 + 800 * np.sin(hour / 90.0),
        "static": np.full(draw.hours, -50.0),
        "moisture": 11.0023 + 2 * np.sin(hour / 13.0),
    }
    factors = {
        name: value / (1 + draw.normal(u))
        for name, value, u in (
            ("carbon", 0.605, 0.006),
            ("oxidation", 0.99, 0.0029),
            ("process", 0.48, 0.0037),
            ("meal-carbon", 0.0054537, 0.289),
        )
    }
    fuel = found["coal"] * factors["carbon"] * factors["oxidation"] * MASS_BY_CARBON
    found["t"] = fuel + found["clinker"] * (factors["process"] + factors["meal-carbon"])
    area = 1 + draw.of_class("duct-area")[0] / 100  # the plant file's area by the true one
    found["velocity"] = found["t"] / (_stack_t(found) / area)
    return found


def _stack_t(truth: Mapping[str, Floats]) -> Floats:
    """t/h at 1 m/s through the area of the plant file."""
    pressure = truth["barometric"] + truth["static"]
    dry = 1 - truth["moisture"] / 100
    return STACK_PER_H * truth["co2"] / 100 * pressure / (273.15 + truth["temperature"]) * dry


def read_of(draw: Draw, truth: Columns) -> Columns:
    """What the instruments tell of it."""
    ndir, ndir_noise = draw.of_class("co2-ndir")
    _, pitot_noise = draw.of_class("stack-velocity")
    wet, wet_noise = draw.of_class("moisture-analyser")
    pressure = draw.of_class("pressure-compensation")[0] / 100
    return {
        "coal": truth["coal"] * (1 + draw.normal(0.005)),
        "clinker": truth["clinker"] * (1 + draw.normal(0.01)),
        "co2": truth["co2"] * (1 + (ndir + ndir_noise) / 100),
        "velocity": truth["velocity"] * (1 + draw.epochs(0.025) + pitot_noise / 100),
        "temperature": (truth["temperature"] + 273.15) * (1 + draw.normal(0.002716)) - 273.15,
        "barometric": truth["barometric"] * (1 + pressure),
        "static": truth["static"] * (1 + pressure),
        "moisture": truth["moisture"] + wet + wet_noise,
    }


def plan_for(hours: int) -> Plan:
    """The line's plan; its pitot was calibrated in the middle of the run."""
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START + hours // 2 * HOUR)
    old = "uncertainty_class: stack-velocity, calibrated_on: 2026-03-02"
    new = f"uncertainty_class: stack-velocity, calibrated_on: {day.date().isoformat()}"
    assert old in PLANT
    return plan_of(PLANT.replace(old, new))


def folded(plan: Plan, read: Columns) -> Any:
    """Interval rows of all points, `segment` the point."""
    state = SiteState(plan)
    parts = []
    for point in plan.points[: plan.n_measured]:
        value = read[point.id.removeprefix("line/")]
        at = START + HOUR * np.arange(value.size)
        if point.kind == DELTA:
            at = at + HOUR
        none = np.zeros(value.size, np.int64)
        own = np.full(value.size, plan.index[point.id])
        counts = state.counts(own, value)
        assert point.kind != COUNTER
        parts.append(Signals(np.array([0, value.size]), at, value, counts, none, none, none))
    signals = Signals.join(parts)

    def load(points: Any) -> Signals:
        return Signals.join([signals.segment(int(p)) for p in points])

    until = START + HOUR * next(iter(read.values())).size
    segments = [*parts, *(evaluate(state, load, program, NEVER, until) for program in plan.computed)]
    numbers = np.arange(len(plan.points))
    begin, end = np.full(numbers.size, START), np.full(numbers.size, until)
    return fold(state, Signals.join(segments), numbers, begin, end).rows


def point_rows(plan: Plan, rows: Any) -> dict[str, PointRows]:
    """Interval rows as the model takes them."""
    found = {}
    for number, point in enumerate(plan.points):
        mine = rows[rows["segment"] == number]
        version = np.full(mine.size, plan.version)
        found[point.id] = PointRows(
            mine["start_at"].copy(),
            mine["amount"].copy(),
            mine["mean"].copy(),
            mine["covered_us"] / HOUR,
            version,
        )
    return found


def figures_of(plan: Plan, seed: int, hours: int) -> dict[str, tuple[float, float, FigureUncertainty]]:
    """Per figure its truth, what is told, and how sure that is."""
    draw = Draw(seed, hours)
    truth = truth_of(draw)
    rows = folded(plan, read_of(draw, truth))
    held, told = point_rows(plan, rows), kpi_sums(plan, rows, START + hours * HOUR)
    t, clinker = float(truth["t"].sum()), float(truth["clinker"].sum())
    true = {"measured": t, "calculated": t, "intensity": 1000 * t / clinker, "gap": 0.0}
    found = {}
    for kpi in plan.kpis:
        a, b = (math.fsum(column) for column in told[kpi.id])
        parts = contributions({plan.version: plan}, {plan.version: (kpi.a_terms, kpi.b_terms)}, held)
        sure = of_figure(parts, kpi.kind, a, b, START, START + hours * HOUR)
        assert sure is not None
        name = kpi.id.removeprefix("line/")
        found[name] = (true[name], a / b if name == "intensity" else a, sure)
    return found


def covered(runs: int, hours: int, seed: int) -> tuple[dict[str, int], dict[str, int]]:
    """In how many runs each figure's interval held the truth, and one of its random part alone."""
    plan = plan_for(hours)
    whole, random = dict.fromkeys(FIGURES, 0), dict.fromkeys(FIGURES, 0)
    for number in range(runs):
        for name, (true, value, sure) in figures_of(plan, seed + number, hours).items():
            whole[name] += abs(value - true) <= sure.expanded
            random[name] += abs(value - true) <= 2 * sure.random_u
    return whole, random


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--hours", type=int, default=720)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    low, high = bounds(asked.runs)
    held, _ = covered(asked.runs, asked.hours, asked.seed)
    print(f"expected {low} to {high} of {asked.runs} runs of {asked.hours} h")
    for name, count in held.items():
        print(f"{name:>10}: {count}")
    return int(any(not low <= count <= high for count in held.values()))


if __name__ == "__main__":
    sys.exit(main())
