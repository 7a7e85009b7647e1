"""An arena of tail entries for tests: readings put in by a kernel or its definition, and read back."""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from kernels import tail
from kernels.entry import ENTRY, TAIL_POINT
from kernels.reference.tail import Held, listed
from kernels.rows import (
    BAD,
    COUNTER,
    DELTA,
    GAUGE,
    HOUR_US,
    NEVER,
    POINT_PARAMS,
    REPLACED,
    SAMPLE,
    STATE,
    Ints,
    Records,
)

INTERVAL = 5
Insert = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Coming:
    """A reading on its way to the list of point `point`."""

    point: int
    at: int
    value: float
    quality: int
    seq: int
    received_at: int
    reasons: int

    @property
    def count(self) -> int:
        return 0 if math.isnan(self.value) else int(self.value)


class Arena:
    """Lists of some points and what belongs to them."""

    def __init__(self, params: Records, capacity: int = 64) -> None:
        self.params = params
        self.entries = np.zeros(capacity, ENTRY)
        self.free: Ints = np.arange(capacity)
        self.free_count = np.array([capacity])
        self.points = np.zeros(params.size, TAIL_POINT)
        self.points["first"] = self.points["last"] = -1
        for name in ("closed_until", "settled_until", "retain_from"):
            self.points[name] = NEVER

    def copy(self) -> "Arena":
        return deepcopy(self)

    def insert(self, kernel: Insert, readings: list[Coming], *, adopt: bool = False) -> list[int]:
        outcome = np.full(len(readings), -1, np.int64)

        def column(name: str) -> Ints:
            return np.array([getattr(one, name) for one in readings], np.int64)

        kernel(
            self.entries, self.free, self.free_count, self.points, self.params,
            column("point"), column("at"), np.array([one.value for one in readings], np.float64), column("count"),
            column("quality"), column("reasons"), column("seq"), column("received_at"), int(adopt), outcome,
        )  # fmt: skip
        found: list[int] = outcome.tolist()
        return found

    def trim(self, kernel: Insert = tail.trim) -> None:
        kernel(self.entries, self.free, self.free_count, self.points, self.params)

    def lists(self) -> list[list[str]]:
        """What every list holds; as text, in which NaN equals itself."""
        return [[repr(one) for one in self.held(p)] for p in range(self.points.size)]

    def held(self, p: int) -> list[Held]:
        return listed(self.entries, self.points[p])

    def check(self) -> None:
        """Lists are sorted and linked both ways, and every entry is in one list or free."""
        seen: list[int] = self.free[: self.free_count[0]].tolist()
        for p, owner in enumerate(self.points):
            forward, e = [], int(owner["first"])
            while e >= 0:
                forward.append(e)
                e = int(self.entries[e]["later"])
            backward, e = [], int(owner["last"])
            while e >= 0:
                backward.append(e)
                e = int(self.entries[e]["earlier"])
            assert forward == backward[::-1]
            assert owner["size"] == len(forward)
            ranks = [one.rank for one in self.held(p)]
            assert ranks == sorted(ranks)
            seen += forward
        assert sorted(seen) == list(range(self.entries.size))


def param(**fields: float) -> Records:
    one = np.zeros(1, POINT_PARAMS)
    one["kind"], one["max_gap_us"], one["period_us"], one["resolution"] = GAUGE, 4, INTERVAL, 1.0
    one["max_step_count_per_h"] = math.inf
    for name, value in fields.items():
        one[name] = value
    return one


def params() -> st.SearchStrategy[Records]:
    """Any kind of point."""
    return st.builds(
        param,
        kind=st.sampled_from([COUNTER, COUNTER, DELTA, GAUGE, GAUGE, SAMPLE, STATE]),
        sloped=st.integers(0, 1),
        max_gap_us=st.sampled_from([1, 4, 11, 100]),
        period_us=st.sampled_from([1, 5, 8]),
        stamp_start=st.integers(0, 1),
        max_step_count_per_h=st.sampled_from([math.inf, math.inf, 0.25 * HOUR_US, 2.0 * HOUR_US]),
        fall_is_reset=st.sampled_from([0, 0, 1]),
    ).map(_possible)


def _possible(one: Records) -> Records:
    """The plan lets gauges and samples be sloped, no others."""
    if one["kind"][0] not in {GAUGE, SAMPLE}:
        one["sloped"] = 0
    return one


def coming(points: int = 1, until: int = 30) -> st.SearchStrategy[Coming]:
    """Readings close together: equal times, corrections, repetitions, bad ones."""
    return st.builds(
        Coming,
        point=st.integers(0, points - 1),
        at=st.integers(0, until),
        value=st.sampled_from([math.nan, 0.0, 1.0, 2.0, 3.0, 50.0, 51.0]),
        quality=st.sampled_from([0, 0, 0, 1, 2, BAD, BAD]),
        seq=st.sampled_from([-1, -1, 0, 1]),
        received_at=st.integers(0, 2),
        reasons=st.sampled_from([0, 0, 2, 4, REPLACED]),
    )
