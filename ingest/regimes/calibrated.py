"""Which hours of a component the tests of its analyser take, by the rule of its regime, from a place on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.methods.limits import CONTROL_RULES
from ingest.methods.regimes import RegimeRule
from ingest.model import HOUR
from ingest.regimes import control, recertification
from ingest.regimes.control import Calibrations
from kernels.rows import Ints, Records

Tests = Mapping[str, Mapping[str, Calibrations]]
"""Component → kind of test → its tests, in UTC."""

DAILY = "daily_calibration"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What tests say of hours, one entry an hour."""

    out_of_control: Ints
    """1: the analyser was."""
    conditional: Ints
    """1: the hour stands under reserve of tests that a recertification requires."""


def verdicts(
    rule: RegimeRule, hours: Records, low: int, tests: Mapping[str, Calibrations], offset_us: int
) -> Verdicts:
    """Of hours[low:] (HOUR_ROW from the source's first hour on)."""
    here = {kind: Calibrations(of.at + offset_us, of.passed, of.drift) for kind, of in tests.items()}
    first = _looks_back(rule, hours, low, here)
    found = hours[first:].copy()
    found["out_of_control"] = 0
    conditional = np.zeros(found.size, np.int64)
    if found.size:
        _mark(rule, found, here, int(hours["start_at"][0]))
        if rule.recertifies:
            _reserve(found, here, conditional)
    lost: Ints = np.ascontiguousarray(found["out_of_control"][low - first :])
    return Verdicts(lost, np.where(lost != 0, 0, conditional[low - first :]))


def _mark(rule: RegimeRule, found: Records, tests: Mapping[str, Calibrations], since: int) -> None:
    """Set what failed and missing tests put out of control."""
    control_rule = CONTROL_RULES[rule.control]
    for kind, of_kind in tests.items():
        if kind not in rule.tests:
            continue
        control.mark_hours(found, control.out_of_control(control_rule, of_kind, since))
        if kind == DAILY and of_kind.at.size:
            # Before the first test that anybody has told of, none is missed.
            asked = found[found["start_at"] + HOUR > of_kind.at[0]]
            control.mark_hours(found, control.uncovered(control_rule, of_kind, asked))


def _reserve(found: Records, tests: Mapping[str, Calibrations], conditional: Ints) -> None:
    """Set what recertifications put out of control, and under reserve."""
    out, reserved = recertification.spans(tests, DAILY, found)
    control.mark_hours(found, out)
    marked = found.copy()
    marked["out_of_control"] = 0
    control.mark_hours(marked, reserved)
    conditional[:] = marked["out_of_control"]


def _looks_back(rule: RegimeRule, hours: Records, low: int, tests: Mapping[str, Calibrations]) -> int:
    """From where on hours have to be known to judge those from `low` on.

    What a start-up grants ends within the grace, and rests on the last hour that the unit ran
    before it: so the last hour that it ran before the grace is the first that matters. The last
    recertification matters until it is settled.
    """
    place, control_rule = low, CONTROL_RULES[rule.control]
    if control_rule.cover_h is not None:
        place = max(low - control_rule.grace_h, 0)
        while place > 0 and hours["operating"][place] == 0:
            place -= 1
    if rule.recertifies and low < hours.size:
        at = int(hours["start_at"][low])
        before = [event for event in recertification.event_times(tests) if event < at]
        if before and recertification.settled_at(tests, DAILY, before[-1]) > at:
            place = min(place, max((before[-1] - int(hours["start_at"][0])) // HOUR, 0))
    return place
