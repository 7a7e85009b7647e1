"""A regime's hours of one source: what stands in each, how it was determined, and the mass it makes.

    facts of hours → valid, running, in control → availability and substitutes → equation · time the unit ran

Pure over a span: told of more facts, or of a test, it tells all hours anew, so the order
in which they came can make no difference. The equation is that of the plan; nothing is
rounded. Hours count in the regime's own time. Of a component without a scheme a missing
hour has no value, and the hour no mass.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.methods.hour_states import (
    BELOW_MIN_CAPTURE,
    MEASURED,
    NO_LOOKBACK,
    NO_RULE,
    REPLACED,
    STOPPED,
    HourReason,
)
from ingest.methods.limits import CONTROL_RULES
from ingest.methods.regimes import INPUT_OF, MASS, REGIME_RULES, RegimeRule
from ingest.methods.registry import METHODS
from ingest.methods.schemes import SCHEMES
from ingest.methods.validity import ALL_QUARTERS, HOUR_RECORD, VALID, judge_hours
from ingest.model import HOUR, Quality
from ingest.pipeline.batch import BoolArray
from ingest.plant.regime_plan import PlanComponent, PlanRegime
from ingest.regimes import control
from ingest.regimes.control import Calibrations
from ingest.regimes.hour_rows import COMPONENT_ROW, HOUR_MASS_ROW, HourRows
from ingest.regimes.periods import period_of
from ingest.regimes.substitution import hour_records, substitute
from kernels.methods import evaluate
from kernels.rows import Floats, Ints, Records

Tests = Mapping[str, Mapping[str, Calibrations]]
"""Component → kind of test → its tests, in UTC."""

DAILY = "daily_calibration"


@dataclass(frozen=True, slots=True)
class _Operation:
    known: BoolArray
    us: Ints
    quarters: Ints


def hours_of(
    regime: PlanRegime, facts: Mapping[str, Records], tests: Tests, begin: int, end: int
) -> HourRows:
    """All hours of [begin, end) µs.

    Args:
        regime: of the plan.
        facts: component, `operating`, `load` or `cap` → HOUR_FACT in order of time, hours without one left out.
        tests: of the components.
        begin: begin of an hour of the regime.
        end: the same; all points are closed up to it.
    """
    rule = REGIME_RULES[regime.rule]
    n = max((end - begin) // HOUR, 0)
    local = hour_records(n, begin + regime.offset_us)
    local["period"] = period_of(local["start_at"], rule.period)
    open_period = int(period_of(np.array([end + regime.offset_us]), rule.period)[0])
    operation = _operation(regime, facts, begin, n)
    local["operating"] = (operation.us > 0) | ~operation.known
    local["load_bin"] = _bins(regime, facts, begin, n)
    out = HourRows(
        np.zeros(n, HOUR_MASS_ROW),
        {component.name: np.zeros(n, COMPONENT_ROW) for component in regime.components},
    )
    out.hours["start_at"], out.hours["operating_us"] = begin + HOUR * np.arange(n), operation.us
    judged = {
        component.name: _judged(regime, rule, component, facts, tests, local, operation)
        for component in regime.components
    }
    for component in regime.components:
        out.components[component.name][:] = _filled(rule, component, judged[component.name], open_period)
    flagged = _at(facts.get("cap"), "on_us", begin, n) > 0
    rate = _rates(regime, out, flagged)
    out.hours["rate"] = rate
    out.hours["mass_kg"] = rate * (operation.us / HOUR) * regime.kg_per_rate
    if MASS in rule.schemes:
        out.hours["mass_kg"][~operation.known] = np.nan
        _replace_mass(rule, out, judged, local, open_period)
    _conclude(out, operation, local, flagged)
    return out


def _at(facts: Records | None, name: str, begin: int, n: int) -> Ints:
    """One entry an hour; 0 where there is no fact."""
    found = np.zeros(n, np.int64)
    if facts is not None:
        place = (facts["start_at"] - begin) // HOUR
        mine = (place >= 0) & (place < n)
        found[place[mine]] = facts[name][mine]
    return found


def _values(facts: Records | None, begin: int, n: int) -> Floats:
    found = np.full(n, np.nan)
    if facts is not None:
        place = (facts["start_at"] - begin) // HOUR
        mine = (place >= 0) & (place < n)
        found[place[mine]] = facts["value"][mine]
    return found


def _operation(regime: PlanRegime, facts: Mapping[str, Records], begin: int, n: int) -> _Operation:
    """When the unit ran; where its state is not known for the whole hour it is taken to have run in all of it."""
    if regime.operating is None:
        return _Operation(np.ones(n, np.bool_), np.full(n, HOUR), np.full(n, ALL_QUARTERS))
    state = facts.get("operating")
    known = _at(state, "valid_us", begin, n) == HOUR
    quarters = np.where(known, _at(state, "quarters", begin, n), ALL_QUARTERS)
    return _Operation(known, _at(state, "on_us", begin, n), quarters)


def _bins(regime: PlanRegime, facts: Mapping[str, Records], begin: int, n: int) -> Ints:
    if regime.load is None:
        return np.full(n, -1)
    load = _values(facts.get("load"), begin, n)
    found = np.searchsorted(np.array(regime.load_edges), load, side="left")
    return np.where(np.isnan(load), -1, found)


def _judged(
    regime: PlanRegime,
    rule: RegimeRule,
    component: PlanComponent,
    facts: Mapping[str, Records],
    tests: Tests,
    local: Records,
    operation: _Operation,
) -> Records:
    """HOUR_ROW of a component: its value, whether it is valid, and whether its analyser is in control."""
    mine, n = facts.get(component.name), local.size
    begin = int(local["start_at"][0]) - regime.offset_us if n else 0
    record = np.zeros(n, HOUR_RECORD)
    for name in ("valid_us", "minutes_us", "quarters", "apart_us"):
        record[name] = _at(mine, name, begin, n)
    record["ran"], record["calibrated"] = operation.quarters, _at(mine, "away", begin, n)
    hours = local.copy()
    hours["value"] = _values(mine, begin, n)
    hours["valid"] = judge_hours(rule.validity, record) == VALID
    _mark(regime, rule, hours, tests.get(component.name, {}))
    return hours


def _mark(regime: PlanRegime, rule: RegimeRule, hours: Records, tests: Mapping[str, Calibrations]) -> None:
    if not hours.size:
        return
    control_rule = CONTROL_RULES[rule.control]
    for kind, of_kind in tests.items():
        if kind not in rule.tests:
            continue
        here = Calibrations(of_kind.at + regime.offset_us, of_kind.passed, of_kind.drift)
        since = int(hours["start_at"][0])
        control.mark_hours(hours, control.out_of_control(control_rule, here, since))
        if kind == DAILY and here.at.size:
            # Before the first test that anybody has told of, none is missed.
            asked = hours[hours["start_at"] + HOUR > here.at[0]]
            control.mark_hours(hours, control.uncovered(control_rule, here, asked))


def _filled(rule: RegimeRule, component: PlanComponent, hours: Records, open_period: int) -> Records:
    """COMPONENT_ROW of a component: measured, or what its scheme puts there."""
    found = np.zeros(hours.size, COMPONENT_ROW)
    found["valid"], found["out_of_control"] = hours["valid"], hours["out_of_control"]
    scheme = rule.schemes.get(component.name)
    if scheme is not None:
        rows = substitute(SCHEMES[scheme], hours, potential=component.potential, open_period=open_period)
        for name in rows.dtype.names or ():
            found[name] = rows[name]
        return found
    ran = hours["operating"] != 0
    measured = ran & (hours["valid"] != 0) & (hours["out_of_control"] == 0) & np.isfinite(hours["value"])
    found["value"] = np.where(measured, hours["value"], np.nan)
    found["state"] = np.where(measured, MEASURED, np.where(ran, NO_RULE, STOPPED))
    found["availability_pct"] = np.nan
    return found


def _rates(regime: PlanRegime, out: HourRows, flagged: BoolArray) -> Floats:
    """The equation over hourly values, in the method's unit; NaN where one is missing."""
    method = METHODS[regime.equation]
    inputs: dict[str, Floats] = {}
    for component in regime.components:
        factor, offset = component.scale
        inputs[INPUT_OF[component.name]] = out.components[component.name]["value"] * factor + offset
    capped = "co2" if regime.from_o2 is None else "o2"
    inputs[capped] = np.where(flagged, regime.cap_value, inputs[capped])
    if regime.from_o2 is not None:
        from_o2 = METHODS[regime.from_o2]
        air = [one.value for one in from_o2.constants if one.value is not None]
        constants = np.array([*regime.f_factors, *air], np.float64)
        inputs["co2"] = _evaluated(
            from_o2.number, [inputs[entry.name] for entry in from_o2.inputs], constants
        )
    constants = np.array([one.value for one in method.constants], np.float64)
    return _evaluated(method.number, [inputs[entry.name] for entry in method.inputs], constants)


def _evaluated(number: int, inputs: list[Floats], constants: Floats) -> Floats:
    columns = np.ascontiguousarray(np.column_stack(inputs))
    found = np.full(len(columns), np.nan)
    for i in np.flatnonzero(np.isfinite(columns).all(axis=1)).tolist():
        found[i] = evaluate(number, columns[i], constants)
    return found


def _replace_mass(
    rule: RegimeRule, out: HourRows, judged: Mapping[str, Records], local: Records, open_period: int
) -> None:
    """Substitute hourly mass itself; hours are valid and in control if every component is."""
    hours = local.copy()
    hours["value"] = out.hours["mass_kg"]
    hours["valid"] = np.min([one["valid"] for one in judged.values()], axis=0)
    hours["out_of_control"] = np.max([one["out_of_control"] for one in judged.values()], axis=0)
    rows = substitute(SCHEMES[rule.schemes[MASS]], hours, open_period=open_period)
    found = np.zeros(hours.size, COMPONENT_ROW)
    for name in rows.dtype.names or ():
        found[name] = rows[name]
    found["valid"], found["out_of_control"] = hours["valid"], hours["out_of_control"]
    out.components[MASS] = found
    out.hours["mass_kg"] = rows["value"]


def _conclude(out: HourRows, operation: _Operation, local: Records, flagged: BoolArray) -> None:
    """Mass of stopped hours, quality and reasons."""
    hours, reasons = out.hours, np.zeros(local.size, np.int64)
    stopped = local["operating"] == 0
    hours["mass_kg"][stopped] = 0.0
    hours["mass_kg"][~operation.known] = np.nan
    reasons |= np.where(stopped, int(HourReason.STOPPED), 0)
    reasons |= np.where(~operation.known, int(HourReason.OPERATION_UNKNOWN), 0)
    reasons |= np.where(flagged & ~stopped, int(HourReason.DILUENT_CAP), 0)
    decided = [out.components[MASS]] if MASS in out.components else list(out.components.values())
    replaced = np.zeros(local.size, np.bool_)
    for rows in decided:
        for state, reason in (
            (BELOW_MIN_CAPTURE, HourReason.BELOW_MIN_CAPTURE),
            (NO_LOOKBACK, HourReason.NO_LOOKBACK),
            (NO_RULE, HourReason.NO_RULE),
        ):
            reasons |= np.where(rows["state"] == state, int(reason), 0)
        replaced |= rows["state"] == REPLACED
        hours["provisional"] |= rows["provisional"]
    for rows in out.components.values():
        lost = (rows["out_of_control"] != 0) & ~stopped
        reasons |= np.where(lost, int(HourReason.OUT_OF_CONTROL), 0)
    hours["reasons"] = reasons
    quality = np.where(replaced, int(Quality.SUBSTITUTED), int(Quality.GOOD))
    hours["quality"] = np.where(np.isnan(hours["mass_kg"]), int(Quality.BAD), quality)
