"""All benchmarks, or one: each beside its floor from the same run.

    ./run bench [NAME] [--json] [--quick]

Loads are seeded, everything is on loopback, and only what was started here is
ended. A benchmark takes at most about a minute, but history (a month of data),
outage (600 000 messages) and carbon (a year of hours of 100 stacks) some minutes each; --quick
takes a fraction of the load and says less. Numbers say something only on a
machine that does nothing else: the load average before the start stands with them.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[2])  # this folder's names are not to be found as modules

from tests.benchmarks.bed import Bed, opened  # noqa: E402
from tests.benchmarks.figures import Figures  # noqa: E402

BENCHMARKS = {
    "singles": "singles",
    "batches": "batches",
    "latency": "latency",
    "notify": "notifying",
    "stages": "stages",
    "kernels": "folding",
    "points": "points",
    "startup": "startup",
    "rules": "rules",
    "history": "history",
    "outage": "outage",
    "carbon": "carbon",
    "schedules": "schedules",
}
"""Name → module, in the order they run."""


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "cpu": _cpu(),
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
        **{name: version(name) for name in ("numpy", "numba", "psycopg", "msgspec")},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", nargs="?", choices=list(BENCHMARKS), help="only this one")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="a fraction of the load")
    options = parser.parse_args()
    names = [options.name] if options.name else list(BENCHMARKS)
    report: dict[str, Any] = {"machine": machine(), "quick": options.quick, "benchmarks": {}}
    if not options.json:
        print(", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    with opened() as bed:
        for name in names:
            begun = time.perf_counter()
            figures = runner(name)(bed, quick=options.quick)
            took_s = round(time.perf_counter() - begun, 1)
            report["benchmarks"][name] = {figure.name: figure.value for figure in figures} | {
                "took_s": took_s
            }
            if not options.json:
                show(name, figures, took_s)
    if options.json:
        print(json.dumps(report))


def runner(name: str) -> Callable[..., Figures]:
    """The benchmark of this name."""
    run: Callable[[Bed], Figures] = import_module(f"tests.benchmarks.{BENCHMARKS[name]}").run
    return run


def show(name: str, figures: Figures, took_s: float) -> None:
    """As a table."""
    print(f"\n{name} ({took_s:g} s)")
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        value = "?" if figure.value is None else figure.value
        text = f"{value:,}" if isinstance(value, int) else str(value)
        print(f"  {figure.name:{width}} {text:>14}  {figure.asked}".rstrip())
    sys.stdout.flush()


if __name__ == "__main__":
    main()
