"""The 95 % interval holds the truth as often as it says: a short run of `coverage`."""

from tests.ingest.uncertainty.coverage import FIGURES, bounds, covered

RUNS = 60
HOURS = 240


def test_bounds_are_those_of_the_binomial() -> None:
    assert bounds(200) == (180, 198)


def test_the_interval_holds_the_truth() -> None:
    low, high = bounds(RUNS)
    assert high - low < RUNS // 4
    whole, random = covered(RUNS, HOURS, seed=1000)
    assert set(whole) == set(FIGURES)
    assert all(low <= count <= high for count in whole.values()), (low, high, whole)
    # A model that forgets what calibrations keep would hold it hardly ever.
    assert random["measured"] < RUNS / 2
    assert random["calculated"] == 0
