"""Methods of 40 CFR Part 75 appendix F, Method 19 and appendix D, as data.

Read in the regulator's own checking program for submitted emissions. Everything with Fc
or Fd presumes that CO2 comes from fuel alone: with carbonates in the kiln 10 % O2 would
read as 9.6 % CO2 instead of 20 %, so these methods name sources they are refused for.
"""

from ingest.methods.method import (
    CARBONATE_PROCESS,
    METHOD19,
    NO_KERNEL,
    PART75_F14A,
    PART75_F14B,
    PART75_F15,
    PART75_F16,
    PART75_F17,
    PART75_F18,
    PART75_F31,
    PART98_C6,
    PART98_C7,
    Method,
    MethodConstant,
    MethodInput,
)
from ingest.methods.rounding import (
    HEAT_INPUT,
    TO_TENTH,
    TO_THOUSANDTH,
    UNROUNDED,
    Rounding,
)

_APPENDIX_F = "40 CFR 75 appendix F"
_FLOW = MethodInput("flow", "scfh", ("20C", "wet"))
_CO2_WET, _CO2_DRY = MethodInput("co2", "%", ("wet",)), MethodInput("co2", "%", ("dry",))
_O2_WET, _O2_DRY = MethodInput("o2", "%", ("wet",)), MethodInput("o2", "%", ("dry",))
_MOISTURE = MethodInput("moisture", "%")
_K = MethodConstant("k", "short_ton/scf/%", 5.7e-7, f"{_APPENDIX_F} F-2, F-11, CO2", "R")
_FC = MethodConstant("fc", "scf/mmBtu", None, "carbon F factor of the fuel", "plant")
_FD = MethodConstant("fd", "scf/mmBtu", None, "dry F factor of the fuel", "plant")
_AIR = MethodConstant("air", "%", 20.9, f"{_APPENDIX_F} F-14", "R")
_FUEL_ONLY = (CARBONATE_PROCESS,)

DILUENT_CAP = (
    MethodConstant("boiler_co2", "%", 5.0, "EPA checking program, purpose DC", "R"),
    MethodConstant("boiler_o2", "%", 14.0, "40 CFR 75 appendix F, section 3.3.4", "unconfirmed"),
    MethodConstant("turbine_co2", "%", 1.0, "40 CFR 75 appendix F, section 3.3.4", "unconfirmed"),
    MethodConstant("turbine_o2", "%", 19.0, "40 CFR 75 appendix F, section 3.3.4", "unconfirmed"),
)
"""What stands for the diluent in hours that the operator flags, never of itself."""

EMISSION_RATE_K = (
    MethodConstant("nox", "lb/scf/ppm", 1.194e-7, f"{_APPENDIX_F} 3.3.1", "R"),
    MethodConstant("so2", "lb/scf/ppm", 1.660e-7, "EPA checking program, 19-1", "R"),
    MethodConstant("hcl", "lb/scf/ppm", 9.43e-8, "EPA checking program, 19-1", "R"),
)
"""k of 19-1 by gas; mercury's (6.24e-11 lb/scf) is per ug/scm."""


def _row(
    equation: str,
    number: int,
    title: str,
    inputs: tuple[MethodInput, ...],
    constants: tuple[MethodConstant, ...],
    unit: str | None,
    rounding: Rounding = TO_TENTH,
    refused_for: tuple[str, ...] = (),
    substitution: str | None = None,
) -> Method:
    return Method(
        f"40cfr75.{equation.lower()}", number, title, "40 CFR 75", "appendix F", equation,
        inputs, constants, unit, rounding, "part75", substitution, refused_for,
    )  # fmt: skip


_HEAT = "mmBtu/h"

PART75 = (
    _row("F-11", PART98_C6, "CO2 flow, concentration and flow wet", (_CO2_WET, _FLOW), (_K,),
         "short_ton/h", substitution="part75.concentration"),
    _row("F-2", PART98_C7, "CO2 flow, concentration dry and flow wet", (_CO2_DRY, _FLOW, _MOISTURE), (_K,),
         "short_ton/h", substitution="part75.concentration"),
    _row("F-14A", PART75_F14A, "Dry CO2 from dry O2; below 0 it is 0", (_O2_DRY,), (_FC, _FD, _AIR), "%",
         refused_for=_FUEL_ONLY, substitution="part75.low-overstates"),
    _row("F-14B", PART75_F14B, "Wet CO2 from wet O2; below 0 it is 0", (_O2_WET, _MOISTURE), (_FC, _FD, _AIR),
         "%", refused_for=_FUEL_ONLY, substitution="part75.low-overstates"),
    _row("F-15", PART75_F15, "Heat input from wet CO2", (_FLOW, _CO2_WET), (_FC,), _HEAT, HEAT_INPUT,
         _FUEL_ONLY, "part75.concentration"),
    _row("F-16", PART75_F16, "Heat input from dry CO2", (_FLOW, _CO2_DRY, _MOISTURE), (_FC,), _HEAT, HEAT_INPUT,
         _FUEL_ONLY, "part75.concentration"),
    _row("F-17", PART75_F17, "Heat input from wet O2", (_FLOW, _O2_WET, _MOISTURE), (_FD, _AIR), _HEAT,
         HEAT_INPUT, _FUEL_ONLY, "part75.low-overstates"),
    _row("F-18", PART75_F18, "Heat input from dry O2", (_FLOW, _O2_DRY, _MOISTURE), (_FD, _AIR), _HEAT,
         HEAT_INPUT, _FUEL_ONLY, "part75.low-overstates"),
    _row("F-31", PART75_F31, "Moisture from dry and wet O2",
         (MethodInput("o2_dry", "%", ("dry",)), MethodInput("o2_wet", "%", ("wet",))), (), "%"),
    Method(
        "method19.19-1", METHOD19, "Emission rate per heat input from dry O2", "Method 19",
        "40 CFR 60 appendix A-7", "19-1", (MethodInput("concentration", "ppm", ("dry",)), _O2_DRY),
        (MethodConstant("k", "lb/scf/ppm", None, "of the gas, 1.194e-7 of NOx", "plant"), _FD, _AIR),
        "lb/mmBtu", TO_THOUSANDTH, "part75", None, _FUEL_ONLY,
    ),
    Method("40cfr75.hour-mass", NO_KERNEL, "Mass of an hour: the rounded rate by the operating time",
           "40 CFR 75", "appendix F", "sum of products that are not rounded", rounding=UNROUNDED),
    Method("40cfr75.d-fuel-heat", NO_KERNEL, "Heat input from fuel and its gross calorific value",
           "40 CFR 75", "appendix D", "amount · GCV / 10^6", rounding=TO_TENTH),
)  # fmt: skip
