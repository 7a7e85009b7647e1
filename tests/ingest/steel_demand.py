"""A steel works' year of real quarters under a contract of 550 kW, and what would have been announced of it.

The data set has one number a quarter, at its end: within a quarter nothing is known of it, so no announcement before
the end can be told from it as it is. The finest truth that can be made of it is a load within each quarter that
comes to its energy. Three are made: `flat` (the quarter's mean), `ramps` (straight lines between the middles
of quarters) and `swings` (every 5 s up to 10 % off the mean, by a seed). A meter read every 5 s tells of it.

    .venv/bin/python -m tests.ingest.steel_demand

prints for each and for several cautions what was announced falsely, missed, and how long before the end.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.methods.demand import Running, project, running_block
from ingest.model import HOUR, MINUTE, SECOND

ROOT = Path(__file__).resolve().parents[2]
YEAR = ROOT.parent / "shared" / "data" / "steel" / "Steel_industry_data.csv"
CONTRACT_KW = 550.0
STEP_S = 5
STEPS = 900 // STEP_S
LENGTH = 15 * MINUTE
WINDOW = 2 * MINUTE

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


def judge(profiles: Profiles, caution: float) -> Verdict:
    """Announce over a year, at every step of every quarter but its end."""
    total = profiles.sum(axis=1)
    exceeds = np.round(total, 6) > CONTRACT_KW / 4
    # What is announced is never above the largest load of the quarter (a property in the test of `project`).
    loud = np.flatnonzero(profiles.max(axis=1) * 3600 / STEP_S > CONTRACT_KW)
    assert set(np.flatnonzero(exceeds)) <= set(loud.tolist())
    false, leads_s = 0, []
    for quarter in loud.tolist():
        lead_s = _lead_s(profiles[quarter - 1 : quarter + 1].ravel(), caution)
        if lead_s is not None and exceeds[quarter]:
            leads_s.append(lead_s)
        elif lead_s is not None:
            false += 1
    return Verdict(int(exceeds.sum()), len(leads_s), false, leads_s)


def _lead_s(steps: npt.NDArray[np.float64], caution: float) -> int | None:
    """How long before its end the second of two quarters was announced; None: it was not."""
    for running in horizons(steps, caution):
        if running.rest_us > 0 and project(running).announces(CONTRACT_KW):
            return running.rest_us // SECOND
    return None


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


def main() -> None:
    """Print the verdicts."""
    energy = quarters()
    for kind in ("flat", "ramps", "swings"):
        profiles = profile(energy, kind)
        for caution in (0.0, 0.1, 0.2, 0.3):
            found = judge(profiles, caution)
            leads = sorted(found.leads_s)
            print(
                f"{kind:6} caution {caution:.1f}: {found.announced} of {found.exceeding} announced,"
                f" {leads[0]} s (median {leads[len(leads) // 2]} s) before their end at least; false: {found.false}"
            )


if __name__ == "__main__":
    main()
