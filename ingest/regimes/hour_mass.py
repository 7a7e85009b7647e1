"""What is local to an hour of a source: when the unit ran, its components judged, the rate and the mass.

    facts of hours → running, valid → (control, substitutes: `source_hours`) → equation · time the unit ran

Functions of columns, one entry an hour, in any choice of hours. The equation is that of
the plan; nothing is rounded. Hours count in the regime's own time. Of a component
without a scheme a missing hour has no value, and the hour no mass.
"""

from collections.abc import Mapping

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
from ingest.methods.regimes import INPUT_OF, MASS, REGIME_RULES
from ingest.methods.registry import METHODS
from ingest.methods.validity import ALL_QUARTERS, HOUR_RECORD, VALID, judge_hours
from ingest.model import HOUR, Quality
from ingest.pipeline.batch import BoolArray
from ingest.plant.regime_plan import PlanRegime
from ingest.regimes.hour_rows import COMPONENT_ROW, CONDITIONALLY, HourRows
from ingest.regimes.periods import period_of
from kernels.hours import HOUR_ROW, SUBSTITUTE_ROW
from kernels.methods import evaluate_rows
from kernels.rows import Floats, Ints, Records

Facts = Mapping[str, Records]
"""Component, `operating`, `load` or `cap` → HOUR_FACT in order of time, hours without one left out."""

RUN_ROW = np.dtype(
    [
        ("us", np.int64),  # how long the unit ran
        ("known", np.int64),  # 1: its state is known for the whole hour
        ("quarters", np.int64),  # bit q: it ran in that quarter
        ("flagged", np.int64),  # 1: the operator asks for the diluent cap
    ]
)


def runs_of(regime: PlanRegime, facts: Facts, starts: Ints) -> Records:
    """RUN_ROW of hours; where the unit's state is not known for a whole hour it is taken to have run in all of it."""
    found = np.zeros(starts.size, RUN_ROW)
    found["flagged"] = _at(facts.get("cap"), "on_us", starts) > 0
    if regime.operating is None:
        found["us"], found["known"], found["quarters"] = HOUR, 1, ALL_QUARTERS
        return found
    state = facts.get("operating")
    found["us"] = _at(state, "on_us", starts)
    found["known"] = _at(state, "valid_us", starts) == HOUR
    found["quarters"] = np.where(found["known"] != 0, _at(state, "quarters", starts), ALL_QUARTERS)
    return found


def hours_begun(regime: PlanRegime, facts: Facts, starts: Ints, runs: Records) -> Records:
    """HOUR_ROW with what is the same for all components: time, period, operation, load bin; no value yet."""
    found = np.zeros(starts.size, HOUR_ROW)
    found["start_at"] = starts + regime.offset_us
    found["period"] = period_of(found["start_at"], REGIME_RULES[regime.rule].period)
    found["operating"] = (runs["us"] > 0) | (runs["known"] == 0)
    found["value"], found["load_bin"] = np.nan, -1
    if regime.load is not None:
        load = _at(facts.get("load"), "value", starts, np.nan)
        bins = np.searchsorted(np.array(regime.load_edges), load, side="left")
        found["load_bin"] = np.where(np.isnan(load), -1, bins)
    return found


def judged(regime: PlanRegime, facts: Records | None, starts: Ints, begun: Records, runs: Records) -> Records:
    """HOUR_ROW of a component: its value, and whether it is valid; in control as far as anybody has said."""
    record = np.zeros(starts.size, HOUR_RECORD)
    for name in ("valid_us", "minutes_us", "quarters", "apart_us"):
        record[name] = _at(facts, name, starts)
    record["ran"], record["calibrated"] = runs["quarters"], _at(facts, "away", starts)
    hours = begun.copy()
    hours["value"] = _at(facts, "value", starts, np.nan)
    hours["valid"] = judge_hours(REGIME_RULES[regime.rule].validity, record) == VALID
    return hours


def _at(facts: Records | None, name: str, starts: Ints, nothing: float = 0) -> Ints | Floats:
    """One entry an hour; `nothing` where there is no fact."""
    if facts is None or not facts.size:
        return np.full(starts.size, nothing)
    place = np.minimum(np.searchsorted(facts["start_at"], starts), facts.size - 1)
    return np.where(facts["start_at"][place] == starts, facts[name][place], nothing)


def unreplaced(hours: Records) -> Records:
    """SUBSTITUTE_ROW of a component that no scheme fills."""
    found = np.zeros(hours.size, SUBSTITUTE_ROW)
    ran = hours["operating"] != 0
    measured = ran & (hours["valid"] != 0) & (hours["out_of_control"] == 0) & np.isfinite(hours["value"])
    found["value"] = np.where(measured, hours["value"], np.nan)
    found["state"] = np.where(measured, MEASURED, np.where(ran, NO_RULE, STOPPED))
    found["availability_pct"] = np.nan
    return found


def component_rows(filled: Records, hours: Records) -> Records:
    """COMPONENT_ROW of what is put there (SUBSTITUTE_ROW) and what was judged (HOUR_ROW)."""
    found = np.zeros(hours.size, COMPONENT_ROW)
    for name in filled.dtype.names or ():
        found[name] = filled[name]
    found["valid"], found["out_of_control"] = hours["valid"], hours["out_of_control"]
    return found


def rates_of(regime: PlanRegime, values: Mapping[str, Floats], flagged: BoolArray) -> Floats:
    """The equation over hourly values of components, in the method's unit; NaN where one is missing."""
    method = METHODS[regime.equation]
    inputs: dict[str, Floats] = {}
    for component in regime.components:
        factor, offset = component.scale
        inputs[INPUT_OF[component.name]] = values[component.name] * factor + offset
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
    found = np.empty(inputs[0].size)
    evaluate_rows(number, np.ascontiguousarray(np.column_stack(inputs)), constants, found)
    return found


def mass_judged(begun: Records, mass_kg: Floats, components: list[Records]) -> Records:
    """HOUR_ROW of the mass itself: valid and in control if every component (HOUR_ROW) is."""
    hours = begun.copy()
    hours["value"] = mass_kg
    hours["valid"] = np.min([one["valid"] for one in components], axis=0)
    hours["out_of_control"] = np.max([one["out_of_control"] for one in components], axis=0)
    return hours


def conclude(out: HourRows, runs: Records, zero_at_load: BoolArray) -> None:
    """Mass of stopped hours, whether an hour is provisional, quality and reasons, in place.

    `runs` are RUN_ROW of the same hours; `mass_kg` is the equation's, or what was put for it.
    `zero_at_load`: where the regime flags what was measured.
    """
    hours, known = out.hours, runs["known"] != 0
    stopped = (runs["us"] == 0) & known
    hours["mass_kg"][stopped] = 0.0
    hours["mass_kg"][~known] = np.nan
    reasons = np.where(stopped, int(HourReason.STOPPED), 0)
    reasons |= np.where(~known, int(HourReason.OPERATION_UNKNOWN), 0)
    reasons |= np.where((runs["flagged"] != 0) & ~stopped, int(HourReason.DILUENT_CAP), 0)
    reasons |= np.where(zero_at_load, int(HourReason.ZERO_AT_LOAD), 0)
    decided = [out.components[MASS]] if MASS in out.components else list(out.components.values())
    replaced = np.zeros(hours.size, np.bool_)
    hours["provisional"] = 0
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
        reserved = (rows["valid"] == CONDITIONALLY) & ~stopped
        reasons |= np.where(reserved, int(HourReason.CONDITIONAL), 0)
    hours["reasons"] = reasons
    quality = np.where(replaced, int(Quality.SUBSTITUTED), int(Quality.GOOD))
    hours["quality"] = np.where(np.isnan(hours["mass_kg"]), int(Quality.BAD), quality)
