"""Alert rules, one step: inactive → pending → firing → resolved.

A rule is judged at the instant up to which its subject is known, never at the clock
(but for the age of data), so what an episode says does not depend on when it was
computed. While nothing is known, or the rule is quiet, it stays as it is and that time does not
count towards how long its condition must last. Whether people are told is decided
apart from whether an episode is one: an episode that begins in the past, under a
silence, while a parent fires or too soon after the last is kept, and told of when that is
over if it still fires; of one that was told its end is told too.

Twin: `reference.step_rules`.
"""

import math

import numpy as np

from kernels._jit import kernel
from kernels.rows import HOUR_US, NEVER
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
    RULE,
    RULE_STATE,
    SILENCED,
    STATE,
    SUBJECT,
    TOLD,
    TRANSITION,
)


@kernel
def _change(rule: np.void, at: int, value: float, past_at: np.ndarray, past_value: np.ndarray) -> float:
    """Change of the value over the rule's span, and the value remembered; NaN while that far back is unknown.

    What was a span ago is on the straight line between two remembered values, or to this one.
    """
    m, span_us = rule["memory"], rule["span_us"]
    newest = past_at[m, MEMORY - 1]
    if newest == NEVER or at - newest >= max(1, span_us // (MEMORY - 2)):
        for i in range(MEMORY - 1):
            past_at[m, i] = past_at[m, i + 1]
            past_value[m, i] = past_value[m, i + 1]
        past_at[m, MEMORY - 1] = at
        past_value[m, MEMORY - 1] = value
    later_at, later = at, value
    for i in range(MEMORY - 1, -1, -1):
        then, was = past_at[m, i], past_value[m, i]
        if then != NEVER and at - then >= span_us:
            if at - then > 2 * span_us:
                return math.nan
            return float(value - (was + (later - was) * ((at - span_us - then) / (later_at - then))))
        later_at, later = then, was
    return math.nan


@kernel
def _holds(rule: np.void, subject: np.void, value: float, high: float, low: float, codes: np.ndarray) -> bool:
    """Whether the condition holds."""
    if rule["kind"] == STATE:
        found = False
        for i in range(rule["codes_from"], rule["codes_to"]):
            found = found or codes[i] == value
        return bool(found != (rule["codes_not"] == 1))
    if rule["kind"] == QUALITY:
        doubted = subject["quality"] >= rule["worst"] or (subject["reasons"] & rule["reasons"]) != 0
        return bool(doubted or value < low)
    return bool(value > high or value < low)


@kernel
def _mute(
    rule: np.void,
    silenced: int,
    at: int,
    now: int,
    parents: np.ndarray,
    after: np.ndarray,
    told_at: np.ndarray,
) -> int:
    """Why people are not told now."""
    if now - at > LIVE_US:
        return HISTORICAL
    if silenced != 0:
        return SILENCED
    for i in range(rule["parents_from"], rule["parents_to"]):
        if after[parents[i]]["state"] == FIRING:
            return PARENT
    if rule["tolds"] >= 0:
        tolds = told_at[rule["tolds"]]
        if tolds[MEMORY - 1] != NEVER and at - tolds[MEMORY - 1] < rule["refire_us"]:
            return DAMPENED
        if rule["most_told"] > 0:
            last = tolds[MEMORY - rule["most_told"]]
            if last != NEVER and at - last < rule["told_span_us"]:
                return DAMPENED
    return AUDIBLE


@kernel
def _note_told(rule: np.void, at: int, told_at: np.ndarray) -> None:
    if rule["tolds"] >= 0:
        tolds = told_at[rule["tolds"]]
        for i in range(MEMORY - 1):
            tolds[i] = tolds[i + 1]
        tolds[MEMORY - 1] = at


@kernel
def _begin(state: np.void, at: int) -> None:
    """A new episode; two of a rule never begin at the same instant, for that names them."""
    state["state"] = PENDING
    state["told"] = 0
    state["pending_at"] = max(at, state["pending_at"] + 1)
    state["fired_at"] = NEVER
    state["held_from"] = NEVER
    state["held_us"] = 0
    state["excess"] = 0.0


@kernel
def _note(
    row: np.void, r: int, what: int, mute: int, at: int, state: np.void, value: float, high: float, low: float
) -> None:
    side = 1 if value > high else -1 if value < low else 0
    if what == RESOLVED and side == 0:
        side = 1 if high < np.inf else -1 if low > -np.inf else 0
    row["rule"] = r
    row["what"] = what
    row["mute"] = mute
    row["at"] = at
    row["pending_at"] = state["pending_at"]
    row["fired_at"] = state["fired_at"]
    row["value"] = value
    row["limit"] = high if side == 1 else low if side == -1 else math.nan
    row["side"] = side
    row["excess"] = state["excess"]


@kernel
def step_rules(
    rules: np.ndarray,
    high: np.ndarray,
    low: np.ndarray,
    codes: np.ndarray,
    parents: np.ndarray,
    subjects: np.ndarray,
    active: np.ndarray,
    quiets: np.ndarray,
    silenced: np.ndarray,
    now: int,
    aging: int,
    after: np.ndarray,
    past_at: np.ndarray,
    past_value: np.ndarray,
    told_at: np.ndarray,
    transitions: np.ndarray,
) -> int:
    """Judge every rule once; how many transitions there are.

    Args:
        rules: RULE[n], parents before their children.
        high: float64[n], upper limits; inf none, NaN not known at present.
        low: float64[n], lower ones; -inf none.
        codes: what rules point into.
        parents: likewise.
        subjects: SUBJECT[m].
        active: int64[n], 1 while a rule's schedule lets it count.
        quiets: int64[q], 1 while it is quiet.
        silenced: int64[n], 1 while people want to hear nothing of it.
        now: µs, by which data are old.
        aging: 1 if the age of data is judged: who has just begun has not asked for them yet.
        after: RULE_STATE[n], as after the last step; becomes that after this one.
        past_at: int64[c, MEMORY], instants of the values that CHANGE rules remember, likewise.
        past_value: float64[c, MEMORY], those values.
        told_at: int64[t, MEMORY], when dampened rules were told, the newest last, likewise.
        transitions: TRANSITION[n].
    """
    n = 0
    for r in range(rules.size):
        rule, state = rules[r], after[r]
        subject = subjects[rule["subject"]]
        if state["born_at"] == NEVER:
            state["born_at"] = now
        at, value = subject["to_at"], subject["value"]
        if rule["kind"] == AGE:
            at, value = now, (now - max(subject["at"], state["born_at"])) / 1e6
        elif rule["kind"] == QUALITY:
            value = subject["valid_share"]
        if (rule["kind"] == AGE and aging == 0) or at == NEVER or at < state["seen_at"]:
            continue
        known = not math.isnan(value) and not math.isnan(high[r]) and not math.isnan(low[r])
        known = known and (rule["kind"] == AGE or subject["valid_share"] >= rule["least_share"])
        known = known and (rule["quiet"] < 0 or quiets[rule["quiet"]] == 0)
        if known and rule["kind"] == CHANGE:
            value = _change(rule, at, value, past_at, past_value)
            known = not math.isnan(value)
        if not known:
            if state["state"] != INACTIVE and state["held_from"] == NEVER:
                state["held_from"] = state["seen_at"]
            continue
        holds = active[r] != 0 and _holds(rule, subject, value, high[r], low[r], codes)
        if state["held_from"] != NEVER:
            state["held_us"] += at - state["held_from"]
            state["held_from"] = NEVER
        elif state["state"] != INACTIVE:
            above = max(value - high[r], low[r] - value, 0.0) if holds and rule["kind"] <= CHANGE else 0.0
            state["excess"] += above * subject["weight"] * ((at - state["seen_at"]) / HOUR_US)
        state["seen_at"] = at
        if state["state"] == INACTIVE:
            if not holds:
                continue
            _begin(state, at)
        if state["state"] == PENDING:
            if not holds:
                state["state"] = INACTIVE
                continue
            due_at = state["pending_at"] + state["held_us"] + rule["hold_us"]
            if at < due_at:
                continue
            mute = _mute(rule, silenced[r], at, now, parents, after, told_at)
            state["state"], state["fired_at"], state["told"] = FIRING, due_at, int(mute == AUDIBLE)
            _note(transitions[n], r, FIRED, mute, at, state, value, high[r], low[r])
            n += 1
            if mute == AUDIBLE:
                _note_told(rule, at, told_at)
            continue
        within = value <= high[r] - rule["hysteresis"] and value >= low[r] + rule["hysteresis"]
        limited = rule["kind"] != STATE and rule["kind"] != QUALITY
        if active[r] == 0 or (not holds and (within or not limited)):
            state["state"] = INACTIVE
            _note(transitions[n], r, RESOLVED, 1 - state["told"], at, state, value, high[r], low[r])
            n += 1
        elif state["told"] == 0 and _mute(rule, silenced[r], at, now, parents, after, told_at) == AUDIBLE:
            state["told"] = 1
            _note_told(rule, at, told_at)
            _note(transitions[n], r, TOLD, AUDIBLE, at, state, value, high[r], low[r])
            n += 1
    return n


def warm_up() -> None:
    """Compile with the types the pipeline uses."""
    rules, after = np.zeros(1, RULE), np.zeros(1, RULE_STATE)
    zero, one = np.zeros(1), np.zeros(1, np.int64)
    step_rules(
        rules, zero, zero, one, one, np.zeros(1, SUBJECT), one, one, one, 0, 1, after,
        np.zeros((1, MEMORY), np.int64), np.zeros((1, MEMORY)), np.zeros((1, MEMORY), np.int64),
        np.zeros(1, TRANSITION),
    )  # fmt: skip
