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


@dataclass
class _Site:
    """What all rules are judged against, as `kernels.rules.step_rules` has it."""

    codes: Ints
    parents: Ints
    quiets: Ints
    now: int
    after: Records
    past_at: Ints
    past_value: Floats
    told_at: Ints


def step_rules(
    rules: Records, high: Floats, low: Floats, codes: Ints, parents: Ints, subjects: Records, active: Ints, quiets: Ints,
    silenced: Ints, now: int, aging: int, after: Records, past_at: Ints, past_value: Floats, told_at: Ints,
    transitions: Records,
) -> int:  # fmt: skip
    """Every rule, in order; parents have been judged before their children."""
    site = _Site(codes, parents, quiets, now, after, past_at, past_value, told_at)
    said = 0
    for r, rule in enumerate(rules):
        state, subject = after[r], subjects[rule["subject"]]
        if state["born_at"] == NEVER:
            state["born_at"] = now
        judged = _judged(rule, subject, float(high[r]), float(low[r]), int(state["born_at"]), now)
        if (rule["kind"] == AGE and not aging) or judged.at == NEVER or judged.at < state["seen_at"]:
            continue
        if not _is_known(site, judged):
            if state["state"] != INACTIVE and state["held_from"] == NEVER:
                state["held_from"] = state["seen_at"]
            continue
        what, mute = _become(site, judged, state, counts=bool(active[r]), silenced=int(silenced[r]))
        if what:
            _note(transitions[said], judged, state, what, mute)
            transitions[said]["rule"] = r
            said += 1
    return said


def _is_known(site: _Site, judged: _Judged) -> bool:
    """Whether anything can be said; of a change the value becomes that."""
    rule = judged.rule
    enough = rule["kind"] == AGE or judged.subject["valid_share"] >= rule["least_share"]
    quiet = rule["quiet"] >= 0 and site.quiets[rule["quiet"]]
    if not enough or quiet or any(map(math.isnan, (judged.value, judged.high, judged.low))):
        return False
    if rule["kind"] == CHANGE:
        judged.value = _changed(rule, judged.at, judged.value, site.past_at, site.past_value)
    return not math.isnan(judged.value)


def _become(site: _Site, judged: _Judged, state: np.void, *, counts: bool, silenced: int) -> tuple[int, int]:
    """What became of the rule, and why people are not told of it; (0, 0): nothing."""
    rule = judged.rule
    holds = counts and judged.holds(site.codes)
    _pass_time(state, judged, holds=holds)
    if state["state"] == INACTIVE and holds:
        state["state"], state["told"], state["fired_at"] = PENDING, 0, NEVER
        state["held_from"], state["held_us"], state["excess"] = NEVER, 0, 0.0
        state["pending_at"] = max(judged.at, int(state["pending_at"]) + 1)
    elif state["state"] == PENDING and not holds:
        state["state"] = INACTIVE
    mute = _mute(rule, silenced, judged.at, site.now, site.parents, site.after, site.told_at)
    due_at = int(state["pending_at"]) + int(state["held_us"]) + int(rule["hold_us"])
    what = 0
    if state["state"] == PENDING and judged.at >= due_at:
        state["state"], state["fired_at"], what = FIRING, due_at, FIRED
    elif state["state"] == FIRING and (not counts or judged.is_over(site.codes)):
        state["state"] = INACTIVE
        return RESOLVED, 1 - int(state["told"])
    elif state["state"] == FIRING and not state["told"] and mute == AUDIBLE:
        what = TOLD
    if what and mute == AUDIBLE:
        state["told"] = 1
        if rule["tolds"] >= 0:
            site.told_at[rule["tolds"]] = [*site.told_at[rule["tolds"]][1:], judged.at]
    return (what, mute) if what else (0, 0)


def _note(row: np.void, judged: _Judged, state: np.void, what: int, mute: int) -> None:
    side = (judged.value > judged.high) - (judged.value < judged.low)
    if what == RESOLVED and not side:
        side = 1 if judged.high < math.inf else -1 if judged.low > -math.inf else 0
    row["what"], row["mute"], row["at"] = what, mute, judged.at
    row["pending_at"], row["fired_at"] = state["pending_at"], state["fired_at"]
    row["value"], row["excess"], row["side"] = judged.value, state["excess"], side
    row["limit"] = {1: judged.high, -1: judged.low, 0: math.nan}[side]


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
