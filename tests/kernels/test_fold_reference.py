"""The fold equals its definition for every kind, quality and shape of readings."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import reference
from kernels.fold import fold_intervals
from kernels.rows import COUNTER, DELTA, GAUGE, SAMPLE, STATE
from tests.kernels.segments import INTERVAL, ORIGIN, Segment, assert_close, fold, positive, segment

SPAN = st.tuples(st.integers(0, 4), st.integers(0, 9 * INTERVAL)).map(
    lambda span: (ORIGIN + span[0] * INTERVAL, ORIGIN + span[1])
)


@pytest.mark.parametrize("kind", [COUNTER, DELTA, GAUGE, SAMPLE, STATE])
@given(data=st.data(), span=SPAN)
@settings(max_examples=120, deadline=None)
def test_one_segment(kind: int, data: st.DataObject, span: tuple[int, int]) -> None:
    drawn = data.draw(segment(positive(), kind))
    actual = fold(fold_intervals, [drawn], [span[0]], [span[1]])
    expected = fold(reference.fold_intervals, [drawn], [span[0]], [span[1]])
    assert_close(actual.rows, expected.rows)
    assert_close(actual.steps, expected.steps)
    assert actual.done_at.tolist() == expected.done_at.tolist() == [span[1]]


@given(drawn=segment(st.floats(-1e6, 1e6), GAUGE), span=SPAN)
@settings(max_examples=60, deadline=None)
def test_signals_of_both_signs(drawn: Segment, span: tuple[int, int]) -> None:
    """Where a signal cancels, the error is that of two float64 against its size."""
    actual = fold(fold_intervals, [drawn], [span[0]], [span[1]])
    expected = fold(reference.fold_intervals, [drawn], [span[0]], [span[1]])
    assert_close(actual.rows, expected.rows, scale=1e6 * 2**-50)


@given(
    drawn=st.lists(segment(positive()), min_size=1, max_size=4),
    to_at=st.integers(0, 9 * INTERVAL),
    room=st.tuples(st.integers(1, 6), st.integers(3, 12)),
)
@settings(max_examples=60, deadline=None)
def test_several_segments_and_little_room(drawn: list[Segment], to_at: int, room: tuple[int, int]) -> None:
    """What fits, where it stops, and the same after going on from there."""
    begin, end = [ORIGIN] * len(drawn), [ORIGIN + to_at] * len(drawn)
    for _ in range(400):
        actual = fold(fold_intervals, drawn, begin, end, room=room)
        expected = fold(reference.fold_intervals, drawn, begin, end, room=room)
        assert_close(actual.rows, expected.rows)
        assert_close(actual.steps, expected.steps)
        assert actual.done_at.tolist() == expected.done_at.tolist()
        if actual.done_at.tolist() == end or (actual.rows.size == 0 and actual.done_at.tolist() == begin):
            break
        begin = actual.done_at.tolist()
    else:
        pytest.fail("the fold never came to its end")
