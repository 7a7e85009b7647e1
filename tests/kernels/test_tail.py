"""The tail equals its definition, keeps its lists in order, and forgets nothing that open or closed time needs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import frontier, reference, tail
from kernels.conflict import flag_conflicts
from kernels.fold import fold_intervals
from kernels.reference import tail as definition
from kernels.rows import BAD, COUNTER, GAUGE, HOUR_US, INTERVAL_ROW, NEVER, STEP_ROW, Records
from tests.kernels.arena import INTERVAL, Arena, Coming, coming, param, params
from tests.kernels.segments import same

Edges = st.one_of(st.just(NEVER), st.integers(0, 6).map(lambda n: n * INTERVAL))


def test_outcomes_have_the_same_numbers() -> None:
    names = ("APPENDED", "INSERTED", "DUPLICATE", "LATE", "REOPENS")
    assert [getattr(tail, name) for name in names] == [getattr(definition, name) for name in names]


@st.composite
def moves(draw: st.DrawFn, points: int) -> list[tuple[str, object]]:
    """What happens to an arena, one after the other."""
    found: list[tuple[str, object]] = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["insert", "insert", "adopt", "close", "trim", "behead"]))
        if kind in {"insert", "adopt"}:
            found.append((kind, draw(st.lists(coming(points), max_size=8))))
        elif kind == "close":
            edges = [draw(st.tuples(Edges, Edges, st.integers(0, 30))) for _ in range(points)]
            found.append((kind, edges))
        else:
            found.append((kind, sorted(draw(st.sets(st.integers(0, points - 1))))))
    return found


def apply(arena: Arena, move: tuple[str, object], module: object) -> object:
    """One move by the functions of `module`."""
    kind, what = move
    if kind in {"insert", "adopt"}:
        return arena.insert(module.insert, what, adopt=kind == "adopt")  # type: ignore[attr-defined, arg-type]
    if kind == "close":
        for owner, (closed, retained, settled) in zip(arena.points, what, strict=True):  # type: ignore[call-overload]
            owner["closed_until"], owner["retain_from"] = closed, min(closed, retained)
            owner["settled_until"] = settled if settled % 3 == 0 else NEVER
    elif kind == "trim":
        arena.trim(module.trim)  # type: ignore[attr-defined]
    else:
        chosen = np.array(what, np.int64)
        module.behead(arena.entries, arena.free, arena.free_count, arena.points, chosen)  # type: ignore[attr-defined]
    return None


@given(data=st.data(), parts=st.lists(params(), min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_every_move_equals_its_definition(data: st.DataObject, parts: list[Records]) -> None:
    actual = Arena(np.concatenate(parts))
    expected = actual.copy()
    for move in data.draw(moves(len(parts))):
        assert apply(actual, move, tail) == apply(expected, move, reference)
        assert actual.lists() == expected.lists()
        actual.check()
        expected.check()


@given(
    readings=st.lists(coming(2), max_size=12),
    parts=st.lists(params(), min_size=2, max_size=2),
    chosen=st.lists(st.integers(0, 1), max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_gather_equals_its_definition(
    readings: list[Coming], parts: list[Records], chosen: list[int]
) -> None:
    arena = Arena(np.concatenate(parts))
    arena.insert(tail.insert, readings)
    rows = sum(int(arena.points[p]["size"]) for p in chosen)
    found = []
    for gather in (tail.gather, reference.gather):
        offsets = np.zeros(len(chosen) + 1, np.int64)
        ints = [np.zeros(rows, np.int64) for _ in range(5)]
        value = np.zeros(rows)
        gather(arena.entries, arena.points, np.array(chosen, np.int64), offsets, ints[0], value, *ints[1:])
        found.append((offsets.tolist(), [column.tolist() for column in ints], repr(value.tolist())))
    assert found[0] == found[1]


def fold(arena: Arena, from_at: int, to_at: int) -> tuple[Records, Records]:
    """Rows and steps of point 0 from its list."""
    held = arena.held(0)
    at, count, quality, reasons, seq = (
        np.array([getattr(one, name) for one in held], np.int64)
        for name in ("at", "count", "quality", "reasons", "seq")
    )
    flag_conflicts(np.array([0, len(held)]), at, quality, reasons, seq, arena.params)
    value = np.array([one.value for one in held], np.float64)
    rows, steps = np.zeros(40, INTERVAL_ROW), np.zeros(40, STEP_ROW)
    n, m = fold_intervals(
        np.array([0, len(held)]), at, value, count, quality, reasons, arena.params,
        np.array([from_at]), np.array([to_at]), INTERVAL, rows, steps, np.zeros(1, np.int64),
    )  # fmt: skip
    return rows[:n], steps[:m]


def close(arena: Arena, watermark: int) -> int:
    """The edge up to which point 0 may be closed."""
    opens, closes, reaches = (np.zeros(arena.points.size, np.int64) for _ in range(3))
    frontier.frontiers(arena.entries, arena.points, arena.params, watermark, INTERVAL, opens, closes, reaches)
    return int(closes[0])


@given(
    point=params(),
    readings=st.lists(coming(), max_size=8),
    watermark=st.integers(0, 35),
    then=st.lists(coming(until=60), min_size=1, max_size=4),
)
@settings(max_examples=400, deadline=None)
def test_what_is_neither_late_nor_reopens_changes_nothing_closed(
    point: Records, readings: list[Coming], watermark: int, then: list[Coming]
) -> None:
    arena = Arena(point)
    arena.insert(tail.insert, readings)
    closed_until = close(arena, watermark)
    if closed_until == NEVER:
        return
    before = fold(arena, -2 * INTERVAL, closed_until)
    arena.points["closed_until"] = closed_until
    for reading in then:
        if arena.copy().insert(tail.insert, [reading])[0] in {tail.LATE, tail.REOPENS}:
            continue
        arena.insert(tail.insert, [reading])
        after = fold(arena, -2 * INTERVAL, closed_until)
        assert same(before[0], after[0]), (before[0], after[0])
        assert same(before[1], after[1])


@given(
    point=params(),
    readings=st.lists(coming(), max_size=10),
    retained=st.integers(0, 7),
    then=st.lists(coming(), max_size=4),
)
@settings(max_examples=250, deadline=None)
def test_a_trimmed_list_says_the_same_of_open_time(
    point: Records, readings: list[Coming], retained: int, then: list[Coming]
) -> None:
    whole = Arena(point)
    whole.insert(tail.insert, readings)
    whole.points["closed_until"] = whole.points["retain_from"] = retained * INTERVAL
    short = whole.copy()
    short.trim()
    assert same(fold(short, retained * INTERVAL, 80)[0], fold(whole, retained * INTERVAL, 80)[0])
    late = [one for one in then if whole.copy().insert(tail.insert, [one]) == [tail.LATE]]
    on_time = [one for one in then if one not in late]
    assert short.insert(tail.insert, on_time) == whole.insert(tail.insert, on_time)
    assert same(fold(short, retained * INTERVAL, 80)[0], fold(whole, retained * INTERVAL, 80)[0])
    if point["kind"][0] == COUNTER:
        return  # their lists begin anew from the store, see `behead`
    whole.insert(tail.insert, late, adopt=True)
    short.insert(tail.insert, late, adopt=True)
    assert same(fold(short, retained * INTERVAL, 80)[0], fold(whole, retained * INTERVAL, 80)[0])


def reading(at: int, value: float, quality: int = 0, seq: int = -1) -> Coming:
    return Coming(0, at, value, quality, seq, at, 0)


def closed(kind: int, until: int, *readings: Coming, **fields: float) -> Arena:
    """A point with readings, closed and trimmed until an edge."""
    arena = Arena(param(kind=kind, **fields))
    arena.insert(tail.insert, list(readings))
    arena.points["closed_until"] = arena.points["retain_from"] = until
    arena.trim()
    return arena


def test_what_lost_at_the_edge_is_known_when_it_comes_again() -> None:
    first, correction = reading(10, 1.0, seq=1), reading(10, 2.0, seq=2)
    arena = closed(GAUGE, 10, reading(8, 0.0), first, correction)
    assert [one.at for one in arena.held(0)] == [10, 10]
    assert arena.insert(tail.insert, [first, correction]) == [tail.DUPLICATE, tail.DUPLICATE]


def test_a_bad_correction_of_a_register_beyond_the_edge_reopens() -> None:
    arena = closed(COUNTER, 10, reading(8, 1.0), reading(11, 2.0))
    wrong, other = reading(11, math.nan, BAD, seq=1), reading(12, math.nan, BAD)
    assert arena.insert(tail.insert, [other, wrong]) == [tail.APPENDED, tail.REOPENS]


def test_what_contradicts_the_bracket_reopens_though_it_loses() -> None:
    arena = closed(COUNTER, 10, reading(8, 1.0), reading(11, 2.0))
    assert arena.insert(tail.insert, [reading(11, math.nan, BAD), reading(12, math.nan, BAD)]) == [
        tail.REOPENS,
        tail.APPENDED,
    ]


def test_a_register_that_was_taken_back_is_no_bracket() -> None:
    taken_back = (reading(16, 2.0), reading(16, math.nan, BAD, seq=1))
    arena = closed(COUNTER, 10, reading(8, 1.0), *taken_back, max_gap_us=20)
    assert close(arena, 17) == 10
    assert arena.insert(tail.insert, [reading(18, 3.0)]) == [tail.REOPENS]


@pytest.mark.parametrize(("kind", "kept"), [(COUNTER, [2, 10, 11]), (GAUGE, [10, 11])])
def test_a_long_fault_is_not_held(kind: int, kept: list[int]) -> None:
    faults = [reading(at, 1.0, BAD) for at in range(3, 10)]
    edge = [reading(10, 1.0, BAD), reading(11, 1.0)]
    arena = closed(kind, 10, reading(1, 1.0), reading(2, 1.0), *faults, *edge)
    assert [one.at for one in arena.held(0)] == kept


def test_a_head_from_the_store_replaces_what_was_held() -> None:
    arena = closed(COUNTER, 10, reading(8, 1.0), reading(11, 2.0))
    tail.behead(arena.entries, arena.free, arena.free_count, arena.points, np.array([0]))
    assert [one.at for one in arena.held(0)] == [11]
    assert arena.insert(tail.insert, [reading(6, 0.0)], adopt=True) == [tail.INSERTED]
    assert arena.insert(tail.insert, [reading(5, 0.0)], adopt=True) == [tail.INSERTED]
    arena.check()


def test_a_glitch_or_not_is_told_by_the_next_register() -> None:
    """A jump is pending until the next reading; one between the two says otherwise of what was closed."""
    fast = {"max_gap_us": 20, "max_step_count_per_h": 1.0 * HOUR_US}
    arena = closed(COUNTER, 5, reading(4, 1.0), reading(8, 2.0), **fast)
    assert arena.insert(tail.insert, [reading(11, 90.0)]) == [tail.APPENDED]
    assert close(arena, 14) == 5
    assert arena.insert(tail.insert, [reading(14, 91.0)]) == [tail.APPENDED]
    assert close(arena, 15) == 10
    arena.points["closed_until"] = arena.points["retain_from"] = 10
    arena.trim()
    assert [one.at for one in arena.held(0)] == [8, 11, 14]
    assert arena.copy().insert(tail.insert, [reading(15, 92.0)]) == [tail.APPENDED]
    assert arena.insert(tail.insert, [reading(13, 4.0)]) == [tail.REOPENS]


def test_of_an_alternating_register_little_is_held() -> None:
    """Every step of two devices on one topic is abnormal; what is behind the frontier goes all the same."""
    arena = Arena(param(kind=COUNTER, max_gap_us=20, max_step_count_per_h=1.0 * HOUR_US))
    for at in range(40):
        arena.insert(tail.insert, [reading(at, float(at if at % 2 == 0 else 90 + at))])
        arena.points["closed_until"] = arena.points["retain_from"] = close(arena, at)
        arena.trim()
        assert len(arena.held(0)) <= INTERVAL + 4
    arena.check()
