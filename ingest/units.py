"""Units as plants write them, and what converts into what.

A registry of our own: no unit here means two things (bare pint reads `Nm³/h` as
yarn count and `bar(g)` as bar times gram), prefixes exist only where they are
used (`mt` is refused, not a thousandth of a tonne), and conversions are exact
fractions until the last step. Standard coal, reactive power and money are
dimensions of their own, so nothing becomes them without a named factor.

What a unit's text leaves open is its *basis*: dry or wet gas, the state of a
normal cubic metre, gross or net calorific value, gauge or absolute pressure, the
kind of standard coal. Quantities of different basis do not convert.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import pint

from ingest.errors import InputError
from ingest.unit_names import AXES, BRACKETS, DEFINITIONS, PREFIXED, PREFIXES, SPELLINGS

_ATOM = re.compile(r"([A-Za-z_]+)([23])?")
_BRACKET = re.compile(r"\((\w+)\)")
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit with its basis."""

    text: str
    unit: Any
    """Of pint, which has no types."""
    basis: frozenset[str]

    def __mul__(self, other: "Measure") -> "Measure":
        """The product; its basis is what either says."""
        return Measure(f"{self.text}*{other.text}", self.unit * other.unit, self.basis | other.basis)

    def __truediv__(self, other: "Measure") -> "Measure":
        """The quotient; its basis is what either says."""
        return Measure(f"{self.text}/{other.text}", self.unit / other.unit, self.basis | other.basis)

    def same_dimension(self, other: "Measure") -> bool:
        """Whether a number could carry one into the other, basis aside."""
        return bool(self.unit.dimensionality == other.unit.dimensionality)

    def affine(self, target: "Measure") -> tuple[float, float]:
        """(multiplier, offset) from this unit to `target`, basis aside.

        Raises InputError where the dimensions differ.
        """
        try:
            zero = _registry().convert(Fraction(0), self.unit, target.unit)
            one = _registry().convert(Fraction(1), self.unit, target.unit)
        except pint.PintError:  # also °C/h and the like, which have no meaning
            raise InputError(
                f"unit {self.text!r} is of another dimension; expected one that converts to {target.text!r}"
            ) from None
        return float(one - zero), float(zero)


@lru_cache(maxsize=4096)
def measure(text: str, context: tuple[str, ...] = ()) -> Measure:
    """Read a unit: `kWh/t`, `Nm³/h`, `bar(g)`, `mg/m3`, `% dry`.

    Args:
        text: names joined by / and *, read from left to right, exponents 2 and 3.
        context: basis declared beside the unit.

    Raises InputError where a name is unknown or two bases exclude each other.
    """
    plain = unicodedata.normalize("NFKC", text).replace("μ", "u").strip()
    if not plain or len(plain) > _LONGEST:
        raise _unknown(text[:_LONGEST])
    basis: list[str] = []
    for word in _BRACKET.findall(plain):
        if word not in BRACKETS:
            raise InputError(f"unit {text!r} is not known; expected one of {', '.join(BRACKETS)} in brackets")
        basis.append(BRACKETS[word])
    plain = _BRACKET.sub("", plain)
    head, _, tail = plain.rpartition(" ")
    if tail in {"dry", "wet"}:
        plain, basis = head, [*basis, tail]
    unit = _parse(plain, text, basis)
    return Measure(text, unit, settle(text, (*basis, *context)))


def settle(text: str, basis: Collection[str]) -> frozenset[str]:
    """What several words of basis say together about the unit `text`.

    Raises InputError where two of them exclude each other.
    """
    named: dict[str, str] = {}
    for word in basis:
        if named.setdefault(AXES[word], word) != word:
            raise InputError(f"unit {text!r} is both {named[AXES[word]]} and {word}; expected one of them")
    return frozenset(named.values())


def conversion(given: str, declared: str, context: tuple[str, ...]) -> tuple[float, float]:
    """(multiplier, offset) that turn a value in `given` into one in `declared`; cached.

    Args:
        given: the unit a message carries.
        declared: the point's unit.
        context: the basis declared beside the point's unit; a message's unit is read
            under it where it says nothing itself.

    Raises InputError, one sentence, where dimension or basis differ.
    """
    found = _conversion(given, declared, context)
    if isinstance(found, str):
        raise InputError(found)
    return found


@lru_cache(maxsize=4096)
def _conversion(given: str, declared: str, context: tuple[str, ...]) -> tuple[float, float] | str:
    """As `conversion`; a refusal is a text, so that a flood of wrong units is cached too."""
    try:
        wanted = measure(declared, context)
        source = measure(given, _unsaid(given, context))
        require_basis(source, wanted)
        return source.affine(wanted)
    except InputError as refusal:
        return str(refusal)


def require_basis(given: Measure, wanted: Measure) -> None:
    """Raises InputError where two units of one dimension differ in basis."""
    if given.same_dimension(wanted) and given.basis != wanted.basis:
        raise InputError(
            f"unit {given.text!r} is {spoken(given.basis)}; "
            f"expected one that converts to {wanted.text!r}, which is {spoken(wanted.basis)}"
        )


@lru_cache(maxsize=4096)
def amount_unit(text: str) -> str:
    """The unit of a rate's integral over hours: kW → kWh, t/h → t, °C → °C*h."""
    if text.endswith("/h"):
        return text.removesuffix("/h")
    try:
        joined = measure(f"{text}h")
    except InputError:
        return f"{text}*h"
    return joined.text if joined.same_dimension(measure(text) * measure("h")) else f"{text}*h"


def spoken(basis: Collection[str]) -> str:
    """Basis in words."""
    return " and ".join(sorted(basis)) or "of no stated basis"


def _unsaid(given: str, context: tuple[str, ...]) -> tuple[str, ...]:
    """The part of the context on axes of which the unit itself says nothing."""
    said = {AXES[word] for word in measure(given).basis}
    return tuple(word for word in context if AXES[word] not in said)


def _unknown(text: str) -> InputError:
    return InputError(f"unit {text!r} is not known; expected one such as kWh, t/h, Nm3/h or bar(g)")


def _parse(plain: str, text: str, basis: list[str]) -> Any:
    """Words joined by / and *, from left to right; what they say of basis is added to `basis`."""
    unit = None
    divide = False
    for word in re.split(r"([/*·⋅])", plain):
        if word in {"/", "*", "·", "⋅"}:
            divide = word == "/"
            continue
        atom = _atom(word.strip(), text, basis)
        unit = atom if unit is None else unit / atom if divide else unit * atom
    return unit


def _atom(word: str, text: str, basis: list[str]) -> Any:
    if word in SPELLINGS:
        name, exponent, said = SPELLINGS[word]
        basis.extend(said)
        return _registry().Unit(name) ** exponent
    match = _ATOM.fullmatch(word)
    if match is None or match[1] not in _definitions():
        raise _unknown(text)
    return _registry().Unit(match[1]) ** int(match[2] or 1)


@cache
def _definitions() -> dict[str, str]:
    """Name → definition, prefixed units included."""
    plain = {line.split(" = ")[0]: line for line in DEFINITIONS}
    return plain | {
        f"{prefix}{unit}": f"{prefix}{unit} = {PREFIXES[prefix]} * {unit}"
        for unit, prefixes in PREFIXED.items()
        for prefix in prefixes
    }


@cache
def _registry() -> Any:
    """Our units in pint, with exact fractions."""
    registry: Any = pint.UnitRegistry(None, non_int_type=Fraction)
    for line in _definitions().values():
        registry.define(line)
    return registry
