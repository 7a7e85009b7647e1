"""What an operation of a worked example is: the inputs it takes, checked, and what it computes.

Whatever an auditor writes into a file ends as a number or as one sentence that names the
input and says what was expected.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.errors import InputError
from ingest.wire.refusal import shown

Inputs = Mapping[str, Any]
_LONGEST_NAME = 60

REQUIRED = object()
"""Default of an input that has to be given."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input of an operation."""

    name: str
    form: str
    """number, whole, text or flag; numbers, wholes or flags are lists of them."""
    unit: str = "1"
    default: Any = REQUIRED
    one_of: tuple[Any, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    """Bounds that are not themselves allowed."""
    like: str | None = None
    """An input of which it must have as many values."""
    least: int = 1
    """Fewest values."""

    @property
    def is_required(self) -> bool:
        """Whether it has to be given."""
        return self.default is REQUIRED

    @property
    def expected(self) -> str:
        """What has to be given, in words."""
        if self.one_of:
            return f"one of {', '.join(map(str, self.one_of))}"
        if self.form == "text":
            return "a text"
        if self.form in {"flag", "flags"}:
            return "true or false" if self.form == "flag" else "a list of true and false"
        nouns = {"number": "a number", "whole": "a whole number", "numbers": "a list of numbers"}
        said = nouns.get(self.form, "a list of whole numbers")
        said += f" in {self.unit}" if self.unit != "1" else ""
        bounds = (
            ("at least", self.low),
            ("at most", self.high),
            ("above", self.above),
            ("below", self.below),
        )
        return said + "".join(f", {word} {bound:g}" for word, bound in bounds if math.isfinite(bound))

    def read(self, given: Any) -> Any:
        """The value as the computation takes it.

        Raises InputError where it is none of what is expected.
        """
        if self.form in {"numbers", "wholes", "flags"}:
            if not isinstance(given, list):
                raise self.refusal(given)
            if len(given) < self.least:
                raise InputError(f"{self.name} has {len(given)} values; expected at least {self.least}")
            return [self._one(one, f"{self.name}[{place}]") for place, one in enumerate(given)]
        return self._one(given, self.name)

    def _one(self, given: Any, where: str) -> Any:
        if self.form in {"text", "flag", "flags"}:
            wanted = str if self.form == "text" else bool
            if not isinstance(given, wanted) or (self.one_of and given not in self.one_of):
                raise self.refusal(given, where)
            if isinstance(given, str) and any("\ud800" <= letter <= "\udfff" for letter in given):
                raise self.refusal(given, where)  # half a character, which no encoding has
            return given
        if isinstance(given, bool) or not isinstance(given, int | float) or abs(given) > 1e300:
            raise self.refusal(given, where)
        number = float(given)
        if not (self.low <= number <= self.high and self.above < number < self.below):
            raise self.refusal(given, where)
        if self.form in {"number", "numbers"}:
            return number
        if not number.is_integer() or abs(number) > 2**53 or (self.one_of and number not in self.one_of):
            raise self.refusal(given, where)
        return int(number)

    def refusal(self, given: Any, where: str | None = None) -> InputError:
        """What is wrong with a value."""
        return InputError(f"{where or self.name} is {shown(given)}; expected {self.expected}")


def number(name: str, unit: str = "1", **more: Any) -> Input:
    """A number."""
    return Input(name, "number", unit, **more)


def positive(name: str, unit: str = "1", **more: Any) -> Input:
    """A number above zero."""
    return Input(name, "number", unit, above=0.0, **more)


def numbers(name: str, unit: str = "1", **more: Any) -> Input:
    """A list of numbers."""
    return Input(name, "numbers", unit, **more)


def fraction(name: str, **more: Any) -> Input:
    """A number from 0 to 1."""
    return Input(name, "number", "1", low=0.0, high=1.0, **more)


def percentage(name: str, unit: str = "%", **more: Any) -> Input:
    """A number from 0 to 100."""
    return Input(name, "number", unit, low=0.0, high=100.0, **more)


def named(name: str) -> str:
    """A name of a file as it may stand in a sentence."""
    return name if name.isidentifier() and len(name) <= _LONGEST_NAME else shown(name)


@dataclass(frozen=True, slots=True)
class Operation:
    """A computation of the product under the name that worked examples give it."""

    name: str
    inputs: tuple[Input, ...]
    outputs: Mapping[str, str]
    """Name → unit."""
    compute: Callable[[Inputs], dict[str, Any]]

    def __call__(self, given: Any) -> dict[str, Any]:
        """What comes out of these inputs.

        Raises InputError, one sentence, where one is missing, wrong or unknown.
        """
        if not isinstance(given, dict):
            raise InputError(f"inputs is {shown(given)}; expected an object")
        known = {one.name: one for one in self.inputs}
        for name in given:
            if name not in known:
                raise InputError(
                    f"{named(name)} is no input of {self.name}; expected {', '.join(known) or 'none at all'}"
                )
        found: dict[str, Any] = {}
        for name, one in known.items():
            if name in given:
                found[name] = one.read(given[name])
            elif one.is_required:
                raise InputError(f"{name} is missing; expected {one.expected}")
            else:
                found[name] = one.default
        self._check_sizes(found)
        try:
            with np.errstate(over="raise"):
                return self.compute(found)
        except FloatingPointError:
            raise InputError(
                f"{self.name} of these inputs is beyond every float; expected smaller ones"
            ) from None

    def _check_sizes(self, found: Inputs) -> None:
        for one in self.inputs:
            if one.like is not None and len(found[one.name]) != len(found[one.like]):
                raise InputError(
                    f"{one.name} has {len(found[one.name])} values; "
                    f"expected {len(found[one.like])}, as many as {one.like}"
                )
