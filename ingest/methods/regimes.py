"""The rules by which a measured source's hours are made, as data: which equations, which tests, which substitutes.

A plant file names one of them for a source. What stands in an hour follows from the
equation on hourly values times the time the unit ran; where a component has no valid
hour its scheme fills it, and where a regime has no scheme there is no value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Component = Literal["concentration", "flow", "moisture", "o2"]
COMPONENTS: tuple[Component, ...] = ("concentration", "flow", "moisture", "o2")

INPUT_OF: Mapping[str, str] = {"concentration": "co2", "flow": "flow", "moisture": "moisture", "o2": "o2"}
"""Component → the name of a method's input."""

MASS = "mass"
"""What HJ 75 substitutes: the hour's mass itself."""


@dataclass(frozen=True, slots=True)
class RegimeRule:
    """How a regime makes an hour."""

    id: str
    title: str
    equations: tuple[str, ...]
    """Ids of methods that give the rate."""
    validity: str
    """Id of the rule for hours in `validity.RULES`."""
    control: str
    """Id in `limits.CONTROL_RULES`."""
    schemes: Mapping[str, str]
    """Component, or MASS → id of its scheme; a component without one is never replaced."""
    period: Literal["quarter", "year"]
    """Over which captured data and means are taken, in the regime's own time."""
    tests: tuple[str, ...]
    """Kinds of tests that put an analyser out of control and back, each kind for itself."""
    maximum: tuple[str, ...] = ()
    """Components that need a maximum potential value."""
    minimum: tuple[str, ...] = ()
    """The same of a minimum."""
    flags_zero: bool = False
    """Whether a concentration of 0 above the first load bin is flagged; read in the EPA checking program."""
    recertifies: bool = False
    """Whether data after a recertification are conditional."""
    trust: str = "R"


_US_TESTS = ("daily_calibration", "linearity", "rata")

REGIME_RULES: Mapping[str, RegimeRule] = {
    rule.id: rule
    for rule in (
        RegimeRule(
            "part75", "40 CFR Part 75", ("40cfr75.f-11", "40cfr75.f-2"), "us-hour", "part75",
            {"concentration": "part75.concentration", "flow": "part75.flow",
             "moisture": "part75.low-overstates", "o2": "part75.low-overstates"},
            "quarter", _US_TESTS, maximum=("concentration", "flow"), minimum=("moisture", "o2"),
            flags_zero=True, recertifies=True, trust="unconfirmed",
        ),
        RegimeRule(
            "hj75", "HJ 75-2017", ("hj212-2017.33",), "hj-hour", "hj75", {MASS: "hj75.co2-mass"}, "quarter",
            ("daily_calibration", "drift"), trust="unconfirmed",
        ),
        RegimeRule(
            "mrr", "Regulation (EU) 2018/2066", ("mrr.eq-1",), "eu-hour", "en14181",
            {"concentration": "mrr.concentration"}, "year", (), trust="unconfirmed",
        ),
        RegimeRule(
            "part98", "40 CFR Part 98", ("40cfr98.c-6", "40cfr98.c-7"), "us-hour", "part75",
            dict.fromkeys(COMPONENTS, "40cfr98.35"), "year", _US_TESTS, trust="unconfirmed",
        ),
    )
}  # fmt: skip
"""What a plant file names → its rule. Each rests on a number nobody read in the rule itself: its trust says so."""

FROM_O2: Mapping[str, str] = {"40cfr75.f-11": "40cfr75.f-14b", "40cfr75.f-2": "40cfr75.f-14a"}
"""Equation → the method that gives its concentration from O2 of the same basis."""
