"""Definition of `kernels.union`: a formula at every time at which an input was read."""

import math
from fractions import Fraction

import numpy as np

from kernels.reference.formulas import evaluate
from kernels.reference.pieces import Reading, winners
from kernels.rows import BAD, GAP, LATE, RANGE, STATE, Floats, Ints, Records


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
    """Readings of one computed point at all distinct times of its inputs in [from_at, to_at]."""
    columns = zip(at.tolist(), value.tolist(), quality.tolist(), reasons.tolist(), strict=True)
    everything = [Reading(when, what, 0, trust, bits) for when, what, trust, bits in columns]
    inputs = [winners(everything[offsets[i] : offsets[i + 1]]) for i in range(len(params))]
    times = sorted({r.at for readings in inputs for r in readings if from_at <= r.at <= to_at})
    for n, instant in enumerate(times):
        taken = [_input_at(inputs[i], params[i], instant) for i in range(len(params))]
        trust = max(one[1] for one in taken)
        bits = 0
        for one in taken:
            bits |= one[2]
        values = [one[0] for one in taken]
        if gate_code.size:
            code = values.pop()
            for closed_at, reason in zip(gate_code.tolist(), gate_bits.tolist(), strict=True):
                if code == closed_at:
                    trust, bits = BAD, bits | reason
        result = math.nan
        if trust < BAD:
            result = evaluate(method, np.array(values), constants)
            if not math.isfinite(result):
                result, trust, bits = math.nan, BAD, bits | RANGE
        out_at[n], out_value[n], out_quality[n], out_reasons[n] = instant, result, trust, bits & ~LATE
    return len(times)


def _input_at(readings: list[Reading], param: np.void, instant: int) -> tuple[float, int, int]:
    """(value, quality, reasons) of one input at an instant."""
    before = [r for r in readings if r.at <= instant]
    after = [r for r in readings if r.at > instant]
    if before:
        a = before[-1]
        stepped = param["sloped"] == 0 or param["kind"] == STATE
        if a.at == instant or (stepped and instant - a.at < param["max_gap_us"]):
            return a.value, a.signal_quality, a.reasons
        if not stepped and after and after[0].at - a.at <= param["max_gap_us"]:
            b = after[0]
            trust = max(a.signal_quality, b.signal_quality)
            if trust == BAD:
                return math.nan, trust, a.reasons | b.reasons
            share = Fraction(instant - a.at, b.at - a.at)
            middle = Fraction(a.value) * (1 - share) + Fraction(b.value) * share
            return float(middle), trust, a.reasons | b.reasons
    return math.nan, BAD, GAP
