"""Computed points equal their definition, and mean what the house rules say."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import reference, union
from kernels.rows import BAD, GAP, LATE, LINEAR, RANGE, RATIO, STATE, SUBSTITUTED, UNCERTAIN, Floats, Ints
from tests.kernels.segments import INTERVAL, ORIGIN, Segment, close, gauge, ints, positive, segment

CALIBRATION = 1 << 3

Evaluated = tuple[list[int], list[float], list[int], list[int]]


Gate = tuple[tuple[int, int], ...]
"""(code, reasons) at which there is no value."""


def evaluate(
    kernel: object,
    inputs: list[Segment],
    method: int,
    constants: list[float],
    span: tuple[int, int],
    gate: Gate = (),
) -> Evaluated:
    columns = [one.columns() for one in inputs]
    offsets = np.cumsum([0, *(len(one.readings) for one in inputs)]).astype(np.int64)
    at, value, _, quality, reasons = (np.concatenate(column) for column in zip(*columns, strict=True))
    room = at.size
    out_at: Ints = np.zeros(room, np.int64)
    out_value: Floats = np.zeros(room)
    out_quality, out_reasons = np.zeros(room, np.int64), np.zeros(room, np.int64)
    assert callable(kernel)
    codes, bits = ints(*(code for code, _ in gate)), ints(*(reason for _, reason in gate))
    n = kernel(
        offsets, at, value, quality, reasons, np.concatenate([one.point for one in inputs]), method,
        np.array(constants), codes, bits, *span, out_at, out_value, out_quality, out_reasons,
    )  # fmt: skip
    return out_at[:n].tolist(), out_value[:n].tolist(), out_quality[:n].tolist(), out_reasons[:n].tolist()


@given(
    inputs=st.lists(segment(positive()), min_size=1, max_size=3),
    span=st.tuples(st.integers(0, 8 * INTERVAL), st.integers(0, 8 * INTERVAL)),
    method=st.sampled_from([LINEAR, RATIO, 99]),
)
@settings(max_examples=250, deadline=None)
def test_equals_its_definition(inputs: list[Segment], span: tuple[int, int], method: int) -> None:
    if method == RATIO and len(inputs) < 2:
        method = LINEAR
    arguments = (inputs, method, [0.5] * len(inputs) + [1.0], (ORIGIN + span[0], ORIGIN + span[1]))
    compare(*arguments)


@given(
    inputs=st.lists(segment(positive()), min_size=1, max_size=2),
    state=segment(st.sampled_from([0.0, 1.0, 2.0, 3.0]), STATE),
    span=st.tuples(st.integers(0, 8 * INTERVAL), st.integers(0, 8 * INTERVAL)),
)
@settings(max_examples=150, deadline=None)
def test_equals_its_definition_behind_a_gate(
    inputs: list[Segment], state: Segment, span: tuple[int, int]
) -> None:
    constants = [0.5] * len(inputs) + [1.0]
    between = (ORIGIN + span[0], ORIGIN + span[1])
    compare([*inputs, state], LINEAR, constants, between, ((1, CALIBRATION), (2, CALIBRATION), (3, 32)))


def compare(*arguments: Any) -> None:
    actual = evaluate(union.evaluate_union, *arguments)
    expected = evaluate(reference.evaluate_union, *arguments)
    assert actual[0] == expected[0]
    assert actual[2:] == expected[2:]
    assert all(close(a, b, 8) for a, b in zip(actual[1], expected[1], strict=True))


def test_a_gate_closes_and_opens_with_its_state() -> None:
    signal = gauge((0, 0), (10, 10), (20, 20), (30, 30), max_gap_us=20)
    state = gauge((0, 1), (15, 2), (25, 1), kind=STATE, sloped=0, max_gap_us=100)
    at, value, quality, reasons = evaluate(
        union.evaluate_union, [signal, state], LINEAR, [1.0, 0.0], (0, 99), ((2, CALIBRATION),)
    )
    assert at == [0, 10, 15, 20, 25, 30]
    assert [value[i] for i in (0, 1, 4, 5)] == [0, 10, 25, 30]
    assert quality == [0, 0, BAD, BAD, 0, 0]
    assert reasons == [0, 0, CALIBRATION, CALIBRATION, 0, 0]


def test_a_state_that_nobody_told_lets_nothing_through() -> None:
    signal = gauge((0, 1), (10, 2), max_gap_us=20)
    state = gauge((10, 1), kind=STATE, sloped=0, max_gap_us=100)
    found = evaluate(union.evaluate_union, [signal, state], LINEAR, [1.0, 0.0], (0, 99), ((2, CALIBRATION),))
    assert found[2:] == ([BAD, 0], [GAP, 0])


def linear(*inputs: Segment, until: int = 10_000) -> Evaluated:
    """The sum of the inputs."""
    return evaluate(union.evaluate_union, list(inputs), LINEAR, [1.0] * len(inputs) + [0.0], (0, until))


def test_each_input_by_its_own_declaration() -> None:
    sloped = gauge((0, 0), (10, 100), max_gap_us=100)
    stepped = gauge((0, 1), (4, 2), (10, 3), sloped=0, max_gap_us=100)
    assert linear(sloped, stepped)[:2] == ([0, 4, 10], [1.0, 42.0, 103.0])


def test_max_gap_of_a_hold_is_open_and_of_a_line_is_closed() -> None:
    stepped = gauge((0, 1), sloped=0, max_gap_us=5)
    clock = gauge((4, 0), (5, 0), sloped=0)
    assert linear(stepped, clock)[2] == [BAD, 0, BAD]
    line, longer = gauge((0, 1), (5, 1), max_gap_us=5), gauge((0, 1), (6, 1), max_gap_us=5)
    assert linear(line, gauge((2, 0)))[1][1] == 1.0
    assert linear(longer, gauge((2, 0)))[2:] == ([BAD, BAD, BAD], [GAP, GAP, GAP])


def test_quality_is_the_worst_and_reasons_are_all() -> None:
    a = gauge((0, 1, UNCERTAIN, 2), (10, 1, 0, 4), max_gap_us=10)
    b = gauge((5, 1, SUBSTITUTED, 8 | LATE), sloped=0)
    assert linear(a, b)[2:] == ([BAD, SUBSTITUTED, SUBSTITUTED], [2 | GAP, 2 | 4 | 8, 4 | 8])


def test_a_bad_input_or_one_without_value_makes_no_value() -> None:
    a = gauge((0, 1, BAD, 2), (5, math.nan, UNCERTAIN, 4), sloped=0)
    at, value, quality, reasons = linear(a, gauge((0, 1), (5, 1), sloped=0))
    assert at == [0, 5]
    assert all(math.isnan(x) for x in value)
    assert (quality, reasons) == ([BAD, BAD], [2, 4])


@pytest.mark.parametrize("numerator", [0.0, 1.0])
def test_a_result_that_is_not_finite_is_no_value(numerator: float) -> None:
    inputs = [gauge((0, numerator)), gauge((0, 0))]
    _, value, quality, reasons = evaluate(union.evaluate_union, inputs, RATIO, [], (0, 9))
    assert math.isnan(value[0])
    assert (quality, reasons) == ([BAD], [RANGE])


def test_of_readings_at_one_time_the_last_counts_once() -> None:
    assert linear(gauge((0, 1), (0, 2), (0, 3)))[:2] == ([0], [3.0])


def test_both_ends_of_the_span_belong_to_it() -> None:
    a = gauge((0, 1), (5, 2), (10, 3), (15, 4))
    at = evaluate(union.evaluate_union, [a], LINEAR, [1.0, 0.0], (5, 10))[0]
    assert at == [5, 10]
