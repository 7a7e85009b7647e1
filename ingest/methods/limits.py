"""Limits of analyser tests and rules of control, as data of a regime.

Errors of O2 and CO2 are in % of gas, others in % of the span, where a small span may
pass by the absolute difference instead. `ingest.regimes` applies them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ingest.methods.method import MethodConstant
from ingest.methods.rounding import TO_HUNDREDTH, TO_TENTH, TO_WHOLE, Rounding


@dataclass(frozen=True, slots=True)
class Alternative:
    """An absolute difference that passes instead, for spans over one and up to another."""

    limit: float
    over_span: float
    up_to_span: float
    inclusive: bool
    """Whether up_to_span itself still has it."""
    rounding: Rounding = TO_WHOLE

    def applies(self, span: float) -> bool:
        """Whether an analyser of that span may use it."""
        return self.over_span < span < self.up_to_span or (self.inclusive and span == self.up_to_span)


@dataclass(frozen=True, slots=True)
class CalibrationLimit:
    """What a calibration error test allows one quantity."""

    of_span: bool
    """Whether the error is in % of the span; else the difference itself."""
    limit: float
    alternatives: tuple[Alternative, ...]
    source: str
    trust: str
    rounding: Rounding = TO_TENTH


_ANY = float("inf")
_SEVEN, _DAILY = "40 CFR 75 appendix A 3.1", "EPA checking program, daily calibration"
_FLOW = Alternative(0.01, 0.0, _ANY, False, TO_HUNDREDTH)

CALIBRATION_LIMITS: Mapping[tuple[str, str], CalibrationLimit] = {
    ("seven_day", "diluent"): CalibrationLimit(False, 0.5, (), _SEVEN, "R"),
    ("seven_day", "pollutant"): CalibrationLimit(
        True, 2.5, (Alternative(5.0, 0.0, 200.0, False),), _SEVEN, "R"
    ),
    ("seven_day", "flow"): CalibrationLimit(True, 3.0, (_FLOW,), _SEVEN, "unconfirmed"),
    ("daily", "diluent"): CalibrationLimit(False, 1.0, (), _DAILY, "R"),
    ("daily", "pollutant"): CalibrationLimit(
        True, 5.0, (Alternative(5.0, 0.0, 50.0, True), Alternative(10.0, 50.0, 200.0, True)), _DAILY, "R"
    ),
    ("daily", "flow"): CalibrationLimit(
        True, 6.0, (Alternative(0.02, 0.0, _ANY, False, TO_HUNDREDTH),), _DAILY, "R"
    ),
}
"""(test, quantity) → limit. Diluents are CO2 and O2."""

UNBIASED = frozenset({"co2", "o2", "h2o", "hg", "hcl"})
"""Quantities whose bias adjustment factor is always 1; read in the regulator's program."""

STUDENT_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Two-sided 95 %, for 1 to 30 degrees of freedom, as the regulator's program has it."""

_A32, _A33, _EN = "40 CFR 75 appendix A 3.2", "40 CFR 75 appendix A 3.3", "EN 14181"
_ABB = "EN 14181 as an analyser's manual has it"

_HJ75_DRIFT = tuple(
    MethodConstant(f"hj75_{name}", unit, value, "HJ 75-2017, drift", "unconfirmed")
    for name, unit, value in (
        ("gas_zero_drift", "%", 2.5), ("gas_zero_out", "%", 5.0), ("gas_span_drift", "%", 2.5),
        ("gas_span_out", "%", 10.0), ("dust_drift", "%", 2.0), ("dust_out", "%", 8.0), ("flow_drift", "%", 3.0),
        ("flow_out", "%", 8.0), ("velocity_drift", "m/s", 0.9), ("velocity_out", "m/s", 1.8),
    )
)  # fmt: skip
"""% of full scale, or of velocity alternatively m/s: adjusted beyond _drift, out of control beyond _out."""

_CONDITIONAL = "unit operating hours; EPA checking program, LinearityStatusChecks and RATAStatusChecks"

TEST_CONSTANTS: Mapping[str, MethodConstant] = {
    one.name: one
    for one in (
        MethodConstant("linearity_pct", "%", 5.0, _A32, "unconfirmed"),
        MethodConstant("linearity_diluent", "%", 0.5, _A32, "unconfirmed"),
        MethodConstant("linearity_ppm", "ppm", 5.0, _A32, "unconfirmed"),
        MethodConstant("rata_runs", "1", 9.0, "40 CFR 75 appendix A 6.5; EPA checking program", "R"),
        MethodConstant("rata_t_one_above", "1", 31.0, "runs; EPA checking program", "R"),
        MethodConstant("rata_limit_pct", "%", 10.0, _A33, "unconfirmed"),
        MethodConstant("rata_annual_pct", "%", 7.5, "40 CFR 75 appendix B 2.3.1.2", "unconfirmed"),
        MethodConstant("rata_co2_limit", "%", 1.0, _A33, "unconfirmed"),
        MethodConstant("rata_co2_annual", "%", 0.7, "40 CFR 75 appendix B 2.3.1.2", "unconfirmed"),
        MethodConstant("low_emitter_factor", "1", 1.111, "EPA checking program", "R"),
        MethodConstant("cusum_hs", "s2", 6.90, _ABB, "R"),
        MethodConstant("cusum_ks", "s2", 1.85, _ABB, "R"),
        MethodConstant("cusum_hx", "s", 2.85, _ABB, "R"),
        MethodConstant("cusum_kx", "s", 0.501, _ABB, "R"),
        MethodConstant("cusum_drift_part", "1", 0.7, _EN, "unconfirmed"),
        MethodConstant("shewhart_warning", "s", 2.0, _EN, "unconfirmed"),
        MethodConstant("shewhart_alarm", "s", 3.0, _EN, "unconfirmed"),
        MethodConstant("qal2_pairs", "1", 15.0, _EN, "unconfirmed"),
        MethodConstant("ast_pairs", "1", 5.0, _EN, "unconfirmed"),
        MethodConstant("ast_variability", "1", 1.5, _EN, "unconfirmed"),
        MethodConstant("valid_range", "1", 1.1, f"{_EN}: of the largest calibrated value", "unconfirmed"),
        MethodConstant("conditional_linearity", "h", 168.0, _CONDITIONAL, "R"),
        MethodConstant("conditional_rata", "h", 720.0, _CONDITIONAL, "R"),
        MethodConstant("conditional_seven_day", "d", 21.0, "unit operating days", "unconfirmed"),
        MethodConstant(
            "conditional_from_event", "1", 1.0, "a failed test takes all from the event on", "unconfirmed"
        ),
        *_HJ75_DRIFT,
        MethodConstant("coverage", "1", 1.96, f"{_EN}: sigma0 = P · E / 1.96", "unconfirmed"),
    )
}
"""Numbers of linearity, RATA, EN 14181 and drift by HJ 75, by name; s is s_AMS."""


CONDITIONAL = {kind: f"conditional_{kind}" for kind in ("linearity", "rata", "seven_day")}
"""Test that a recertification may require → the constant that says within how much operation."""


def unconfirmed_of_recertification() -> list[str]:
    """Names of the constants of conditional data that nobody read in the rule itself."""
    return [
        name for name, one in TEST_CONSTANTS.items() if name.startswith("conditional_") and one.trust != "R"
    ]


def limit_of(name: str) -> float:
    """The value of one of TEST_CONSTANTS."""
    value = TEST_CONSTANTS[name].value
    if value is None:
        raise KeyError(name)
    return value


class Reach(StrEnum):
    """Which time a failed test takes."""

    FORWARD = "forward"
    """From the failed test to the next passed one."""
    LAST_PASSED = "last_passed"
    """From the last passed test to the next passed one."""
    DRIFT = "drift"
    """By multiples of the drift limit."""
    NONE = "none"
    """None: it prescribes repair."""


@dataclass(frozen=True, slots=True)
class ControlRule:
    """When a regime calls an analyser out of control."""

    id: str
    reach: Reach
    source: str
    trust: str
    cover_h: int | None = None
    """Clock hours that a passed test covers; None: as long as no test fails."""
    grace_h: int = 0
    once: float = 0.0
    """Multiple of the limit that reaches back when exceeded once."""
    repeated: float = 0.0
    in_a_row: int = 0


CONTROL_RULES: Mapping[str, ControlRule] = {
    rule.id: rule
    for rule in (
        ControlRule("part75", Reach.FORWARD, "40 CFR 75 appendix B; EPA checking program", "R", 26, 8),
        ControlRule("hj75", Reach.LAST_PASSED, "HJ 75-2017, a peer's reading", "P"),
        ControlRule(
            "part60-f", Reach.DRIFT, "40 CFR 60 appendix F 4, as a state rule restates it", "P",
            once=4.0, repeated=2.0, in_a_row=5,
        ),
        ControlRule("en14181", Reach.NONE, "EN 14181 QAL3: repair, not backward invalidation", "unconfirmed"),
    )
}  # fmt: skip
"""Id → rule. Part 60 is a regime of its own, never mixed into Part 75."""
