"""A long run of the fuzzing, of all targets or of one.

    ./run fuzz [TARGET] [--inputs N] [--seed S] [--only NUMBER] [--json]

Inputs follow from seed and number; `--only` runs the one a failure named. It
takes one core; start it under `nice` where others want it. Exit 1 if a property
was violated. A decoder that loops in C is ended after a minute, with a trace.
"""

import argparse
import faulthandler
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])  # this folder's names are not to be found as modules

from tests.fuzz.files import History, Mapping, PlantFiles  # noqa: E402
from tests.fuzz.frames import Frames, WorkedExamples  # noqa: E402
from tests.fuzz.fuzzing import HANG_S, Outcome, Target, fuzz  # noqa: E402
from tests.fuzz.messages import Envelopes, Framing, Wire  # noqa: E402
from tests.fuzz.orders import Statements  # noqa: E402
from tests.fuzz.papers import DocumentFiles  # noqa: E402

TARGETS = {
    target.name: (target, share)
    for target, share in (
        (Wire, 0.3), (Envelopes, 0.15), (Framing, 0.2), (History, 0.1), (Mapping, 0.04), (PlantFiles, 0.06),
        (Frames, 0.05), (WorkedExamples, 0.05), (DocumentFiles, 0.03), (Statements, 0.02),
    )
}  # fmt: skip
"""Target and its share of all inputs: a plant file costs ten messages."""
PIECE = 1000
"""Inputs between two looks at the watch."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="run fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", nargs="?", choices=list(TARGETS), help="only this one")
    parser.add_argument("--inputs", type=int, default=100_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one input of the target")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    if options.only is not None and options.target is None:
        parser.error("--only: expected a target too")
    begun = time.perf_counter()
    outcomes: dict[str, Outcome] = {}
    for name, (make, share) in TARGETS.items():
        if options.target in (None, name):
            inputs = options.inputs if options.target else round(options.inputs * share)
            first = options.only or 0
            numbers = range(first, first + 1) if options.only is not None else range(inputs)
            outcomes[name] = run(make(), options.seed, numbers)
            if not options.json:
                show(name, outcomes[name])
    failures = [failure for outcome in outcomes.values() for failure in outcome.failures]
    took_s = round(time.perf_counter() - begun, 1)
    total = sum(outcome.inputs for outcome in outcomes.values())
    if options.json:
        body = {name: asdict(outcome) for name, outcome in outcomes.items()}
        print(json.dumps({"seed": options.seed, "inputs": total, "took_s": took_s, "targets": body}))
    else:
        print(f"{total:,} inputs in {took_s} s, seed {options.seed}: {len(failures)} failures")
    sys.exit(1 if failures else 0)


def run(target: Target, seed: int, numbers: range) -> Outcome:
    """All inputs of one target."""
    total = Outcome()
    for first in range(numbers.start, numbers.stop, PIECE):
        faulthandler.dump_traceback_later(60 + PIECE * HANG_S / 100, exit=True)
        piece = fuzz(target, seed, range(first, min(first + PIECE, numbers.stop)), most_failures=20)
        total.inputs += piece.inputs
        total.accepted += piece.accepted
        total.bytes += piece.bytes
        total.cpu_s += piece.cpu_s
        total.grown_kib += piece.grown_kib
        total.failures += piece.failures
        if piece.slowest_s > total.slowest_s:
            total.slowest_s, total.slowest = piece.slowest_s, piece.slowest
        if len(total.failures) >= 20:
            break
    faulthandler.cancel_dump_traceback_later()
    return total


def show(name: str, outcome: Outcome) -> None:
    number, size = outcome.slowest
    print(
        f"{name:9} {outcome.inputs:>9,} inputs, {outcome.accepted:>8,} accepted, {outcome.bytes / 2**20:7.1f} MiB, "
        f"{outcome.cpu_s:7.1f} s CPU, slowest {1000 * outcome.slowest_s:.1f} ms (number {number}, {size} bytes), "
        f"memory +{outcome.grown_kib / 1024:.1f} MiB"
    )
    for failure in outcome.failures:
        print(f"  FAILED {failure}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
