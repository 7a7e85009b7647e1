"""What must hold of any fold, whatever the readings."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.exact import to_counts
from kernels.fold import fold_intervals
from kernels.reference.pieces import Reading
from kernels.reference.register import is_normal, kept, registers
from kernels.rows import (
    BAD,
    COUNTER,
    DELTA,
    GAUGE,
    GLITCH_STEP,
    HOUR_US,
    NO_COUNT,
    REPLACED,
    REPLACED_STEP,
)
from tests.kernels.segments import (
    INTERVAL,
    ORIGIN,
    Segment,
    close,
    counter,
    fold,
    gauge,
    params,
    positive,
    same,
    segment,
)

HOUR = HOUR_US
MINUTE = 60_000_000


@given(
    drawn=segment(positive()),
    edges=st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8)).map(sorted),
)
@settings(max_examples=150, deadline=None)
def test_a_cut_at_any_edge_changes_nothing(drawn: Segment, edges: list[int]) -> None:
    a, b, c = (ORIGIN + edge * INTERVAL for edge in edges)
    whole = fold(fold_intervals, [drawn], [a], [c])
    first, second = fold(fold_intervals, [drawn], [a], [b]), fold(fold_intervals, [drawn], [b], [c])
    assert same(whole.rows, np.concatenate([first.rows, second.rows]))
    assert same(whole.steps, np.concatenate([first.steps, second.steps]))


@given(drawn=segment(positive()), room=st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_little_room_changes_nothing(drawn: Segment, room: int) -> None:
    whole = fold(fold_intervals, [drawn], [ORIGIN], [ORIGIN + 9 * INTERVAL])
    rows, steps = [], []
    begin = [ORIGIN]
    while begin[0] < ORIGIN + 9 * INTERVAL:
        part = fold(fold_intervals, [drawn], begin, [ORIGIN + 9 * INTERVAL], room=(room, 12))
        rows.append(part.rows)
        steps.append(part.steps)
        assert part.done_at[0] > begin[0]
        begin = part.done_at.tolist()
    assert same(whole.rows, np.concatenate(rows))
    assert same(whole.steps, np.concatenate(steps))


@given(drawn=segment(positive()), edge=st.integers(0, 8))
@settings(max_examples=150, deadline=None)
def test_what_lies_before_the_last_usable_reading_does_not_matter(drawn: Segment, edge: int) -> None:
    """A delta stamped at its start reaches a period further; its tail must be that much longer."""
    if drawn.point["kind"][0] == COUNTER:
        return
    from_at = ORIGIN + edge * INTERVAL
    reach = from_at
    delta = drawn.point["kind"][0] == DELTA
    if delta and drawn.point["stamp_start"][0] != 0:
        reach -= int(drawn.point["period_us"][0])
    usable = [
        i
        for i, (at, value, count, quality, _) in enumerate(drawn.readings)
        if at <= reach
        and quality < BAD
        and (count != NO_COUNT if delta else math.isfinite(value))
        and (i + 1 == len(drawn.readings) or drawn.readings[i + 1][0] != at)
    ]
    tail = Segment(drawn.point, drawn.readings[usable[-1] :] if usable else drawn.readings)
    whole = fold(fold_intervals, [drawn], [from_at], [ORIGIN + 9 * INTERVAL])
    assert same(whole.rows, fold(fold_intervals, [tail], [from_at], [ORIGIN + 9 * INTERVAL]).rows)


@given(drawn=segment(positive(), COUNTER), edge=st.integers(0, 8), span=st.integers(1, 3))
@settings(max_examples=300, deadline=None)
def test_a_register_depends_on_an_anchor_before_and_two_readings_after(
    drawn: Segment, edge: int, span: int
) -> None:
    begin, end = ORIGIN + edge * INTERVAL, ORIGIN + (edge + span) * INTERVAL
    found = registers([Reading(*reading) for reading in drawn.readings])
    anchors = [
        b.at
        for a, b in pairwise([None, *found])
        if b is not None
        and b.at <= begin
        and (a is None or b.is_replacement or is_normal(a, b, drawn.point[0]))
    ]
    after = [register.at for register in found if register.at >= end]
    since, until = (anchors or [ORIGIN])[-1], (after[1:] or [ORIGIN + 99 * INTERVAL])[0]
    near = Segment(drawn.point, [reading for reading in drawn.readings if since <= reading[0] <= until])
    whole, part = (fold(fold_intervals, [one], [begin], [end]) for one in (drawn, near))
    assert same(whole.rows, part.rows)
    assert same(whole.steps, part.steps)


@given(drawn=segment(positive()), end=st.integers(1, 8 * INTERVAL))
@settings(max_examples=80, deadline=None)
def test_shares_of_time_add_up(drawn: Segment, end: int) -> None:
    rows = fold(fold_intervals, [drawn], [ORIGIN], [ORIGIN + end]).rows
    length = np.minimum(rows["start_at"] + INTERVAL, ORIGIN + end) - rows["start_at"]
    assert (rows["covered_us"] > 0).all()
    assert (rows["covered_us"] <= length).all()
    assert (rows["valid_us"] + rows["substituted_us"] <= rows["covered_us"]).all()
    assert ((rows["quality"] == BAD) == (rows["valid_us"] + rows["substituted_us"] == 0)).all()
    assert (np.diff(rows["start_at"]) > 0).all()


@given(
    values=st.lists(positive(), min_size=2, max_size=12),
    gaps=st.lists(st.one_of(st.integers(1, 50), st.integers(1, 10**11)), min_size=11, max_size=11),
    sloped=st.integers(0, 1),
    lead=st.integers(0, HOUR - 1),
)
@settings(max_examples=150, deadline=None)
def test_the_integral_is_exact(values: list[float], gaps: list[int], sloped: int, lead: int) -> None:
    """2 units in the last place of the exact integral, in every interval: µs to days apart, cut anywhere."""
    at = [ORIGIN // HOUR * HOUR + lead]
    for gap in gaps[: len(values) - 1]:
        at.append(at[-1] + gap)
    drawn = gauge(*zip(at, values, strict=True), sloped=sloped, max_gap_us=10**12)
    begin, end = at[0] - at[0] % HOUR, at[-1]
    rows = fold(fold_intervals, [drawn], [begin], [end], HOUR).rows
    for row in rows[:: max(1, len(rows) // 5)]:
        start = int(row["start_at"])
        area = Fraction(0)
        for (t0, v0), (t1, v1) in pairwise(zip(at, map(Fraction, values), strict=True)):
            x, y = max(t0, start), min(t1, start + HOUR, end)
            if x < y:
                slope = (v1 - v0) / (t1 - t0) if sloped else Fraction(0)
                area += (v0 + slope * (Fraction(x + y, 2) - t0)) * (y - x)
        assert close(float(row["amount"]), float(area / HOUR))
        assert close(float(row["mean"]), float(area / int(row["covered_us"])))


@st.composite
def history(draw: st.DrawFn) -> tuple[list[tuple[int, int, int, int]], int]:
    """A register on an offset with everything that can happen to one, and that offset."""
    offset = draw(st.sampled_from([0, 0, 10**6, 10**18]))
    near = st.integers(0, 2000).map(lambda count: offset + count)
    counts = st.one_of(near, near, st.integers(0, 2000), st.integers(0, 10**9).map(lambda n: offset + n))
    at, found = ORIGIN, [(ORIGIN, draw(counts), 0, 0)]
    for what in draw(st.lists(st.sampled_from("+++++bcr"), max_size=30)):
        at += (
            draw(st.integers(1, 3 * MINUTE))
            if offset < 10**18
            else draw(st.integers(MINUTE // 4, 3 * MINUTE))
        )
        if what == "r":
            found.append((at, draw(counts), 0, 0))
        if what == "c":
            found.append((at, draw(counts), draw(st.sampled_from([0, BAD])), 0))
        found.append((at, draw(counts), BAD if what == "b" else 0, REPLACED if what == "r" else 0))
    return found, offset


@given(
    drawn=history(),
    modulus=st.sampled_from([0, 10**9, 2 * 10**9]),
    fastest=st.sampled_from([math.inf, 6e3, 6e4]),
    fall_is_reset=st.integers(0, 1),
    max_gap_us=st.sampled_from([MINUTE, 5 * MINUTE]),
    fill_at_most_us=st.sampled_from([0, MINUTE, 2 * MINUTE]),
)
@settings(max_examples=400, deadline=None)
def test_counters_conserve(
    drawn: tuple[list[tuple[int, int, int, int]], int],
    modulus: int,
    fastest: float,
    fall_is_reset: int,
    max_gap_us: int,
    fill_at_most_us: int,
) -> None:
    """Σ amounts + Σ corrections == last - first over any history, also on a register of 1e12 at 1e-6.

    There a few readings an interval, as every reset books 1e18 counts and an amount is an int64.
    """
    readings, offset = drawn
    register = counter(
        *readings, modulus_count=modulus + offset if modulus else 0, resolution=1e-6, max_gap_us=max_gap_us,
        max_step_count_per_h=fastest, fall_is_reset=fall_is_reset, fill_at_most_us=fill_at_most_us,
    )  # fmt: skip
    begin, end = ORIGIN // MINUTE * MINUTE, readings[-1][0]
    folded = fold(fold_intervals, [register], [begin], [end], MINUTE)
    amounts = [count for count in folded.rows["amount_count"].tolist() if count != NO_COUNT]
    values = registers([Reading(*reading) for reading in register.readings])
    assert (
        sum(amounts) + sum(folded.steps["correction"].tolist()) == values[-1].new.count - values[0].new.count
    )
    listed = folded.steps["step_class"].tolist()
    steps = kept(values, register.point[0])
    assert (
        listed.count(GLITCH_STEP)
        == sum(step.glitch is not None for step in steps)
        == len(values) - len(steps)
    )
    assert listed.count(REPLACED_STEP) == sum(one.is_replacement for one in values[1:])
    assert not (fall_is_reset and math.isinf(fastest) and GLITCH_STEP in listed)


def test_a_register_read_as_floats_conserves() -> None:
    """1e12 kWh in steps of 0.1 kWh, as the wire brings it."""
    values = np.array([1e12 + 0.1 * i for i in range(2000)])
    counts = np.empty(2000, np.int64)
    to_counts(values, 1e-6, counts)
    drawn = counter(
        *((ORIGIN + 7_000_000 * i, int(c)) for i, c in enumerate(counts)), resolution=1e-6, max_gap_us=MINUTE
    )
    begin = ORIGIN // MINUTE * MINUTE
    rows = fold(fold_intervals, [drawn], [begin], [ORIGIN + 7_000_000 * 1999], MINUTE).rows
    assert sum(rows["amount_count"].tolist()) == int(counts[-1]) - int(counts[0])
    assert (rows["amount_count"] > 0).all()


@given(
    amounts=st.lists(st.integers(-(10**6), 10**12), min_size=1, max_size=10),
    period=st.integers(1, 3 * MINUTE),
    stamp_start=st.integers(0, 1),
)
@settings(max_examples=80, deadline=None)
def test_deltas_conserve(amounts: list[int], period: int, stamp_start: int) -> None:
    """Spans that overlap, or cross edges, count with all they carry."""
    readings = [(ORIGIN + 50_000_000 * i, amount) for i, amount in enumerate(amounts)]
    drawn = counter(*readings, kind=DELTA, period_us=period, stamp_start=stamp_start)
    begin = ORIGIN // MINUTE * MINUTE - 4 * MINUTE
    rows = fold(fold_intervals, [drawn], [begin], [begin + 60 * MINUTE], MINUTE).rows
    assert sum(rows["amount_count"].tolist()) == sum(amounts)


def test_a_long_gap_is_jumped() -> None:
    """A century of minutes between two readings costs nothing and leaves no rows."""
    century = 100 * 365 * 24 * HOUR
    drawn = gauge((0, 1.0), (MINUTE, 1.0), (century, 1.0), (century + MINUTE, 1.0), max_gap_us=MINUTE)
    folded = fold(fold_intervals, [drawn], [0], [century + 2 * MINUTE], MINUTE)
    assert folded.rows["start_at"].tolist() == [0, century]


def test_a_gap_too_long_to_be_filled_is_jumped() -> None:
    """A century of minutes between two registers costs nothing, and its step is listed on either side of an edge."""
    century = 100 * 365 * 24 * HOUR
    for end in (century, century + 1):
        drawn = counter((0, 1), (MINUTE, 2), (end, 9), max_gap_us=MINUTE, fill_at_most_us=MINUTE)
        folded = fold(fold_intervals, [drawn], [0], [century + 2 * MINUTE], MINUTE)
        assert folded.rows["start_at"].tolist() == [0]
        assert folded.steps["at"].tolist() == [end]
        before = fold(fold_intervals, [drawn], [0], [century - MINUTE], MINUTE)
        assert (before.rows.size, before.steps.size) == (1, 0)


def test_a_point_never_seen_before_starts_at_its_first_reading() -> None:
    drawn = gauge((ORIGIN + 5, 1.0), (ORIGIN + 7, 1.0))
    rows = fold(fold_intervals, [drawn], [-(2**62)], [ORIGIN + INTERVAL]).rows
    assert rows["start_at"].tolist() == [ORIGIN]
    assert rows["covered_us"].tolist() == [2]


def test_no_readings_and_no_segments() -> None:
    folded = fold(
        fold_intervals, [Segment(params(kind=GAUGE)), Segment(params(kind=COUNTER))], [0, 0], [9, 9]
    )
    assert folded.rows.size == 0
    assert folded.done_at.tolist() == [9, 9]
