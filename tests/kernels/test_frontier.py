"""Frontiers and lateness equal their definitions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import frontier, reference, tail
from kernels.rows import NEVER, Records
from tests.kernels.arena import INTERVAL, Arena, Coming, coming, params

Instants = st.one_of(st.just(NEVER), st.integers(0, 40))


@given(
    parts=st.lists(params(), min_size=2, max_size=2),
    readings=st.lists(coming(2), max_size=10),
    watermark=Instants,
    closed=st.lists(Instants, min_size=2, max_size=2),
)
@settings(max_examples=200, deadline=None)
def test_frontiers_equal_their_definition(
    parts: list[Records], readings: list[Coming], watermark: int, closed: list[int]
) -> None:
    arena = Arena(np.concatenate(parts))
    arena.insert(tail.insert, readings)
    arena.points["closed_until"] = [at if at == NEVER else at - at % INTERVAL for at in closed]
    found = []
    for kernel in (frontier.frontiers, reference.frontiers):
        out = [np.full(2, 77, np.int64) for _ in range(3)]
        kernel(arena.entries, arena.points, arena.params, watermark, INTERVAL, *out)
        found.append([column.tolist() for column in out])
    assert found[0] == found[1]
    for p, (opens, closes, _) in enumerate(zip(*found[0], strict=True)):
        assert closes >= opens >= arena.points[p]["closed_until"]


@st.composite
def messages(draw: st.DrawFn) -> list[tuple[int, int, int, int]]:
    """Readings (message, point, measured_at, received_at); a point's stand together in each message."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        for point in draw(st.permutations([0, 1])):
            times = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=3))
            found += [(number, point, *time) for time in times]
    return found


@given(
    parts=st.lists(params(), min_size=2, max_size=2),
    came=messages(),
    watermark=Instants,
    lateness=st.integers(0, 6),
)
@settings(max_examples=200, deadline=None)
def test_lateness_equals_its_definition(
    parts: list[Records], came: list[tuple[int, int, int, int]], watermark: int, lateness: int
) -> None:
    message, point, measured_at, received_at = (
        np.array([one[i] for one in came], np.int64) for i in range(4)
    )
    found = []
    for kernel in (frontier.behind, reference.behind):
        late = np.full(len(came), 7, np.int64)
        kernel(
            np.concatenate(parts), message, point, measured_at, received_at, watermark, lateness, INTERVAL, late
        )  # fmt: skip
        found.append(late.tolist())
    assert found[0] == found[1]
