"""What a method of a regime is, as data.

A method names its regime, edition and equation, what it takes (unit and basis), its
constants with where they were read, how its figure is rounded when reported, by which
rule its hours are valid and substituted, and for which sources it is not to be used.
The arithmetic is a kernel, found by number. The methods there are stand in `registry`.
"""

from dataclasses import dataclass

from ingest.methods.rounding import UNROUNDED, Rounding

LINEAR = 1
RATIO = 2
HJ212_STACK_CO2 = 10
PART98_C6 = 11
PART98_C7 = 12
PART75_F14A = 13
PART75_F14B = 14
PART75_F15 = 15
PART75_F16 = 16
PART75_F17 = 17
PART75_F18 = 18
PART75_F31 = 19
METHOD19 = 20
STEAM_HEAT = 21
KILN_RATIO = 22
"""Numbers of the kernels, those of `kernels.rows` (a test compares them); 0 is none."""

NO_KERNEL = 0
"""A method that is no computed point: the plan's weights, or a calculation over a period."""

CARBONATE_PROCESS = "carbonate_process"
"""Sources in which carbonates give off CO2, as kilns: their CO2 does not follow from O2 and fuel."""


@dataclass(frozen=True, slots=True)
class MethodInput:
    """A quantity a method takes."""

    name: str
    unit: str
    """What the kernel takes; readings are scaled to it."""
    basis: tuple[str, ...] = ()
    """Demanded of the point, exactly."""


@dataclass(frozen=True, slots=True)
class MethodConstant:
    """A constant with its source."""

    name: str
    unit: str
    value: float | None
    """None: the plant gives it."""
    source: str
    trust: str
    """R read in the rule, P a peer's, else unconfirmed; `plant` for what the plant gives."""


@dataclass(frozen=True, slots=True)
class Method:
    """An equation of an edition of a regime."""

    id: str
    number: int
    """The kernel's; NO_KERNEL: none."""
    title: str
    regime: str
    edition: str
    equation: str
    inputs: tuple[MethodInput, ...] = ()
    """In the kernel's order; empty where the plant file names them."""
    constants: tuple[MethodConstant, ...] = ()
    """In the kernel's order."""
    unit: str | None = None
    """Of the result; None: the computed point's own."""
    rounding: Rounding = UNROUNDED
    validity: str | None = None
    """Id of the regime in `validity.REGIMES` that judges hours of its inputs."""
    substitution: str | None = None
    """Id of the scheme in `schemes.SCHEMES` that fills hours without its main input."""
    refused_for: tuple[str, ...] = ()
    """Kinds of sources for which it gives a wrong figure; a plan is to refuse it there by name."""


def constant(method: Method, name: str) -> float:
    """A constant's value, of a method that has it."""
    for one in method.constants:
        if one.name == name and one.value is not None:
            return one.value
    raise KeyError(f"{method.id} has no constant {name!r}")
