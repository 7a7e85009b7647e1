"""Analyser tests judged by a regime's limits: errors to their printed digits, passed or not.

A test that cannot be judged gives no number but the reason, as `Outcome.reason`.
"""

import math
from dataclasses import dataclass

import numpy as np

from ingest.errors import InputError
from ingest.methods.limits import CALIBRATION_LIMITS, STUDENT_T, UNBIASED, limit_of
from ingest.methods.rounding import TO_HUNDREDTH, TO_TENTH, TO_THOUSANDTH
from kernels import quality, quantiles
from kernels.rows import Floats, Ints


@dataclass(frozen=True, slots=True)
class Outcome:
    """A calibration error test."""

    error: float | None
    """As the regime prints it; None: see reason."""
    passed: bool | None
    alternative: bool
    """Whether the absolute difference stands for the % of span."""
    reason: str | None


def calibration_error(
    test: str, quantity: str, reference: float | None, measured: float | None, span: float | None
) -> Outcome:
    """Calibration error of one injection.

    Args:
        test: `seven_day` or `daily`.
        quantity: `diluent` (CO2, O2), `pollutant` or `flow`.
        reference: of the gas; None, as below: not known.
        measured: what was read.
        span: of the analyser.
    """
    limit = CALIBRATION_LIMITS[test, quantity]
    if reference is None or measured is None:
        return Outcome(None, None, False, f"no {'reference' if reference is None else 'measured'} value")
    if span is None or not span > 0:
        return Outcome(None, None, False, "no span")
    apart = abs(reference - measured)
    error = quality.error_of_span(reference, measured, span) if limit.of_span else apart
    printed = limit.rounding.apply(error)
    if printed <= limit.limit:
        return Outcome(printed, True, False, None)
    for other in limit.alternatives:
        difference = other.rounding.apply(apart)
        if other.applies(span) and difference <= other.limit:
            return Outcome(difference, True, True, None)
    return Outcome(printed, False, False, None)


@dataclass(frozen=True, slots=True)
class Linearity:
    """One gas level of a linearity check."""

    error_pct: float
    mean_abs_difference: float
    passed: bool


def linearity(reference: Floats, measured: Floats, *, diluent: bool) -> Linearity:
    """Error of the runs of one gas level, by the mean reference or the absolute difference."""
    error, apart = quality.linearity(reference, measured)
    printed, difference = TO_TENTH.apply(error), TO_TENTH.apply(apart)
    allowed = limit_of("linearity_diluent" if diluent else "linearity_ppm")
    return Linearity(printed, difference, printed <= limit_of("linearity_pct") or difference <= allowed)


@dataclass(frozen=True, slots=True)
class Rata:
    """A relative accuracy test audit."""

    mean_difference: float
    confidence_coefficient: float
    relative_accuracy_pct: float
    bias_adjustment_factor: float
    passed: bool
    annual: bool
    """Good enough to be repeated once a year."""


def student_t(runs: int) -> float:
    """Student's t of the regulator's program for so many runs."""
    return 1.0 if runs > limit_of("rata_t_one_above") else STUDENT_T[runs - 2]


def rata(reference: Floats, cem: Floats, parameter: str, *, low_emitter: bool = False) -> Rata:
    """Relative accuracy and bias of at least nine runs.

    Raises InputError on fewer, or on unequal numbers of values.
    """
    if reference.size != cem.size or reference.size < limit_of("rata_runs"):
        raise InputError(
            f"reference and cem have {reference.size} and {cem.size} values; "
            f"expected the same number of runs, at least {limit_of('rata_runs'):g}"
        )
    apart, coefficient, accuracy, factor = quality.rata(reference, cem, student_t(reference.size))
    factor = 1.0 if parameter in UNBIASED else factor
    if low_emitter:
        factor = min(factor, limit_of("low_emitter_factor"))
    printed = TO_HUNDREDTH.apply(accuracy)
    by_difference = abs(apart) if parameter == "co2" else math.inf
    return Rata(
        apart,
        coefficient,
        printed,
        TO_THOUSANDTH.apply(factor),
        printed <= limit_of("rata_limit_pct") or by_difference <= limit_of("rata_co2_limit"),
        printed <= limit_of("rata_annual_pct") or by_difference <= limit_of("rata_co2_annual"),
    )


@dataclass(frozen=True, slots=True)
class Drift:
    """A drift check by HJ 75-2017."""

    error: float
    """% of full scale."""
    adjust: bool
    """Beyond what is allowed: the analyser is to be adjusted."""
    out_of_control: bool


def hj75_drift(quantity: str, reference: float, measured: float, full_scale: float) -> Drift:
    """Drift of `gas_zero`, `gas_span`, `dust` or `flow`; full scale and values in one unit.

    Flow in m/s is within its limits by the absolute difference too.
    """
    error = quality.error_of_span(reference, measured, full_scale)
    apart = abs(reference - measured)
    found = []
    for step in ("drift", "out"):
        beyond = error > limit_of(f"hj75_{quantity}_{step}")
        if quantity == "flow":
            beyond = beyond and apart > limit_of(f"hj75_velocity_{step}")
        found.append(beyond)
    return Drift(error, *found)


@dataclass(frozen=True, slots=True)
class Cusum:
    """A QAL3 chart by cumulative sums, one entry per check."""

    constants: dict[str, float]
    sums: Floats
    """Columns: precision, drift up, drift down."""
    alarm: Ints
    """Bit 0 drift up, 1 drift down, 2 precision."""
    drift: Floats
    """Estimated drift, in the analyser's unit, where a drift alarm stands; else NaN."""


def cusum(difference: Floats, s_ams: float) -> Cusum:
    """The chart of reading - reference with an analyser's standard deviation s_ams."""
    power = {"hs": 2, "ks": 2, "hx": 1, "kx": 1}
    constants = {name: limit_of(f"cusum_{name}") * s_ams**of for name, of in power.items()}
    n = difference.size
    sums, alarm, since = np.zeros((n, 3)), np.zeros(n, np.int64), np.zeros((n, 2), np.int64)
    quality.cusum(
        difference, constants["hs"], constants["ks"], constants["hx"], constants["kx"], sums, alarm, since
    )
    drift = np.full(n, math.nan)
    for side, sign in ((0, 1.0), (1, -1.0)):
        there = alarm >> side & 1 == 1
        estimate = constants["kx"] + sums[there, side + 1] / since[there, side]
        drift[there] = sign * limit_of("cusum_drift_part") * estimate
    return Cusum(constants, sums, alarm, drift)


def shewhart(difference: Floats, s_ams: float) -> Ints:
    """0 within, 1 beyond the warning limit, 2 beyond the alarm limit, per check."""
    out = np.zeros(difference.size, np.int64)
    quality.shewhart(
        difference, limit_of("shewhart_warning") * s_ams, limit_of("shewhart_alarm") * s_ams, out
    )
    return out


def stand_in_uncertainty(share: float, value: float) -> float:
    """sigma0 from a permitted share (0.05) of a limit value, or of what stands for it: P · E / 1.96."""
    return share * value / limit_of("coverage")


@dataclass(frozen=True, slots=True)
class Calibration:
    """QAL2: the line and its variability test."""

    a: float
    b: float
    deviation: float
    kv: float
    passed: bool
    valid_to: float
    """End of the valid calibration range, which begins at zero."""

    def outside(self, calibrated: Floats) -> int:
        """How many calibrated values are outside the valid range."""
        return quality.outside(calibrated, 0.0, self.valid_to)


def qal2(
    measured: Floats, reference: Floats, least_spread: float, offset: float, sigma0: float
) -> Calibration:
    """The calibration function reference = a + b · measured, and s_D ≤ kv(N) · sigma0."""
    _check_pairs(measured, reference, "qal2_pairs")
    a, b = quality.calibration_line(measured, reference, least_spread, offset)
    _, deviation = quality.spread_about_line(measured, reference, a, b)
    kv = quantiles.variability_factor(measured.size)
    valid_to = limit_of("valid_range") * float(np.max(a + b * measured))
    return Calibration(a, b, deviation, kv, deviation <= kv * sigma0, valid_to)


@dataclass(frozen=True, slots=True)
class Surveillance:
    """AST: variability and validity of the line that stands."""

    mean_difference: float
    deviation: float
    variability_passed: bool
    validity_passed: bool


def ast(measured: Floats, reference: Floats, a: float, b: float, sigma0: float) -> Surveillance:
    """s_D ≤ 1.5 · kv(N) · sigma0 and |D̄| ≤ t(0.95; N-1) · s_D/√N + sigma0."""
    _check_pairs(measured, reference, "ast_pairs")
    mean, deviation = quality.spread_about_line(measured, reference, a, b)
    n = measured.size
    t = quantiles.student_quantile(0.95, n - 1.0)
    allowed = quality.confidence(deviation, n, t) + sigma0
    variability = deviation <= limit_of("ast_variability") * quantiles.variability_factor(n) * sigma0
    return Surveillance(mean, deviation, variability, abs(mean) <= allowed)


def _check_pairs(measured: Floats, reference: Floats, least: str) -> None:
    if measured.size != reference.size or measured.size < limit_of(least):
        raise InputError(
            f"measured and reference have {measured.size} and {reference.size} values; "
            f"expected as many of each, at least {limit_of(least):g}"
        )
