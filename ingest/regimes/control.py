"""Out-of-control spans of an analyser by the rule of a regime, and the hours they touch."""

from dataclasses import dataclass

import numpy as np

from ingest.methods.limits import ControlRule, Reach
from kernels import control
from kernels.control import FOREVER
from kernels.rows import Floats, Ints, Records

__all__ = ["FOREVER", "Calibrations", "Spans", "mark_hours", "out_of_control", "uncovered"]


@dataclass(frozen=True, slots=True)
class Calibrations:
    """Calibration tests of one analyser, by time."""

    at: Ints
    """When each was completed, µs."""
    passed: Ints
    """1 passed; 0 failed or aborted."""
    drift: Floats
    """As a multiple of the limit; only for rules by drift, else empty."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Disjoint spans [begin, end), µs; an end of FOREVER is open."""

    begin: Ints
    end: Ints


def out_of_control(rule: ControlRule, tests: Calibrations, since: int) -> Spans:
    """What failed tests put out of control.

    since: where the data begin, µs, for a failure without a passed test before it.
    """
    n = tests.at.size + 1
    begin, end = np.zeros(n, np.int64), np.zeros(n, np.int64)
    found = 0
    match rule.reach:
        case Reach.FORWARD:
            found = control.spans_from_failure(tests.at, tests.passed, begin, end)
        case Reach.LAST_PASSED:
            found = control.spans_from_last_passed(tests.at, tests.passed, since, begin, end)
        case Reach.DRIFT:
            found = control.spans_by_drift(
                tests.at, tests.drift, rule.once, rule.repeated, rule.in_a_row, since, begin, end
            )
        case Reach.NONE:
            found = 0
    return Spans(begin[:found], end[:found])


def uncovered(rule: ControlRule, tests: Calibrations, hours: Records) -> Spans:
    """Running hours that no passed test covers, by rules that demand one every so many hours."""
    n = hours.size
    begin, end = np.zeros(n, np.int64), np.zeros(n, np.int64)
    if rule.cover_h is None:
        return Spans(begin[:0], end[:0])
    found = control.spans_uncovered(
        hours["start_at"].copy(), hours["operating"].copy(), tests.at, tests.passed,
        rule.cover_h, rule.grace_h, begin, end,
    )  # fmt: skip
    return Spans(begin[:found], end[:found])


def mark_hours(hours: Records, *spans: Spans) -> None:
    """Set out_of_control of every hour of which a span takes part, in place.

    An hour of which readings outside the spans still make a valid one may be cleared by
    who has the readings: Part 75 lets it count with two of them 15 minutes apart.
    """
    lost = np.zeros(hours.size, np.int64)
    for one in spans:
        control.lost_time(hours["start_at"].copy(), one.begin, one.end, lost)
        hours["out_of_control"] |= lost > 0
