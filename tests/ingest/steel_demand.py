"""A steel works' year of real quarters under a contract of 550 kW, and what would have been announced of it.

The data set has one number a quarter, at its end: within a quarter nothing is known of it, so no announcement before
the end can be told from it as it is. The finest truth that can be made of it is a load within each quarter that
comes to its energy. Three are made: `flat` (the quarter's mean), `ramps` (straight lines between the middles
of quarters) and `swings` (every 5 s up to 10 % off the mean, by a seed). A meter read every 5 s tells of it.

    .venv/bin/python -m tests.ingest.steel_demand

prints for each and for several cautions what was announced falsely, missed, and how long before the end. With
`--pipeline` readings of the meter go through the pure pipeline, with the caution of the plant below: some minutes.
"""

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.methods.demand import Projection, Running, project, running_block
from ingest.model import HOUR, MINUTE, NO_SEQ, SECOND
from ingest.pipeline.batch import Batch, Readings
from ingest.pipeline.demand import by_window, running_of
from ingest.pipeline.pipeline import SitePipeline
from ingest.pipeline.state import SiteState
from ingest.plant import compile_plan, parse_plant

ROOT = Path(__file__).resolve().parents[2]
YEAR = ROOT.parent / "shared" / "data" / "steel" / "Steel_industry_data.csv"
CONTRACT_KW = 550.0
STEP_S = 5
STEPS = 900 // STEP_S
LENGTH = 15 * MINUTE
WINDOW = 2 * MINUTE

START = 1_514_732_400 * SECOND
"""2018-01-01T00:00 in Seoul."""
PLANT = """\
site: steel
name: Steel works
time_zone: Asia/Seoul
lateness: 5s
points:
  - {id: energy, kind: counter, unit: kWh, period: 5s, max_gap: 1min, resolution: 0.001}
kpis:
  - {id: demand, kind: demand, unit: kW, numerator: [{point: energy}], block: 15min}
contracted_demand: {value: 550, unit: kW, kpi: demand, caution: 0.2}
"""

Profiles = npt.NDArray[np.float64]
"""kWh of every step of every quarter."""


def quarters() -> npt.NDArray[np.float64]:
    """kWh of the 35 040 quarters of the year, in order of time."""
    with YEAR.open(encoding="utf-8-sig", newline="") as file:
        return np.array([float(row["Usage_kWh"]) for row in csv.DictReader(file)])


def profile(energy: npt.NDArray[np.float64], kind: str) -> Profiles:
    """A load within every quarter that comes to its energy."""
    middles = (np.arange(energy.size) + 0.5) * STEPS
    match kind:
        case "flat":
            weight = np.ones((energy.size, STEPS))
        case "ramps":
            steps = np.arange(energy.size * STEPS) + 0.5
            weight = np.interp(steps, middles, energy).reshape(-1, STEPS) + 1e-9
        case _:
            weight = 1 + 0.1 * np.random.default_rng(851).uniform(-1, 1, (energy.size, STEPS))
    made: Profiles = energy[:, None] * weight / weight.sum(axis=1, keepdims=True)
    return made


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a year."""

    exceeding: int
    announced: int
    """Of those, before their end."""
    false: int
    """Announcements in quarters that do not exceed."""
    leads_s: list[int]
    """How long before the end each of those announced was."""


Tell = Callable[[Profiles], Iterator[tuple[int, Projection]]]
"""Two quarters to the projections of the second, each with how long before its end it was made, µs."""


def judge(profiles: Profiles, tell: Tell) -> Verdict:
    """Announce over a year, at every step of every quarter but its end."""
    total = profiles.sum(axis=1)
    exceeds = np.round(total, 6) > CONTRACT_KW / 4
    # What is announced is never above the largest load of the quarter (a property in the test of `project`).
    loud = np.flatnonzero(profiles.max(axis=1) * 3600 / STEP_S > CONTRACT_KW)
    assert set(np.flatnonzero(exceeds)) <= set(loud.tolist())
    false, leads_s = 0, []
    for quarter in loud.tolist():
        told = tell(profiles[quarter - 1 : quarter + 1])
        lead_s = next((rest // SECOND for rest, one in told if rest > 0 and one.announces(CONTRACT_KW)), None)
        if lead_s is not None and exceeds[quarter]:
            leads_s.append(lead_s)
        elif lead_s is not None:
            false += 1
    return Verdict(int(exceeds.sum()), len(leads_s), false, leads_s)


def by_hand(caution: float) -> Tell:
    """The projections of `horizons`."""

    def tell(steps: Profiles) -> Iterator[tuple[int, Projection]]:
        return ((one.rest_us, project(one)) for one in horizons(steps.ravel(), caution))

    return tell


def by_pipeline(steps: Profiles) -> Iterator[tuple[int, Projection]]:
    """Those of the pipeline, when each reading came."""
    return ((START + 2 * LENGTH - at, one) for at, one in through_the_pipeline(steps))


def horizons(steps: npt.NDArray[np.float64], caution: float) -> Iterator[Running]:
    """The second of two quarters at every step, with windows as the pipeline has them: from an edge of minutes on."""
    drawn = np.concatenate([[0.0], np.cumsum(steps)])
    for n in range(STEPS + 1, 2 * STEPS + 1):
        at = n * STEP_S * SECOND
        load_from = at - WINDOW
        load_from -= load_from % MINUTE
        energy = float(drawn[n] - drawn[STEPS])
        mean = float(drawn[n] - drawn[load_from // (STEP_S * SECOND)])
        yield running_block(
            block=(LENGTH, at, energy, at - LENGTH),
            load=(load_from, at, mean, (at - load_from) / HOUR, at - load_from),
            length_us=LENGTH,
            contract=CONTRACT_KW,
            caution=caution,
        )


def through_the_pipeline(steps: Profiles) -> Iterator[tuple[int, Projection]]:
    """When each reading of the second quarter came, and the projection with it; two quarters from START."""
    plan = compile_plan(parse_plant(PLANT, "steel.yaml"))
    pipeline = SitePipeline(plan, SiteState(plan))
    for n, register in enumerate(np.concatenate([[0.0], np.cumsum(steps.ravel())]).tolist()):
        at = START + n * STEP_S * SECOND
        batch = _feed(pipeline, at, round(register, 3))
        if n > STEPS:
            running = running_of(plan.kpis[0], 0, by_window(batch.latest))
            assert running is not None
            assert (running.from_at, running.horizon_at) == (START + LENGTH, at)
            yield at, project(running)


def _feed(pipeline: SitePipeline, at: int, register: float) -> Batch:
    zero = np.zeros(1, np.int64)
    times = np.array([at])
    readings = Readings(zero, times, times, np.array([register]), zero, zero, zero, np.full(1, NO_SEQ))
    return pipeline.process(readings, zero, monotonic_us=at, caught_up=True, latest=True)


def main() -> None:
    """Print the verdicts."""
    energy = quarters()
    asked: dict[str, Tell] = {f"caution {caution}": by_hand(caution) for caution in (0.0, 0.1, 0.2, 0.3)}
    if "--pipeline" in sys.argv:
        asked = {"caution 0.2, pipeline": by_pipeline}
    for kind in ("flat", "ramps", "swings"):
        profiles = profile(energy, kind)
        for name, tell in asked.items():
            found = judge(profiles, tell)
            leads = sorted(found.leads_s)
            print(
                f"{kind:6} {name}: {found.announced} of {found.exceeding} announced, at least {leads[0]} s"
                f" (median {leads[len(leads) // 2]} s) before their end; false: {found.false}",
                flush=True,
            )


if __name__ == "__main__":
    main()
