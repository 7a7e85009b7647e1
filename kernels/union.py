"""Computed points: a formula evaluated at every time at which an input was read.

At each such time every input is taken by its own declaration: exactly at a
reading its value; else stepped, the reading before it for less than max_gap, or
sloped, the line to the next reading if the two are not further apart than
max_gap. A state may gate a point: while its instrument calibrates, say, there is
no value. What comes out is again a sorted list of readings.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.fold_row import Signal, count_before, trust
from kernels.methods import evaluate
from kernels.rows import BAD, GAP, LATE, LINEAR, POINT_PARAMS, RANGE, STATE, Floats, Ints, Records
from kernels.twofold import over, weighted


@kernel
def evaluate_union(
    offsets: Ints,
    at: Ints,
    value: Floats,
    quality: Ints,
    reasons: Ints,
    params: Records,
    method: int,
    constants: Floats,
    gate_code: Ints,
    gate_bits: Ints,
    from_at: int,
    to_at: int,
    out_at: Ints,
    out_value: Floats,
    out_quality: Ints,
    out_reasons: Ints,
) -> int:
    """Readings of one computed point at all distinct times of its inputs in [from_at, to_at].

    Input i is readings offsets[i] to offsets[i + 1], sorted as for
    fold.fold_intervals; the last one before from_at and the first after to_at
    belong to it. Times in µs, values in the units the method takes. Quality is
    the worst of the inputs, reasons are all of them. An input that is bad or has
    no value (reason gap) makes the value NaN and bad; so does a result that is
    not finite (reason range). With a gate the last input is a state, which the method
    does not take: at code gate_code[i] the value is bad for gate_bits[i]. The outputs
    must have room for the span. Returns the number written. Definition: reference.evaluate_union.
    """
    k = params.size
    last = np.empty(k, np.int64)  # per input the last reading at or before the instant, absolute
    inputs = np.empty(k - 1 if gate_code.size > 0 else k)
    state = np.zeros(2, np.int64)  # worst quality and reasons of the inputs
    for i in range(k):
        last[i] = count_before(at, from_at, offsets[i], offsets[i + 1]) - 1
    signal, n = (at, value, quality, reasons), 0
    while n < out_at.size:
        instant = _advance(at, offsets, last, to_at)
        if instant > to_at:
            break
        _take(signal, offsets, last, params, instant, (gate_code, gate_bits), inputs, state)
        out_at[n] = instant
        out_value[n] = _result(method, inputs, constants, state)
        out_quality[n] = state[0]
        out_reasons[n] = state[1] & ~LATE
        n += 1
    return n


@kernel
def _advance(at: Ints, offsets: Ints, last: Ints, to_at: int) -> int:
    """The next time at which an input was read, at most to_at + 1; `last` moves on to it."""
    instant = to_at + 1
    for i in range(last.size):
        if last[i] + 1 < offsets[i + 1]:
            instant = min(instant, at[last[i] + 1])
    for i in range(last.size):
        while last[i] + 1 < offsets[i + 1] and at[last[i] + 1] == instant:
            last[i] += 1
    return instant


@kernel
def _take(
    signal: Signal,
    offsets: Ints,
    last: Ints,
    params: Records,
    instant: int,
    gate: tuple[Ints, Ints],
    inputs: Floats,
    state: Ints,
) -> None:
    """Write what every input is at an instant, and to state the worst quality and all reasons."""
    state[:] = 0
    for i in range(params.size):
        span = (offsets[i], last[i], offsets[i + 1])
        taken = _input_at(signal, span, params[i], instant, state)
        if i < inputs.size:
            inputs[i] = taken
        else:
            _close_gate(gate[0], gate[1], taken, state)


@kernel
def _close_gate(gate_code: Ints, gate_bits: Ints, code: float, state: Ints) -> None:
    """Make the value bad at a state in which its instrument does not measure."""
    for i in range(gate_code.size):
        if gate_code[i] == code:
            state[0] = BAD
            state[1] |= gate_bits[i]


@kernel
def _result(method: int, inputs: Floats, constants: Floats, state: Ints) -> float:
    """The method's value; without a finite one NaN, and state says so."""
    if state[0] == BAD:
        return np.nan
    result = evaluate(method, inputs, constants)
    if math.isfinite(result):
        return result
    state[0] = BAD
    state[1] |= RANGE
    return np.nan


@kernel
def _input_at(signal: Signal, span: tuple[int, int, int], param: np.void, instant: int, state: Ints) -> float:
    """The value of one input; its quality and reasons are added to state.

    span is (first reading, last reading at or before the instant, end).
    """
    at, value, quality, reasons = signal
    first, i, end = span
    if i >= first:
        trusted = trust(quality[i], value[i])
        if at[i] == instant:
            state[0] = max(state[0], trusted)
            state[1] |= reasons[i]
            return float(value[i])
        if param["sloped"] == 0 or param["kind"] == STATE:
            if instant - at[i] < param["max_gap_us"]:
                state[0] = max(state[0], trusted)
                state[1] |= reasons[i]
                return float(value[i])
        elif i + 1 < end:
            later = i + 1
            while later + 1 < end and at[later + 1] == at[later]:
                later += 1
            if at[later] - at[i] <= param["max_gap_us"]:
                state[0] = max(state[0], trusted, trust(quality[later], value[later]))
                state[1] |= reasons[i] | reasons[later]
                ahead, behind = float(at[later] - instant), float(instant - at[i])
                return over(*weighted(value[i], ahead, value[later], behind), ahead + behind)[0]
    state[0] = BAD
    state[1] |= GAP
    return np.nan


def warm_up() -> None:
    """Compile evaluate_union with all it calls."""
    ints, floats = np.zeros(1, np.int64), np.zeros(1)
    params = np.zeros(1, POINT_PARAMS)
    offsets = np.array([0, 1])
    evaluate_union(
        offsets, ints, floats, ints, ints, params, LINEAR, np.zeros(2), ints, ints, 0, 0, ints, floats, ints, ints
    )  # fmt: skip
