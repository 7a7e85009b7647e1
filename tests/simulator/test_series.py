"""Day by day, yet one series."""

import numpy as np
import pytest

from ingest.errors import InputError
from ingest.model import DAY, HOUR, MINUTE, SECOND
from simulator.series import EPOCH, Grid, generator, stops, wave

GRID = Grid(5 * SECOND)
TODAY = 700


def test_epoch_is_midnight_in_china() -> None:
    assert np.datetime64(EPOCH, "us") == np.datetime64("2024-12-31T16:00")


def test_wave_averages_to_zero_in_every_block_and_stays_within_one() -> None:
    day = wave(GRID, 3, "load", 30 * MINUTE, 6).day(TODAY)
    blocks = day.reshape(48, -1)
    assert np.abs(blocks.sum(axis=1)).max() < 1e-9
    assert (blocks[:, 0] == 0).all()
    assert 0.4 <= np.abs(day).max() <= 1


def test_wave_is_straight_between_its_corners() -> None:
    day = wave(GRID, 3, "load", 30 * MINUTE, 6).day(TODAY)
    bends = np.abs(np.diff(day, 2)) > 1e-12
    corner = GRID.ticks(5 * MINUTE)
    assert {int(i + 1) % corner for i in np.flatnonzero(bends)} == {0}


def test_any_stretch_is_the_same_however_it_is_asked_for() -> None:
    series = wave(GRID, 3, "load", DAY, 12)
    first, n = TODAY * GRID.per_day - 100, 3 * GRID.per_day
    whole = series.over(first, n)
    pieces = [series.over(first + start, min(7777, n - start)) for start in range(0, n, 7777)]
    assert np.array_equal(whole, np.concatenate(pieces))
    assert series.over(first, 0).size == 0


def test_series_depend_on_seed_name_and_day_and_on_nothing_else() -> None:
    def of(seed: int, name: str, day: int) -> float:
        return float(generator(seed, name, day).random())

    assert of(1, "a", 1) == of(1, "a", 1)
    assert len({of(1, "a", 1), of(2, "a", 1), of(1, "b", 1), of(1, "a", 2)}) == 4


def test_two_series_of_one_seed_are_not_the_same() -> None:
    a, b = (wave(GRID, 1, name, DAY, 12).day(TODAY) for name in ("a", "b"))
    assert not np.array_equal(a, b)


def test_stops_take_the_same_time_every_day_at_different_hours() -> None:
    mill = stops(GRID, 1, "mill", (2 * HOUR, 14 * HOUR), 2 * HOUR, 15 * MINUTE)
    days = [mill.day(day) for day in range(TODAY, TODAY + 20)]
    assert {float(day.sum()) for day in days} == {float(GRID.per_day * (1 - 2 * 1.75 / 24))}
    assert len({int(np.flatnonzero(day < 1)[0]) for day in days}) > 10
    assert all(day[0] == 1 == day[-1] for day in days)
    assert all(np.count_nonzero(np.diff((day > 0).astype(int))) == 4 for day in days)


@pytest.mark.parametrize("period", [0, -1, 7 * SECOND])
def test_period_that_does_not_divide_a_day_is_refused(period: int) -> None:
    with pytest.raises(InputError, match=r"sampling period .* expected a divisor of one day"):
        Grid(period)


def test_times_before_the_epoch_are_refused() -> None:
    with pytest.raises(InputError, match=r"expected .* or later"):
        GRID.first_at_or_after(EPOCH)


def test_spans_are_whole_ticks() -> None:
    assert GRID.ticks(MINUTE) == 12
    with pytest.raises(InputError, match="expected a multiple"):
        GRID.ticks(SECOND)


def test_instants_and_ticks_are_inverse() -> None:
    at = GRID.instants(12_345_678, 3)
    assert [GRID.first_at_or_after(int(t)) for t in at] == [12_345_678, 12_345_679, 12_345_680]
    assert GRID.first_at_or_after(int(at[0]) + 1) == 12_345_679
