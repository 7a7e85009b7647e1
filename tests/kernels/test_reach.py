"""How far a register's steps reach: equal to its definition, and far enough."""

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import reach, reference
from kernels.fold import fold_intervals
from kernels.reference.pieces import Reading
from kernels.reference.register import registers
from kernels.rows import BAD, COUNTER, NEVER
from tests.kernels.segments import INTERVAL, ORIGIN, Segment, fold, positive, same, segment

Find = Callable[..., None]


def found(
    kernel: Find, drawn: list[Segment], whole: list[int], *more: list[int], reasons: bool = True
) -> list[int]:
    """What a kernel says of stretches."""
    columns = [one.columns() for one in drawn]
    at, _, count, quality, bits = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    offsets = np.cumsum([0, *(len(one.readings) for one in drawn)])
    columns_given = [at, count, quality, bits] if reasons else [at, count, quality]
    out = np.full(len(drawn), 77, np.int64)
    params = [np.concatenate([one.point for one in drawn])] if reasons else []
    kernel(offsets, *columns_given, *params, *(np.array(column, np.int64) for column in (*more, whole)), out)
    said: list[int] = out.tolist()
    return said


@given(
    drawn=st.lists(segment(positive(), COUNTER), min_size=1, max_size=3),
    whole=st.lists(st.integers(0, 1), min_size=3, max_size=3),
    later=st.lists(st.integers(0, 9 * INTERVAL), min_size=3, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_every_reach_equals_its_definition(drawn: list[Segment], whole: list[int], later: list[int]) -> None:
    n = len(drawn)
    for name in ("anchors", "turns_until"):
        kernel, definition = getattr(reach, name), getattr(reference, name)
        assert found(kernel, drawn, whole[:n]) == found(definition, drawn, whole[:n]), name
    until = [ORIGIN + at for at in later[:n]]
    assert found(reach.turns_from, drawn, whole[:n], until) == found(
        reference.turns_from, drawn, whole[:n], until
    )
    for kernel in (reach.seconds, reference.seconds):
        assert found(kernel, drawn, whole[:n], reasons=False) == found(
            reach.seconds, drawn, whole[:n], reasons=False
        )


@given(
    drawn=segment(positive(), COUNTER),
    when=st.integers(0, 8 * INTERVAL),
    bad=st.booleans(),
    count=st.integers(0, 120),
    seed=st.integers(0, 3),
)
@settings(max_examples=400, deadline=None)
def test_a_new_reading_changes_nothing_beyond_its_reach(
    drawn: Segment, when: int, bad: bool, count: int, seed: int
) -> None:
    """What `turns_from` and `turns_until` do not name stays bit by bit; what lies between two anchors suffices."""
    at = ORIGIN + when
    if seed and drawn.readings:
        at = drawn.readings[seed % len(drawn.readings)][0]
    new = (at, 0.0, count, BAD if bad else 0, 0)
    before = [one for one in drawn.readings if one[0] < at]
    after = [one for one in drawn.readings if one[0] > at]
    together = [one for one in drawn.readings if one[0] == at]
    changed = Segment(drawn.point, [*before, *together, new, *after])
    begin = found(reach.turns_from, [Segment(drawn.point, before)], [1], [at])[0]
    end = found(reach.turns_until, [Segment(drawn.point, after)], [1])[0]
    begin, end = (begin if begin != NEVER else at), (end if end != NEVER else at)
    span = [ORIGIN], [ORIGIN + 9 * INTERVAL]
    old, now = (fold(fold_intervals, [one], *span) for one in (drawn, changed))
    first, last = begin - begin % INTERVAL, end + -end % INTERVAL
    for rows in (
        [one.rows[(one.rows["start_at"] < first) | (one.rows["start_at"] >= last)] for one in (old, now)],
        [one.steps[(one.steps["at"] <= first) | (one.steps["at"] > last)] for one in (old, now)],
    ):
        assert same(rows[0], rows[1])


@given(drawn=segment(positive(), COUNTER), edge=st.integers(0, 8), span=st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_what_is_loaded_for_a_span_suffices(drawn: Segment, edge: int, span: int) -> None:
    begin, end = ORIGIN + edge * INTERVAL, ORIGIN + (edge + span) * INTERVAL
    until = Segment(drawn.point, [one for one in drawn.readings if one[0] <= begin])
    since = found(reach.anchors, [until], [1])[0]
    beyond = Segment(drawn.point, [one for one in drawn.readings if one[0] >= end])
    till = found(reach.seconds, [beyond], [1], reasons=False)[0]
    if since == NEVER:
        since = min((one.at for one in registers([Reading(*one) for one in drawn.readings])), default=begin)
    last = till if till != NEVER else ORIGIN + 99 * INTERVAL
    near = Segment(drawn.point, [one for one in drawn.readings if since <= one[0] <= last])
    whole, part = (fold(fold_intervals, [one], [begin], [end]) for one in (drawn, near))
    assert same(whole.steps, part.steps)
    if since <= begin:
        assert same(whole.rows, part.rows)
