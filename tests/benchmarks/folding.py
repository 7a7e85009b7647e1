"""Kernels alone, one core: readings per second by kind, beside a NumPy trapezoid of the same arrays.

1 Hz readings of a thousand points over ten minutes, intervals of a minute. Best of
rounds: what is asked is what the code can do, not what the neighbours leave of it.
"""

import time
from collections.abc import Callable

import numpy as np

from kernels._jit import warm_up
from kernels.fold import fold_intervals
from kernels.rows import COUNTER, DELTA, GAUGE, INTERVAL_ROW, POINT_PARAMS, STATE, STEP_ROW
from tests.benchmarks.bed import Bed
from tests.benchmarks.figures import Figure, Figures, rounded

SECOND = 1_000_000
KINDS = {
    "sloped": (GAUGE, 1),
    "stepped": (GAUGE, 0),
    "counter": (COUNTER, 1),
    "delta": (DELTA, 0),
    "state": (STATE, 0),
}


def run(_: Bed, *, quick: bool) -> Figures:
    """Million readings a second and core."""
    warm_up()
    points, seconds, rounds = 1000, 600, 3 if quick else 15
    begin = 1_795_161_600 * SECOND
    at = np.tile(begin + np.arange(seconds, dtype=np.int64) * SECOND, points)
    value = np.random.default_rng(1).uniform(0, 100, at.size)
    count = np.tile(np.arange(seconds, dtype=np.int64) * 7, points)
    zeros = np.zeros(at.size, np.int64)
    offsets = np.arange(points + 1, dtype=np.int64) * seconds
    from_at, to_at = np.full(points, begin), np.full(points, begin + seconds * SECOND)
    rows, steps = np.zeros(points * 11, INTERVAL_ROW), np.zeros(16, STEP_ROW)
    found = []
    for name, (kind, sloped) in KINDS.items():
        params = np.zeros(points, POINT_PARAMS)
        params["kind"], params["sloped"], params["resolution"] = kind, sloped, 0.001
        params["max_gap_us"], params["period_us"] = 60 * SECOND, SECOND
        params["max_step_count_per_h"] = np.inf

        def once(params: np.ndarray = params) -> None:
            fold_intervals(
                offsets, at, value, count, zeros, zeros, params, from_at, to_at, 60 * SECOND, rows, steps,
                np.zeros(points, np.int64),
            )  # fmt: skip

        found.append(Figure(f"{name}_million_per_s", rounded(at.size / best(once, rounds) / 1e6), "goal 30"))
    floor = best(lambda: float(np.trapezoid(value, at)), rounds)
    return [*found, Figure("numpy_trapezoid_million_per_s", rounded(at.size / floor / 1e6))]


def best(work: Callable[[], object], rounds: int) -> float:
    """The shortest of some runs, s."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return min(found)
