"""Definition of `kernels.fold`: every interval from the pieces of time that reach into it."""

import math
from fractions import Fraction

import numpy as np

from kernels.reference.pieces import Piece, Reading, Step, counter_pieces, pieces_of, winners
from kernels.rows import (
    BAD,
    COUNTER,
    DELTA,
    GAP,
    GAUGE,
    GLITCH,
    GLITCH_STEP,
    GOOD,
    HOUR_US,
    LATE,
    NO_COUNT,
    STATE,
    SUBSTITUTED,
    UNCERTAIN,
    Floats,
    Ints,
    Records,
)

Row = dict[str, float]


def fold_intervals(
    offsets: Ints,
    at: Ints,
    value: Floats,
    count: Ints,
    quality: Ints,
    reasons: Ints,
    params: Records,
    from_at: Ints,
    to_at: Ints,
    interval_us: int,
    rows: Records,
    steps: Records,
    done_at: Ints,
) -> tuple[int, int]:
    """Fold segments of readings into rows of intervals and of counter steps."""
    columns = (at.tolist(), value.tolist(), count.tolist(), quality.tolist(), reasons.tolist())
    everything = [Reading(*reading) for reading in zip(*columns, strict=True)]
    n, n_steps = 0, 0
    done_at[:] = from_at
    for j, param in enumerate(params):
        readings = everything[offsets[j] : offsets[j + 1]]
        span = (int(from_at[j]), int(to_at[j]))
        pieces, listed = pieces_of(readings, param), _steps(readings, param)
        for start, end in _edges(pieces, listed, span, interval_us):
            found = [
                (step.at, step.previous_at, step.step_class, step.increment, step.correction)
                for step in listed
                if start < step.at <= end
            ]
            if n == rows.size or n_steps + len(found) > steps.size:
                done_at[j] = start
                return n, n_steps
            if any(piece.start < end and piece.end > start for piece in pieces):
                for name, figure in _row(readings, param, start, end).items():
                    rows[n][name] = figure
                rows[n]["segment"] = j
                n += 1
            for step in found:
                steps[n_steps] = (j, *step)
                n_steps += 1
        done_at[j] = to_at[j]
    return n, n_steps


def _edges(
    pieces: list[Piece], steps: list[Step], span: tuple[int, int], interval_us: int
) -> list[tuple[int, int]]:
    """The intervals of the span that a piece reaches into or a listed step ends in."""
    ends = [step.at - 1 for step in steps if span[0] < step.at <= span[1]]
    starts = {end - end % interval_us for end in ends}
    for piece in pieces:
        begin, end = max(piece.start, span[0]), min(piece.end, span[1])
        starts.update(range(begin - begin % interval_us, end, interval_us) if begin < end else ())
    return [(start, min(start + interval_us, span[1])) for start in sorted(starts)]


def _steps(readings: list[Reading], param: np.void) -> list[Step]:
    """Counter steps that were not normal."""
    if param["kind"] != COUNTER:
        return []
    return [step for _, steps in counter_pieces(readings, param) for step in steps]


def _row(readings: list[Reading], param: np.void, start: int, end: int) -> Row:
    """Everything an interval says but its segment."""
    kind = int(param["kind"])
    touching = [p for p in pieces_of(readings, param) if p.start < end and p.end > start]
    used = [p for p in touching if p.quality < BAD]
    clipped = [(max(p.start, start), min(p.end, end)) for p in touching]
    covered = _length(clipped)
    substituted, valid = 0, 0
    spans: list[tuple[int, int]] = []
    for piece in used:  # where deltas overlap, time belongs to the first
        clip = (max(piece.start, start), min(piece.end, end))
        fresh = _length([*spans, clip]) - _length(spans)
        spans.append(clip)
        if piece.quality == SUBSTITUTED:
            substituted += fresh
        else:
            valid += fresh
    glitches = [
        step for step in _steps(readings, param) if step.step_class == GLITCH_STEP and start <= step.at < end
    ]
    quality = BAD
    if valid + substituted > 0:
        worst = max(p.quality for p in used)
        if glitches:
            worst = max(worst, UNCERTAIN)
        quality = SUBSTITUTED if substituted > 0 else min(worst, UNCERTAIN) if worst > GOOD else GOOD
    bits = GAP if covered < end - start else 0
    for piece in touching:
        bits |= piece.reasons
    if glitches:
        bits |= GLITCH
    if kind == COUNTER:
        skipped = {step.at for step in glitches}
        for reading in winners(readings):
            if start <= reading.at < end and (reading.at in skipped or not reading.has_count):
                bits |= reading.reasons
    place = {
        "start_at": start,
        "covered_us": covered,
        "valid_us": valid,
        "substituted_us": substituted,
        "quality": quality,
        "reasons": bits & ~LATE,
    }
    return place | _figures(kind, float(param["resolution"]), used, start, end)


def _length(spans: list[tuple[int, int]]) -> int:
    """Time covered by any of the spans."""
    total = 0
    until = None
    for begin, end in sorted(spans):
        if until is None or end > until:
            total += end - (begin if until is None else max(begin, until))
            until = end
    return total


def _figures(kind: int, resolution: float, used: list[Piece], start: int, end: int) -> Row:
    """Amount, mean, min and max of the used pieces."""
    row: Row = {
        "amount": math.nan,
        "amount_count": NO_COUNT,
        "mean": math.nan,
        "min": math.nan,
        "max": math.nan,
    }
    clips = [(p, max(p.start, start), min(p.end, end)) for p in used]
    if not clips:
        return row
    if kind in {COUNTER, DELTA}:
        counts = sum(p.counts_until(until) - p.counts_until(begin) for p, begin, until in clips)
        return row | {"amount": counts * resolution, "amount_count": counts}
    values = [(p.signal(begin), p.signal(until), until - begin) for p, begin, until in clips if p.signal]
    if kind == STATE:
        on_us = sum(time for first, _, time in values if first != 0)
        return row | {"amount": on_us / HOUR_US}
    integral = sum(((first + last) / 2 * time for first, last, time in values), Fraction(0))
    if kind == GAUGE:
        row["amount"] = float(integral / HOUR_US)
    row["mean"] = float(integral / sum(time for _, _, time in values))
    row["min"] = float(min(min(first, last) for first, last, _ in values))
    row["max"] = float(max(max(first, last) for first, last, _ in values))
    return row
