"""Segments of readings for tests: built by hand or drawn by Hypothesis, folded, compared."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from kernels.rows import (
    BAD,
    CONFLICT,
    COUNTER,
    DELTA,
    GAUGE,
    INTERVAL_ROW,
    NO_COUNT,
    POINT_PARAMS,
    REPLACED,
    SAMPLE,
    STATE,
    STEP_ROW,
    Floats,
    Ints,
    Records,
)

INTERVAL = 1000
ORIGIN = 1_700_000_000_000_000
"""A plausible instant that is an edge of INTERVAL."""

Fold = Callable[..., tuple[int, int]]


def ints(*values: int) -> Ints:
    return np.array(values, np.int64)


def params(**fields: float) -> Records:
    one = np.zeros(1, POINT_PARAMS)
    one["kind"] = GAUGE
    one["max_gap_us"] = 5 * INTERVAL
    one["period_us"] = INTERVAL
    one["resolution"] = 1.0
    one["max_step_count_per_h"] = math.inf
    one["stuck_low"], one["stuck_high"] = math.inf, -math.inf
    for name, value in fields.items():
        one[name] = value
    return one


@dataclass
class Segment:
    """One segment: a point and its readings as (at, value, count, quality, reasons)."""

    point: Records
    readings: list[tuple[int, float, int, int, int]] = field(default_factory=list)

    def columns(self) -> tuple[Ints, Floats, Ints, Ints, Ints]:
        at, value, count, quality, reasons = zip(*self.readings, strict=True) if self.readings else ([],) * 5
        return (
            np.array(at, np.int64),
            np.array(value, np.float64),
            np.array(count, np.int64),
            np.array(quality, np.int64),
            np.array(reasons, np.int64),
        )


def gauge(*readings: tuple[float, ...], **fields: float) -> Segment:
    """Readings (at, value[, quality[, reasons]]) of a gauge, sloped unless told otherwise."""
    full = [(int(r[0]), float(r[1]), NO_COUNT, int((*r, 0)[2]), int((*r, 0, 0)[3])) for r in readings]
    return Segment(params(**{"sloped": 1, **fields}), full)


def counter(*readings: tuple[int, ...], **fields: float) -> Segment:
    """Readings (at, count[, quality[, reasons]]) of a counter, or of a delta with kind=DELTA."""
    full = [(r[0], math.nan, r[1], (*r, 0)[2], (*r, 0, 0)[3]) for r in readings]
    return Segment(params(**{"kind": COUNTER, **fields}), full)


@dataclass
class Folded:
    rows: Records
    steps: Records
    done_at: Ints


def fold(
    kernel: Fold,
    segments: list[Segment],
    from_at: list[int],
    to_at: list[int],
    interval_us: int = INTERVAL,
    room: tuple[int, int] = (400, 100),
) -> Folded:
    """One call of a fold; `room` is rows and steps."""
    columns = [segment.columns() for segment in segments]
    offsets = np.cumsum([0, *(len(segment.readings) for segment in segments)]).astype(np.int64)
    rows, steps = np.zeros(room[0], INTERVAL_ROW), np.zeros(room[1], STEP_ROW)
    done_at = np.full(len(segments), 77, np.int64)
    n, n_steps = kernel(
        offsets,
        *(np.concatenate(column) for column in zip(*columns, strict=True)),
        np.concatenate([segment.point for segment in segments]),
        np.array(from_at, np.int64),
        np.array(to_at, np.int64),
        interval_us,
        rows,
        steps,
        done_at,
    )
    return Folded(rows[:n], steps[:n_steps], done_at)


def same(a: Records, b: Records) -> bool:
    """Bit for bit (all NaN are one here)."""
    return a.shape == b.shape and all(
        np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind == "f") for name in a.dtype.names or ()
    )


def assert_close(actual: Records, expected: Records, ulps: int = 2, scale: float = 0.0) -> None:
    """Integers equal, floats within some units in the last place of themselves or of `scale`."""
    assert actual.shape == expected.shape, f"{actual}\n{expected}"
    for name in actual.dtype.names or ():
        for a, b in zip(actual[name].tolist(), expected[name].tolist(), strict=True):
            assert close(a, b, ulps, scale), f"{name}: {a!r} != {b!r}\n{actual}\n{expected}"


def close(a: float, b: float, ulps: int = 2, scale: float = 0.0) -> bool:
    if isinstance(a, int) or not math.isfinite(a) or not math.isfinite(b):
        return a == b or (a != a and b != b)  # noqa: PLR0124 - NaN equals NaN
    return abs(a - b) <= ulps * math.ulp(max(abs(b), scale))


def _spread(draw: st.DrawFn, kind: int) -> dict[str, float]:
    modulus = draw(st.sampled_from([0, 0, 100, 1000]))
    return {
        "kind": kind,
        "sloped": draw(st.integers(0, 1)),
        "max_gap_us": draw(st.sampled_from([1, 300, INTERVAL, 2500, 10**9])),
        "period_us": draw(st.sampled_from([1, 333, INTERVAL, 2 * INTERVAL + 1])),
        "stamp_start": draw(st.integers(0, 1)),
        "resolution": draw(st.sampled_from([1.0, 0.001])),
        "modulus_count": modulus,
        "max_step_count_per_h": draw(st.sampled_from([math.inf, 3.6e9 * 0.05, 3.6e9])),
        "fall_is_reset": draw(st.sampled_from([0, 0, 1])),
        "fill_at_most_us": draw(st.sampled_from([0, 0, 0, 500, 2600])),
    }


@st.composite
def segment(draw: st.DrawFn, values: st.SearchStrategy[float], kind: int | None = None) -> Segment:
    """Any segment of up to a dozen readings within eight intervals, edges and equal times included."""
    if kind is None:
        kind = draw(st.sampled_from([COUNTER, DELTA, GAUGE, SAMPLE, STATE]))
    instants = st.one_of(st.integers(0, 8 * INTERVAL), st.integers(0, 8).map(lambda k: k * INTERVAL))
    at = draw(st.lists(instants, max_size=12))
    if at and kind == COUNTER:  # more at one time: corrections and replacements
        at += draw(st.lists(st.sampled_from(at), max_size=3))
    at.sort()
    counts = st.one_of(st.integers(0, 120), st.integers(0, 120), st.integers(-5, 10**12), st.just(NO_COUNT))
    readings = [
        (
            ORIGIN + instant,
            math.nan if draw(st.integers(0, 15)) == 0 else draw(values),
            draw(counts),
            draw(st.sampled_from([0, 0, 0, 0, 1, 2, BAD])),
            draw(st.sampled_from([0, 0, 0, 1, 1 << 8, 1 << 3, REPLACED, CONFLICT])),
        )
        for instant in at
    ]
    return Segment(params(**_spread(draw, kind)), readings)


def positive() -> st.SearchStrategy[Any]:
    """Signals without cancellation, of any size a plant measures, on an offset or not."""
    return st.one_of(
        st.floats(0, 1e9),
        st.floats(1e-6, 1.0),
        st.floats(0, 1).map(lambda x: 1e6 + x),
        st.sampled_from([0.0, 1.0, 0.1]),
    )
