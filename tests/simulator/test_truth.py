"""Truth is arithmetic on what is published, and agrees with itself."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import InputError
from ingest.model import DAY, HOUR, MINUTE, SECOND
from simulator.cement import CementPlant
from simulator.series import EPOCH
from simulator.truth import Truth, integral

START = EPOCH + 690 * DAY + 5 * HOUR


def _value(at: list[int], values: list[float], t: Fraction, *, sloped: bool) -> Fraction:
    """The signal at `t`, by its definition."""
    i = min(int((t - at[0]) // (at[1] - at[0])), len(at) - 2)
    if not sloped:
        return Fraction(values[i])
    share = (t - at[i]) / (at[i + 1] - at[i])
    return Fraction(values[i]) * (1 - share) + Fraction(values[i + 1]) * share


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=8),
    cut=st.tuples(st.integers(0, 700), st.integers(1, 700)),
    sloped=st.booleans(),
)
def test_integral_is_that_of_the_signal(values: list[float], cut: tuple[int, int], sloped: bool) -> None:
    at = [100 * i for i in range(len(values))]
    start = min(cut[0], at[-1] - 1)
    end = min(start + cut[1], at[-1])
    corners = sorted({start, end, *(t for t in at if start < t < end)})
    expected = Fraction(0)
    for a, b in pairwise(corners):
        # Straight within the piece, so the value at its middle times its length is exact.
        expected += _value(at, values, Fraction(a + b, 2), sloped=sloped) * (b - a)
    assert integral(at, values, start, end, sloped=sloped) == expected


@pytest.mark.parametrize("name", ["substation/power", "kiln/stack/state", "kiln/energy"])
def test_amounts_of_parts_add_up_to_the_whole(cement: CementPlant, name: str) -> None:
    truth = Truth(cement)
    edges = list(range(START, START + HOUR + 1, MINUTE))
    parts = truth.amounts(f"cement/{name}", edges)
    assert sum(parts) == truth.amounts(f"cement/{name}", (edges[0], edges[-1]))[0]
    assert len(parts) == 60


def test_energy_counted_is_the_power_integrated(cement: CementPlant) -> None:
    amounts = Truth(cement).over(START, START + DAY)
    counted = Fraction(amounts["cement/substation/energy"]) / 1000
    assert abs(amounts["cement/substation/power"] - counted) <= Fraction(1, 1000) + Fraction(1, 10**6)


def test_samples_have_means_and_states_hours(cement: CementPlant) -> None:
    amounts = Truth(cement).over(START, START + DAY)
    assert 93 < amounts["cement/kiln/stack/temperature"] < 152
    assert 20 < amounts["cement/raw-mill/state"] < 21
    assert amounts["cement/kiln/stack/state"] == 24


def test_edges_between_readings_are_interpolated(cement: CementPlant) -> None:
    truth = Truth(cement)
    point = "cement/substation/power"
    edges = (START, START + 2 * SECOND, START + 5 * SECOND)
    left, right = truth.amounts(point, edges)
    assert left + right == truth.amounts(point, (edges[0], edges[2]))[0]


def test_a_register_is_known_at_sampling_times_only(cement: CementPlant) -> None:
    with pytest.raises(InputError, match=r"truth of cement/kiln/energy .* expected a multiple of its period"):
        Truth(cement).amounts("cement/kiln/energy", (START, START + 2 * SECOND))
