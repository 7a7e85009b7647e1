"""Conformance: a file of worked examples against what the product computes.

The file is a JSON list of {id, op, inputs, expected, tol}, with status and source beside
it. Every example is computed by the function that the product uses; every expected value
must come out, numbers within the absolute tolerance, null where there is none. What is
wrong with an example is told in one sentence, and an operation that is not here is a
failure too: nothing is passed over.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.errors import InputError
from ingest.wire.refusal import shown
from ingest.worked_examples import OPERATIONS, Input, Operation
from ingest.worked_examples.operation import named

_KEYS = {"id", "op", "inputs", "expected", "tol"}
_SHOWN = 80
_LARGEST = 1e300

Computed = Callable[[Any], dict[str, Any]]
"""An operation: inputs to outputs, InputError where they are wrong."""


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
    """All of the file, in its order."""
    absent: dict[str, int] = field(default_factory=dict)
    """Operations that we do not have, and how many examples are of each."""

    @property
    def failed(self) -> list[Example]:
        """Examples that did not come out as expected, those without an operation among them."""
        return [example for example in self.examples if example.fault is not None]


def conform(path: Path, operations: Mapping[str, Computed] = OPERATIONS) -> Verdict:
    """Compute the examples of a file.

    Raises:
        InputError: it is no such file.
    """
    verdict = Verdict()
    for case in _cases(path):
        operation = operations.get(case["op"])
        if operation is None:
            fault: str | None = f"op is {shown(case['op'])}; expected one that --list names"
            verdict.absent[case["op"]] = verdict.absent.get(case["op"], 0) + 1
        else:
            fault = _fault(operation, case)
        verdict.examples.append(Example(case["id"], case["op"], fault))
    return verdict


def _cases(path: Path) -> list[dict[str, Any]]:
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: {error}; expected a JSON file of worked examples") from None
    if not isinstance(cases, list):
        raise InputError(f"{path}: is a {type(cases).__name__}; expected a list of worked examples")
    for place, case in enumerate(cases):
        if not isinstance(case, dict) or not case.keys() >= _KEYS:
            raise InputError(
                f"{path}: example {place} is {shown(case)}; expected an object with {', '.join(sorted(_KEYS))}"
            )
        for name in ("id", "op"):
            if not isinstance(case[name], str) or not case[name].isprintable():
                raise InputError(f"{path}: {name} of example {place} is {shown(case[name])}; expected a text")
    return cases


def _fault(operation: Computed, case: Mapping[str, Any]) -> str | None:
    """What is wrong with an example; None: nothing."""
    expected, tolerance = case["expected"], case["tol"]
    if not isinstance(expected, dict) or not expected:
        return f"expected is {shown(expected)}; expected an object of outputs"
    if not _is_number(tolerance) or not tolerance >= 0:
        return f"tol is {shown(tolerance)}; expected a number, at least 0"
    try:
        found = operation(case["inputs"])
    except InputError as error:
        return str(error)
    for name, wanted in expected.items():
        if name not in found:
            return f"{named(name)} does not come out; expected names are {', '.join(found)}"
        if not _agrees(found[name], wanted, tolerance):
            return f"{name} is {_short(_said(found[name]))}; expected {_short(wanted)} within {tolerance}"
    return None


def _short(value: Any) -> str:
    """A value that is compared, as JSON has it: numbers in a list too, but not many."""
    if isinstance(value, list) and all(one is None or isinstance(one, int | float) for one in value):
        text = json.dumps(value)
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
    return "null" if value is None else shown(value)


def _said(found: Any) -> Any:
    """What comes out as JSON has it: null where there is no number."""
    if isinstance(found, list):
        return [_said(one) for one in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _is_number(value: Any) -> bool:
    """Whether it is a finite number that a float holds: an integer of JSON may be larger."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _agrees(found: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(_agrees(one, other, tolerance) for one, other in zip(found, expected, strict=True))
        )
    if not _is_number(expected) or not _is_number(found):
        return type(_said(found)) is type(expected) and bool(_said(found) == expected)
    return bool(abs(found - expected) <= tolerance)


def described(operations: Mapping[str, Operation] = OPERATIONS) -> list[str]:
    """Every operation with a line for each input, what may be left out in brackets, and its outputs."""
    lines = []
    for name, operation in sorted(operations.items()):
        lines.append(name)
        lines += [f"    {_input(one)}" for one in operation.inputs]
        lines.append(f"    gives {', '.join(map(_unit, operation.outputs.items()))}")
    return lines


def _input(one: Input) -> str:
    said = f"{one.name}: {one.expected}"
    return said if one.is_required else f"[{said}]"


def _unit(output: tuple[str, str]) -> str:
    name, unit = output
    return f"{name} in {unit}" if unit != "1" else name
