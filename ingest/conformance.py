"""Conformance: a file of worked examples against what the product computes.

The file is a JSON list of {id, op, inputs, expected, tol, status, source}. Each example
whose operation we have is computed; every expected value must come out, numbers within
the absolute tolerance. An operation that we do not have is no failure: it is listed.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.errors import InputError
from ingest.worked_examples import OPERATIONS, Operation

_KEYS = {"id", "op", "inputs", "expected", "tol"}


@dataclass(frozen=True, slots=True)
class Example:
    """One worked example, and what is wrong with ours."""

    id: str
    op: str
    fault: str | None
    """None: it came out as expected."""


@dataclass(slots=True)
class Verdict:
    """What came of a file."""

    examples: list[Example] = field(default_factory=list)
    """Those whose operation we have."""
    absent: dict[str, int] = field(default_factory=dict)
    """Operations that we do not have, and how many examples are of each."""

    @property
    def failed(self) -> list[Example]:
        """Examples that did not come out as expected."""
        return [example for example in self.examples if example.fault is not None]


def conform(path: Path, operations: Mapping[str, Operation] = OPERATIONS) -> Verdict:
    """Compute the examples of a file.

    Raises:
        InputError: it is no such file.
    """
    verdict = Verdict()
    for case in _cases(path):
        if case["op"] in operations:
            fault = _fault(operations[case["op"]], case)
            verdict.examples.append(Example(case["id"], case["op"], fault))
        else:
            verdict.absent[case["op"]] = verdict.absent.get(case["op"], 0) + 1
    return verdict


def _cases(path: Path) -> list[dict[str, Any]]:
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}; expected a JSON file of worked examples") from None
    if not isinstance(cases, list):
        raise InputError(f"{path}: is a {type(cases).__name__}; expected a list of worked examples")
    for place, case in enumerate(cases):
        if not isinstance(case, dict) or not case.keys() >= _KEYS:
            raise InputError(
                f"{path}: example {place} is {case!r:.80}; expected an object with {', '.join(sorted(_KEYS))}"
            )
    return cases


def _fault(operation: Operation, case: Mapping[str, Any]) -> str | None:
    try:
        found = operation(case["inputs"])
    except (KeyError, TypeError, ValueError, ArithmeticError, InputError) as error:
        return f"cannot be computed: {type(error).__name__}: {error}"
    for name, expected in case["expected"].items():
        if name not in found:
            return f"{name} does not come out; expected {expected}"
        if not _agrees(found[name], expected, float(case["tol"])):
            return f"{name} is {found[name]}; expected {expected} within {case['tol']}"
    return None


def _agrees(found: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(_agrees(one, other, tolerance) for one, other in zip(found, expected, strict=True))
        )
    if isinstance(expected, bool | str) or isinstance(found, bool | str):
        return type(found) is type(expected) and found == expected
    return math.isfinite(found) and abs(found - expected) <= tolerance
