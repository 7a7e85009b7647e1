"""KPI slots and windows equal their definitions and add up without loss."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import reference, ring
from kernels.rows import BAD, INTERVAL_ROW, NEVER, Records
from tests.kernels.segments import same

INTERVAL = 60
Amounts = st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.1, 1e16, -1e16, 3.0]))


@st.composite
def interval_rows(draw: st.DrawFn, terms: int) -> Records:
    rows = np.zeros(draw(st.integers(0, 14)), INTERVAL_ROW)
    for row in rows:
        row["segment"] = draw(st.integers(0, terms - 1))
        row["start_at"] = draw(st.integers(-2, 6)) * INTERVAL
        row["amount"] = draw(st.one_of(Amounts, st.just(math.nan)))
        for name in ("covered_us", "valid_us", "substituted_us"):
            row[name] = draw(st.integers(0, INTERVAL))
        row["quality"] = draw(st.sampled_from([0, 0, 1, 2, BAD]))
        row["reasons"] = draw(st.integers(0, 15))
    rows.sort(order=["segment", "start_at"])
    return rows


@given(data=st.data(), kpis=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_slots_equal_their_definition(data: st.DataObject, kpis: int) -> None:
    terms = data.draw(st.integers(1, 5))
    rows = data.draw(interval_rows(terms))

    def column(values: st.SearchStrategy[int], size: int) -> np.ndarray:
        return np.array([data.draw(values) for _ in range(size)], np.int64)

    owner, side = column(st.integers(0, kpis - 1), terms), column(st.integers(0, 1), terms)
    weight = np.array([data.draw(st.sampled_from([1.0, -0.5, 0.1229])) for _ in range(terms)])
    first_at, lengths = column(st.integers(-1, 3), kpis) * INTERVAL, column(st.integers(0, 5), kpis)
    offsets, timed = np.concatenate([[0], np.cumsum(lengths)]), column(st.integers(0, 1), kpis)
    found = []
    for kernel in (ring.kpi_slots, reference.kpi_slots):
        slots = np.ones(int(offsets[-1]), ring.SLOT)
        kernel(rows, owner, side, weight, first_at, offsets, timed, INTERVAL, slots)
        found.append(slots)
    assert same(*found)


def slots_at(starts: list[int], amounts: list[float]) -> Records:
    slots = np.zeros(len(starts), ring.SLOT)
    for slot, start, amount in zip(slots, starts, amounts, strict=False):
        slot["start_at"], slot["a"], slot["b"] = start * INTERVAL, amount, -amount / 3
        slot["covered_us"], slot["valid_us"], slot["substituted_us"] = (
            INTERVAL,
            abs(start) % INTERVAL,
            start % 3,
        )
        slot["quality"], slot["reasons"], slot["inputs"] = abs(start) % 3, 1 << abs(start) % 5, 1
    return slots


@given(
    size=st.integers(1, 9),
    steps=st.lists(st.sampled_from([1, 1, 1, 2, 30]), max_size=25),
    amounts=st.lists(Amounts, min_size=30, max_size=30),
    opened=st.integers(0, 4),
    window=st.integers(0, 9),
    into=st.integers(0, INTERVAL - 1),
)
@settings(max_examples=150, deadline=None)
def test_windows_equal_their_definition(
    size: int, steps: list[int], amounts: list[float], opened: int, window: int, into: int
) -> None:
    """A ring is written in order of time, as far as the last closed slot, and asked for no more than it holds."""
    starts = np.cumsum(steps).tolist()
    closed = slots_at(starts, amounts)
    rings = []
    for kernel in (ring.remember, reference.remember):
        kept = np.zeros(size, ring.SLOT)
        kept["start_at"] = NEVER
        kernel(kept, closed, INTERVAL)
        rings.append(kept)
    assert same(*rings)
    next_start = starts[-1] + 1 if starts else 0
    open_slots = slots_at([next_start + i for i in range(opened)], amounts[::-1])
    to_at = (next_start + opened) * INTERVAL - into
    from_at = (next_start + opened - min(window, size)) * INTERVAL
    found = []
    for sums in (ring.window_sums, reference.window_sums):
        total = np.ones(2, ring.SUMS)
        sums(rings[0], open_slots, from_at, to_at, INTERVAL, np.zeros((2, size + opened)), total, 1)
        found.append(total)
    assert same(*found)
    inside = [slot for slot in (*rings[0], *open_slots) if from_at <= slot["start_at"] < to_at]
    assert float(sum(Fraction(float(slot["a"])) for slot in inside)) == found[0][1]["a"]


def test_a_slot_made_again_takes_its_place() -> None:
    kept = np.zeros(4, ring.SLOT)
    kept["start_at"] = NEVER
    ring.remember(kept, slots_at([5, 6, 7], [1.0, 2.0, 3.0]), INTERVAL)
    ring.remember(kept, slots_at([6], [20.0]), INTERVAL)
    total = np.zeros(1, ring.SUMS)
    ring.window_sums(kept, kept[:0], 4 * INTERVAL, 8 * INTERVAL, INTERVAL, np.zeros((2, 4)), total, 0)
    assert (total[0]["a"], total[0]["slots"]) == (24.0, 3)
