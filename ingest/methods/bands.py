"""Where a figure stands beside its benchmarks: better, between or worse, on the day it is of.

better: at least as good as the advanced level; worse: not as good as the baseline (where
there is none, as the limit); between: neither. Without an advanced level there is no
better, without the other two no worse, and then as good or not as good is all that can be said.
"""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.plant.plan_benchmark import PlanBenchmark

Band = Literal["better", "between", "worse"]


def in_force(marks: "Sequence[PlanBenchmark]", at: int) -> "list[PlanBenchmark]":
    """Of each level the benchmark that holds at an instant (µs): the newest that has begun and not ended."""
    newest: dict[str, PlanBenchmark] = {}
    for mark in marks:
        if mark.from_at <= at < mark.to_at and (
            mark.level not in newest or newest[mark.level].from_at < mark.from_at
        ):
            newest[mark.level] = mark
    return [newest[level] for level in ("advanced", "baseline", "limit", "own_best") if level in newest]


def is_met(mark: "PlanBenchmark", value: float) -> bool:
    """Whether a figure is at least as good as a benchmark."""
    return value <= mark.value if mark.better == "lower" else value >= mark.value


def band(marks: "Sequence[PlanBenchmark]", value: float) -> Band | None:
    """The band of a figure among the benchmarks in force; None: there is none to compare it with."""
    levels = {mark.level: is_met(mark, value) for mark in marks}
    if levels.get("advanced"):
        return "better"
    floor = levels.get("baseline", levels.get("limit"))
    if floor is None:
        return "worse" if "advanced" in levels else None
    if not floor:
        return "worse"
    return "between" if "advanced" in levels else "better"
