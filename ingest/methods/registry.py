"""The methods that figures are made by: what there is, by id.

Two methods may share a kernel and differ in constants, as every method owns its molar
mass, molar volume and zero. Adding a method of a known equation is a row in one of the
tables gathered here; a new equation is a kernel and a row.
"""

from collections.abc import Mapping

from ingest.methods.calculation import CALCULATION
from ingest.methods.method import (
    CARBONATE_PROCESS,
    HJ212_STACK_CO2,
    LINEAR,
    NO_KERNEL,
    PART98_C6,
    PART98_C7,
    RATIO,
    Method,
    MethodConstant,
    MethodInput,
    constant,
)
from ingest.methods.part75 import PART75

__all__ = [
    "CARBONATE_PROCESS",
    "GATED",
    "HJ212_STACK_CO2",
    "LINEAR",
    "METHODS",
    "NO_KERNEL",
    "PART98_C6",
    "PART98_C7",
    "RATIO",
    "Method",
    "MethodConstant",
    "MethodInput",
    "constant",
]

GATED = "gated"
"""Id of the method that passes its one input on."""


def _stack(
    method: str,
    title: str,
    regime: str,
    edition: str,
    equation: str,
    molar: tuple[MethodConstant, ...],
    rules: tuple[str | None, str | None] = (None, None),
) -> Method:
    """Stack CO2 from dry concentration, velocity, temperature, pressures and moisture."""
    return Method(
        id=method,
        number=HJ212_STACK_CO2,
        title=title,
        regime=regime,
        edition=edition,
        equation=equation,
        inputs=(
            MethodInput("co2", "1", ("dry",)),
            MethodInput("velocity", "m/s"),
            MethodInput("temperature", "°C"),
            MethodInput("barometric", "Pa", ("abs",)),
            MethodInput("static", "Pa", ("gauge",)),
            MethodInput("moisture", "1"),
        ),
        constants=(
            MethodConstant("area", "m2", None, "cross-section of the stack", "plant"),
            MethodConstant("kv", "1", None, "velocity field coefficient, formula (29)", "plant"),
            *molar,
        ),
        unit="t/h",
        validity=rules[0],
        substitution=rules[1],
    )


_HJ = "HJ 212-2017 annex D"
_PART98 = "40 CFR 98.33"

_ALL = (
    Method("linear", LINEAR, "Weighted sum of points", "own", "1", "Σ coefficient · input + offset"),
    Method(
        GATED,
        LINEAR,
        "A point while its instrument measures",
        "own",
        "1",
        "value",
        constants=(
            MethodConstant("coefficient", "1", 1.0, "the value itself", "R"),
            MethodConstant("offset", "1", 0.0, "the value itself", "R"),
        ),
    ),
    Method(
        "ratio",
        RATIO,
        "One point by another",
        "own",
        "1",
        "numerator / denominator",
        inputs=(MethodInput("numerator", "1"), MethodInput("denominator", "1")),
    ),
    _stack(
        "hj212-2017.annex-d",
        "CO2 flow of a stack",
        "HJ 212",
        "2017",
        "(20), (29)-(31), (33)",
        (
            MethodConstant("molar_mass", "g/mol", 44.0, f"{_HJ} (20), CO2", "R"),
            MethodConstant("molar_volume", "L/mol", 22.4, f"{_HJ} (20)", "R"),
            MethodConstant("zero", "K", 273.0, f"{_HJ} (18), (31)", "R"),
            MethodConstant("standard_pressure", "Pa", 101325.0, f"{_HJ} (18), (31)", "R"),
        ),
        ("hj212", "hj75.co2-mass"),
    ),
    _stack(
        "physics.stack-co2",
        "CO2 flow of a stack by physical constants",
        "physics",
        "CODATA",
        "x·Q·(T0/T)·(p/p0)·(1-w)·M/V",
        (
            MethodConstant("molar_mass", "g/mol", 44.01, "atomic weights of IUPAC", "P"),
            MethodConstant("molar_volume", "L/mol", 22.414, "ideal gas at 273.15 K, 101325 Pa", "P"),
            MethodConstant("zero", "K", 273.15, "definition of the Celsius scale", "R"),
            MethodConstant("standard_pressure", "Pa", 101325.0, "standard atmosphere", "R"),
        ),
    ),
    Method(
        "40cfr98.c-6",
        PART98_C6,
        "CO2 flow, concentration and flow both wet",
        "40 CFR 98",
        "2016",
        "C-6",
        inputs=(MethodInput("co2", "%", ("wet",)), MethodInput("flow", "scfh", ("20C", "wet"))),
        constants=(MethodConstant("k", "t/scf/%", 5.18e-7, f"{_PART98} C-6", "R"),),
        unit="t/h",
    ),
    Method(
        "40cfr98.c-7",
        PART98_C7,
        "CO2 flow, concentration dry and flow wet",
        "40 CFR 98",
        "2016",
        "C-7",
        inputs=(
            MethodInput("co2", "%", ("dry",)),
            MethodInput("flow", "scfh", ("20C", "wet")),
            MethodInput("moisture", "%"),
        ),
        constants=(MethodConstant("k", "t/scf/%", 5.18e-7, f"{_PART98} C-6", "R"),),
        unit="t/h",
    ),
    Method(
        id="hj212-2017.33",
        number=PART98_C6,
        title="CO2 flow, concentration and standard flow dry",
        regime="HJ 212",
        edition="2017",
        equation="(20), (33)",
        inputs=(MethodInput("co2", "%", ("dry",)), MethodInput("flow", "m3/h", ("0C", "dry"))),
        constants=(MethodConstant("k", "t/m3/%", 44.0 / 22.4 * 1e-5, f"{_HJ} (20), (33), CO2", "R"),),
        unit="t/h",
        validity="hj212",
        substitution="hj75.co2-mass",
    ),
    Method(
        id="mrr.eq-1",
        number=PART98_C6,
        title="CO2 flow, concentration by flow of flue gas",
        regime="Regulation (EU) 2018/2066",
        edition="2018",
        equation="annex VIII Eq. 1",
        inputs=(MethodInput("co2", "g/m3", ("0C", "dry")), MethodInput("flow", "m3/h", ("0C", "dry"))),
        constants=(MethodConstant("k", "t/g", 1e-6, "annex VIII Eq. 1", "R"),),
        unit="t/h",
        validity="mrr",
        substitution="mrr.concentration",
    ),
    *PART75,
    *CALCULATION,
    Method("activity.factor", NO_KERNEL, "Activity times factors", "own", "1", "AD · Π factors"),
    Method("measured.mass-flow", NO_KERNEL, "Measured mass flow", "own", "1", "∫ flow dt"),
)

METHODS: Mapping[str, Method] = {method.id: method for method in _ALL}
"""Id → method."""
