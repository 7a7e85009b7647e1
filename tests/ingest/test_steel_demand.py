"""The steel year under a contract of 550 kW: every exceedance announced before its quarter ends, and nothing else."""

import numpy as np
import pytest

from ingest.methods.demand import project
from tests.ingest.steel_demand import (
    CONTRACT_KW,
    LENGTH,
    START,
    STEP_S,
    STEPS,
    YEAR,
    by_hand,
    horizons,
    judge,
    profile,
    quarters,
    through_the_pipeline,
)

pytestmark = pytest.mark.skipif(
    not YEAR.exists(), reason="needs the steel year (UCI 851) in ../shared/data/steel"
)


@pytest.fixture(scope="module")
def energy() -> np.ndarray:
    return quarters()


@pytest.mark.parametrize("kind", ["flat", "ramps", "swings"])
def test_every_exceedance_is_announced_before_its_end_and_nothing_else(energy: np.ndarray, kind: str) -> None:
    found = judge(profile(energy, kind), by_hand(0.2))
    assert (found.exceeding, found.announced, found.false) == (55, 55, 0)
    assert min(found.leads_s) >= STEP_S


def test_the_bare_projection_is_right_where_the_load_is_steady_and_is_not_where_it_falls(
    energy: np.ndarray,
) -> None:
    steady, falling = (judge(profile(energy, kind), by_hand(0.0)) for kind in ("flat", "ramps"))
    assert (steady.announced, steady.false, min(steady.leads_s)) == (55, 0, 780)
    assert (falling.announced, falling.false) == (55, 56)


@pytest.mark.parametrize("kind", ["flat", "ramps", "swings"])
def test_the_pipeline_says_the_same_of_the_quarters_nearest_to_the_contract(
    energy: np.ndarray, kind: str
) -> None:
    profiles = profile(energy, kind)
    nearest = np.argsort(np.abs(energy - CONTRACT_KW / 4))[:8].tolist()
    assert 0 < sum(energy[quarter] > CONTRACT_KW / 4 for quarter in nearest) < 8
    for quarter in nearest:
        told = list(through_the_pipeline(profiles[quarter - 1 : quarter + 1]))
        before_the_end = [one for at, one in told if at < START + 2 * LENGTH]
        assert len(before_the_end) == STEPS - 1
        announced = any(one.announces(CONTRACT_KW) for one in before_the_end)
        assert announced == (energy[quarter] > CONTRACT_KW / 4)
        expected = [project(one) for one in horizons(profiles[quarter - 1 : quarter + 1].ravel(), 0.2)]
        for (_, ours), theirs in zip(told[:-1], expected[:-1], strict=True):
            assert ours.projected == pytest.approx(theirs.projected, abs=0.1)
            assert ours.may_draw == pytest.approx(theirs.may_draw, rel=1e-3, abs=2.0)
        assert told[-1][1].projected == pytest.approx(4 * energy[quarter], abs=0.01)
