"""10 000 alert rules of every kind, judged once a second: what that costs of a core, beside its floor.

2000 points at 1 Hz, 100 KPIs with two windows, 10 000 rules: thresholds on newest readings, on figures of
intervals and on windows, changes, absences, states, qualities; a tenth of them with schedule, dampening or a
parent. Readings come and intervals close as ever, which is not counted; what is, is the whole of an
evaluation: observing, stepping, and the events of some rules that fire and resolve all the time. Floor: NumPy
comparing 10 000 gathered values with two limits.
"""

import time
from typing import Any

import numpy as np

from ingest.model import NO_SEQ, SECOND
from ingest.pipeline import closing
from ingest.pipeline.batch import Readings
from ingest.pipeline.pipeline import SitePipeline
from ingest.pipeline.state import SiteState
from ingest.plant.compile import compile_plan
from ingest.plant.parse import from_body
from kernels._jit import warm_up
from tests.benchmarks.bed import Bed
from tests.benchmarks.figures import Figure, Figures, percentile, rounded

POINTS, STATES, KPIS, RULES = 1900, 100, 100, 10_000
START = 1_795_161_600 * SECOND
MESSAGES = np.arange(POINTS + STATES)
FLUTTER = 20
"""Rules that fire in one second and resolve in the next."""


def run(_: Bed, *, quick: bool) -> Figures:
    """Milliseconds of an evaluation, and what one a second takes of a core."""
    warm_up()
    plan = compile_plan(from_body(_plant(), "benchmark"))
    pipeline = SitePipeline(plan, SiteState(plan))
    seconds = 30 if quick else 120
    cpu, told, floor = list[float](), 0, list[float]()
    high, low = plan.alerts.high, plan.alerts.low
    for second in range(seconds):
        now = START + second * SECOND
        batch = pipeline.process(
            _readings(second, now), MESSAGES, monotonic_us=now, caught_up=True, latest=True
        )
        reaches = closing.look_ahead(pipeline.state, now).reaches
        begun = time.thread_time()
        alerted = pipeline.alerts.evaluate(batch, reaches, now, now, caught_up=True)
        took = time.thread_time() - begun
        assert alerted is not None
        pipeline.alerts.settle(alerted)
        if second >= seconds // 3:
            cpu.append(took)
            told += len(alerted.told)
            floor.append(_floor(pipeline, high, low))
    mean = sum(cpu) / len(cpu)
    return [
        Figure("rules", len(plan.alerts.rules)),
        Figure("evaluation_ms", rounded(mean * 1e3)),
        Figure("evaluation_p99_ms", rounded(percentile(cpu, 0.99) * 1e3)),
        Figure("core_percent_at_1_per_s", rounded(mean * 100), "goal < 5"),
        Figure("events_per_evaluation", rounded(told / len(cpu))),
        Figure("numpy_compare_ms", rounded(min(floor) * 1e3), "floor"),
    ]


def _floor(pipeline: SitePipeline, high: np.ndarray, low: np.ndarray) -> float:
    """What it takes at least: every value once beside its limits."""
    table, subject = pipeline.alerts.table, pipeline.alerts.alerts.params["subject"]
    begun = time.thread_time()
    value = table["value"][subject]
    np.flatnonzero((value > high) | (value < low))
    return time.thread_time() - begun


def _readings(second: int, now: int) -> Readings:
    n = POINTS + STATES
    value = 50 + 10 * np.sin(np.arange(n) + second / 60)
    value[:FLUTTER] = 200.0 * (second % 2)
    value[POINTS:] = 1.0
    ints = [np.full(n, one, np.int64) for one in (now, now, 0, 0, 0, NO_SEQ)]
    return Readings(np.arange(n), ints[0], ints[1], value, *ints[2:])


def _plant() -> dict[str, Any]:
    points = [
        {
            "id": f"line/p{n}",
            "kind": "gauge",
            "unit": "kW",
            "period": "1s",
            "max_gap": "1min",
            "sloped": False,
        }
        for n in range(POINTS)
    ]
    points += [
        {"id": f"line/s{n}", "kind": "state", "period": "1s", "states": {"off": 0, "on": 1}}
        for n in range(STATES)
    ]
    kpis = [
        {
            "id": f"line/k{n}",
            "kind": "rate",
            "unit": "kW",
            "numerator": [{"point": f"line/p{n}"}],
            "windows": ["1min", "5min"],
        }
        for n in range(KPIS)
    ]
    return {
        "site": "bench",
        "name": "Bench",
        "time_zone": "Europe/Berlin",
        "lateness": "0s",
        "units": [{"id": "line", "name": "Line", "kind": "line"}],
        "points": points,
        "kpis": kpis,
        "alerts": [_rule(n) for n in range(RULES)],
    }


def _rule(n: int) -> dict[str, Any]:
    point = f"line/p{n % POINTS}"
    kinds: list[dict[str, Any]] = [
        {"point": point, "above": 100.0},
        {"point": point, "below": -100.0, "hold": "1min", "hysteresis": 2.0},
        {"point": point, "figure": "mean", "above": 100.0},
        {"kpi": f"line/k{n % KPIS}", "window": ("1min", "5min")[n // KPIS % 2], "above": 100.0},
        {"point": point, "change": {"above": 500.0, "per": "1min"}},
        {"point": point, "silent_for": "5min"},
        {"point": f"line/s{n % STATES}", "state": ["off"]},
        {"point": point, "quality": {"worst": "bad", "reasons": ["drift"]}},
    ]
    rule = {"id": f"r{n}", **kinds[n // POINTS if n < FLUTTER else n % len(kinds)]}
    if n % 30 == 1:
        rule["schedule"] = {"hours": ["06:00-22:00"], "days": "workdays"}
    if n % 30 == 11:
        rule["dampen"] = {"refire_after": "10min"}
    if n % 30 == 21:
        rule["parents"] = [f"r{n - 1}"]
    return rule
