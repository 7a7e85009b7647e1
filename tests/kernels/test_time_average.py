"""OPC UA's worked example of time averages (Part 13), sloped, over windows of 5 s, by our fold.

OPC's lines go on through readings that are not good (a bad and an uncertain one), as
if they were not there, and its last line goes on beyond the last reading. Ours end at
a bad reading and are never drawn on: so the fold is given the good readings and,
where the example extrapolates, a reading on the line through the last two.
"""

import csv
from pathlib import Path

import pytest

from kernels.fold import fold_intervals
from kernels.rows import BAD, UNCERTAIN
from tests.kernels.segments import fold, gauge

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "time_average"
SECOND = 1_000_000
WINDOW = 5 * SECOND
END = 105 * SECOND
COLUMN = "Time Average"
END_OF_RANGE = 100
"""The one row that differs: there the example's range ends at 102 s, before its window does."""


def rows_of(name: str) -> list[list[str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the worked example of time averages is not beside this checkout ({name})")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def expected() -> dict[int, float]:
    header, *rows = rows_of("sloped_expected.csv")
    column = header.index(COLUMN)
    return {int(row[0]): float(row[column]) for row in rows if row[0]}


def readings(*qualities: str) -> list[tuple[int, float, int]]:
    code = {"good": 0, "uncertain": UNCERTAIN, "bad": BAD}
    found = []
    for at, value, quality in rows_of("raw.csv")[1:]:
        if quality in qualities:
            found.append((int(at) * SECOND, float(value or "nan"), code[quality]))
    return found


def means(*given: tuple[int, float, int]) -> dict[int, float]:
    segment = gauge(*given, max_gap_us=60 * SECOND)
    rows = fold(fold_intervals, [segment], [0], [END], WINDOW).rows
    return dict(zip((rows["start_at"] // SECOND).tolist(), rows["mean"].tolist(), strict=True))


def extrapolated(given: list[tuple[int, float, int]]) -> tuple[int, float, int]:
    (before_at, before, _), (last_at, last, _) = given[-2:]
    return END, last + (last - before) * (END - last_at) / (last_at - before_at), UNCERTAIN


def test_twenty_of_its_twenty_one_averages_are_ours_to_the_last_digit_printed() -> None:
    good = readings("good")
    ours, theirs = means(*good, extrapolated(good)), expected()
    assert len(theirs) == len(ours) == 21
    differing = {at for at, mean in theirs.items() if f"{ours[at]:.8f}" != f"{mean:.8f}"}
    assert differing == {END_OF_RANGE}
    assert ours[END_OF_RANGE] == pytest.approx(121.25)
    # Over [100, 102) alone the line gives theirs.
    assert means(*good, (102 * SECOND, 120.0, 0))[END_OF_RANGE] == pytest.approx(theirs[END_OF_RANGE])


def test_without_the_extrapolation_nothing_is_said_beyond_the_last_reading() -> None:
    ours, theirs = means(*readings("good")), expected()
    assert [at for at in theirs if at not in ours] == [90, 95, 100]


def test_a_bad_reading_ends_our_line_and_an_uncertain_one_is_used() -> None:
    """So the six windows that these two readings touch differ, and no other."""
    ours, theirs = means(*readings("good", "uncertain", "bad")), expected()
    assert {at for at, mean in ours.items() if f"{mean:.8f}" != f"{theirs[at]:.8f}"} == {
        35,
        40,
        45,
        70,
        75,
        80,
    }
