"""Readings that contradict each other: the kernel against its definition, and what the rule means."""

import dataclasses
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import reference, tail
from kernels.conflict import flag_conflicts
from kernels.rows import BAD, CONFLICT, COUNTER, GAUGE, GOOD, REPLACED, SUBSTITUTED, UNCERTAIN, Records
from tests.kernels.arena import Arena, Coming, coming, param, params

Flags = tuple[list[int], list[int]]


def flagged(kernel: Any, arena: Arena, points: list[int]) -> Flags:
    """Quality and reasons of all that the lists of the points hold."""
    held = [arena.held(p) for p in points]
    offsets = np.cumsum([0, *map(len, held)]).astype(np.int64)
    at, quality, reasons, seq = (
        np.array([getattr(one, name) for one in chain(*held)], np.int64)
        for name in ("at", "quality", "reasons", "seq")
    )
    kernel(offsets, at, quality, reasons, seq, arena.params[np.array(points, np.int64)])
    return quality.tolist(), reasons.tolist()


def told(*readings: tuple[int, ...], kind: int = GAUGE) -> Flags:
    """Of readings (value[, seq[, quality[, reasons]]]) of one time, in the order in which they came."""
    arena = Arena(param(kind=kind))
    for i, one in enumerate(readings):
        value, seq, quality, reasons = (*one, *(-1, GOOD, 0)[len(one) - 1 :])
        arena.insert(tail.insert, [Coming(0, 7, float(value), quality, seq, i, reasons)])
    return flagged(flag_conflicts, arena, [0])


@given(
    readings=st.lists(coming(3, until=6), max_size=16),
    points=st.lists(params(), min_size=3, max_size=3),
    chosen=st.lists(st.integers(0, 2), min_size=1, max_size=4),
)
@settings(max_examples=300, deadline=None)
def test_equals_its_definition(readings: list[Coming], points: list[Records], chosen: list[int]) -> None:
    arena = Arena(np.concatenate(points))
    arena.insert(tail.insert, readings)
    assert flagged(flag_conflicts, arena, chosen) == flagged(reference.flag_conflicts, arena, chosen)


@given(
    readings=st.lists(coming(until=3), max_size=10),
    arrivals=st.lists(st.integers(0, 5), min_size=20, max_size=20),
    data=st.data(),
)
@settings(max_examples=300, deadline=None)
def test_who_wins_depends_on_the_order_but_not_whether_it_is_contested(
    readings: list[Coming], arrivals: list[int], data: st.DataObject
) -> None:
    """Nor does a reading that comes twice change it, whether it has won or lost."""
    plain = [dataclasses.replace(one, reasons=0) for one in readings]
    repeated = [*plain, *(data.draw(st.lists(st.sampled_from(plain), max_size=4)) if plain else ())]
    other = [
        dataclasses.replace(one, received_at=at)
        for one, at in zip(data.draw(st.permutations(repeated)), arrivals, strict=False)
    ]
    assert contested(plain) == contested(other)
    largest = {one.at: max(other.seq for other in plain if other.at == one.at) for one in plain}
    assert contested(plain) == {
        at: len({repr((o.value, o.quality)) for o in plain if (o.at, o.seq) == (at, seq)}) > 1
        for at, seq in largest.items()
    }


def contested(readings: list[Coming]) -> dict[int, bool]:
    """Of each time whether its winner is flagged."""
    arena = Arena(param())
    arena.insert(tail.insert, readings)
    _, reasons = flagged(flag_conflicts, arena, [0])
    return {one.at: bits & CONFLICT != 0 for one, bits in zip(arena.held(0), reasons, strict=True)}


def test_unequal_readings_without_a_number_make_the_winner_uncertain() -> None:
    assert told((1,), (2,)) == ([GOOD, UNCERTAIN], [0, CONFLICT])
    assert told((1,), (1, -1, SUBSTITUTED, 4)) == ([GOOD, SUBSTITUTED], [0, 4 | CONFLICT])
    assert told((1,), (0, -1, BAD)) == ([GOOD, BAD], [0, CONFLICT])
    assert told((1,), (1,)) == ([GOOD], [0])


@pytest.mark.parametrize("seq", [0, 3, 1 << 62])
def test_a_correction_has_a_number_and_is_believed(seq: int) -> None:
    assert told((1,), (2, seq)) == ([GOOD, GOOD], [0, 0])
    assert told((1,), (2,), (3, seq))[1][-1] == 0
    assert told((3, seq), (1,), (2,))[1][-1] == 0
    assert told((1, seq), (2, seq + 1))[1] == [0, 0]


def test_a_number_told_twice_decides_nothing() -> None:
    assert told((1, 3), (2, 3)) == ([GOOD, UNCERTAIN], [0, CONFLICT])


def test_the_two_readings_of_a_replacement_do_not_contradict_each_other() -> None:
    exchanged = ((90,), (3, -1, GOOD, REPLACED))
    assert told(*exchanged, kind=COUNTER) == ([GOOD, GOOD], [0, REPLACED])
    assert told((90, -1, BAD), exchanged[1], kind=COUNTER)[1][-1] == REPLACED | CONFLICT
    assert told((90,), (91,), exchanged[1], kind=COUNTER)[1] == [0, CONFLICT, REPLACED]
    assert told(*exchanged)[1] == [0, REPLACED | CONFLICT]
