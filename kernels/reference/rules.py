"""Definition of `kernels.rules`: one rule after the other, each from what is known of it."""

import math
from dataclasses import dataclass

import numpy as np

from kernels.rows import HOUR_US, NEVER, Floats, Ints, Records
from kernels.rule_rows import (
    AGE,
    AUDIBLE,
    CHANGE,
    DAMPENED,
    FIRED,
    FIRING,
    HISTORICAL,
    INACTIVE,
    LIVE_US,
    MEMORY,
    PARENT,
    PENDING,
    QUALITY,
    RESOLVED,
    SILENCED,
    STATE,
    TOLD,
)


@dataclass
class _Judged:
    """One rule at one instant."""

    rule: np.void
    subject: np.void
    at: int
    value: float
    high: float
    low: float

    def holds(self, codes: Ints) -> bool:
        """Whether the condition does."""
        if self.rule["kind"] == STATE:
            listed = self.value in codes[self.rule["codes_from"] : self.rule["codes_to"]].tolist()
            return listed != bool(self.rule["codes_not"])
        if self.rule["kind"] == QUALITY:
            why = int(self.subject["reasons"]) & int(self.rule["reasons"])
            return bool(self.subject["quality"] >= self.rule["worst"] or why or self.value < self.low)
        return self.value > self.high or self.value < self.low

    def is_over(self, codes: Ints) -> bool:
        """Whether an episode of it is: the condition does not hold, by the hysteresis."""
        if self.rule["kind"] in (STATE, QUALITY):
            return not self.holds(codes)
        inside = self.low + self.rule["hysteresis"] <= self.value <= self.high - self.rule["hysteresis"]
        return inside and not self.holds(codes)


def _changed(rule: np.void, at: int, value: float, past_at: Ints, past_value: Floats) -> float:
    """Change over the span, of the values kept with this one: one in each fourteenth of the span."""
    m, span_us = rule["memory"], int(rule["span_us"])
    past = [(int(t), float(v)) for t, v in zip(past_at[m], past_value[m], strict=True)]
    if past[-1][0] == NEVER or at - past[-1][0] >= max(1, span_us // (MEMORY - 2)):
        past = [*past[1:], (at, value)]
        past_at[m], past_value[m] = [t for t, _ in past], [v for _, v in past]
    old = [(t, v) for t, v in past if t != NEVER and at - t >= span_us]
    if not old or at - old[-1][0] > 2 * span_us:
        return math.nan
    then, was = old[-1]
    later_at, later = next(((t, v) for t, v in past if t > at - span_us), (at, value))
    return value - (was + (later - was) * ((at - span_us - then) / (later_at - then)))


def _mute(
    rule: np.void, silenced: int, at: int, now: int, parents: Ints, after: Records, told_at: Ints
) -> int:
    """Why people are not told: the first reason that there is."""
    above = parents[rule["parents_from"] : rule["parents_to"]]
    tolds = [] if rule["tolds"] < 0 else [int(t) for t in told_at[rule["tolds"]] if t != NEVER]
    recent = [t for t in tolds if at - t < rule["told_span_us"]]
    if now - at > LIVE_US:
        return HISTORICAL
    if silenced:
        return SILENCED
    if (after["state"][above] == FIRING).any():
        return PARENT
    if tolds and at - tolds[-1] < rule["refire_us"]:
        return DAMPENED
    if rule["tolds"] >= 0 and 0 < rule["most_told"] <= len(recent):
        return DAMPENED
    return AUDIBLE


def step_rules(
    rules: Records,
    high: Floats,
    low: Floats,
    codes: Ints,
    parents: Ints,
    subjects: Records,
    active: Ints,
    quiets: Ints,
    silenced: Ints,
    now: int,
    aging: int,
    after: Records,
    past_at: Ints,
    past_value: Floats,
    told_at: Ints,
    transitions: Records,
) -> int:
    """Every rule, in order; parents have been judged before their children."""
    said = 0

    def note(r: int, what: int, mute: int, judged: _Judged) -> None:
        nonlocal said
        row, state = transitions[said], after[r]
        side = (judged.value > judged.high) - (judged.value < judged.low)
        if what == RESOLVED and not side:
            side = 1 if judged.high < math.inf else -1 if judged.low > -math.inf else 0
        row["rule"], row["what"], row["mute"], row["at"] = r, what, mute, judged.at
        row["pending_at"], row["fired_at"] = state["pending_at"], state["fired_at"]
        row["value"], row["excess"], row["side"] = judged.value, state["excess"], side
        row["limit"] = {1: judged.high, -1: judged.low, 0: math.nan}[side]
        said += 1

    def tell(r: int, at: int) -> None:
        if rules[r]["tolds"] >= 0:
            told_at[rules[r]["tolds"]] = [*told_at[rules[r]["tolds"]][1:], at]

    for r, rule in enumerate(rules):
        state, subject = after[r], subjects[rule["subject"]]
        if state["born_at"] == NEVER:
            state["born_at"] = now
        judged = _judged(rule, subject, float(high[r]), float(low[r]), int(state["born_at"]), now)
        if (rule["kind"] == AGE and not aging) or judged.at == NEVER or judged.at < state["seen_at"]:
            continue
        quiet = rule["quiet"] >= 0 and quiets[rule["quiet"]]
        enough = rule["kind"] == AGE or subject["valid_share"] >= rule["least_share"]
        known = enough and not quiet and not any(map(math.isnan, (judged.value, judged.high, judged.low)))
        if known and rule["kind"] == CHANGE:
            judged.value = _changed(rule, judged.at, judged.value, past_at, past_value)
            known = not math.isnan(judged.value)
        if not known:
            if state["state"] != INACTIVE and state["held_from"] == NEVER:
                state["held_from"] = state["seen_at"]
            continue
        holds = bool(active[r]) and judged.holds(codes)
        _pass_time(state, judged, holds=holds)
        if state["state"] == INACTIVE and holds:
            state["state"], state["told"], state["fired_at"] = PENDING, 0, NEVER
            state["held_from"], state["held_us"], state["excess"] = NEVER, 0, 0.0
            state["pending_at"] = max(judged.at, int(state["pending_at"]) + 1)
        elif state["state"] == PENDING and not holds:
            state["state"] = INACTIVE
        audible = _mute(rule, int(silenced[r]), judged.at, now, parents, after, told_at)
        due_at = int(state["pending_at"]) + int(state["held_us"]) + int(rule["hold_us"])
        if state["state"] == PENDING and judged.at >= due_at:
            state["state"], state["fired_at"], state["told"] = FIRING, due_at, int(audible == AUDIBLE)
            note(r, FIRED, audible, judged)
            if audible == AUDIBLE:
                tell(r, judged.at)
        elif state["state"] == FIRING and (not active[r] or judged.is_over(codes)):
            state["state"] = INACTIVE
            note(r, RESOLVED, 1 - int(state["told"]), judged)
        elif state["state"] == FIRING and not state["told"] and audible == AUDIBLE:
            state["told"] = 1
            tell(r, judged.at)
            note(r, TOLD, AUDIBLE, judged)
    return said


def _judged(rule: np.void, subject: np.void, high: float, low: float, born_at: int, now: int) -> _Judged:
    if rule["kind"] == AGE:
        age_s = (now - max(int(subject["at"]), born_at)) / 1e6
        return _Judged(rule, subject, now, age_s, high, low)
    value = subject["valid_share"] if rule["kind"] == QUALITY else subject["value"]
    return _Judged(rule, subject, int(subject["to_at"]), float(value), high, low)


def _pass_time(state: np.void, judged: _Judged, *, holds: bool) -> None:
    """Time since the rule was last judged: held, if nothing was known of it, else spent above the limit."""
    if state["held_from"] != NEVER:
        state["held_us"] += judged.at - state["held_from"]
        state["held_from"] = NEVER
    elif state["state"] != INACTIVE:
        above = 0.0
        if holds and judged.rule["kind"] <= CHANGE:
            above = max(judged.value - judged.high, judged.low - judged.value, 0.0)
        hours = (judged.at - int(state["seen_at"])) / HOUR_US
        state["excess"] += above * float(judged.subject["weight"]) * hours
    state["seen_at"] = judged.at
