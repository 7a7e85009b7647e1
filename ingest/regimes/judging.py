"""A test as it was told, judged: its result, and whether it was passed.

Passed is None where the figures do not allow a verdict; the result says why. Such a test
neither puts an analyser out of control nor back. Nor is a recertification a test: its result
is what it requires.
"""

import math
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from ingest.errors import InputError
from ingest.methods.analyser import (
    TEST_READINGS,
    AstReadings,
    CalibrationReadings,
    DriftReadings,
    LinearityReadings,
    Qal2Readings,
    Qal3Readings,
    RataReadings,
    Readings,
    RecertificationReadings,
)
from ingest.regimes import analyser_tests

Judged = tuple[dict[str, Any], bool | None]
"""Result, passed."""


def judge(kind: str, readings: bytes) -> Judged:
    """The result of a test.

    Args:
        kind: key of TEST_READINGS.
        readings: JSON of its shape there.

    Raises InputError, one sentence, where they are none, or too few.
    """
    try:
        given = msgspec.json.decode(readings, type=TEST_READINGS[kind])
    except msgspec.MsgspecError as error:
        raise InputError(f"readings of {kind}: {error}; expected those of its kind") from None
    result, passed = _judged(kind, given)
    if not _is_finite(result):
        return msgspec.json.decode(msgspec.json.encode(result)) | {"reason": "not a finite figure"}, None
    return result, passed


def _is_finite(value: Any) -> bool:
    """Whether all numbers in it are."""
    match value:
        case dict():
            return all(map(_is_finite, value.values()))
        case list():
            return all(map(_is_finite, value))
        case float():
            return math.isfinite(value)
    return True


def _judged(kind: str, given: Readings) -> Judged:
    match given:
        case CalibrationReadings():
            return _calibration("seven_day" if kind == "seven_day" else "daily", given)
        case LinearityReadings():
            return _linearity(given)
        case RataReadings():
            rata = analyser_tests.rata(
                np.array(given.reference),
                np.array(given.measured),
                given.parameter,
                low_emitter=given.low_emitter,
            )
            return asdict(rata), rata.passed
        case DriftReadings():
            drifts = [
                analyser_tests.hj75_drift(one.quantity, one.reference, one.measured, one.full_scale)
                for one in given.checks
            ]
            return {"checks": [asdict(one) for one in drifts]}, not any(one.out_of_control for one in drifts)
        case Qal2Readings():
            line = analyser_tests.qal2(
                np.array(given.measured),
                np.array(given.reference),
                given.least_spread,
                given.offset,
                given.sigma0,
            )
            return asdict(line), line.passed
        case AstReadings():
            ast = analyser_tests.ast(
                np.array(given.measured), np.array(given.reference), given.a, given.b, given.sigma0
            )
            return asdict(ast), ast.variability_passed and ast.validity_passed
        case RecertificationReadings():
            return {"requires": sorted(set(given.requires))}, None
        case Qal3Readings():
            chart = analyser_tests.cusum(np.array(given.differences), given.s_ams)
            last = int(chart.alarm[-1])
            return {"constants": chart.constants, "alarm": last}, last == 0


def _calibration(test: str, given: CalibrationReadings) -> Judged:
    outcomes = [
        analyser_tests.calibration_error(test, given.quantity, one.reference, one.measured, given.span)
        for one in given.injections
    ]
    found = {"injections": [asdict(one) for one in outcomes]}
    if any(one.passed is None for one in outcomes):
        return found, None
    return found, all(one.passed for one in outcomes)


def _linearity(given: LinearityReadings) -> Judged:
    if any(len(one.reference) != len(one.measured) for one in given.levels):
        raise InputError("reference and measured of a level differ in number; expected a pair for each run")
    levels = [
        analyser_tests.linearity(np.array(one.reference), np.array(one.measured), diluent=given.diluent)
        for one in given.levels
    ]
    return {"levels": [asdict(one) for one in levels]}, all(one.passed for one in levels)
